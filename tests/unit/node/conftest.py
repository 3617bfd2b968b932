from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from node_world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A chain, a blob store, a clock; its nodes are closed afterwards."""
    world = World(tmp_path)
    yield world
    await world.close()
