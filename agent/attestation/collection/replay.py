"""Evidence as an audit reads it: with the collateral that was kept, in place of what it brought itself.

Pure but for reading the archive. What verifies is the usual verifiers, at the time asked about.
"""

from dataclasses import replace
from typing import Final

from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd.evidence import SnpQuote
from agent.attestation.amd.revocation import MAX_CRL
from agent.attestation.certificates import MAX_CERTIFICATE
from agent.attestation.collection.archive import Archive
from agent.attestation.collection.index import Index, Role
from agent.attestation.dstack.evidence import MEDIA_TYPE as DSTACK_TYPE
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.evidence import Evidence, Quote
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

LIMITS: Final = {
    Role.INTEL: MAX_COLLATERAL,
    Role.INTEL_ANSWER: MAX_COLLATERAL,
    Role.AMD_CERTIFICATE: MAX_CERTIFICATE,
    Role.AMD_CRL: MAX_CRL,
    Role.NVIDIA_RIM: MAX_XML,
    Role.NVIDIA_OCSP: MAX_RESPONSE,
}
"""Bytes that a blob of each role may have."""


def kept(index: Index, archive: Archive, role: Role) -> tuple[bytes, ...]:
    """The content of the items of `role`, each checked against its name.

    Raises:
        ArchiveError: one is lost or spoilt.
    """
    return tuple(archive.get(item.blob, LIMITS[role]) for item in index.of(role))


def beside(index: Index, archive: Archive) -> tuple[bytes, ...]:
    """What `raw.verify_file` is given beside a vendor's own file.

    Raises:
        ArchiveError: something is lost or spoilt.
    """
    return tuple(content for role in Role if role is not Role.INTEL_ANSWER for content in kept(index, archive, role))


def replayed(data: bytes, index: Index, archive: Archive) -> bytes:
    """Our own evidence in `data`, with the collateral of `index`; its binding and what hardware signed are untouched.

    Raises:
        Oversized, Malformed: no evidence of ours, or too large with the collateral.
        ArchiveError: something is lost or spoilt.
    """
    evidence = Evidence.decode(data)
    collateral = evidence.collateral
    rims, answers = kept(index, archive, Role.NVIDIA_RIM), kept(index, archive, Role.NVIDIA_OCSP)
    if rims or answers:
        collateral = Quote(COLLATERAL_TYPE, NvidiaCollateral(rims, answers).encode())
    return replace(evidence, cpu=_cpu(evidence.cpu, index, archive), collateral=collateral).encode()


def _cpu(cpu: Quote, index: Index, archive: Archive) -> Quote:
    intel = kept(index, archive, Role.INTEL)
    chain, crl = kept(index, archive, Role.AMD_CERTIFICATE), kept(index, archive, Role.AMD_CRL)
    content = cpu.content
    match cpu.media_type:
        case media_type if media_type in {TDX_TYPE, SGX_TYPE} and intel:
            content = _with_intel(content, intel[0])
        case media_type if media_type == DSTACK_TYPE and intel:
            decoded = DstackEvidence.decode(content)
            content = replace(decoded, intel=replace(decoded.intel, collateral=IntelCollateral.decode(intel[0]))).encode()
        case media_type if media_type == SNP_TYPE and chain:
            content = _with_amd(content, chain, crl)
        case media_type if media_type == VTPM_TDX_TYPE and intel:
            tpm = VtpmEvidence.decode(content)
            content = replace(tpm, cpu=_with_intel(tpm.cpu, intel[0])).encode()
        case media_type if media_type == VTPM_SNP_TYPE and chain:
            tpm = VtpmEvidence.decode(content)
            content = replace(tpm, cpu=_with_amd(tpm.cpu, chain, crl)).encode()
    return Quote(cpu.media_type, content)


def _with_intel(content: bytes, collateral: bytes) -> bytes:
    return replace(IntelEvidence.decode(content), collateral=IntelCollateral.decode(collateral)).encode()


def _with_amd(content: bytes, chain: tuple[bytes, ...], crl: tuple[bytes, ...]) -> bytes:
    return replace(SnpQuote.decode(content), chain=chain, crl=crl[0] if crl else None).encode()
