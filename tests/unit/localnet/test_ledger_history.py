"""What the ledger remembers, in which order, and for how long."""

import pytest
from ledger_world import ALICE, BOB, World, arg, u64

from localnet.ledger.clock import ManualClock
from localnet.ledger.errors import NotFound, Pruned
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.model import EventCursor, TransactionDigest, Version
from localnet.ledger.names import CLOCK_ID


def test_checkpoints_form_a_chain(world: World) -> None:
    last = world.ledger.checkpoint()
    executed = world.do("tick", world.shared(world.counter))
    new = world.ledger.checkpoint()
    assert (new.sequence, new.previous) == (last.sequence + 1, last.digest)
    assert new.transactions[executed.placement.index] == executed.digest
    assert new.total_transactions == last.total_transactions + len(new.transactions)
    assert new.effects[executed.placement.index] == executed.effects.digest
    assert world.ledger.checkpoint(last.sequence) == last


def test_transaction_is_found_by_digest(world: World) -> None:
    executed = world.do("tick", world.shared(world.counter))
    assert world.ledger.transaction(executed.digest) == executed
    with pytest.raises(NotFound):
        world.ledger.transaction(TransactionDigest(bytes(32)))


def test_before_and_after_hold_every_object_touched(world: World) -> None:
    before = world.ledger.object(world.counter)
    executed = world.do("tick", world.shared(world.counter))
    assert executed.before[world.counter] == before
    assert executed.after[world.counter] == world.ledger.object(world.counter)
    assert set(executed.after) == {change.id for change in executed.effects.changes}
    assert before.previous_transaction in executed.effects.dependencies


def test_events_come_in_order_and_the_cursor_resumes(world: World) -> None:
    for _ in range(3):
        world.do("tick", world.shared(world.counter))
        world.ledger.tick()
    world.do("emit_many", u64(3), sender=BOB)
    everything = world.ledger.events_after(None)
    assert [int.from_bytes(placed.event.contents, "little") for placed in everything] == [0, 1, 2, 3, 0, 1, 2]
    assert [placed.cursor for placed in everything] == sorted({placed.cursor for placed in everything})
    for index, placed in enumerate(everything):
        assert world.ledger.events_after(placed.cursor) == everything[index + 1 :]
    assert world.ledger.events_after(None, limit=2) == everything[:2]


def test_events_of_a_failed_transaction_did_not_happen(world: World) -> None:
    count = len(world.ledger.events_after(None))
    world.do("tick_then_fail", world.shared(world.counter))
    assert len(world.ledger.events_after(None)) == count


def test_checkpoint_to_come_is_not_there_yet(world: World) -> None:
    with pytest.raises(NotFound):
        world.ledger.checkpoint(world.ledger.checkpoint().sequence + 1)
    with pytest.raises(NotFound):
        world.ledger.checkpoint(-1)


def test_deleted_object_is_still_there_at_its_old_version(world: World) -> None:
    box = world.new_box()
    old = world.ledger.object(box)
    world.do("burn", world.owned(box))
    with pytest.raises(NotFound):
        world.ledger.object(box)
    assert world.ledger.object(box, old.version) == old
    with pytest.raises(NotFound):
        world.ledger.object(box, Version(old.version + 100))


# ---- bounded


@pytest.fixture
def forgetful(framework: Framework) -> World:
    return World(framework, GenesisConfig(clock=ManualClock(), history=5))


def test_old_history_is_dropped_and_said_to_be(forgetful: World) -> None:
    ledger = forgetful.ledger
    first = forgetful.do("tick", forgetful.shared(forgetful.counter))
    for _ in range(6):
        ledger.tick()
    assert ledger.oldest_checkpoint == ledger.checkpoint().sequence - 4
    with pytest.raises(Pruned):
        ledger.checkpoint(0)
    with pytest.raises(NotFound):
        ledger.transaction(first.digest)
    with pytest.raises(Pruned):
        ledger.events_after(EventCursor(0, 0, 0))
    with pytest.raises(Pruned):
        ledger.object(CLOCK_ID, Version(1))
    assert ledger.object(forgetful.counter) == first.after[forgetful.counter], "what is live is never dropped"


def test_cursor_at_the_edge_of_history_resumes_without_a_gap(forgetful: World) -> None:
    ledger = forgetful.ledger
    cursor = EventCursor(ledger.checkpoint().sequence, 99, 0)
    for _ in range(5):
        forgetful.do("tick", forgetful.shared(forgetful.counter))
    assert ledger.oldest_checkpoint == cursor.checkpoint + 1
    assert len(ledger.events_after(cursor)) == 5


def test_history_is_cut_by_size_too(framework: Framework) -> None:
    world = World(framework, GenesisConfig(clock=ManualClock(), history_bytes=10_000))
    blob = world.made(
        world.run(ALICE, [u64(3000)], [world.call("blob", arg(0))]), "Blob"
    )
    assert len(blob.contents) > 3000
    start = world.ledger.oldest_checkpoint
    for _ in range(300):
        world.do("tick", world.shared(world.counter))
    assert world.ledger.oldest_checkpoint > start
