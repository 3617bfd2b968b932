"""Evidence as an audit reads it: with the collateral that counted at the time asked about, in place of what it brought itself.

Pure but for reading the archive. What verifies is the usual verifiers, at that time. All collections for a piece of evidence are
one pool: a statement that was collected later may have been in force before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.revocation import MAX_CRL
from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.collection.archive import Archive
from agent.attestation.collection.errors import ArchiveError
from agent.attestation.collection.index import Index, Item, Role
from agent.attestation.collection.intel import collateral_of
from agent.attestation.collection.store import Store
from agent.attestation.dstack.evidence import MEDIA_TYPE as DSTACK_TYPE
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import Evidence, Quote, evidence_digest
from agent.attestation.intel.collateral import MAX_COLLATERAL
from agent.attestation.intel.collateral import Collateral as IntelCollateral
from agent.attestation.intel.evidence import SGX_TYPE, TDX_TYPE, IntelEvidence
from agent.attestation.nvidia.canonical_xml import MAX_XML
from agent.attestation.nvidia.evidence import COLLATERAL_TYPE
from agent.attestation.nvidia.evidence import Collateral as NvidiaCollateral
from agent.attestation.nvidia.ocsp import MAX_RESPONSE
from agent.attestation.vtpm.evidence import SNP_TYPE as VTPM_SNP_TYPE
from agent.attestation.vtpm.evidence import TDX_TYPE as VTPM_TDX_TYPE
from agent.attestation.vtpm.evidence import VtpmEvidence
from agent.protocol.units import Millis

LIMITS: Final = {
    Role.INTEL_TCB_INFO: MAX_COLLATERAL,
    Role.INTEL_QE_IDENTITY: MAX_COLLATERAL,
    Role.INTEL_PCK_CRL: MAX_COLLATERAL,
    Role.INTEL_ROOT_CRL: MAX_COLLATERAL,
    Role.AMD_CERTIFICATE: MAX_CERTIFICATE,
    Role.AMD_CRL: MAX_CRL,
    Role.NVIDIA_RIM: MAX_XML,
    Role.NVIDIA_OCSP: MAX_RESPONSE,
}
"""Bytes that a blob of each role may have."""

_INTEL: Final = (Role.INTEL_TCB_INFO, Role.INTEL_QE_IDENTITY, Role.INTEL_PCK_CRL, Role.INTEL_ROOT_CRL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an archive has for one piece of evidence at one time."""

    intel: IntelCollateral | None
    amd_certificates: tuple[bytes, ...]
    """DER, the chip's own first."""
    amd_crl: bytes | None
    nvidia: NvidiaCollateral

    def beside(self) -> tuple[bytes, ...]:
        """What `raw.verify_file` is given beside a vendor's own file."""
        found = [*self.amd_certificates, *(() if self.amd_crl is None else (self.amd_crl,))]
        found += () if self.intel is None else (self.intel.encode(),)
        return (*found, *self.nvidia.rims, *self.nvidia.ocsp)


def kept_for(data: bytes, store: Store, at: Millis) -> Kept:
    """What `store` has for the evidence `data` at `at`.

    Raises:
        NothingCollected: nothing was collected for it, at any time.
        ArchiveError: something is lost or spoilt.
    """
    return kept_at(store.collections(evidence_digest(data)), store.archive, at)


def kept_at(collections: Sequence[Index], archive: Archive, at: Millis) -> Kept:
    """As `kept_for`, of these `collections`.

    Raises:
        ArchiveError: something is lost or spoilt.
    """
    items = chosen(collections, at)

    def contents(role: Role) -> tuple[bytes, ...]:
        return tuple(archive.get(item.blob, LIMITS[role]) for item in items if item.role is role)

    intel = {role: found[0] for role in _INTEL if (found := contents(role))}
    crls = contents(Role.AMD_CRL)
    try:
        return Kept(
            intel=collateral_of(intel) if len(intel) == len(_INTEL) else None,
            amd_certificates=contents(Role.AMD_CERTIFICATE),
            amd_crl=crls[0] if crls else None,
            nvidia=NvidiaCollateral(contents(Role.NVIDIA_RIM), contents(Role.NVIDIA_OCSP)),
        )
    except EvidenceError as error:
        raise ArchiveError(f"what the archive holds cannot be read ({error}): collect again, or restore a copy") from error


def chosen(collections: Sequence[Index], at: Millis) -> tuple[Item, ...]:
    """Of each role and subject the item that counts at `at`: the newest in force, a revocation before all.

    Where none is in force, the nearest: it is for the verifier to refuse, by name.
    """
    found: dict[tuple[Role, str], Item] = {}
    for item in (item for index in collections for item in index.items):
        known = found.setdefault((item.role, item.subject), item)
        # of two that are alike the later collection's: what spoilt an archive may be mended by collecting again
        if _rank(item, at) >= _rank(known, at):
            found[item.role, item.subject] = item
    return tuple(found.values())


def replayed(data: bytes, kept: Kept) -> bytes:
    """Our own evidence in `data`, with the collateral `kept`; its binding and what hardware signed are untouched.

    Raises:
        Oversized, Malformed: no evidence of ours, or too large with the collateral.
    """
    evidence = Evidence.decode(data)
    collateral = evidence.collateral
    if kept.nvidia.rims or kept.nvidia.ocsp:
        collateral = Quote(COLLATERAL_TYPE, kept.nvidia.encode())
    return replace(evidence, cpu=_cpu(evidence.cpu, kept), collateral=collateral).encode()


def _rank(item: Item, at: Millis) -> tuple[int, int]:
    if item.window.holds(at):
        return (3 if item.window.ends is None else 2), item.valid_from
    # lapsed before yet to come; of those the one that came last, of these the one that comes first
    return (1, item.valid_from) if item.valid_from <= at else (0, -item.valid_from)


def _cpu(cpu: Quote, kept: Kept) -> Quote:
    content = cpu.content
    match cpu.media_type:
        case media_type if media_type in {TDX_TYPE, SGX_TYPE}:
            content = _with_intel(content, kept)
        case media_type if media_type == DSTACK_TYPE:
            decoded = DstackEvidence.decode(content)
            content = replace(decoded, intel=replace(decoded.intel, collateral=kept.intel or decoded.intel.collateral)).encode()
        case media_type if media_type == SNP_TYPE:
            content = _with_amd(content, kept)
        case media_type if media_type == VTPM_TDX_TYPE:
            tpm = VtpmEvidence.decode(content)
            content = replace(tpm, cpu=_with_intel(tpm.cpu, kept)).encode()
        case media_type if media_type == VTPM_SNP_TYPE:
            tpm = VtpmEvidence.decode(content)
            content = replace(tpm, cpu=_with_amd(tpm.cpu, kept)).encode()
    return Quote(cpu.media_type, content)


def _with_intel(content: bytes, kept: Kept) -> bytes:
    decoded = IntelEvidence.decode(content)
    return replace(decoded, collateral=kept.intel or decoded.collateral).encode()


def _with_amd(content: bytes, kept: Kept) -> bytes:
    decoded = SnpQuote.decode(content)
    return replace(decoded, chain=kept.amd_certificates or decoded.chain, crl=kept.amd_crl or decoded.crl).encode()
