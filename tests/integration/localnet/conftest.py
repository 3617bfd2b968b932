from collections.abc import AsyncIterator

import pytest
from rpc_world import ALICE, BOB, SUI, World

from localnet.ledger.clock import ManualClock
from localnet.ledger.framework import Framework
from localnet.rpc.localnet import Localnet


@pytest.fixture(scope="session")
def framework() -> Framework:
    return Framework.load()


@pytest.fixture
async def world(framework: Framework) -> AsyncIterator[World]:
    async with Localnet(clock=ManualClock(), seed=b"rpc tests", framework=framework) as localnet:
        world = World(localnet)
        world.fund(ALICE, 50 * SUI, 50 * SUI)
        world.fund(BOB, 10 * SUI)
        yield world
