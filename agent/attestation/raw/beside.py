"""What lies beside evidence in its vendor's form: certificates, revocation lists, Intel's and NVIDIA's collateral."""

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography import x509
from cryptography.x509 import ocsp

from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.errors import EvidenceError
from agent.attestation.intel.collateral import Collateral as IntelCollateral
from agent.attestation.nvidia import Collateral as NvidiaCollateral
from agent.attestation.raw.errors import UnfitBeside

MAX_BESIDE: Final = 1024 * 1024
"""Bytes of one file."""
MAX_CERTIFICATES: Final = 16

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")
_CBOR_MAP: Final = 5
_DER_SEQUENCE: Final = 0x30


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """All of it, well-formed but not trusted."""

    intel: IntelCollateral | None = None
    nvidia: NvidiaCollateral = field(default_factory=NvidiaCollateral)
    certificates: tuple[bytes, ...] = ()
    """DER, in the order of the files."""
    crl: bytes | None = None
    """DER."""

    @classmethod
    def read(cls, files: Iterable[bytes]) -> "Beside":
        """What `files` hold, each known by its content.

        Raises:
            UnfitBeside: one holds nothing of this sort, or too much.
        """
        found = cls()
        for content in files:
            if len(content) > MAX_BESIDE:
                raise UnfitBeside(f"collateral of {len(content)} bytes, at most {MAX_BESIDE}")
            try:
                found = found._with(content)
            except EvidenceError as error:
                raise UnfitBeside(f"what was given as collateral cannot be used: {error}") from None
        if len(found.certificates) > MAX_CERTIFICATES:
            raise UnfitBeside(f"{len(found.certificates)} certificates, at most {MAX_CERTIFICATES}")
        return found

    def _with(self, content: bytes) -> "Beside":
        text = content.lstrip()
        if text.startswith(b"{"):
            return replace(self, intel=IntelCollateral.from_json(content))
        if text.startswith(b"-----BEGIN"):
            return self._with_pem(content)
        if text.startswith((b"<", b"\xef\xbb\xbf<")):
            return replace(self, nvidia=NvidiaCollateral((*self.nvidia.rims, content), self.nvidia.ocsp))
        if content[:1] and content[0] >> 5 == _CBOR_MAP:
            return self._with_cbor(content)
        if content[:1] == bytes([_DER_SEQUENCE]):
            return self._with_der(content)
        raise UnfitBeside("neither certificates, a revocation list, Intel's or NVIDIA's collateral, nor a reference manifest")

    def _with_pem(self, content: bytes) -> "Beside":
        blocks = _CERTIFICATE.findall(content)
        if not blocks:
            raise UnfitBeside("PEM without a certificate")
        try:
            found = tuple(ssl.PEM_cert_to_DER_cert(block.decode("ascii") + "\n") for block in blocks[: MAX_CERTIFICATES + 1])
        except ValueError:
            raise UnfitBeside("a certificate is not PEM") from None
        return replace(self, certificates=(*self.certificates, *found))

    def _with_cbor(self, content: bytes) -> "Beside":
        try:
            brought = NvidiaCollateral.decode(content)
        except EvidenceError:
            return replace(self, intel=IntelCollateral.decode(content))
        return replace(self, nvidia=NvidiaCollateral((*self.nvidia.rims, *brought.rims), (*self.nvidia.ocsp, *brought.ocsp)))

    def _with_der(self, content: bytes) -> "Beside":
        if _loads(x509.load_der_x509_crl, content):
            return replace(self, crl=content)
        if _loads(ocsp.load_der_ocsp_response, content):
            return replace(self, nvidia=NvidiaCollateral(self.nvidia.rims, (*self.nvidia.ocsp, content)))
        if len(content) > MAX_CERTIFICATE:
            raise UnfitBeside(f"DER of {len(content)} bytes that is no revocation list; a certificate has at most {MAX_CERTIFICATE}")
        # whether it is a certificate, whoever checks the chain finds out
        return replace(self, certificates=(*self.certificates, content))


def _loads(load: object, content: bytes) -> bool:
    assert callable(load)
    try:
        load(content)
    except Exception:  # noqa: BLE001 - a hostile structure raises whatever its broken part raises
        return False
    return True
