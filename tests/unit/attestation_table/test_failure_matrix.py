"""Each kind, each thing that may be wrong: a named failed check. With -s: the matrix."""

import pytest
from failure_matrix import FAILURES, KINDS, Kind, Never, matrix
from table_text import DOCUMENT, with_matrix


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_genuine_evidence_is_accepted_under_the_test_root(kind: Kind) -> None:
    verdict = kind.judged()
    assert verdict.ok, [(check.name, check.detail) for check in verdict.failed]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_whatever_is_wrong_is_named_by_a_failed_check(kind: Kind, failure: str) -> None:
    cell = kind.cell(failure)
    if isinstance(cell, Never):
        assert cell.why
        return
    failed = kind.failed(cell)
    assert cell.fails in failed
    assert failed[cell.fails], "says what is wrong"


def test_document_has_the_matrix_of_now() -> None:
    print(matrix())
    text = DOCUMENT.read_text()
    assert with_matrix(text) == text, "run `python tests/unit/attestation_table/write_table.py --write`"
