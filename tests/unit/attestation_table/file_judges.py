"""How each sort of file is judged: as evidence, or as what lies beside evidence, each by the code that reads it in earnest."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from vtpm_pki import FakeCpu

from agent.attestation import certificates
from agent.attestation.amd import AMD_ROOTS, verify_report
from agent.attestation.amd.endorsement import check_endorsement
from agent.attestation.amd.intermediates import AMD_INTERMEDIATES
from agent.attestation.aws_root import AWS_NITRO_ROOT
from agent.attestation.dstack.evidence import MEDIA_TYPE as DSTACK_TYPE
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.errors import BadSignature, EvidenceError, Malformed, UntrustedRoot
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote, without_padding
from agent.attestation.intel.report import EnclaveReport, TdReport
from agent.attestation.intel.revocation import check_collateral, check_list, check_statement
from agent.attestation.intel.root import INTEL_ROOT
from agent.attestation.intel.signature import check_chain, check_signatures
from agent.attestation.nvidia import NVIDIA_ROOTS
from agent.attestation.nvidia.device import check_device
from agent.attestation.nvidia.rim import check_rim
from agent.attestation.policy import Policy
from agent.attestation.raw import Beside, read_file, verify_file
from agent.attestation.raw.spelling import of_hex
from agent.attestation.verdict import QuoteVerdict
from agent.attestation.vtpm.errors import KeyUnbound, RegistersUnbound
from agent.attestation.vtpm.evidence import TDX_TYPE as VTPM_TDX_TYPE
from agent.attestation.vtpm.evidence import VtpmEvidence
from agent.attestation.vtpm.hcl import HclReport
from agent.attestation.vtpm.runtime import RuntimeData
from agent.attestation.vtpm.tpm import TpmQuote, check_signature, signature_of
from agent.attestation.vtpm.verifier import VtpmVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"
REPORT_SIZE = 1184


@dataclass(frozen=True)
class Judged:
    """What came of a file."""

    failed: frozenset[str]
    believed: object = None
    """What of it would be believed from now on; None: nothing."""


Judge = Callable[[bytes, Millis], Judged]


def content(name: str) -> bytes:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    return file.read_bytes()


def typed(check: Callable[[bytes, Millis], object]) -> Judge:
    """A judge out of what returns something, or raises an error that names its check."""

    def judge(data: bytes, at: Millis) -> Judged:
        try:
            return Judged(frozenset(), check(data, at))
        except EvidenceError as error:
            return Judged(frozenset({error.check.value}))

    return judge


def evidence(policy: Policy | None = None, beside: tuple[str, ...] = ()) -> Judge:
    """A file that is evidence; believed is what its hardware says, whatever a policy thinks of that."""

    def judge(data: bytes, at: Millis) -> Judged:
        verdict = verify_file(data, at, policy, beside=[content(name) for name in beside])
        return Judged(failed(verdict), (verdict.claims, verdict.devices) if verdict.authentic else None)

    return judge


def authentic(beside: tuple[str, ...], fails: frozenset[str]) -> Judge:
    """Of evidence that is authentic, though `fails` is to be said of it: what else fails."""

    def judge(data: bytes, at: Millis) -> Judged:
        verdict = verify_file(data, at, beside=[content(name) for name in beside])
        return Judged(failed(verdict) - fails, (verdict.claims, verdict.devices)) if verdict.authentic else Judged(failed(verdict))

    return judge


def failed(verdict: QuoteVerdict) -> frozenset[str]:
    return frozenset(check.name.value for check in verdict.failed)


def _unjudged(data: bytes, at: Millis) -> object:
    """What a quote of Intel's says whose collateral nobody kept: all signatures but those of collateral."""
    cpu = read_file(data, Beside()).cpu
    assert cpu is not None
    if cpu.media_type == VTPM_TDX_TYPE:
        vtpm = VtpmEvidence.decode(cpu.content)
        report = _signed(IntelEvidence.decode(vtpm.cpu).quote, at)
        rest = replace(vtpm, cpu=report.report_data)
        return report, VtpmVerifier(FakeCpu(TeeKind.TDX), VTPM_TDX_TYPE).authenticate(rest.encode(), at)
    if cpu.media_type == DSTACK_TYPE:
        dstack = DstackEvidence.decode(cpu.content)
        report = _signed(dstack.intel.quote, at)
        assert isinstance(report, TdReport)
        if dstack.log.registers() != report.rtmr:
            raise BadSignature("the log is another guest's")
        return report, dstack.log
    return _signed(IntelEvidence.decode(cpu.content).quote, at)


def _signed(quote: Quote, at: Millis) -> TdReport | EnclaveReport:
    check_signatures(quote, check_chain(quote, INTEL_ROOT, at))
    return quote.report


signatures_of_intel = typed(_unjudged)


def intel_collateral(quote: str) -> Judge:
    """Intel's statements and lists, as far as they concern the platform of `quote`."""

    def check(data: bytes, at: Millis) -> object:
        raw = content(quote)
        bare = without_padding(bytes.fromhex(raw.decode().strip()) if quote.endswith(".txt") else raw)
        collateral = Collateral.from_json(data)
        return collateral, check_collateral(collateral, Quote.decode(bare), INTEL_ROOT, at)

    return typed(check)


ASSEMBLED = "tdx-go-tdx-guest/assembled_collateral.json"


