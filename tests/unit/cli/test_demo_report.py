"""The demo exits 0 only if every task ended as the rules say."""

from dataclasses import replace

import pytest

from agent.cli.demo.options import DemoError, DemoOptions
from agent.cli.demo.report import Conservation, NodeRow, Report, TaskRow

HONEST = TaskRow(0, "0x1", 1, "honest", False, (), (), "ACCEPTED", 10, 1.0, 3.0, True, False, 0)
LIE = replace(HONEST, index=1, behaviour="liar", audited=True, outcome="GUILTY", result_correct=False, lie=True, slashed=5)
UNSEEN = replace(HONEST, index=2, behaviour="liar", result_correct=False, lie=True)
ABSENT = replace(HONEST, index=3, behaviour="absentee", outcome="ABSENT", result_correct=None, seconds_to_result=None)
NODE = NodeRow(0, "0xa", "honest", 100, 100, 1, 0, 0, 0, 0)
GONE = replace(NODE, slot=1, behaviour="absentee", slashes=1, slashed=2, absences=1, absences_slashed=1)
BOOKS = Conservation(100, 80, 15, 5)


def report(*rows: TaskRow, nodes: tuple[NodeRow, ...] = (NODE,), books: Conservation = BOOKS) -> Report:
    return Report(rows, nodes, books, 9, 7, "0.5")


def test_run_as_the_rules_say_breaks_none() -> None:
    played = report(HONEST, LIE, UNSEEN, ABSENT, nodes=(NODE, GONE))
    assert played.broken_rules() == []
    figures = played.figures()
    assert (figures["refunded"], figures["lies_told"], figures["lies_audited"], figures["lies_slashed"]) == (2, 2, 1, 1)
    assert figures["results_correct"] == 4 - 2 - (2 - 1)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (report(replace(LIE, outcome="UPHELD", slashed=0)), "lies were audited"),
        (report(replace(HONEST, result_correct=False)), "results are correct"),
        (report(replace(HONEST, seconds_to_settlement=None)), "not settled"),
        (report(replace(HONEST, error="ReceiptMismatch: no")), "ReceiptMismatch"),
        (report(HONEST, nodes=(replace(NODE, slashes=1),)), "honest"),
        (report(HONEST, nodes=(replace(GONE, absences_slashed=0),)), "absences"),
        (report(HONEST, books=Conservation(100, 80, 15, 4)), "minted"),
    ],
)
def test_every_broken_rule_is_named(broken: Report, says: str) -> None:
    assert any(says in rule for rule in broken.broken_rules())


def test_everything_is_marked_simulated() -> None:
    assert report(HONEST).json()["simulated"] is True


def test_texts_are_repeated_to_the_number_of_tasks(tmp_path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("one\n\n  two  \n")
    assert DemoOptions(tasks=3, input=file).texts() == ["one", "two", "one"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe"])
def test_file_without_texts_is_refused_by_name(tmp_path, content: bytes) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(content)
    with pytest.raises(DemoError, match="one text a line"):
        DemoOptions(input=file).texts()
