"""docs/dapp.md says what is so."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from agent.client import errors
from agent.client.connect import connect
from agent.client.requester import Requester

GUIDE = (Path(__file__).parents[3] / "docs" / "dapp.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_name_that_the_guide_imports_exists(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            module = importlib.import_module(node.module)
            assert all(hasattr(module, each.name) for each in node.names)


def test_first_result_takes_ten_lines() -> None:
    assert len([line for line in BLOCKS[0].splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("block", BLOCKS)
def test_every_call_of_a_requester_fits_its_signature(block: str) -> None:
    made = 0
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of = node.func.value if isinstance(node.func, ast.Attribute) else None
            given = {each.arg: None for each in node.keywords if each.arg}
            if isinstance(of, ast.Name) and of.id == "requester":
                inspect.signature(getattr(Requester, name)).bind(None, *node.args, **given)
                made += 1
            elif name == "connect":
                inspect.signature(connect).bind(*node.args, **given)
    assert made


def test_every_error_of_the_client_is_explained() -> None:
    every = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ClientError)}
    assert {name for name in every - {"ClientError"} if name not in GUIDE} == set()


def test_tree_of_errors_names_every_error() -> None:
    every = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ClientError)}
    assert errors.__doc__ is not None
    assert every <= set(re.findall(r"\w+", errors.__doc__))
