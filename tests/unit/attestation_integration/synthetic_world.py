"""One node's evidence by every kind of hardware, made by the test PKIs and accepted only under their roots."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

import nvidia_pki
from amd_pki import LEVELS, Line, Report
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from dstack_guest import Started
from intel_pki import NOW, ROOT, Guest, collateral, enclave_report, evidence, sgx_quote, tdx_quote
from simulated_world import BINDING, COMMITTEE, POLICY, POOL, SIMULATED, Node, expected
from vtpm_pki import RUNTIME, Machine

from agent.attestation import cbor, cose
from agent.attestation.amd import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd import Product, SnpQuote, SnpVerifier
from agent.attestation.binding import Binding, native_of, report_data, user_data
from agent.attestation.checklist import DeviceTrust
from agent.attestation.dstack.evidence import MEDIA_TYPE as DSTACK_TYPE
from agent.attestation.dstack.verifier import DstackVerifier
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.intel.evidence import SGX_TYPE, TDX_TYPE
from agent.attestation.intel.verifier import IntelTrust, SgxVerifier, TdxVerifier
from agent.attestation.nitro import MEDIA_TYPE as NITRO_TYPE
from agent.attestation.nitro import NitroVerifier
from agent.attestation.nvidia import Collateral
from agent.attestation.policy import Allowance, Layer, Policy, SnpFloor
from agent.attestation.simulated import MEDIA_TYPE as SIMULATED_TYPE
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import verify
from agent.attestation.vtpm.evidence import SNP_TYPE as VTPM_SNP_TYPE
from agent.attestation.vtpm.verifier import VtpmVerifier
from agent.protocol.units import Millis

AT = Millis(NOW)
MILAN = Line(Product.MILAN)
RIMS = Collateral(nvidia_pki.manifests("GH100") + nvidia_pki.manifests("LS10"))
DEVICES = DeviceTrust(roots=nvidia_pki.ROOTS, collateral=RIMS)
KINDS = ("nitro", "tdx", "sgx", "dstack", "snp", "vtpm", "simulated")


@cache
def nitro_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


@cache
def nitro_certificate(subject: str, issuer: str) -> bytes:
    ca = subject == issuer
    begins = datetime.fromtimestamp(AT // 1000, UTC) - timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(nitro_key(subject).public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(hours=3))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, False, False, False), critical=True)
    )
    return builder.sign(nitro_key(issuer), hashes.SHA384()).public_bytes(Encoding.DER)


def nitro_document(binding: Binding) -> bytes:
    payload = {
        "module_id": "i-0-enc0",
        "digest": "SHA384",
        "timestamp": int(AT),
        "pcrs": {0: b"\x17" * 48},
        "certificate": nitro_certificate("leaf", "root"),
        "cabundle": [nitro_certificate("root", "root")],
        "public_key": binding.hpke_pk,
        "user_data": user_data(binding.encode(), native_of(binding, POOL, COMMITTEE)),
        "nonce": binding.challenge,
    }
    return cose.sign(cbor.encode(payload), nitro_key("leaf")).encode()


def quote(kind: str, binding: Binding = BINDING) -> Quote:
    """The CPU's word for `binding`."""
    return KIND_QUOTES[kind](binding, report_data(binding.encode()))


def sgx(wanted: bytes) -> bytes:
    enclave = enclave_report(attributes=b"\x05".ljust(16, b"\0"), mr_signer=b"\x51" * 32, report_data=wanted)
    return evidence(sgx_quote(enclave), collateral(tdx=False))


def vtpm(wanted: bytes) -> bytes:
    cpu = snp(Report(report_data=sha256(RUNTIME).digest() + bytes(32)))
    return Machine(cpu=cpu, report_data=wanted).evidence()


KIND_QUOTES: dict[str, Callable[[Binding, bytes], Quote]] = {
    "nitro": lambda binding, _: Quote(NITRO_TYPE, nitro_document(binding)),
    "tdx": lambda _, wanted: Quote(TDX_TYPE, evidence(tdx_quote(Guest(report_data=wanted)), collateral())),
    "sgx": lambda _, wanted: Quote(SGX_TYPE, sgx(wanted)),
    "dstack": lambda _, wanted: Quote(DSTACK_TYPE, Started(guest=Guest(report_data=wanted)).evidence()),
    "snp": lambda _, wanted: Quote(SNP_TYPE, snp(Report(report_data=wanted))),
    "vtpm": lambda _, wanted: Quote(VTPM_SNP_TYPE, vtpm(wanted)),
    "simulated": lambda binding, _: Quote(SIMULATED_TYPE, Node(binding=binding).quote()),
}


def snp(report: Report) -> bytes:
    return SnpQuote(report.signed(), MILAN.chain()).encode()


@cache
def verifiers() -> tuple[EvidenceVerifier, ...]:
    """Those of the test PKIs; the last is the simulated network's."""
    intel = IntelTrust(root=ROOT)
    cpu = SnpVerifier(roots=MILAN.roots)
    return (
        NitroVerifier(nitro_certificate("root", "root")), TdxVerifier(intel), SgxVerifier(intel), DstackVerifier(intel), cpu,
        VtpmVerifier(cpu, VTPM_SNP_TYPE), SIMULATED[-1],
    )  # fmt: skip


@cache
def policy_for(kind: str) -> Policy:
    """One that allows what `quote(kind)` measures and nothing else."""
    item = quote(kind)
    verifier = next(each for each in verifiers() if each.media_type == item.media_type)
    claims = verifier.authenticate(item.content, AT)
    return replace(
        POLICY,
        allow_simulated=kind == "simulated",
        vendor=Layer(allow=frozenset({Allowance(claims.kind, claims.measurement)})),
        snp_floors=frozenset({SnpFloor(Product.MILAN, LEVELS)}),
    )


def judged(
    kind: str,
    policy: Policy | None = None,
    *,
    binding: Binding = BINDING,
    items: Sequence[Quote] = (),
    brought: Quote | None = None,
    trust: DeviceTrust = DEVICES,
) -> Verdict:
    """The verdict on one node's evidence by hardware of `kind`, with the devices of `items`."""
    whole = Evidence(binding.encode(), quote(kind, binding), devices=tuple(items), collateral=brought).encode()
    return verify(whole, policy or policy_for(kind), AT, expected(), verifiers(), trust)


def failed(verdict: Verdict) -> set[str]:
    return {check.name.value for check in verdict.failed}
