"""Reports of every version, product line and key, made by a test PKI: accepted under its root, and under no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from amd_pki import AT, BEGINS, CHIP, ENDS, LEVELS, MEASUREMENT, Line, Report, ec_key, rsa_key

from agent.attestation.amd import (
    AMD_ROOTS,
    GuestPolicy,
    PlatformInfo,
    Product,
    SnpCheck,
    SnpClaims,
    SnpQuote,
    SnpRequirements,
    SnpVerifier,
    Tcb,
    claims_of,
    verify_report,
)
from agent.attestation.amd.errors import CertificateMismatch, MalformedReport, Revoked
from agent.attestation.amd.report import SigningKey
from agent.attestation.errors import BadChain, BadSignature, EvidenceError, NotValidThen, UntrustedRoot
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

LINES = [Line(product) for product in Product]
MILAN = Line(Product.MILAN)
FLOORS = dict.fromkeys(Product, LEVELS)
CURRENT = SnpRequirements(floors=FLOORS)


def quoted(line: Line = MILAN, report: Report | None = None, chain: tuple[bytes, ...] | None = None, crl: bytes | None = None) -> bytes:
    made = report or Report(product=line.product)
    return SnpQuote(made.signed(), chain or line.chain(SigningKey(made.kind)), crl).encode()


def judged(report: Report, requirements: SnpRequirements = CURRENT, line: Line = MILAN) -> SnpClaims:
    return SnpVerifier(requirements, line.roots).authenticate(quoted(line, report), AT)


def failed(claims: SnpClaims) -> set[str]:
    return {finding.name for finding in claims.findings if not finding.passed}


@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", SigningKey)
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.product)
def test_report_of_every_kind_is_accepted_under_its_root_and_no_other(line: Line, kind: SigningKey, version: int) -> None:
    quote = quoted(line, Report(product=line.product, kind=kind, version=version, report_data=b"\x07" * 64))
    claims = SnpVerifier(CURRENT, line.roots).authenticate(quote, AT)
    assert (claims.kind, claims.measurement, claims.report_data) == (TeeKind.SEV_SNP, MEASUREMENT, b"\x07" * 64)
    assert (claims.tcb_status, claims.debug, failed(claims)) == ("UpToDate", False, set())
    for roots in (AMD_ROOTS, Line(line.product, "another").roots):
        with pytest.raises(UntrustedRoot):
            SnpVerifier(CURRENT, roots).authenticate(quote, AT)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_certificates_may_come_in_any_order_and_without_the_root(place: int) -> None:
    chain = MILAN.chain()
    rotated = chain[place:] + chain[:place]
    report = Report().signed()
    assert verify_report(report, rotated, AT, roots=MILAN.roots) == verify_report(report, chain[:2], AT, roots=MILAN.roots)


def test_turin_has_its_own_layout_of_patch_levels() -> None:
    levels = Tcb(fmc=1, bootloader=2, tee=3, snp=4, microcode=5)
    assert Tcb.decode(levels.encode(Product.TURIN), Product.TURIN) == levels
    line = Line(Product.TURIN)
    report = Report(product=Product.TURIN, tcb=levels)
    chain = (line.endorsement(tcb=levels), line.intermediate(SigningKey.VCEK), line.root)
    assert verify_report(report.signed(), chain, AT, roots=line.roots).reported_tcb == bytes([1, 2, 3, 4, 0, 0, 0, 5])


def test_patch_levels_above_127_are_read_as_positive() -> None:
    levels = replace(LEVELS, microcode=255, snp=128)
    chain = (MILAN.endorsement(tcb=levels), MILAN.intermediate(SigningKey.VCEK))
    verify_report(Report(tcb=levels).signed(), chain, AT, roots=MILAN.roots)


@pytest.mark.parametrize(
    ("changes", "requirements", "name", "status"),
    [
        ({"vmpl": 1}, {}, SnpCheck.VMPL, "Refused"),
        ({"policy": 0x30000 | GuestPolicy.MIGRATE_MA}, {}, SnpCheck.GUEST_POLICY, "Refused"),
        ({"policy": 0x30000 | GuestPolicy.CXL_ALLOW}, {}, SnpCheck.GUEST_POLICY, "Refused"),
        ({}, {"required_policy": GuestPolicy.SINGLE_SOCKET}, SnpCheck.GUEST_POLICY, "Refused"),
        ({"migration_agent": b"\x01" * 32}, {}, SnpCheck.MIGRATION_AGENT, "Refused"),
        ({}, {"forbidden_platform": PlatformInfo.SMT}, SnpCheck.PLATFORM, "Refused"),
        ({}, {"required_platform": PlatformInfo.ALIAS_CHECK_COMPLETE}, SnpCheck.PLATFORM, "Refused"),
        ({}, {"id_keys": frozenset({b"\x01" * 48})}, SnpCheck.ID_KEY, "Refused"),
        ({"author_key_digest": b"\x02" * 48}, {"author_keys": frozenset({b"\x01" * 48})}, SnpCheck.AUTHOR_KEY, "Refused"),
        ({"kind": SigningKey.VLEK, "chip_id": bytes(64)}, {}, SnpCheck.CHIP_ID, "Refused"),
        ({"version": 2}, {"minimum_version": 3}, SnpCheck.VERSION, "Refused"),
        ({"version": 5, "mitigations": (3, 1)}, {"required_mitigations": 2}, SnpCheck.MITIGATIONS, "Refused"),
        ({"version": 4}, {"required_mitigations": 1}, SnpCheck.MITIGATIONS, "Refused"),
        ({"current_tcb": replace(LEVELS, snp=1)}, {}, SnpCheck.TCB_FLOOR, "OutOfDate"),
        ({"committed_tcb": replace(LEVELS, bootloader=1)}, {}, SnpCheck.TCB_FLOOR, "OutOfDate"),
        ({"launch_tcb": replace(LEVELS, microcode=1)}, {}, SnpCheck.TCB_FLOOR, "OutOfDate"),
        ({}, {"floors": {Product.MILAN: replace(LEVELS, snp=25)}}, SnpCheck.TCB_FLOOR, "OutOfDate"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_the_requirements_do_not_allow_is_one_named_finding(
    changes: dict[str, Any], requirements: dict[str, Any], name: SnpCheck, status: str
) -> None:
    claims = judged(Report(**changes), replace(CURRENT, **requirements))
    assert failed(claims) == {name}
    assert claims.tcb_status == status
    assert "expected" in next(each.detail for each in claims.findings if not each.passed) or status == "OutOfDate"


@pytest.mark.parametrize(
    ("changes", "requirements"),
    [
        ({"vmpl": 1}, {"max_vmpl": 1}),
        ({"id_key_digest": b"\x01" * 48}, {"id_keys": frozenset({b"\x01" * 48})}),
        ({"author_key_digest": b"\x01" * 48}, {"author_keys": frozenset({b"\x01" * 48})}),
        ({"platform_info": 0x21}, {"required_platform": PlatformInfo.ALIAS_CHECK_COMPLETE}),
        ({"kind": SigningKey.VLEK, "chip_id": bytes(64)}, {"allow_masked_chip": True}),
        ({"version": 5, "mitigations": (3, 2)}, {"required_mitigations": 2}),
    ],
    ids=str,
)
def test_what_the_requirements_name_is_allowed(changes: dict[str, Any], requirements: dict[str, Any]) -> None:
    assert judged(Report(**changes), replace(CURRENT, **requirements)).tcb_status == "UpToDate"


def test_debug_policy_is_claimed() -> None:
    assert judged(Report(policy=0x30000 | GuestPolicy.DEBUG)).debug


def test_masked_chip_of_a_vcek_is_known_by_its_certificate() -> None:
    assert judged(Report(chip_id=bytes(64))).hardware_id == CHIP


def test_turin_chip_id_is_padded_as_in_reports() -> None:
    assert judged(Report(product=Product.TURIN), line=Line(Product.TURIN)).hardware_id == CHIP[:8].ljust(64, b"\0")


@pytest.mark.parametrize(
    "report",
    [
        Report(tcb=replace(LEVELS, snp=23)),
        Report(tcb=replace(LEVELS, microcode=218)),
        Report(chip_id=CHIP[::-1]),
        Report(product=Product.MILAN, cpuid=(0x19, 0x11)),
    ],
    ids=["older-snp", "older-microcode", "another-chip", "another-product"],
)
def test_report_that_its_certificate_is_not_for_is_refused(report: Report) -> None:
    with pytest.raises(CertificateMismatch):
        verify_report(report.signed(), MILAN.chain(), AT, roots=MILAN.roots)


@pytest.mark.parametrize("kind", SigningKey)
def test_report_claiming_the_other_kind_of_key_is_refused(kind: SigningKey) -> None:
    other = SigningKey(1 - kind)
    with pytest.raises(CertificateMismatch):
        verify_report(Report(kind=kind).signed(), MILAN.chain(other), AT, roots=MILAN.roots)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (SigningKey.VCEK, {"4": None}),
        (SigningKey.VCEK, {"4": bytes(64)}),
        (SigningKey.VCEK, {"4": bytes(65)}),
        (SigningKey.VCEK, {"3_1": None}),
        (SigningKey.VCEK, {"3_1": b"\x02\x01"}),
        (SigningKey.VCEK, {"3_1": b"\x02\x01\xff"}),
        (SigningKey.VCEK, {"3_1": b"\x04\x01\x04"}),
        (SigningKey.VLEK, {"5": None}),
        (SigningKey.VLEK, {"4": CHIP}),
    ],
    ids=str,
)
def test_endorsement_without_what_amd_writes_into_it_is_refused(kind: SigningKey, changes: dict[str, bytes | None]) -> None:
    chain = (MILAN.endorsement(kind, **changes), MILAN.intermediate(kind))
    with pytest.raises(BadChain):
        verify_report(Report(kind=kind).signed(), chain, AT, roots=MILAN.roots)


def test_chip_id_wrapped_into_an_octet_string_is_the_same() -> None:
    chain = (MILAN.endorsement(**{"4": b"\x04\x40" + CHIP}), MILAN.intermediate(SigningKey.VCEK))
    verify_report(Report().signed(), chain, AT, roots=MILAN.roots)


def test_report_signed_by_another_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify_report(Report().signed(ec_key("another")), MILAN.chain(), AT, roots=MILAN.roots)


def test_vcek_under_the_intermediate_for_vleks_is_refused() -> None:
    chain = (MILAN.endorsement(SigningKey.VCEK), MILAN.intermediate(SigningKey.VLEK))
    with pytest.raises(BadChain):
        verify_report(Report().signed(), chain, AT, roots=MILAN.roots)


def test_stranger_in_the_chain_is_refused() -> None:
    with pytest.raises(UntrustedRoot):
        verify_report(Report().signed(), (*MILAN.chain()[:2], Line(Product.GENOA).root), AT, roots=MILAN.roots)


@pytest.mark.parametrize("moment", [BEGINS - timedelta(seconds=1), ENDS + timedelta(seconds=1)], ids=["before", "after"])
def test_report_does_not_hold_outside_its_certificate(moment: Any) -> None:
    with pytest.raises(NotValidThen):
        SnpVerifier(roots=MILAN.roots).authenticate(quoted(), Millis(int(moment.timestamp() * 1000)))


def test_list_that_names_another_certificate_revokes_nothing() -> None:
    crl = MILAN.crl(MILAN.intermediate(SigningKey.VLEK))
    assert SnpVerifier(CURRENT, MILAN.roots).authenticate(quoted(crl=crl), AT).tcb_status == "UpToDate"


@pytest.mark.parametrize(
    ("crl", "error"),
    [
        (lambda: MILAN.crl(MILAN.intermediate(SigningKey.VCEK)), Revoked),
        (lambda: MILAN.crl(days=100), NotValidThen),
        (lambda: MILAN.crl(begins=BEGINS + timedelta(days=300)), NotValidThen),
        (lambda: MILAN.crl(key=rsa_key("another")), BadChain),
        (lambda: Line(Product.GENOA).crl(), BadChain),
        (lambda: b"no list", MalformedReport),
        (lambda: MILAN.crl() + b"\0", MalformedReport),
        (lambda: bytes(64 * 1024 + 1), MalformedReport),
    ],
    ids=["revoked", "expired", "future", "forged", "other-line", "garbage", "trailing", "huge"],
)
def test_revocation_list_decides(crl: Callable[[], bytes], error: type[EvidenceError]) -> None:
    with pytest.raises(error):
        claims_of(Report().signed(), MILAN.chain(), AT, crl=crl(), roots=MILAN.roots)
