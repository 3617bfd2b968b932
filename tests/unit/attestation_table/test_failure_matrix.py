"""Each kind, each thing that may be wrong: a named failed check. With -s: the matrix."""

import pytest
from evidence_kinds import KINDS
from failure_matrix import FAILURES, Kind, Never, matrix
from table_text import DOCUMENT, with_matrix

FOLLOWS = {
    # what is debugged measures otherwise, and Intel and AMD judge its patch level otherwise
    "not-debug": {"measurement", "tcb"},
    "gpu-not-debug": {"gpu-measurements"},
    "gpu-measurements": {"gpu-not-debug"},
    "gpu-rim": {"gpu-not-debug"},
    # Nitro's document carries parts of the binding besides
    "report-data": {"native", "public-key"},
    "tcb": {"snp-tcb-floor"},
    "gpu-cpu-evidence": {"measurement"},
    # a device that does not count is one too few
    "gpu-not-revoked": {"gpu-count"},
    "gpu-format": {"gpu-count"},
}
"""What fails besides, by the check that names the failure."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_genuine_evidence_is_accepted_under_the_test_root(kind: Kind) -> None:
    verdict = kind.judged()
    assert verdict.ok, [(check.name, check.detail) for check in verdict.failed]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_whatever_is_wrong_is_named_by_a_failed_check(kind: Kind, failure: str) -> None:
    cell = kind.cell(failure)
    if isinstance(cell, Never):
        claims = kind.judged().claims
        assert claims is not None
        # nothing in what this kind says could tell
        assert claims.tcb_status is None if failure == "out-of-date TCB" else claims.revocation_list is None
        assert cell.why
        return
    failed = kind.failed(cell)
    assert cell.fails in failed
    assert failed[cell.fails], "says what is wrong"
    assert failed.keys() - {cell.fails} <= FOLLOWS.get(cell.fails, frozenset())


def test_document_has_the_matrix_of_now() -> None:
    print(matrix(KINDS))
    text = DOCUMENT.read_text()
    assert with_matrix(text) == text, "run `python tests/unit/attestation_table/write_table.py --write`"
