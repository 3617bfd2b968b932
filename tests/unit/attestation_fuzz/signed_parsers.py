"""Hostile bytes behind genuine signatures: what only the vendor or the hardware can send, and must not crash a verifier either.

And everything judged whole, where nothing may be raised at all, and nothing accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import nvidia_pki
from amd_pki import AT as AMD_AT
from amd_pki import Report, ec_key
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from evidence_kinds import KINDS
from failure_matrix import STRANGER, Kind, Spoilt
from intel_pki import CA_NAME, CHAIN, PCK_NAME, ROOT, TCB_NAME, Guest, Signing, certificate, collateral, evidence, key, pck_extension, sign, tdx_quote
from nvidia_pki import Device, Manifest
from nvidia_pki import certificate as nvidia_certificate
from parsers import Parser
from synthetic_world import AT, MILAN, RIMS, nitro_certificate, nitro_key, quote
from vtpm_pki import PCRS, REPORT_DATA, FakeCpu, attestation_key, bound, jwk, runtime_data, tpm_quote
from vtpm_pki import signed as tpm_signed

from agent.attestation import certificates, cose
from agent.attestation.amd import verify_report
from agent.attestation.amd.endorsement import check_endorsement
from agent.attestation.amd.report import SIGNED_SIZE
from agent.attestation.amd.revocation import check_not_revoked
from agent.attestation.binding import gpu_nonce
from agent.attestation.collection.index import Index
from agent.attestation.collection.revocation import proven_list
from agent.attestation.collection.statement import Kind as StatementKind
from agent.attestation.collection.statement import Statement
from agent.attestation.evidence import Quote
from agent.attestation.intel.quote import Quote as IntelQuote
from agent.attestation.intel.quote import pem
from agent.attestation.intel.report import EnclaveReport, TdReport
from agent.attestation.intel.revocation import check_list
from agent.attestation.intel.tcb import Platform
from agent.attestation.intel.verifier import IntelTrust, TdxVerifier
from agent.attestation.nitro import NitroVerifier
from agent.attestation.nvidia import DeviceItem, verify_gpus
from agent.attestation.nvidia.dice import read_dice
from agent.attestation.nvidia.ocsp import OcspResponses
from agent.attestation.nvidia.rim import check_rim
from agent.attestation.raw import verify_file
from agent.attestation.vtpm.evidence import SNP_TYPE, VtpmEvidence
from agent.attestation.vtpm.runtime import RuntimeData
from agent.attestation.vtpm.verifier import VtpmVerifier

TDX = TdxVerifier(IntelTrust(root=ROOT))
NITRO = NitroVerifier(nitro_certificate("root", "root"))
COSTLY = 4
"""How much less often these run: each execution signs or verifies."""
MACHINE = VtpmVerifier(FakeCpu(), SNP_TYPE)
EXTRA = '<n0:Resource type="Measurement" index="9" active="True" alternatives="1" size="48" h:Hash0="{}"/>'.format("ab" * 48).encode()


@dataclass(frozen=True, kw_only=True)
class HostileGuest(Guest):
    """Whose report is these bytes, and signed."""

    raw: bytes = b""

    def body(self) -> bytes:
        return self.raw


def hostile_quote(body: bytes) -> object:
    return TDX.authenticate(evidence(tdx_quote(HostileGuest(raw=body))), AT)


def hostile_statement(name: str) -> Callable[[bytes], object]:
    """Intel's statement `name`, signed, whatever it says."""

    def parses(text: bytes) -> object:
        spoilt = replace(collateral(), **{name: text, f"{name}_signature": sign(key(TCB_NAME), text)})
        return TDX.authenticate(evidence(beside=spoilt), AT)

    return parses


def hostile_pck(extension: bytes) -> object:
    chain = (*CHAIN[:2], certificate(PCK_NAME, CA_NAME, authority=False, extension=extension))
    return Platform.of(IntelQuote.decode(tdx_quote(signing=Signing(chain=chain))))


def hostile_snp(body: bytes) -> object:
    filled = body[:SIGNED_SIZE].ljust(SIGNED_SIZE, b"\0")
    der = ec_key("chip").sign(filled, ec.ECDSA(hashes.SHA384()))
    numbers = b"".join(number.to_bytes(72, "little") for number in decode_dss_signature(der))
    return verify_report(filled + numbers + bytes(512 - len(numbers)), MILAN.chain(), AMD_AT, roots=MILAN.roots)


def hostile_vcek(extension: bytes) -> object:
    level: dict[str, Any] = {"3_3": extension}
    return check_endorsement((MILAN.endorsement(**level), *MILAN.chain()[1:]), MILAN.roots, AMD_AT, None)


def hostile_nitro(payload: bytes) -> object:
    return NITRO.authenticate(cose.sign(payload, nitro_key("leaf")).encode(), AT)


def hostile_tpm(message: bytes) -> object:
    runtime = runtime_data(jwk(attestation_key().public_key()))
    parts = VtpmEvidence(cpu=bound(runtime), runtime=runtime, quote=message, signature=tpm_signed(message), pcrs=PCRS, report_data=REPORT_DATA)
    return MACHINE.authenticate(parts.encode(), AT)


def hostile_runtime(runtime: bytes) -> object:
    message = tpm_quote(b"")
    parts = VtpmEvidence(cpu=bound(runtime), runtime=runtime, quote=message, signature=tpm_signed(message), pcrs=PCRS, report_data=b"")
    return MACHINE.authenticate(parts.encode(), AT)


