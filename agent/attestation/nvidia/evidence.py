"""How devices' reports and their collateral travel, in deterministic CBOR.

    device item   { "report": bytes, "chain": [DER, leaf first] }
    collateral    { "rims": [XML], "ocsp": [DER] }

A device item is hardware's word and belongs into the evidence, in the order of the devices: an item's place is the
index in its nonce. The collateral is the same for all of them and may be archived apart, so that fresher collateral
does not change the evidence's name.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.attestation import cbor
from agent.attestation.certificates import MAX_CERTIFICATE, MAX_CHAIN
from agent.attestation.nvidia.canonical_xml import MAX_XML
from agent.attestation.nvidia.errors import MalformedReport, MalformedRim
from agent.attestation.nvidia.ocsp import MAX_RESPONSE, MAX_RESPONSES
from agent.attestation.nvidia.report import MAX_REPORT

MAX_DEVICES: Final = 16
"""Eight GPUs and four switches make a machine."""
MAX_RIMS: Final = 16
MAX_ITEM: Final = MAX_REPORT + MAX_CHAIN * MAX_CERTIFICATE + 1024
MAX_COLLATERAL: Final = 1024 * 1024
COLLATERAL_TYPE: Final = "application/vnd.enclavia.nvidia-collateral+cbor"


class DeviceKind(StrEnum):
    """What a device is; the value is the media type of its item."""

    GPU = "application/vnd.enclavia.nvidia-gpu+cbor"
    SWITCH = "application/vnd.enclavia.nvidia-switch+cbor"


@dataclass(frozen=True, slots=True)
class DeviceItem:
    """A report and the certificates of the device that signed it."""

    report: bytes
    chain: tuple[bytes, ...]
    """DER, leaf first; the root may be missing."""

    def encode(self) -> bytes:
        """The content of the evidence's item."""
        return cbor.encode({"report": self.report, "chain": list(self.chain)})

    @classmethod
    def decode(cls, data: bytes) -> "DeviceItem":
        """The item in `data`.

        Raises:
            Malformed: not this encoding, or larger than any genuine item.
        """
        if len(data) > MAX_ITEM:
            raise MalformedReport(f"device item of {len(data)} bytes, at most {MAX_ITEM}")
        match cbor.decode(data):
            case {"report": bytes(report), "chain": list(chain), **rest} if not rest:
                pass
            case _:
                raise MalformedReport("device item is not a map of a report and its chain")
        if not 0 < len(chain) <= MAX_CHAIN or not all(type(der) is bytes for der in chain):
            raise MalformedReport(f"device item: chain is not 1 to {MAX_CHAIN} DER certificates")
        return cls(report, tuple(chain))


@dataclass(frozen=True, slots=True)
class Collateral:
    """What NVIDIA says of its devices: signed, public, and the same for everybody."""

    rims: tuple[bytes, ...] = ()
    """Manifests of drivers and firmware, XML."""
    ocsp: tuple[bytes, ...] = ()
    """OCSP responses, DER."""

    def encode(self) -> bytes:
        """The bytes to be stored."""
        return cbor.encode({"rims": list(self.rims), "ocsp": list(self.ocsp)})

    @classmethod
    def decode(cls, data: bytes) -> "Collateral":
        """The collateral in `data`.

        Raises:
            Malformed: not this encoding, or more than any machine needs.
        """
        if len(data) > MAX_COLLATERAL:
            raise MalformedRim(f"collateral of {len(data)} bytes, at most {MAX_COLLATERAL}")
        match cbor.decode(data):
            case {"rims": list(rims), "ocsp": list(ocsp), **rest} if not rest:
                pass
            case _:
                raise MalformedRim("collateral is not a map of manifests and OCSP responses")
        if not all(type(each) is bytes for each in (*rims, *ocsp)):
            raise MalformedRim("collateral: a manifest or an OCSP response is not bytes")
        if len(rims) > MAX_RIMS or any(len(rim) > MAX_XML for rim in rims):
            raise MalformedRim(f"collateral with more than {MAX_RIMS} manifests, or one above {MAX_XML} bytes")
        if len(ocsp) > MAX_RESPONSES or any(len(response) > MAX_RESPONSE for response in ocsp):
            raise MalformedRim(f"collateral with more than {MAX_RESPONSES} OCSP responses, or one above {MAX_RESPONSE} bytes")
        return cls(tuple(rims), tuple(ocsp))
