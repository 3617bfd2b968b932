"""Changed bytes of real evidence: accepted nowhere but in places that nobody signs, and then it says the same.

`ENCLAVIA_FUZZ=2` or more tries every byte of every file; docs/attestation-tests.md has the figures.
"""

import os

import pytest
from file_judges import VECTORS, content
from vector_flips import JUDGED, UNSIGNED, is_text, survey
from vector_rows import Row

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no real TEE vectors at {VECTORS}")

EVERY = int(os.environ.get("ENCLAVIA_FUZZ", "1")) > 1
PLACES = 40
"""Of each file, in the ordinary run; others from file to file."""


@pytest.mark.parametrize("row", JUDGED, ids=lambda row: row.name)
def test_no_changed_byte_makes_a_file_say_anything_else(row: Row) -> None:
    data = content(row.name)
    step = max(1, len(data) // PLACES)
    found = survey(row, None if EVERY else range(sum(row.name.encode()) % step, len(data), step))
    print(f"{row.name}: {found.executions} executions, {len(found.passed)} accepted, none of them with another content")
    assert found.changed == ()
    if not is_text(data):
        unsigned = {place for start, end, _ in UNSIGNED.get(row.name, ()) for place in range(start, end)}
        assert set(found.passed) <= unsigned


def test_unsigned_places_are_of_files_that_are_there() -> None:
    names = {row.name: row for row in JUDGED}
    for name, places in UNSIGNED.items():
        assert name in names
        assert all(0 <= start < end <= len(content(name)) and reason for start, end, reason in places)
