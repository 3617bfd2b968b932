import pytest
from ledger_world import World

from localnet.ledger.framework import DEFAULT_FILE, Framework


@pytest.fixture(scope="session")
def framework() -> Framework:
    if not DEFAULT_FILE.exists():
        pytest.skip("no framework bytecode: run `make setup`")
    return Framework.load()


@pytest.fixture
def world(framework: Framework) -> World:
    """A fresh ledger on which `tricks` is published by Alice."""
    return World(framework)
