"""Every file of real evidence and of what lies beside it: its verdict at its time, before and after. With -s: the table."""

import pytest
from file_judges import VECTORS, content, evidence, failed
from vector_rows import ROWS, Row, millis
from vector_table import AUTHENTIC_THOUGH_REFUSED, CASES, Case

from agent.attestation.raw import verify_file

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no real TEE vectors at {VECTORS}")

BY_NAME = {row.name: row for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=BY_NAME)
def test_vector_gets_the_expected_verdict_at_its_time_and_before_and_after(row: Row) -> None:
    for at, expected in row.moments:
        found = row.judged(at).failed
        print(f"{row.name:62} {at:17} {'accepted' if not found else 'fails ' + ', '.join(sorted(found))}")
        assert found == expected, at
    # a row without one of the times says why
    assert (row.before is not None and row.after is not None) is not bool(row.timeless)


def test_every_file_has_its_row_and_every_row_its_file() -> None:
    files = {str(file.relative_to(VECTORS)) for file in VECTORS.rglob("*") if file.is_file()}
    assert len(BY_NAME) == len(ROWS)
    assert files == BY_NAME.keys()


@pytest.mark.parametrize("row", [row for row in ROWS if row.signatures is not None], ids=lambda row: row.name)
def test_quote_without_collateral_is_signed_all_the_same(row: Row) -> None:
    assert row.signatures is not None
    found = row.signatures(content(row.name), millis(row.at))
    assert found.failed == frozenset()
    assert found.believed is not None
    assert row.before is not None
    assert row.signatures(content(row.name), millis(row.before)).failed == {"certificates-valid"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_vector_is_authentic_unless_its_signatures_or_what_lies_beside_it_fail(case: Case) -> None:
    verdict = case.judged(with_policy=False)
    assert verdict.authentic is (case.fails <= AUTHENTIC_THOUGH_REFUSED)
    assert not verdict.ok, "there is no policy"


@pytest.mark.parametrize("row", [row for row in ROWS if not row.fails], ids=lambda row: row.name)
def test_what_is_accepted_at_its_time_is_believed_then_only(row: Row) -> None:
    for at, expected in row.moments:
        assert (row.judged(at).believed is not None) is not bool(expected)


@pytest.mark.parametrize("row", [row for row in ROWS if row.judge.__module__ == "file_judges"], ids=lambda row: row.name)
def test_what_only_lies_beside_evidence_is_refused_as_evidence(row: Row) -> None:
    verdict = verify_file(content(row.name), millis(row.at))
    assert failed(verdict) <= {"kind", "collateral"}
    assert failed(verdict)
    assert not verdict.authentic


def test_nonce_is_what_the_guest_of_gcp_had_signed() -> None:
    quote = "tdx-go-tdx-guest/cos-113-tdx-quote.dat"
    wanted = content("tdx-go-tdx-guest/nonce.dat")
    signatures = BY_NAME[quote].signatures
    assert signatures is not None
    believed = signatures(content(quote), millis(BY_NAME[quote].at)).believed
    assert believed.report_data == wanted  # type: ignore[attr-defined]
    assert evidence()(content(quote), millis(BY_NAME[quote].at)).believed is None
