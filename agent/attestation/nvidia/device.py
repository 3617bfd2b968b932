"""The identity of an NVIDIA device: a chain from NVIDIA's root to the key that signed a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.attestation import certificates
from agent.attestation.errors import BadSignature, Malformed
from agent.attestation.nvidia.dice import Dice, read_dice
from agent.attestation.nvidia.report import DeviceReport
from agent.protocol.units import Millis

MIN_CHAIN: Final = 3
"""Root, the device's own certificate, and the one of its firmware; in truth NVIDIA has intermediates between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Who signed, the chain checked."""

    chain: tuple[x509.Certificate, ...]
    """Root first; the device's own certificate is the last but one, its firmware's the last."""
    dice: Dice

    @property
    def model(self) -> str:
        """Such as "GH100", "GB100" or "LS10"."""
        return self.hardware_model.split(" ")[0].replace("_", "")

    @property
    def hardware_model(self) -> str:
        """As NVIDIA names it in the device's own certificate, such as "GH100 A01 GSP BROM"."""
        found = self.chain[-2].subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(found[0].value)[:80] if found else ""

    @property
    def ueid(self) -> str:
        """The decimal number by which NVIDIA's own services name the device; it changes with the firmware."""
        return str(self.chain[-1].serial_number)

    @property
    def hardware_id(self) -> bytes:
        """The serial number of the device's own certificate, big-endian: stays, whatever the firmware."""
        serial = self.chain[-2].serial_number
        return serial.to_bytes((serial.bit_length() + 7) // 8 or 1, "big")

    @property
    def key(self) -> bytes:
        """The device's own public key, encoded: different for every device."""
        return self.chain[-2].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def check_signature(self, report: DeviceReport) -> None:
        """Check that this device signed `report`.

        Raises:
            BadSignature
        """
        key = certificates.p384_key(self.chain[-1])
        try:
            key.verify(encode_dss_signature(*report.signature), report.signed, ec.ECDSA(hashes.SHA384()))
        except (InvalidSignature, ValueError):
            raise BadSignature("device report is not signed by its attestation certificate") from None


def check_device(chain: Sequence[bytes], root: bytes, at: Millis) -> Device:
    """The device whose certificates are in `chain` (DER, leaf first; the root may be missing), checked at `at`.

    Raises:
        Malformed, UntrustedRoot, BadChain, NotValidThen
    """
    if not chain:
        raise Malformed("device without certificates")
    ordered = from_root(chain, root)
    if len(ordered) < MIN_CHAIN:
        raise Malformed(f"device chain of {len(ordered)} certificates, wants at least {MIN_CHAIN}")
    leaf = certificates.check_chain(ordered, root, at)
    certificates.p384_key(leaf)
    return Device(chain=(*(certificates.load(der) for der in ordered[:-1]), leaf), dice=read_dice(leaf))


def from_root(chain: Sequence[bytes], root: bytes) -> tuple[bytes, ...]:
    """`chain` (leaf first) the other way round, `root` in front if no root is there.

    Raises:
        Malformed: a certificate cannot be read.
    """
    top = certificates.load(chain[-1])
    return tuple(reversed(chain)) if top.subject == top.issuer else (root, *reversed(chain))
