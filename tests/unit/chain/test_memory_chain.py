import asyncio
from contextlib import aclosing

import pytest
from call_examples import TASK

from agent.chain.calls import Heartbeat, Settle
from agent.chain.errors import NotFound, aborted
from agent.chain.memory import MemoryChain
from agent.chain.port import MemoryTransactionLog, TxDigest, TxStatus
from agent.protocol.events import Disputed, Reaped
from agent.protocol.units import Address, Millis, TaskId


def reaped(number: int) -> Reaped:
    return Reaped(TaskId(bytes([number]) * 32))


async def test_events_are_given_in_order_from_the_cursor_on() -> None:
    chain = MemoryChain()
    chain.emit(reaped(1), Disputed(TASK, Address(bytes(32)), Millis(1)))
    chain.emit(reaped(2))
    async with aclosing(chain.events(None)) as pages:
        first = await anext(pages)
        waiting = asyncio.ensure_future(anext(pages))
        await asyncio.sleep(0)
        chain.emit(reaped(3))
        second = await waiting
    assert [(each.module, each.checkpoint, each.index) for each in first.events] == [
        ("task", 0, 0),
        ("audit", 0, 1),
        ("task", 1, 0),
    ]
    assert [each.event for each in second.events] == [reaped(3)]
    async with aclosing(chain.events(first.cursor)) as pages:
        assert await anext(pages) == second


async def test_submissions_are_kept_and_may_be_refused() -> None:
    chain = MemoryChain()
    await chain.submit(Heartbeat(), Settle(TASK), purpose="both")

    def refuse(_: object) -> None:
        raise aborted("task", 2)

    chain.on_submit = refuse
    with pytest.raises(type(aborted("task", 2))):
        await chain.submit(Settle(TASK), purpose="again")
    assert chain.calls == [Heartbeat(), Settle(TASK), Settle(TASK)]
    assert [each.purpose for each in chain.submissions] == ["both", "again"]


async def test_what_is_not_there_is_not_found() -> None:
    chain = MemoryChain()
    with pytest.raises(NotFound):
        await chain.task(TASK)
    assert await chain.member(0) is None


async def test_log_forgets_what_is_settled_and_nothing_else() -> None:
    log = MemoryTransactionLog()
    for name in ("a", "b"):
        await log.record(TxDigest(name), name.encode(), [b"signature"], "test")
    await log.record(TxDigest("a"), b"other", [], "again")
    await log.settle(TxDigest("b"), TxStatus.FAILED)
    await log.settle(TxDigest("unknown"), TxStatus.FAILED)
    (left,) = await log.pending()
    assert (left.digest, left.tx_bytes, left.signatures) == ("a", b"a", (b"signature",))
