"""What a quote is about: the report of a TDX guest (TDX module specification, TDREPORT) or of an SGX enclave.

A measurement, as policies allow it, is one digest over everything in the report that decides which code runs and who
may look at it. The tags keep the two kinds apart, so that no enclave can pass for a guest.
"""

from dataclasses import dataclass
from hashlib import sha384
from typing import Final

from agent.attestation.errors import Malformed

TDX_TAG: Final = b"enclavia-tdx/1:"
SGX_TAG: Final = b"enclavia-sgx/1:"

TD10_SIZE: Final = 584
TD15_SIZE: Final = 648
ENCLAVE_SIZE: Final = 384

_SGX_DEBUG: Final = 1 << 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TdReport:
    """A TDX guest; registers have 48 bytes."""

    tee_tcb_svn: bytes
    mr_seam: bytes
    """Measurement of the TDX module."""
    mr_signer_seam: bytes
    """Zero for Intel's own modules."""
    attributes: bytes
    """8 bytes."""
    xfam: bytes
    """8 bytes; which processor state the guest may use."""
    mr_td: bytes
    """The guest's initial memory: its firmware."""
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmr: tuple[bytes, bytes, bytes, bytes]
    """What was loaded since: configuration, loader, kernel, application."""
    report_data: bytes
    """64 bytes."""
    mr_service_td: bytes = bytes(48)
    """Guests that serve this one, as for migration; TDX 1.5."""

    @classmethod
    def decode(cls, body: bytes) -> "TdReport":
        """The report in `body`.

        Raises:
            Malformed: not the size of TDX 1.0 or 1.5.
        """
        if len(body) not in {TD10_SIZE, TD15_SIZE}:
            raise Malformed(f"TDX report of {len(body)} bytes, wants {TD10_SIZE} or {TD15_SIZE}")
        return cls(
            tee_tcb_svn=body[:16],
            mr_seam=body[16:64],
            mr_signer_seam=body[64:112],
            attributes=body[120:128],
            xfam=body[128:136],
            mr_td=body[136:184],
            mr_config_id=body[184:232],
            mr_owner=body[232:280],
            mr_owner_config=body[280:328],
            rtmr=(body[328:376], body[376:424], body[424:472], body[472:520]),
            report_data=body[520:584],
            mr_service_td=body[600:648] or bytes(48),
        )

    @property
    def debug(self) -> bool:
        """True if any bit of TUD is set: the host can read the guest, or will be able to under a later module."""
        return self.attributes[0] != 0

    @property
    def identity(self) -> bytes:
        """All that decides what runs, save the runtime registers."""
        owners = self.mr_config_id + self.mr_owner + self.mr_owner_config
        return self.attributes + self.xfam + self.mr_td + owners + self.mr_service_td

    @property
    def measurement(self) -> bytes:
        """48 bytes: SHA-384 over the tag, attributes, XFAM, MRTD, MRCONFIGID, MROWNER, MROWNERCONFIG, MRSERVICETD and
        RTMR0 to RTMR3.

        MRSEAM is left out: Intel patches its module, and vouches for each by its signer and security version.
        """
        return sha384(TDX_TAG + self.identity + b"".join(self.rtmr)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveReport:
    """An SGX enclave."""

    misc_select: bytes
    attributes: bytes
    """16 bytes: flags, then XFRM."""
    mr_enclave: bytes
    """32 bytes."""
    mr_signer: bytes
    """32 bytes."""
    config_id: bytes
    """64 bytes; with key separation and sharing, what the enclave was told to load."""
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    ext_prod_id: bytes
    family_id: bytes
    report_data: bytes
    """64 bytes."""

    @classmethod
    def decode(cls, body: bytes) -> "EnclaveReport":
        """The report in `body`.

        Raises:
            Malformed: not its size.
        """
        if len(body) != ENCLAVE_SIZE:
            raise Malformed(f"SGX report of {len(body)} bytes, wants {ENCLAVE_SIZE}")
        return cls(
            misc_select=body[16:20],
            ext_prod_id=body[32:48],
            attributes=body[48:64],
            mr_enclave=body[64:96],
            mr_signer=body[128:160],
            config_id=body[192:256],
            isv_prod_id=int.from_bytes(body[256:258], "little"),
            isv_svn=int.from_bytes(body[258:260], "little"),
            config_svn=int.from_bytes(body[260:262], "little"),
            family_id=body[304:320],
            report_data=body[320:384],
        )

    @property
    def debug(self) -> bool:
        """True if the host can read the enclave."""
        return bool(self.attributes[0] & _SGX_DEBUG)

    @property
    def measurement(self) -> bytes:
        """48 bytes: SHA-384 over the tag, MRENCLAVE, MRSIGNER, ISVPRODID, ISVSVN, CONFIGSVN, CONFIGID, ISVEXTPRODID,
        ISVFAMILYID, MISCSELECT and the attributes' flags.

        XFRM, the other half of the attributes, varies with the processor and is left out.
        """
        numbers = b"".join(number.to_bytes(2, "little") for number in (self.isv_prod_id, self.isv_svn, self.config_svn))
        names = self.config_id + self.ext_prod_id + self.family_id
        return sha384(
            SGX_TAG + self.mr_enclave + self.mr_signer + numbers + names + self.misc_select + self.attributes[:8]
        ).digest()
