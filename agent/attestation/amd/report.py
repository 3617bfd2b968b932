"""Attestation reports of AMD SEV-SNP, versions 2 to 5: what the bytes say, trusted or not.

Source: AMD 56860 (SEV-SNP Firmware ABI), ATTESTATION_REPORT. The signature covers the first 0x2A0 bytes; behind it lie
the two numbers of an ECDSA signature, little-endian in 72 bytes each, and zeros.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from agent.attestation.amd.errors import MalformedReport
from agent.attestation.amd.tcb import Product, product_of

REPORT_SIZE: Final = 0x4A0
SIGNED_SIZE: Final = 0x2A0
VERSIONS: Final = range(2, 6)
CHIP_ID_SIZE: Final = 64

_ECDSA_P384_SHA384: Final = 1
_SIGNATURE_NUMBER: Final = 72
_SIGNATURE_END: Final = SIGNED_SIZE + 2 * _SIGNATURE_NUMBER
_CPUID_SINCE: Final = 3
_MITIGATIONS_SINCE: Final = 5
_NO_MIGRATION_AGENT: Final = b"\xff" * 32
_KEY_SHIFT, _KEY_MASK = 2, 7


class SigningKey(IntEnum):
    """Which key of the platform signed."""

    VCEK = 0
    """Of one chip, at one patch level."""
    VLEK = 1
    """Of one cloud provider, loaded onto its chips."""


class GuestPolicy(IntFlag):
    """What the owner of the guest allowed at its launch."""

    SMT = 1 << 16
    ALWAYS = 1 << 17
    """Reserved, always set."""
    MIGRATE_MA = 1 << 18
    """A migration agent may take the guest, with its memory, elsewhere."""
    DEBUG = 1 << 19
    """The host may read the guest's memory."""
    SINGLE_SOCKET = 1 << 20
    CXL_ALLOW = 1 << 21
    MEM_AES_256_XTS = 1 << 22
    RAPL_DIS = 1 << 23
    CIPHERTEXT_HIDING = 1 << 24
    PAGE_SWAP_DISABLE = 1 << 25


class PlatformInfo(IntFlag):
    """How the host is configured."""

    SMT = 1 << 0
    TSME = 1 << 1
    ECC = 1 << 2
    RAPL_DIS = 1 << 3
    CIPHERTEXT_HIDING = 1 << 4
    ALIAS_CHECK_COMPLETE = 1 << 5
    """The firmware looked for aliased memory (BadRAM)."""
    TIO = 1 << 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpReport:
    """A report, well-formed but not trusted. TCB versions are raw: their layout depends on the product line."""

    raw: bytes
    version: int
    guest_svn: int
    policy: int
    """Bits of `GuestPolicy`, and the ABI version in the lowest two bytes."""
    family_id: bytes
    image_id: bytes
    vmpl: int
    """Privilege level of whoever asked, 0 to 3; 0 is the most privileged."""
    current_tcb: bytes
    platform_info: int
    """Bits of `PlatformInfo`."""
    signing_key: SigningKey
    chip_key_masked: bool
    author_key_used: bool
    report_data: bytes
    measurement: bytes
    """48 bytes: the launch digest."""
    host_data: bytes
    id_key_digest: bytes
    """48 bytes, zeros without an ID block."""
    author_key_digest: bytes
    """48 bytes, zeros without an author key."""
    report_id: bytes
    migration_agent: bytes | None
    """REPORT_ID of the migration agent; None without one."""
    reported_tcb: bytes
    """The one that the signing key stands for."""
    product: Product | None
    """By the report's CPUID; None before version 3."""
    chip_id: bytes
    """64 bytes; zeros if the host masks it."""
    committed_tcb: bytes
    """The platform cannot be rolled back below it."""
    launch_tcb: bytes
    launch_mitigations: int | None
    """Bit vector; None before version 5."""
    current_mitigations: int | None

    @property
    def debug(self) -> bool:
        """True: the host may read the guest's memory."""
        return bool(self.policy & GuestPolicy.DEBUG)

    @property
    def signature(self) -> tuple[int, int]:
        """The numbers r and s."""
        middle = SIGNED_SIZE + _SIGNATURE_NUMBER
        return (
            int.from_bytes(self.raw[SIGNED_SIZE:middle], "little"),
            int.from_bytes(self.raw[middle:_SIGNATURE_END], "little"),
        )

    @classmethod
    def decode(cls, raw: bytes) -> "SnpReport":
        """The report in `raw`.

        Raises:
            MalformedReport: another length or version than known, or a field that AMD does not define so.
        """
        if len(raw) != REPORT_SIZE:
            raise MalformedReport(f"SEV-SNP report of {len(raw)} bytes, expected {REPORT_SIZE}")
        version = _number(raw, 0x00, 4)
        if version not in VERSIONS:
            raise MalformedReport(f"SEV-SNP report of version {version}, known are {VERSIONS[0]} to {VERSIONS[-1]}")
        if _number(raw, 0x34, 4) != _ECDSA_P384_SHA384:
            raise MalformedReport("SEV-SNP report not signed with ECDSA on P-384 and SHA-384")
        if any(raw[_SIGNATURE_END:]):
            raise MalformedReport("SEV-SNP report with bytes behind its signature, where AMD leaves zeros")
        signer = _number(raw, 0x48, 4)
        agent = raw[0x160:0x180]
        return cls(
            raw=raw,
            version=version,
            guest_svn=_number(raw, 0x04, 4),
            policy=_policy(_number(raw, 0x08, 8)),
            family_id=raw[0x10:0x20],
            image_id=raw[0x20:0x30],
            vmpl=_number(raw, 0x30, 4),
            current_tcb=raw[0x38:0x40],
            platform_info=_number(raw, 0x40, 8),
            signing_key=_signing_key(signer),
            chip_key_masked=bool(signer & 2),
            author_key_used=bool(signer & 1),
            report_data=raw[0x50:0x90],
            measurement=raw[0x90:0xC0],
            host_data=raw[0xC0:0xE0],
            id_key_digest=raw[0xE0:0x110],
            author_key_digest=raw[0x110:0x140],
            report_id=raw[0x140:0x160],
            migration_agent=None if agent == _NO_MIGRATION_AGENT else agent,
            reported_tcb=raw[0x180:0x188],
            product=_product(raw) if version >= _CPUID_SINCE else None,
            chip_id=raw[0x1A0:0x1E0],
            committed_tcb=raw[0x1E0:0x1E8],
            launch_tcb=raw[0x1F0:0x1F8],
            launch_mitigations=_number(raw, 0x1F8, 8) if version >= _MITIGATIONS_SINCE else None,
            current_mitigations=_number(raw, 0x200, 8) if version >= _MITIGATIONS_SINCE else None,
        )


def _number(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(raw[at : at + size], "little")


def _policy(policy: int) -> int:
    if not policy & GuestPolicy.ALWAYS:
        raise MalformedReport(f"SEV-SNP guest policy {policy:#x} lacks bit 17, which is always set")
    return policy


def _signing_key(signer: int) -> SigningKey:
    key = signer >> _KEY_SHIFT & _KEY_MASK
    try:
        return SigningKey(key)
    except ValueError:
        raise MalformedReport(f"SEV-SNP report signed by key {key}: neither VCEK (0) nor VLEK (1)") from None


def _product(raw: bytes) -> Product:
    family, model = raw[0x188], raw[0x189]
    product = product_of(family, model)
    if product is None:
        raise MalformedReport(f"SEV-SNP report of CPU family {family:#x} model {model:#x}: no known product line")
    return product
