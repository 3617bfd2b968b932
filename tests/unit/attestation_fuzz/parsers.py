"""Every parser that a stranger's bytes reach, and genuine bytes of the kind that it reads."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

import nvidia_pki
from amd_pki import Report
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from file_judges import VECTORS
from intel_pki import CA_NAME, CHAIN, Guest, collateral, revocation_list, tdx_quote
from kernel_reports import certificate_table
from nvidia_pki import Device
from simulated_world import BINDING, POLICY
from synthetic_world import AT, KINDS, MILAN, RIMS, judged, quote, verifiers
from vendor_services import BOARD
from vtpm_pki import PCRS, RUNTIME, hcl_report, tpm_quote

from agent.attestation import cbor, certificates, signed
from agent.attestation.amd.evidence import SnpQuote, certificates_of_table
from agent.attestation.amd.report import SnpReport
from agent.attestation.binding import Binding
from agent.attestation.cose import Sign1
from agent.attestation.dstack.events import EventLog
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.evidence import Evidence
from agent.attestation.intel.collateral import Collateral as IntelCollateral
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote as IntelQuote
from agent.attestation.intel.quote import certificates_in, pem
from agent.attestation.nitro import Document
from agent.attestation.nvidia.canonical_xml import parse
from agent.attestation.nvidia.evidence import Collateral as NvidiaCollateral
from agent.attestation.nvidia.evidence import DeviceItem
from agent.attestation.nvidia.ocsp import OcspResponses
from agent.attestation.nvidia.report import DeviceReport
from agent.attestation.nvidia.rim import check_rim
from agent.attestation.policy_document import decode_policy, dump_policy, load_policy, sign_policy
from agent.attestation.raw import Beside, read_file, verify_file
from agent.attestation.result import AttestationResult
from agent.attestation.simulated_platform import SimulatedAuthority, SimulatedPlatform
from agent.attestation.vtpm.evidence import VtpmEvidence
from agent.attestation.vtpm.hcl import HclReport
from agent.attestation.vtpm.runtime import RuntimeData
from agent.attestation.vtpm.tpm import TpmQuote

AUTHORITY = SimulatedAuthority.create("localnet", AT, Random(1).randbytes)
KEY = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)


@dataclass(frozen=True)
class Parser:
    """One parser."""

    name: str
    parses: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    share: int = 1
    """It runs that much less often than others."""
    judges: bool = False
    """It raises nothing, but gives a verdict, which it holds against acceptance itself."""


def real(*endings: str) -> tuple[bytes, ...]:
    """Files of the real vectors, where they are there."""
    files = sorted(file for file in VECTORS.rglob("*") if file.is_file() and file.name.endswith(endings)) if VECTORS.exists() else []
    return tuple(file.read_bytes() for file in files if file.stat().st_size < 64 * 1024)


def binding_of(kind: str) -> bytes:
    return Evidence(BINDING.encode(), quote(kind)).encode()


def as_json(intel: IntelCollateral) -> bytes:
    """In the form of PCCS clients."""
    signers = pem((CHAIN[0], intel.tcb_signer))
    return json.dumps(
        {
            "root_ca_crl": intel.root_crl.hex(),
            "pck_crl": intel.pck_crl.hex(),
            "pck_crl_issuer_chain": "",
            "tcb_info": intel.tcb_info.decode(),
            "tcb_info_signature": intel.tcb_info_signature.hex(),
            "tcb_info_issuer_chain": signers,
            "qe_identity": intel.qe_identity.decode(),
            "qe_identity_signature": intel.qe_identity_signature.hex(),
            "qe_identity_issuer_chain": signers,
        }
    ).encode()


@cache
def parsers() -> tuple[Parser, ...]:
    """All of them."""
    content = {kind: quote(kind).content for kind in KINDS}
    device = Device()
    item = device.item(opaque=BOARD)
    report = DeviceItem.decode(item.content).report
    intel, rim = collateral(), nvidia_pki.manifests("GH100")[1]
    response = nvidia_pki.ocsp_response(device.chain[1], device.chain[2], "GH100 ICA")
    everything = (*(binding_of(kind) for kind in KINDS), *content.values(), *real(".bin", ".dat", ".json", ".txt", ".hex", "_quote", "-bytes"))
    result = AttestationResult.of(judged("snp")).encode()
    log = json.dumps([{"imr": 0, "event_type": 1, "digest": "00" * 48, "event": "", "event_payload": ""}] * 3).encode()
    trusted = verifiers()

    def judged_file(data: bytes) -> object:
        verdict = verify_file(data, AT, POLICY, verifiers=trusted)
        assert not verdict.ok or data in everything, "hostile file accepted"
        return verdict

    return (
        Parser("evidence (CMW)", Evidence.decode, tuple(binding_of(kind) for kind in KINDS)),
        Parser("binding", Binding.decode, (BINDING.encode(),)),
        Parser("deterministic CBOR", cbor.decode, (BINDING.encode(), content["tdx"], POLICY.encode())),
        Parser("other CBOR", lambda data: cbor.decode(data, strict=False), (BINDING.encode(), content["nitro"])),
        Parser("COSE_Sign1", Sign1.decode, (content["nitro"], sign_policy(POLICY, KEY))),
        Parser("Nitro document", Document.decode, (Sign1.decode(content["nitro"]).payload,)),
        Parser("Intel quote", IntelQuote.decode, (tdx_quote(), tdx_quote(Guest(version=5)), *real("_quote", ".dat"))),
        Parser("Intel evidence", IntelEvidence.decode, (content["tdx"], content["sgx"])),
        Parser("Intel collateral", IntelCollateral.decode, (intel.encode(),)),
        Parser("Intel collateral, JSON", IntelCollateral.from_json, (as_json(intel), *real("collateral.json"))),
        Parser("SNP report", SnpReport.decode, tuple(Report(version=version).signed() for version in (2, 3, 5))),
        Parser("SNP evidence", SnpQuote.decode, (content["snp"],)),
        Parser("SNP certificate table", certificates_of_table, (certificate_table(),)),
        Parser("dstack evidence", DstackEvidence.decode, (content["dstack"],)),
        Parser("dstack event log", EventLog.from_json, (log,)),
        Parser("vTPM evidence", VtpmEvidence.decode, (content["vtpm"],)),
        Parser("HCL report", HclReport.decode, (hcl_report(Report().signed()), *real("hcl-report.bin"))),
        Parser("HCL runtime data", RuntimeData.decode, (RUNTIME,)),
        Parser("TPM quote", TpmQuote.decode, (tpm_quote(b"\x01" * 32), tpm_quote(b"", (0, 7), PCRS))),
        Parser("NVIDIA device", DeviceItem.decode, (item.content,)),
        Parser("NVIDIA report", DeviceReport.decode, (report,)),
        Parser("NVIDIA collateral", NvidiaCollateral.decode, (RIMS.encode(),)),
        Parser("XML", parse, (rim,)),
        Parser("NVIDIA manifest", lambda data: check_rim(data, nvidia_pki.RIM_ROOT, AT), (rim,)),
        Parser("OCSP response", lambda data: OcspResponses((data,)), (response,)),
        Parser("certificate", certificates.load, (*CHAIN, MILAN.root, *device.chain)),
        Parser("PEM", certificates_in, (pem(CHAIN).encode(),)),
        Parser("policy, JSON", load_policy, (dump_policy(POLICY),)),
        Parser("policy, CBOR", decode_policy, (POLICY.encode(),)),
        Parser("policy, signed", lambda data: load_policy(data, (KEY.public_key().public_bytes_raw(),)), (sign_policy(POLICY, KEY),)),
        Parser("signed document", lambda data: signed.open_sealed(data, "application/x", (KEY.public_key().public_bytes_raw(),)), (signed.seal(b"x", KEY, "application/x"),)),
        Parser("result", AttestationResult.decode, (result,)),
        Parser("simulated platform", SimulatedPlatform.decode, (AUTHORITY.platform("n", AT, Random(2).randbytes).encode(),)),
        Parser("what lies beside", lambda data: Beside.read((data,)), (revocation_list(CA_NAME), rim, response, intel.encode(), pem(CHAIN).encode())),
        Parser("any file, read", lambda data: read_file(data, Beside()), everything),
        Parser("any file, judged", judged_file, everything, judges=True),
    )
