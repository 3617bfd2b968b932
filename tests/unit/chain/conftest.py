from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from random import Random

import pytest
from call_examples import DEPLOYMENT
from fake_full_node import FakeFullNode, Sleeper

from agent.chain.sui import Endpoint, GasPolicy, SuiChain, SuiSettings, Wallet, WatchPolicy
from agent.chain.sui.pacing import Pace
from agent.chain.transaction_log import MemoryTransactionLog, TransactionLog

SUI = 10**9


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(bytes(range(32)))


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def node() -> FakeFullNode:
    return FakeFullNode()


@pytest.fixture
async def endpoint(node: FakeFullNode) -> AsyncIterator[Endpoint]:
    async with node.serving() as endpoint:
        yield endpoint


@pytest.fixture
def settings(sleeper: Sleeper) -> SuiSettings:
    return SuiSettings(
        attempts=4,
        gas=GasPolicy(lanes=1),
        watch=WatchPolicy(failures=3),
        pace=Pace(sleep=sleeper, random=Random(7)),
    )


OpenChain = Callable[..., "SuiChain"]


@pytest.fixture
async def open_chain(endpoint: Endpoint, wallet: Wallet, settings: SuiSettings) -> AsyncIterator:
    """Opens chains of the test's wallet, each as a process of its own would, and closes them."""
    async with AsyncExitStack() as stack:

        async def open_one(log: TransactionLog | None = None, settings: SuiSettings = settings) -> SuiChain:
            chain = await SuiChain.open(
                endpoint, DEPLOYMENT, wallet=wallet, log=log or MemoryTransactionLog(), settings=settings
            )
            return await stack.enter_async_context(chain)

        yield open_one
