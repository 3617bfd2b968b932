"""docs/attestation-tests.md carries the table as the tests expect it."""

import pytest
from table_text import BEGIN, DOCUMENT, END, table, with_table
from vector_rows import ROWS


def test_document_has_the_table_of_now() -> None:
    text = DOCUMENT.read_text()
    assert with_table(text) == text, "run `python tests/unit/attestation_table/write_table.py --write`"


def test_table_names_every_file_once() -> None:
    print(table())
    lines = [line for line in table().splitlines() if line.startswith("| `")]
    assert sorted(line.split("`")[1] for line in lines) == sorted(row.name.rpartition("/")[2] for row in ROWS)


def test_document_without_the_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="begin"):
        with_table("# no marks")
    assert with_table(f"a\n{BEGIN}old\n{END}b\n").endswith(f"{END}b\n")
