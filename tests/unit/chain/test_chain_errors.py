import re
from pathlib import Path

import pytest

from agent.chain import errors

SPEC = Path(__file__).parents[3] / "docs" / "spec" / "protocol.md"


def codes_of_the_specification() -> list[tuple[str, int, str]]:
    section = SPEC.read_text().split("## 9. Abort codes")[1]
    found = []
    for module, cells in re.findall(r"^\| (\w+) \| (.+) \|$", section, re.MULTILINE):
        found += [(module, int(code), name) for code, name in re.findall(r"(\d+) (E\w+)", cells)]
    return found


def test_every_abort_code_of_the_specification_has_its_own_error() -> None:
    wanted = codes_of_the_specification()
    assert len(wanted) > 80
    kinds = [type(errors.aborted(module, code)) for module, code, _ in wanted]
    assert [kind.of for kind in kinds] == wanted
    assert len(set(kinds)) == len(wanted)


def test_no_error_stands_for_a_code_that_the_specification_lacks() -> None:
    every = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    declared = {kind.of for kind in every if issubclass(kind, errors.Aborted) and kind.of}
    assert declared == set(codes_of_the_specification())


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    words = set(re.findall(r"\w+", errors.__doc__))
    assert {name for name in errors.__all__ if name[0].isupper()} <= words


def test_abort_says_where_what_and_in_which_transaction() -> None:
    error = errors.aborted("task", 6, function="open_task", command=1, digest="8xY")
    assert isinstance(error, errors.WrongPayment)
    text = str(error)
    assert "task::open_task" in text
    assert "EWrongPayment" in text
    assert "read the quote again" in text
    assert "8xY" in text
    assert (error.command, error.digest) == (1, "8xY")


@pytest.mark.parametrize(("module", "code"), [("task", 2), ("audit", 2), ("roster", 1), ("network", 7), ("pool", 6)])
def test_what_means_that_somebody_was_faster_is_overtaken(module: str, code: int) -> None:
    assert isinstance(errors.aborted(module, code), errors.Overtaken)


@pytest.mark.parametrize("module", ["network", "roster", "pool", "task"])
def test_object_of_another_version_is_one_kind_of_error_whatever_it_is(module: str) -> None:
    code = next(code for where, code, name in codes_of_the_specification() if (where, name) == (module, "EWrongVersion"))
    assert isinstance(errors.aborted(module, code), errors.WrongVersion)


def test_abort_of_another_package_is_none_of_ours() -> None:
    error = errors.aborted(f"0x{2:064x}::task", 2)
    assert type(error) is errors.Aborted
    assert error.name == ""
