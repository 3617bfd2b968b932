"""Every file of real evidence there is: what lies beside it, the time it is of, and the verdict that is expected."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.attestation.amd import Product, Tcb
from agent.attestation.policy import Allowance, Layer, Policy, SnpFloor
from agent.attestation.raw import verify_file
from agent.attestation.verdict import QuoteVerdict
from agent.protocol.units import Millis

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"
DAY = 86_400_000


def millis(moment: str) -> Millis:
    return Millis(int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000))


@dataclass(frozen=True)
class Case:
    """One file. Its policy allows just its own measurement, with a floor of zero and only "UpToDate"."""

    name: str
    at: str
    beside: tuple[str, ...] = ()
    fails: frozenset[str] = frozenset()
    """Checks that fail at that time under that policy; none: accepted."""
    before: str | None = None
    """A day on which the certificates are not yet in force; None where nothing is checked that ends."""
    after: str | None = None

    def judged(self, at: str | None = None, *, with_policy: bool = True) -> QuoteVerdict:
        data = (VECTORS / self.name).read_bytes()
        beside = [(VECTORS / name).read_bytes() for name in self.beside]
        when = millis(at or self.at)
        bare = verify_file(data, when, beside=beside)
        if not with_policy:
            return bare
        claims = bare.claims
        # a debug document's measurement is zeros, which no policy can allow
        usable = claims is not None and any(claims.measurement)
        allow = frozenset({Allowance(claims.kind, claims.measurement)}) if claims is not None and usable else frozenset()
        policy = Policy(
            version=1, max_age=Millis(DAY), allow_simulated=False, vendor=Layer(allow=allow),
            snp_floors=frozenset(SnpFloor(product, Tcb()) for product in Product),
            intel_evaluation=0, accept_vlek=True, accept_missing_crl=True,
        )  # fmt: skip
        return verify_file(data, when, policy, beside=beside)


def fails(*names: str) -> frozenset[str]:
    return frozenset(names)


DCAP, GO_TDX, DSTACK = "tdx-sgx-dcapqvl", "tdx-go-tdx-guest", "dstack"
GO_SEV, VIRTEE, AZURE = "snp-go-sev-guest", "snp-virtee", "coco-trustee"
NITRO, SDK, NVTRUST = "nitro-evervault", "nvidia-attestation-sdk", "nvidia-nvtrust"

NO_COLLATERAL = fails("collateral")
"""Nobody kept Intel's collateral of that time."""
UNCHAINED = fails("gpu-cpu-evidence", "gpu-rim", "gpu-not-debug")
"""A GPU's evidence alone never counts; and not all of NVIDIA's manifests are at hand."""
IN_CLEAR = UNCHAINED | {"gpu-switches"}

