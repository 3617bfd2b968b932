import pytest
from simulated_world import AUTHORITY


@pytest.fixture
def simulated_root() -> bytes:
    return AUTHORITY.root
