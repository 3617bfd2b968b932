"""Every file of the folder of real evidence: what it is, the time that it is of, and what comes of it then, before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import file_judges as judges
from file_judges import AZURE_SNP, AZURE_TDX, Judge, Judged, content
from nvidia_vectors import ALTERED, MANIFESTS
from vector_table import CASES, DAY, Case
from vector_table import millis as millis_of

from agent.attestation.amd import Product, Tcb
from agent.attestation.policy import Allowance, Layer, Policy, SnpFloor
from agent.protocol.units import Millis

ENDLESS = "10000-01-01"
"""A day after any that a certificate can name."""
_YEAR_10000 = Millis(253_402_300_800_000)
NOTHING: frozenset[str] = frozenset()
LATE = frozenset({"certificates-valid"})
KIND = frozenset({"kind"})


@dataclass(frozen=True)
class Row:
    """One file and what is expected of it."""

    name: str
    what: str
    at: str
    judge: Judge
    fails: frozenset[str] = NOTHING
    """Checks that fail at that time; none: accepted."""
    before: str | None = None
    fails_before: frozenset[str] = LATE
    after: str | None = None
    fails_after: frozenset[str] = LATE
    timeless: str = ""
    """Why there is no time before or after, where there is none."""
    signatures: Judge | None = None
    """Of what is signed in a file that fails for something else than its signatures; that has to hold."""

    def judged(self, at: str | None = None) -> Judged:
        return self.judge(content(self.name), millis(at or self.at))

    @property
    def moments(self) -> Iterable[tuple[str, frozenset[str]]]:
        """Each time at which it is judged, and the checks that fail then."""
        yield self.at, self.fails
        if self.before is not None:
            yield self.before, self.fails_before
        if self.after is not None:
            yield self.after, self.fails_after


def millis(moment: str) -> Millis:
    return _YEAR_10000 if moment == ENDLESS else millis_of(moment)


@cache
def policy(case: Case) -> Policy:
    """One that allows what `case` measures and nothing else."""
    claims = case.judged(with_policy=False).claims
    usable = claims is not None and any(claims.measurement)
    allow = frozenset({Allowance(claims.kind, claims.measurement)}) if claims is not None and usable else frozenset()
    return Policy(
        version=1, max_age=Millis(DAY), allow_simulated=False, vendor=Layer(allow=allow),
        snp_floors=frozenset(SnpFloor(product, Tcb()) for product in Product),
        intel_evaluation=0, accept_vlek=True, accept_missing_crl=True,
    )  # fmt: skip


DCAP, GO_TDX, GO_SEV, DSTACK = "tdx-sgx-dcapqvl", "tdx-go-tdx-guest", "snp-go-sev-guest", "dstack"
NITRO, SDK, NVTRUST, VIRTEE = "nitro-evervault", "nvidia-attestation-sdk", "nvidia-nvtrust", "snp-virtee"
GPUS_LATE = frozenset({"gpu-certificates-valid", "gpu-cpu-evidence"})

WHAT = {
    f"{DCAP}/tdx_quote": "TDX quote v4",
    f"{DCAP}/near_quote_hex.txt": "TDX quote v4, hex",
    f"{DCAP}/sgx_quote": "SGX quote v3, of a platform that needs hardening",
    f"{DCAP}/tdx_quote_outdated": "TDX quote v5, below every patch level",
    f"{DCAP}/tdx-quote.hex": "TDX quote v4, hex, no collateral kept",
    f"{DCAP}/quote-from-tappd.hex": "TDX quote v4, hex, no collateral kept",
    f"{GO_TDX}/cos-113-tdx-quote.dat": "TDX quote v4 of GCP, padded with zeros, no collateral kept",
    f"{GO_TDX}/quote_v5_sample.dat": "TDX quote v5, no collateral kept",
    f"{GO_TDX}/tdx_prod_quote_SPR_E4.dat": "TDX quote v4 with “extra bytes (only for testing purpose)” behind it",
    f"{DSTACK}/tdx_quote": "TDX quote v4, no collateral kept",
    f"{DSTACK}/quote-report.json": "dstack's TDX quote with event log, no collateral kept",
    f"{DSTACK}/tdx-lite-getquote.json": "dstack's TDX quote with event log, no collateral kept",
    f"{DSTACK}/tdx-lite-attestation.json": "dstack's TDX quote in its frame, no collateral kept",
    f"{AZURE_TDX}/td-quote.bin": "TDX quote v4 of Azure's paravisor, no collateral kept",
    f"{AZURE_TDX}/evidence-v1.json": "Azure vTPM on TDX, no collateral kept",
    f"{AZURE_SNP}/evidence-v1.json": "Azure vTPM on SEV-SNP",
    f"{GO_SEV}/attestation.bin": "SNP report v2 of Milan, policy has DEBUG",
    f"{VIRTEE}/report_milan.hex": "SNP report v2 of Milan, hex",
    f"{DSTACK}/sev_snp_attestation.bin": "SNP report v3 of Milan in dstack's frame",
    f"{DSTACK}/sev-snp-attestation.json": "SNP report v3 of Milan in dstack's frame, JSON",
    f"{NITRO}/valid-attestation-doc-bytes": "Nitro document",
    f"{NITRO}/valid-attestation-doc-base64": "Nitro document, base64, in debug mode",
    f"{NITRO}/debug-mode-attestation-doc-bytes": "Nitro document, in debug mode",
    f"{DSTACK}/nitro_attestation.bin": "Nitro document in dstack's frame",
    f"{DSTACK}/nitro_attestation_vtpm.bin": "Nitro document in dstack's frame",
    f"{DSTACK}/nitro_attestation_dbg.bin": "Nitro document in dstack's frame, in debug mode",
    f"{SDK}/hopper_evidence.json": "H100, NVLink in clear",
    f"{SDK}/hopper_evidence_cert_hold.json": "H100, its certificate on hold (no OCSP response kept)",
    f"{SDK}/multi_gpu_hopper.json": "4 H100, NVLink in clear",
    f"{SDK}/evidence_hopper_590_12.json": "H100, NVLink in clear",
    f"{SDK}/switch_evidence_ls10.json": "NVSwitch LS10",
    f"{SDK}/multi_switch_ls10.json": "the same NVSwitch LS10 four times over",
    f"{SDK}/hopperAttestationReport.txt": "H100 report, hex",
    f"{SDK}/hopperAttestationReportExpired.txt": "H100 report, hex (what has expired are its manifests)",
    f"{SDK}/blackwellAttestationReport.txt": "GB100 report, hex",
    f"{SDK}/sample_gpu/hopperAttestationReport.txt": "H100 report, hex",
    f"{SDK}/sample_gpu/hopperAttestationReportInvalidSignature.txt": "H100 report, hex, changed after it was signed",
    f"{NVTRUST}/hopperAttestationReport.txt": "H100 report, hex",
}
"""The files that are evidence."""


def _of_case(case: Case) -> Row:
    gpu = "gpu-cpu-evidence" in case.fails
    always = case.before is None and not gpu

    def judge(data: bytes, at: Millis) -> Judged:
        return judges.evidence(policy(case), case.beside)(data, at)

    return Row(
        case.name,
        WHAT[case.name],
        case.at,
        judge,
        case.fails,
        before="2015-01-01" if gpu else case.before,
        after=ENDLESS if gpu else case.after,
        fails_before=GPUS_LATE if gpu else LATE,
        fails_after=GPUS_LATE if gpu else LATE,
        timeless="refused before any time is looked at" if always else "",
        signatures=judges.signatures_of_intel if case.fails == {"collateral"} else None,
    )


def _collateral(name: str, quote: str, at: str, before: str, after: str) -> Row:
    return Row(name, f"Intel's collateral of `{quote.rpartition('/')[2]}`", at, judges.intel_collateral(quote), before=before, after=after)


def _authorities(names: str, what: str) -> list[Row]:
    return [Row(f"{GO_SEV}/{name}", what, "2025-01-01", judges.authorities(), before="2015-01-01", after="2055-01-01") for name in names.split()]


def _foreign(names: str, what: str) -> list[Row]:
    return [Row(name, what, "2025-01-01", judges.foreign, KIND, timeless="nothing in it is checked") for name in names.split()]


def _manifests() -> Iterable[Row]:
    for each in MANIFESTS:
        yield Row(each.name, f"NVIDIA's manifest of {each.version}", each.begins[:4] + "-12-31", judges.manifest, before="2022-01-01", after="2040-01-01")
    for name, day in ALTERED:
        yield Row(
            name, "NVIDIA's manifest, changed after it was signed", day, judges.manifest, frozenset({"signature"}),
            before="2022-01-01", after="2040-01-01",
        )  # fmt: skip


def _tpm(folder: str, name: str, what: str, parts: judges.Parts, fails: frozenset[str] = NOTHING) -> Row:
    timeless = "a TPM's key has no certificate: the CPU vouches for it"
    return Row(f"{folder}/{name}", what, "2025-01-01", judges.tpm_quote(folder, parts), fails, timeless=timeless)


OTHERS = frozenset({"signature"})
"""Of a TPM whose HCL report nobody kept."""


LICENSES = " ".join(
    f"{folder}/LICENSE" for folder in (AZURE_SNP, AZURE_TDX, DSTACK, NITRO, SDK, NVTRUST, GO_SEV, VIRTEE, GO_TDX, DCAP)
)

ROWS = (
    *map(_of_case, CASES),
    _collateral(f"{DCAP}/tdx_quote_collateral.json", f"{DCAP}/tdx_quote", "2025-06-20", "2025-05-01", "2025-09-03"),
    _collateral(f"{DCAP}/near_quote_collateral.json", f"{DCAP}/near_quote_hex.txt", "2025-09-03", "2025-06-20", "2025-12-01"),
    _collateral(f"{DCAP}/sgx_quote_collateral.json", f"{DCAP}/sgx_quote", "2025-06-20", "2025-05-01", "2025-09-03"),
    _collateral(f"{DCAP}/tdx_quote_outdated_collateral.json", f"{DCAP}/tdx_quote_outdated", "2026-02-19", "2025-12-01", "2026-06-01"),
    _collateral(judges.ASSEMBLED, f"{GO_TDX}/tdx_prod_quote_SPR_E4.dat", "2023-07-01", "2023-01-01", "2025-06-20"),
    Row(f"{GO_TDX}/sample_tcbInfo_response", "Intel's patch levels, as its service answers", "2023-07-01", judges.intel_statement("tcbInfo"), before="2023-01-01", after="2026-02-10"),
    Row(f"{GO_TDX}/sample_tcbinfo_response_v5", "Intel's patch levels, as its service answers", "2026-02-10", judges.intel_statement("tcbInfo"), before="2023-07-01", after="2027-01-01"),
    Row(f"{GO_TDX}/sample_qeIdentity_response", "Intel's quoting enclave, as its service answers", "2023-07-01", judges.intel_statement("enclaveIdentity"), before="2023-01-01", after="2026-02-10"),
    Row(f"{GO_TDX}/pckcrl", "revocation list of Intel's platform CA", "2023-07-01", judges.intel_crl(root=False), before="2023-06-01", after="2023-08-01"),
    Row(f"{GO_TDX}/rootcrl.der", "revocation list of Intel's root", "2023-07-01", judges.intel_crl(root=True), before="2023-04-01", after="2024-05-01"),
    Row(f"{GO_TDX}/trusted_root.pem", "Intel's root", "2023-07-01", judges.INTEL, before="2015-01-01", after="2055-01-01"),
    *_authorities("ask_ark_milan.pem milan.testcer", "AMD's authorities of Milan, for VCEKs"),
    *_authorities("ask_ark_milan_vlek.pem milanvlek.testcer", "AMD's authorities of Milan, for VLEKs"),
    *_authorities("ask_ark_genoa.pem", "AMD's authorities of Genoa, for VCEKs"),
    *_authorities("ask_ark_genoa_vlek.pem", "AMD's authorities of Genoa, for VLEKs"),
    *_authorities("ask_ark_turin_vcek.pem", "AMD's authorities of Turin, for VCEKs"),
    *_authorities("ask_ark_turin_vlek.pem", "AMD's authorities of Turin, for VLEKs"),
    Row(f"{GO_SEV}/vcek.testcer", "VCEK of a Milan chip", "2025-01-01", judges.endorsement(), before="2022-01-01", after="2030-01-01"),
    Row(f"{VIRTEE}/vcek_milan.der", "VCEK of a Milan chip", "2025-01-01", judges.endorsement(), before="2023-01-01", after="2031-01-01"),
    Row(f"{VIRTEE}/vcek_turin.der", "VCEK of a Turin chip", "2026-01-01", judges.endorsement(), before="2024-01-01", after="2032-01-01"),
    Row(f"{DSTACK}/sev_snp_vcek.pem", "VCEK of a Milan chip", "2026-07-01", judges.endorsement(f"{DSTACK}/sev_snp_ask.pem"), before="2026-06-01", after="2034-01-01"),
    Row(f"{DSTACK}/sev_snp_ask.pem", "AMD's authority of Milan", "2026-07-01", judges.authorities(count=1), before="2015-01-01", after="2055-01-01"),
    Row(f"{AZURE_SNP}/vcek.pem", "VCEK of a Milan chip, with its authorities", "2025-07-01", judges.endorsement(), before="2023-01-01", after="2031-01-01"),
    Row(f"{AZURE_SNP}/hcl-report.bin", "Azure's HCL report with an SNP report", "2025-07-01", judges.hcl_snp, before="2023-01-01", after="2031-01-01"),
    Row(f"{AZURE_TDX}/hcl-report.bin", "Azure's HCL report; its runtime data by `td-quote.bin`", "2024-01-01", judges.hcl_tdx, before="2015-01-01", after="2045-01-01"),
    _tpm(AZURE_SNP, "tpm-quote-v1.json", "the vTPM's quote, signature and registers", judges.parts_of_json),
    _tpm(AZURE_TDX, "tpm-quote-v1.json", "the vTPM's quote, signature and registers", judges.parts_of_json),
    _tpm(AZURE_SNP, "tpm-quote.msg", "what another vTPM signed", lambda data: (data, content(f"{AZURE_SNP}/tpm-quote.sig"), None), OTHERS),
    _tpm(AZURE_SNP, "tpm-quote.sig", "another vTPM's signature", lambda data: (content(f"{AZURE_SNP}/tpm-quote.msg"), data, None), OTHERS),
    Row(f"{DSTACK}/AWS_NitroEnclaves_Root-G1.pem", "AWS's root", "2025-12-25", judges.AWS, before="2015-01-01", after="2055-01-01"),
    Row(f"{DSTACK}/gcp-root-ca.pem", "Google's root of vTPMs, which nothing here trusts", "2025-12-25", judges.EVERY_ROOT, frozenset({"root"}), timeless="not trusted at any time"),
    Row(f"{NVTRUST}/verifier_device_root.pem", "NVIDIA's root of devices", "2025-01-01", judges.NVIDIA, before="2015-01-01", after=ENDLESS),
    Row(f"{NVTRUST}/verifier_RIM_root.pem", "NVIDIA's root of manifests", "2025-01-01", judges.NVIDIA, before="2015-01-01", after="2055-01-01"),
    *(
        Row(f"{name}.txt", "certificates of an NVIDIA device", "2024-06-01", judges.nvidia_chain, before="2015-01-01", after=ENDLESS)
        for name in (
            f"{SDK}/hopperCertChain", f"{SDK}/hopperCertChainExpired", f"{SDK}/blackwellCertChain", f"{SDK}/sample_gpu/hopperCertChain",
            f"{NVTRUST}/hopperCertChain",
        )
    ),
    *_manifests(),
    *_foreign(f"{AZURE_SNP}/quote.bin {AZURE_TDX}/quote.bin", "the vTPM's quote as Rust's bincode has it; nothing here reads it"),
    *_foreign(f"{DSTACK}/ccel.bin {GO_TDX}/ccel_data.dat {GO_TDX}/ccel_table.dat", "TCG event log of the firmware; nothing here reads it"),
    *_foreign(f"{DSTACK}/tpm_quote_sample.bin", "a vTPM's quote of GCP, with nothing that vouches for its key"),
    *_foreign(f"{DSTACK}/gpu_attestation_h100.json", "NVIDIA's own verdict on an H100; not evidence"),
    *_foreign(f"{GO_TDX}/nonce.dat", "report data of `cos-113-tdx-quote.dat`"),
    *_foreign(f"{DSTACK}/nitro_attestation.README.md {DSTACK}/sev-snp.README.md {DSTACK}/sev_snp_fixture.README.md SOURCES.md {LICENSES}", "text for people"),
)  # fmt: skip
