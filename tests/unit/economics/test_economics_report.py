"""docs/economics.md says what the simulator says."""

from pathlib import Path

import pytest

from agent.economics import report

DOCS = Path(__file__).parents[3] / "docs"
PNG = b"\x89PNG\r\n\x1a\n"


def test_the_committed_tables_are_what_the_command_gives() -> None:
    text = (DOCS / "economics.md").read_text("utf-8")
    assert report.insert(text, report.tables()) == text, "run: python -m agent.economics.report"


def test_every_picture_in_the_text_is_committed() -> None:
    text = (DOCS / "economics.md").read_text("utf-8")
    named = {part.split(")")[0] for part in text.split("](economics/")[1:]}
    assert named == {"deterrence.png", "strategies.png", "collusion.png", "electorate.png"}
    assert all((DOCS / "economics" / name).read_bytes().startswith(PNG) for name in named)


def test_a_text_without_a_place_for_a_table_says_so() -> None:
    with pytest.raises(SystemExit, match="begin strategies"):
        report.insert("nothing", {"strategies": "| |"})
