from collections.abc import AsyncIterator

import pytest
from enclave_world import Node, bound_node


@pytest.fixture
async def executor() -> AsyncIterator[Node]:
    node = await bound_node("x")
    yield node
    await node.client.close()


@pytest.fixture
async def auditor() -> AsyncIterator[Node]:
    node = await bound_node("a")
    yield node
    await node.client.close()
