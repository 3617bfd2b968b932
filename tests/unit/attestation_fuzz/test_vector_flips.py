"""No changed byte of any real file is accepted, but where nobody signs, and there it changes nothing that is believed.

`ENCLAVIA_FUZZ=2` or more changes every byte of every file, which takes hours; docs/attestation-tests.md has the figures of such a run.
"""

import os

import pytest
from file_judges import VECTORS, content
from table_text import DOCUMENT, with_regions
from vector_flips import UNSIGNED, Passed, is_text, ranges, regions, sample, survey
from vector_rows import ROWS, Row

there = pytest.mark.skipif(not VECTORS.exists(), reason=f"no real TEE vectors at {VECTORS}")
ALL = int(os.environ.get("ENCLAVIA_FUZZ", "1")) > 1


@there
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_changed_byte_is_accepted_but_where_nobody_signs(row: Row) -> None:
    found = survey(row, None if ALL else sample(row))
    passed = {why.name: len(places) for why, places in found.passed.items() if places}
    print(f"{row.name}: {found.executions} of {len(content(row.name))} bytes changed, accepted {passed or 'none'}, wrongly {ranges(found.wrong)}")
    assert found.wrong == ()
    assert found.executions >= (len(content(row.name)) if ALL else min(16, len(content(row.name))))


@there
@pytest.mark.parametrize("name", UNSIGNED)
def test_listed_region_is_unsigned_in_truth(name: str) -> None:
    row = next(row for row in ROWS if row.name == name)
    for region in UNSIGNED[name]:
        middle = (region.start + region.end) // 2
        places = {region.start, middle, region.end - 1}
        assert set(survey(row, places).passed[Passed.UNSIGNED]) == places, region
    # and ends where it is said to end
    edges = {place for region in UNSIGNED[name] for place in (region.start - 1, region.end)}
    inside = {place for region in UNSIGNED[name] for place in range(region.start, region.end)}
    for place in edges - inside:
        if 0 <= place < len(content(name)):
            assert survey(row, [place]).passed[Passed.UNSIGNED] == ()


@there
def test_listed_files_are_binary() -> None:
    assert not any(is_text(content(name)) for name in UNSIGNED)


def test_document_lists_the_regions_of_now() -> None:
    text = DOCUMENT.read_text()
    assert with_regions(text, regions()) == text, "run `python tests/unit/attestation_table/write_table.py --write`"