def hostile_device(report: bytes) -> object:
    device = Device()
    item = Quote(device.kind, DeviceItem(report + nvidia_pki.raw_signature(device.leaf, report), device.chain).encode())
    return verify_gpus((item,), nvidia_pki.REPORT_DATA, AT, RIMS, roots=nvidia_pki.ROOTS)


def hostile_dice(oid: str) -> Callable[[bytes], object]:
    return lambda content: read_dice(certificates.load(nvidia_certificate.__wrapped__("leaf", "own", ca=False, dice=(oid, content))))


def hostile_manifest(extra: bytes) -> object:
    manifest = Manifest(golden={7: (nvidia_pki.value(7),)}, extra=extra.decode("utf-8", "replace"))
    return check_rim(manifest.signed, nvidia_pki.RIM_ROOT, AT)


def listed(data: bytes) -> object:
    """By each of those who read revocation lists."""
    issuer = certificates.load(CHAIN[1])
    proven_list(data, issuer)
    return check_list(data, issuer, AT, "fuzzed")


def asked(data: bytes) -> object:
    leaf, issuer = (certificates.load(der) for der in Device().chain[1:3])
    return OcspResponses((data,)).covers(leaf, issuer, AT)


def amd_listed(data: bytes) -> None:
    intermediate, root = (certificates.load(der) for der in MILAN.chain()[1:])
    check_not_revoked(intermediate, data, root, AMD_AT)


def judged(kind: Kind, genuine: bytes) -> Callable[[bytes], object]:
    """Never raises; accepts nothing but `genuine`."""

    def parses(data: bytes) -> object:
        verdict = kind.judged(Spoilt("", whole=data))
        assert not verdict.ok or data == genuine, "hostile evidence accepted"
        return verdict

    return parses


def judged_by_strangers(data: bytes) -> object:
    """Under roots of others nothing holds, whatever is in it."""
    verdict = verify_file(data, AT, KINDS[0].policy(), verifiers=STRANGER)
    assert not verdict.ok
    assert not verdict.authentic
    return verdict


@cache
def signed_parsers() -> tuple[Parser, ...]:
    """All of them."""
    statement = b'{"tcbInfo":%s,"signature":"%s"}' % (collateral().tcb_info, collateral().tcb_info_signature.hex().encode())
    chain = pem((collateral().tcb_signer, ROOT))
    enclave = IntelQuote.decode(tdx_quote()).report
    assert isinstance(enclave, TdReport)
    index = Index(evidence="00" * 32, collected_at=AT, items=(), missing=("x",)).encode()
    device = Device().report(gpu_nonce(nvidia_pki.REPORT_DATA, 0))[:-96]
    own, issuer = Device().chain[1:3]
    delegate = nvidia_certificate("Delegate", "GH100 ICA", ca=False, delegate=True, serial=5)
    response = nvidia_pki.ocsp_response(own, issuer, "GH100 ICA")
    delegated = nvidia_pki.ocsp_response(own, issuer, "Delegate", delegate=delegate)
    wholes = tuple(kind.evidence() for kind in KINDS)
    few = (
        Parser("TD report", TdReport.decode, (Guest().body(),)),
        Parser("enclave report", EnclaveReport.decode, (b"\x05" * 384,)),
        Parser("TD report, signed", hostile_quote, (Guest().body(),)),
        Parser("Intel's patch levels, signed", hostile_statement("tcb_info"), (collateral().tcb_info,)),
        Parser("Intel's quoting enclave, signed", hostile_statement("qe_identity"), (collateral().qe_identity,)),
        Parser("PCK extension, signed", hostile_pck, (pck_extension(),)),
        Parser("Intel's answer", lambda data: Statement.read(data, StatementKind.TCB_INFO, chain), (statement,)),
        Parser("revocation list", listed, (collateral().pck_crl, collateral().root_crl)),
        Parser("AMD's revocation list", amd_listed, (MILAN.crl(), MILAN.crl(MILAN.chain()[1]))),
        Parser("SNP report, signed", hostile_snp, (Report(report_data=bytes(64)).signed()[:SIGNED_SIZE],)),
        Parser("VCEK extension, signed", hostile_vcek, (b"\x02\x01\x18", b"\x02\x02\x00\xdb")),
        Parser("Nitro payload, signed", hostile_nitro, (cose.Sign1.decode(quote("nitro").content).payload,)),
        Parser("TPM quote, signed", hostile_tpm, (tpm_quote(REPORT_DATA), tpm_quote(b"", (0, 7), PCRS))),
        Parser("runtime data, vouched for", hostile_runtime, (runtime_data(jwk(attestation_key().public_key())),)),
        Parser("runtime data", RuntimeData.decode, (runtime_data(jwk(attestation_key().public_key())),)),
        Parser("NVIDIA report, signed", hostile_device, (device,), judges=True),
        Parser("composite device id", hostile_dice("2.23.133.5.4.1"), (nvidia_pki.hopper_dice(b"\x2f" * 48)[1],)),
        Parser("DiceTcbInfo", hostile_dice("2.23.133.5.4.1.1"), (nvidia_pki.blackwell_dice(b"\x2f" * 48)[1],)),
        Parser("NVIDIA manifest, signed", hostile_manifest, (EXTRA,)),
        Parser("OCSP response, asked", asked, (response, delegated)),
        Parser("index of collateral", Index.decode, (index,)),
        *(Parser(f"evidence of {kind.name}, judged", judged(kind, whole), (whole,), judges=True) for kind, whole in zip(KINDS, wholes, strict=True)),
        Parser("any file, judged by strangers", judged_by_strangers, wholes, judges=True),
    )
    return tuple(replace(parser, share=COSTLY) for parser in few)