def intel_statement(name: str) -> Judge:
    """What Intel's service answers: `{"NAME": statement, "signature": hex}`, signed over the statement's very bytes."""

    def check(data: bytes, at: Millis) -> object:
        head, between = b'{"%s":' % name.encode(), b',"signature":"'
        if not data.startswith(head) or data.count(between) != 1:
            raise BadSignature("not the answer of Intel's service")
        statement, signature = data[len(head) :].split(between)
        try:
            raw = bytes.fromhex(signature.decode().strip().removesuffix('"}'))
        except ValueError:
            raise BadSignature("a signature that is not hex") from None
        signer = certificates.load(Collateral.from_json(content(ASSEMBLED)).tcb_signer)
        return check_statement(statement, raw, signer, at, name)

    return typed(check)


def intel_crl(*, root: bool) -> Judge:
    def check(data: bytes, at: Millis) -> object:
        chain = Quote.decode(without_padding(content("tdx-go-tdx-guest/tdx_prod_quote_SPR_E4.dat"))).chain
        found = check_list(data, certificates.load(INTEL_ROOT if root else chain[1]), at, "file's")
        return [each.serial_number for each in found]

    return typed(check)


def pinned(*roots: bytes) -> Judge:
    """A file of one certificate, which is one of the `roots` that are trusted, byte for byte."""

    def check(data: bytes, at: Millis) -> object:
        found = Beside.read([data]).certificates
        for der in found:
            certificate = certificates.load(der)
            if der not in roots:
                raise UntrustedRoot("none of those that are trusted")
            certificates.check_validity(certificate, at)
        return found

    return typed(check)


AWS = pinned(AWS_NITRO_ROOT)
INTEL = pinned(INTEL_ROOT)
NVIDIA = pinned(NVIDIA_ROOTS.device, NVIDIA_ROOTS.rim)
EVERY_ROOT = pinned(AWS_NITRO_ROOT, INTEL_ROOT, NVIDIA_ROOTS.device, NVIDIA_ROOTS.rim, *AMD_ROOTS.values())


def authorities(count: int = 2) -> Judge:
    """`count` of ASK or ASVK and ARK of a product line: those that are known here, and the one issued the other."""

    def check(data: bytes, at: Millis) -> object:
        found = Beside.read([data]).certificates
        if len(found) != count:
            raise Malformed(f"{len(found)} certificates, wants {count}")
        loaded = [certificates.load(der) for der in found]
        if found[-1] not in (*AMD_ROOTS.values(), *AMD_INTERMEDIATES):
            raise UntrustedRoot("none of those that are trusted")
        for issued, issuer in pairwise(loaded):
            certificates.check_link(issuer, issued, below=0)
        for each in loaded:
            certificates.check_validity(each, at)
        return found

    return typed(check)


def endorsement(*beside: str) -> Judge:
    """A VCEK, up to AMD's root."""
    return typed(lambda data, at: check_endorsement(Beside.read([data, *map(content, beside)]).certificates, AMD_ROOTS, at, None))


AZURE_SNP, AZURE_TDX = "coco-trustee/az-snp-vtpm", "coco-trustee/az-tdx-vtpm"


def _hcl_snp(data: bytes, at: Millis) -> object:
    """The report inside, up to AMD's root, and the runtime data that it hashes."""
    hcl = HclReport.decode(data)
    chain = Beside.read([content(f"{AZURE_SNP}/vcek.pem")]).certificates
    return _vouched(hcl, verify_report(hcl.hardware[:REPORT_SIZE], chain, at).report_data), hcl.hardware


def _hcl_tdx(data: bytes, at: Millis) -> object:
    """The runtime data, hashed by the quote that Azure made of the TDX report inside: only the machine itself can check that."""
    report = _signed(Quote.decode(without_padding(content(f"{AZURE_TDX}/td-quote.bin"))), at)
    return _vouched(HclReport.decode(data), report.report_data)


def _vouched(hcl: HclReport, report_data: bytes) -> object:
    if report_data != sha256(hcl.runtime).digest() + bytes(32):
        raise KeyUnbound("the report was made for other runtime data")
    RuntimeData.decode(hcl.runtime)
    return hcl.runtime


Parts = Callable[[bytes], tuple[bytes, bytes, tuple[bytes, ...] | None]]
"""Finds a TPM's quote, the bare signature and the registers, if they are there, in a file."""


def tpm_quote(folder: str, parts: Parts) -> Judge:
    """A TPM's quote, signed by the key in the HCL report beside it, and its registers where they come along."""

    def check(data: bytes, at: Millis) -> object:
        message, signature, registers = parts(data)
        key = RuntimeData.decode(HclReport.decode(content(f"{folder}/hcl-report.bin")).runtime).attestation_key
        check_signature(key, signature_of(signature), message)
        quote = TpmQuote.decode(message)
        if registers is not None and not quote.vouches_for(registers):
            raise RegistersUnbound("other registers")
        return quote, registers

    return typed(check)


def parts_of_json(data: bytes) -> tuple[bytes, bytes, tuple[bytes, ...] | None]:
    try:
        found = json.loads(data)
        return of_hex(found["message"], "message"), of_hex(found["signature"], "signature"), tuple(of_hex(each, "pcr") for each in found["pcrs"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed("not the JSON of a TPM quote") from None


def _nvidia_chain(data: bytes, at: Millis) -> object:
    device = check_device(Beside.read([data]).certificates, NVIDIA_ROOTS.device, at)
    return device.hardware_model, device.hardware_id, device.ueid, device.key, device.dice


hcl_snp, hcl_tdx, nvidia_chain = typed(_hcl_snp), typed(_hcl_tdx), typed(_nvidia_chain)
manifest = typed(lambda data, at: check_rim(data, NVIDIA_ROOTS.rim, at))
foreign = evidence()
"""What no code of ours reads: refused by name."""
