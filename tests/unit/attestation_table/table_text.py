"""The table of all vectors, as docs/attestation-tests.md has it: expectations, which the tests compare with what is found."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from evidence_kinds import KINDS
from failure_matrix import matrix
from vector_rows import ENDLESS, ROWS, Row

DOCUMENT = Path(__file__).parents[3] / "docs" / "attestation-tests.md"
BEGIN, END = "<!-- table of vectors: begin -->\n", "<!-- table of vectors: end -->\n"
REGIONS_BEGIN, REGIONS_END = "<!-- unsigned regions: begin -->\n", "<!-- unsigned regions: end -->\n"
MATRIX_BEGIN, MATRIX_END = "<!-- matrix of failures: begin -->\n", "<!-- matrix of failures: end -->\n"


def outcome(fails: frozenset[str]) -> str:
    return f"fails {', '.join(sorted(fails))}" if fails else "**accepted**"


def table(rows: Iterable[Row] = ROWS) -> str:
    return "".join(_lines(sorted(rows, key=lambda row: row.name)))


def _lines(rows: list[Row]) -> Iterator[str]:
    accepted = sum(not row.fails for row in rows)
    moments = sum(len(list(row.moments)) for row in rows)
    yield f"{len(rows)} files, {moments} verdicts; {accepted} files are accepted at their time.\n"
    for folder, files in groupby(rows, key=lambda row: row.name.rpartition("/")[0] or "."):
        yield f"\n`{folder}`\n\n| file | what it is | at | verdict | before | after |\n|---|---|---|---|---|---|\n"
        yield from map(_line, files)


def _line(row: Row) -> str:
    name = row.name.rpartition("/")[2]
    before = row.timeless if row.before is None else f"{row.before}: {outcome(row.fails_before)}"
    after = "" if row.after is None else f"{'year 10000' if row.after == ENDLESS else row.after}: {outcome(row.fails_after)}"
    return f"| `{name}` | {row.what} | {row.at} | {outcome(row.fails)} | {before} | {after} |\n"


def with_table(document: str) -> str:
    """`document` with the table as it is now between its marks.

    Raises:
        ValueError: the marks are not in it.
    """
    return _between(document, BEGIN, table(), END)


def with_matrix(document: str) -> str:
    """As `with_table`, the matrix of failures."""
    return _between(document, MATRIX_BEGIN, matrix(KINDS), MATRIX_END)


def with_regions(document: str, regions: str) -> str:
    """As `with_table`, the places of real files that nobody signs."""
    return _between(document, REGIONS_BEGIN, regions, REGIONS_END)


def _between(document: str, begin: str, text: str, end: str) -> str:
    head, begins, rest = document.partition(begin)
    _, ends, tail = rest.partition(end)
    if not begins or not ends:
        raise ValueError(f"no {begin.strip()} and {end.strip()} in the document: put them where the table belongs")
    return f"{head}{begin}\n{text}\n{end}{tail}"
