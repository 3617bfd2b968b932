"""Reports that real EPYC processors signed, under AMD's roots; skipped where the vectors do not lie beside us."""

from dataclasses import replace
from hashlib import sha256

import pytest
from amd_vectors import REPORTS, VECTORS, Vector, certificates, millis
from cryptography import x509

from agent.attestation.amd import AMD_ROOTS, Product, SnpQuote, SnpRequirements, SnpVerifier, Tcb, claims_of, verify_report
from agent.attestation.amd.endorsement import check_endorsement
from agent.attestation.amd.errors import CertificateMismatch
from agent.attestation.amd.report import SigningKey
from agent.attestation.binding import Binding
from agent.attestation.errors import BadChain, BadSignature, EvidenceError, NotValidThen, UntrustedRoot
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.verify import Expected, verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, Millis, NodeId

BY_NAME = pytest.mark.parametrize("vector", REPORTS, ids=lambda vector: vector.name)
DAY = 24 * 3_600_000


def test_roots_are_the_ones_that_amd_publishes() -> None:
    # the first bytes as other verifiers print them
    published = {Product.MILAN: "69d063b45344d26a", Product.GENOA: "4c6598d19c18719c", Product.TURIN: "1f084161a44bb6d9"}
    assert {product: sha256(der).hexdigest()[:16] for product, der in AMD_ROOTS.items()} == published


@BY_NAME
def test_real_report_holds_at_its_time(vector: Vector) -> None:
    claims = claims_of(vector.report, vector.certificates, vector.at)
    assert claims.measurement.hex().startswith(vector.measurement)
    assert (claims.debug, claims.product, claims.report.version) == (vector.debug, vector.product, vector.version)
    assert claims.hardware_id == claims.report.chip_id
    assert all(finding.passed for finding in claims.findings)


@BY_NAME
def test_real_report_needs_a_floor_before_its_patch_level_counts(vector: Vector) -> None:
    reported = Tcb.decode(verify_report(vector.report, vector.certificates, vector.at).reported_tcb, vector.product)
    above = replace(reported, microcode=255)

    def status(**floors: Tcb) -> str | None:
        requirements = SnpRequirements(floors={Product(name): floor for name, floor in floors.items()})
        return claims_of(vector.report, vector.certificates, vector.at, requirements=requirements).tcb_status

    assert (status(), status(Milan=Tcb()), status(Milan=above)) == ("NoFloor", "UpToDate", "OutOfDate")


@BY_NAME
@pytest.mark.parametrize("day", ["begins", "ends"])
def test_real_report_does_not_hold_outside_its_certificate(vector: Vector, day: str) -> None:
    edge = millis(getattr(vector, day)) + (2 * DAY if day == "ends" else -DAY)
    with pytest.raises(NotValidThen):
        verify_report(vector.report, vector.certificates, Millis(edge))


@BY_NAME
def test_report_with_another_chips_certificate_is_refused(vector: Vector) -> None:
    other = next(each for each in REPORTS if each.certificates[0] != vector.certificates[0])
    with pytest.raises(CertificateMismatch):
        verify_report(vector.report, other.certificates, max(vector.at, other.at))


@BY_NAME
def test_changed_measurement_breaks_the_signature(vector: Vector) -> None:
    spoilt = bytearray(vector.report)
    spoilt[0x90] ^= 1
    with pytest.raises(BadSignature):
        verify_report(bytes(spoilt), vector.certificates, vector.at)


@BY_NAME
def test_real_report_does_not_hold_under_roots_of_another_product(vector: Vector) -> None:
    with pytest.raises(UntrustedRoot):
        verify_report(vector.report, vector.certificates, vector.at, roots={Product.GENOA: AMD_ROOTS[Product.GENOA]})


def test_real_turin_certificate_leads_to_its_root_and_names_chip_and_patch_level() -> None:
    endorsement = check_endorsement(certificates("snp-virtee/vcek_turin.der"), AMD_ROOTS, millis("2025-01-01"), None)
    assert (endorsement.product, endorsement.kind) == (Product.TURIN, SigningKey.VCEK)
    assert endorsement.tcb == Tcb(microcode=9)
    assert endorsement.chip_id == bytes.fromhex("1e550a8ee5cf9f4d").ljust(64, b"\0")


@pytest.mark.parametrize("product", ["milan", "genoa", "turin"])
@pytest.mark.parametrize("kind", ["", "_vlek"])
def test_published_intermediates_are_known_and_signed_by_the_roots(product: str, kind: str) -> None:
    from agent.attestation.amd.intermediates import AMD_INTERMEDIATES

    name = f"snp-go-sev-guest/ask_ark_{product}{'_vcek' if product == 'turin' and not kind else kind}.pem"
    intermediate, root = certificates(name)
    assert root in AMD_ROOTS.values()
    assert intermediate in AMD_INTERMEDIATES
    x509.load_der_x509_certificate(intermediate).verify_directly_issued_by(x509.load_der_x509_certificate(root))


def test_certificate_without_any_endorsement_is_refused() -> None:
    with pytest.raises(BadChain):
        verify_report(REPORTS[0].report, certificates("snp-go-sev-guest/ask_ark_milan.pem"), REPORTS[0].at)


def test_real_reports_in_our_collection_get_the_verdicts_expected(capsys: pytest.CaptureFixture[str]) -> None:
    if not VECTORS.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    rows = []
    for vector in REPORTS:
        claims = claims_of(vector.report, vector.certificates, vector.at)
        binding = Binding(
            chain_id="c", network_id=Address(bytes(32)), node_id=NodeId(bytes(32)), key_epoch=1, challenge=bytes(32), hpke_pk=bytes(32),
            sign_pk=bytes(32), workload_manifest_hash=bytes(32), committee_hash=bytes(32), not_after=Millis(vector.at + DAY),
        )  # fmt: skip
        policy = Policy(
            version=1,
            max_age=Millis(2 * DAY),
            allow_simulated=False,
            vendor=Layer(allow=frozenset({Allowance(TeeKind.SEV_SNP, claims.measurement)})),
            accept_missing_crl=True,
        )
        expected = Expected(
            chain_id="c", network=binding.network_id, node=binding.node_id, key_epoch=1, manifest=bytes(32), committee=bytes(32), challenge=bytes(32)
        )
        quote = SnpQuote(vector.report, vector.certificates).encode()
        from agent.attestation.amd import MEDIA_TYPE

        evidence = Evidence(binding.encode(), Quote(MEDIA_TYPE, quote)).encode()
        verifier = SnpVerifier(SnpRequirements(floors={Product.MILAN: Tcb()}))
        verdict = verify(evidence, policy, vector.at, expected, [verifier])
        rows.append((vector.name, sorted(check.name.value for check in verdict.failed)))
    with capsys.disabled():
        print("\n" + "\n".join(f"{name:50} fails {', '.join(failed)}" for name, failed in rows))
    # made for somebody else: their report data is not ours
    assert rows == [(each.name, ["not-debug", "report-data"] if each.debug else ["report-data"]) for each in REPORTS]


@BY_NAME
def test_no_changed_byte_of_a_real_quote_is_accepted(vector: Vector) -> None:
    quote = SnpQuote(vector.report, vector.certificates).encode()
    verifier = SnpVerifier()
    verifier.authenticate(quote, vector.at)
    for place in range(0, len(quote), 17):
        spoilt = bytearray(quote)
        spoilt[place] ^= 1
        with pytest.raises(EvidenceError):
            verifier.authenticate(bytes(spoilt), vector.at)