CASES = (
    Case(f"{DCAP}/tdx_quote", "2025-06-20", (f"{DCAP}/tdx_quote_collateral.json",), before="2020-01-01", after="2026-01-01"),
    Case(f"{DCAP}/near_quote_hex.txt", "2025-09-03", (f"{DCAP}/near_quote_collateral.json",), before="2020-01-01", after="2026-01-01"),
    Case(f"{DCAP}/sgx_quote", "2025-06-20", (f"{DCAP}/sgx_quote_collateral.json",), fails("tcb"), "2020-01-01", "2026-01-01"),
    Case(
        f"{DCAP}/tdx_quote_outdated", "2026-02-19", (f"{DCAP}/tdx_quote_outdated_collateral.json",), fails("tcb"), "2020-01-01", "2027-01-01"
    ),
    Case(f"{DCAP}/tdx-quote.hex", "2025-01-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{DCAP}/quote-from-tappd.hex", "2025-01-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{GO_TDX}/cos-113-tdx-quote.dat", "2024-08-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{GO_TDX}/quote_v5_sample.dat", "2026-03-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    # "extra bytes (only for testing purpose)" stand behind it
    Case(f"{GO_TDX}/tdx_prod_quote_SPR_E4.dat", "2023-07-01", (f"{GO_TDX}/assembled_collateral.json",), fails("format")),
    Case(f"{DSTACK}/tdx_quote", "2025-01-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{DSTACK}/quote-report.json", "2026-03-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{DSTACK}/tdx-lite-getquote.json", "2026-07-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{DSTACK}/tdx-lite-attestation.json", "2026-07-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{AZURE}/az-tdx-vtpm/td-quote.bin", "2024-01-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{AZURE}/az-tdx-vtpm/evidence-v1.json", "2025-01-01", fails=NO_COLLATERAL, before="2015-01-01", after="2045-01-01"),
    Case(f"{AZURE}/az-snp-vtpm/evidence-v1.json", "2025-06-01", before="2020-01-01", after="2035-01-01"),
    Case(f"{GO_SEV}/attestation.bin", "2023-01-01", (f"{GO_SEV}/vcek.testcer",), fails("not-debug"), "2020-01-01", "2035-01-01"),
    Case(f"{VIRTEE}/report_milan.hex", "2024-01-01", (f"{VIRTEE}/vcek_milan.der",), before="2020-01-01", after="2035-01-01"),
    Case(
        f"{DSTACK}/sev_snp_attestation.bin", "2026-07-01", (f"{DSTACK}/sev_snp_vcek.pem", f"{DSTACK}/sev_snp_ask.pem"),
        before="2020-01-01", after="2035-01-01",
    ),
    Case(
        f"{DSTACK}/sev-snp-attestation.json", "2026-07-01", (f"{DSTACK}/sev_snp_vcek.pem", f"{DSTACK}/sev_snp_ask.pem"),
        before="2020-01-01", after="2035-01-01",
    ),
    Case(f"{NITRO}/valid-attestation-doc-bytes", "2022-10-13T09:00", before="2022-10-13T07:00", after="2022-10-13T13:00"),
    Case(f"{NITRO}/valid-attestation-doc-base64", "2023-09-18T15:04", (), fails("not-debug", "measurement"), "2023-09-18T13:00", "2023-09-18T19:00"),
    Case(f"{NITRO}/debug-mode-attestation-doc-bytes", "2022-10-12T13:51", (), fails("not-debug", "measurement"), "2022-10-12T11:00", "2022-10-12T17:00"),
    Case(f"{DSTACK}/nitro_attestation.bin", "2025-12-25T13:16", before="2025-12-25T11:00", after="2025-12-25T17:00"),
    Case(f"{DSTACK}/nitro_attestation_vtpm.bin", "2025-12-25T16:05", before="2025-12-25T14:00", after="2025-12-25T20:00"),
    Case(f"{DSTACK}/nitro_attestation_dbg.bin", "2025-12-25T08:21", (), fails("not-debug", "measurement"), "2025-12-25T06:00", "2025-12-25T12:00"),
    Case(f"{SDK}/hopper_evidence.json", "2024-06-01", (), IN_CLEAR),
    Case(f"{SDK}/hopper_evidence_cert_hold.json", "2024-06-01", (), UNCHAINED),
    Case(f"{SDK}/multi_gpu_hopper.json", "2024-06-01", (), IN_CLEAR),
    Case(f"{SDK}/evidence_hopper_590_12.json", "2024-06-01", (), IN_CLEAR),
    Case(f"{SDK}/switch_evidence_ls10.json", "2024-06-01", (), UNCHAINED),
    # the same switch four times over
    Case(f"{SDK}/multi_switch_ls10.json", "2024-06-01", (), UNCHAINED | {"gpu-distinct"}),
    Case(f"{SDK}/hopperAttestationReport.txt", "2024-06-01", (f"{SDK}/hopperCertChain.txt",), UNCHAINED),
    Case(f"{SDK}/hopperAttestationReportExpired.txt", "2024-06-01", (f"{SDK}/hopperCertChainExpired.txt",), UNCHAINED),
    Case(f"{SDK}/blackwellAttestationReport.txt", "2024-06-01", (f"{SDK}/blackwellCertChain.txt",), UNCHAINED),
    Case(f"{SDK}/sample_gpu/hopperAttestationReport.txt", "2024-06-01", (f"{SDK}/sample_gpu/hopperCertChain.txt",), UNCHAINED),
    Case(
        f"{SDK}/sample_gpu/hopperAttestationReportInvalidSignature.txt", "2024-06-01", (f"{SDK}/sample_gpu/hopperCertChain.txt",),
        fails("gpu-cpu-evidence", "gpu-signature"),
    ),
    Case(f"{NVTRUST}/hopperAttestationReport.txt", "2024-06-01", (f"{NVTRUST}/hopperCertChain.txt",), UNCHAINED),
)  # fmt: skip

AUTHENTIC_THOUGH_REFUSED = frozenset({"tcb", "not-debug", "measurement"}) | IN_CLEAR | {"gpu-distinct"}
"""Checks that say something of evidence whose signatures hold."""
