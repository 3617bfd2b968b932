"""Every file of real evidence, told by its content, and the verdict on it; run with -s to read the table."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from vector_table import AUTHENTIC_THOUGH_REFUSED, CASES, NO_EVIDENCE, VECTORS, Case, millis

from agent.attestation.raw import verify_file
from agent.attestation.verdict import QuoteVerdict

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no real TEE vectors at {VECTORS}")


def failed(verdict: QuoteVerdict) -> frozenset[str]:
    return frozenset(check.name.value for check in verdict.failed)


def rows() -> Iterator[tuple[Case, str, QuoteVerdict, frozenset[str]]]:
    for case in CASES:
        yield case, case.at, case.judged(), case.fails
        for other in (case.before, case.after):
            if other is not None:
                yield case, other, case.judged(other), frozenset({"certificates-valid"})


def test_every_vector_has_the_verdict_that_is_expected_at_its_time_and_before_and_after() -> None:
    wrong = []
    for case, at, verdict, expected in rows():
        found = failed(verdict)
        print(f"{case.name:62} {at:17} {'accepted' if verdict.ok else 'fails ' + ', '.join(sorted(found))}")
        if found != expected or verdict.ok is bool(expected):
            wrong.append((case.name, at, sorted(found), sorted(expected)))
    print(f"{sum(not case.fails for case in CASES)} of {len(CASES)} files accepted at their time")
    assert wrong == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_vector_is_authentic_unless_its_signatures_or_what_lies_beside_it_fail(case: Case) -> None:
    verdict = case.judged(with_policy=False)
    assert verdict.authentic is (case.fails <= AUTHENTIC_THOUGH_REFUSED)
    assert not verdict.ok


def test_no_file_of_the_vectors_is_left_out() -> None:
    beside = {name for case in CASES for name in case.beside}
    named = beside | {case.name for case in CASES}
    files = {str(file.relative_to(VECTORS)) for file in VECTORS.rglob("*") if file.is_file()}
    assert {name for name in files - named if not name.endswith(NO_EVIDENCE)} == set()


@pytest.mark.parametrize("ending", NO_EVIDENCE)
def test_file_that_is_no_evidence_is_refused_by_name(ending: str) -> None:
    files = [file for file in VECTORS.rglob(f"*{ending}") if file.is_file() and Path(file).name not in {"near_quote_hex.txt"}]
    assert files
    for file in files:
        assert failed(verify_file(file.read_bytes(), millis("2025-01-01"))) <= {"kind", "collateral"}, file
