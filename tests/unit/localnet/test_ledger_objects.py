"""Who owns what, and what becomes of it."""

import pytest
from ledger_world import ALICE, BOB, World, arg, result, text, u64

from localnet.ledger.errors import NotFound
from localnet.ledger.model import (
    IMMUTABLE,
    Address,
    AddressOwner,
    ArgumentErrorKind,
    FailureKind,
    Object,
    ObjectOwner,
    Operation,
    PureInput,
    SharedOwner,
    TransferObjects,
)
from localnet.movevm.types import U64, Struct


def test_new_object_belongs_to_whom_it_was_given(world: World) -> None:
    box = world.new_box(owner=ALICE, to=BOB)
    assert world.ledger.object(box).owner == AddressOwner(BOB)
    assert [found.id for found in world.ledger.owned_by(BOB) if found.type.name == "Box"] == [box]


def test_written_objects_get_one_more_than_the_highest_input_version(world: World) -> None:
    box = world.new_box()
    inputs = [world.owned(box), world.owned(world.gas_coins[ALICE])]
    executed = world.do("set_value", world.owned(box), u64(9))
    assert executed.effects.lamport_version == max(entry.ref.version for entry in inputs) + 1
    assert {change.after.version for change in executed.effects.changes if change.after} == {executed.effects.lamport_version}


def test_read_only_shared_input_raises_the_version_and_stays_as_it_is(world: World) -> None:
    for _ in range(5):
        world.do("tick", world.shared(world.counter), sender=BOB)
    before = world.ledger.object(world.counter)
    executed = world.do("count", world.shared(world.counter, mutable=False))
    assert executed.effects.lamport_version == before.version + 1
    assert world.ledger.object(world.counter) == before
    assert [shared.id for shared in executed.effects.read_only_shared] == [world.counter]


def test_wrapped_object_is_gone_and_comes_back_unwrapped(world: World) -> None:
    box = world.new_box(5)
    wrapping = world.do("wrap", world.owned(box))
    assert [change.id for change in wrapping.effects.wrapped()] == [box]
    with pytest.raises(NotFound):
        world.ledger.object(box)
    wrapper = world.made(wrapping, "Wrapper").id
    unwrapping = world.run(
        ALICE,
        [world.owned(wrapper), PureInput(BOB)],
        [world.call("unwrap", arg(0)), TransferObjects((result(0),), arg(1))],
    )
    assert [change.id for change in unwrapping.effects.unwrapped()] == [box]
    assert [change.id for change in unwrapping.effects.deleted()] == [wrapper]
    assert world.value_of(box) == 5


def test_object_unwrapped_and_deleted_at_once_is_in_the_effects(world: World) -> None:
    box = world.new_box()
    wrapper = world.made(world.do("wrap", world.owned(box)), "Wrapper").id
    executed = world.run(
        ALICE, [world.owned(wrapper)], [world.call("unwrap", arg(0)), world.call("burn", result(0))]
    )
    change = next(change for change in executed.effects.changes if change.id == box)
    assert (change.before, change.after, change.operation) == (None, None, Operation.DELETED)


def test_object_created_and_deleted_at_once_leaves_no_trace(world: World) -> None:
    executed = world.run(ALICE, [u64(1)], [world.call("new_box", arg(0)), world.call("burn", result(0))])
    assert executed.effects.succeeded
    assert [change.id for change in executed.effects.changes] == [world.gas_coins[ALICE]]


def test_deleted_object_is_gone(world: World) -> None:
    box = world.new_box()
    executed = world.do("burn", world.owned(box))
    assert [change.id for change in executed.effects.deleted()] == [box]
    with pytest.raises(NotFound):
        world.ledger.object(box)


def test_frozen_object_can_be_read_by_anybody_and_changed_by_nobody(world: World) -> None:
    box = world.new_box(3)
    world.do("freeze_box", world.owned(box))
    assert world.ledger.object(box).owner == IMMUTABLE
    before = world.ledger.object(box)
    assert world.do("value", world.owned(box), sender=BOB).effects.succeeded
    changed = world.do("set_value", world.owned(box), u64(4), sender=BOB)
    assert changed.effects.status.argument_error is ArgumentErrorKind.INVALID_OBJECT_BY_MUT_REF
    burnt = world.do("burn", world.owned(box), sender=BOB)
    assert burnt.effects.status.argument_error is ArgumentErrorKind.INVALID_OBJECT_BY_VALUE
    assert world.ledger.object(box) == before


def test_object_that_is_not_new_cannot_be_shared(world: World) -> None:
    executed = world.do("share_box", world.owned(world.new_box()))
    status = executed.effects.status
    assert (status.kind, status.abort_code) == (FailureKind.MOVE_ABORT, 0)
    assert (status.location.module, status.location.function) == ("transfer", "share_object_impl")


def test_shared_object_keeps_its_initial_version(world: World) -> None:
    initial = world.ledger.object(world.counter).owner
    world.do("tick", world.shared(world.counter))
    assert world.ledger.object(world.counter).owner == initial
    assert isinstance(initial, SharedOwner)
    assert initial.initial_version == world.published.effects.lamport_version


def test_shared_object_taken_by_value_may_be_shared_again_or_deleted(world: World) -> None:
    initial = world.ledger.object(world.counter).owner
    again = world.do("share_again", world.shared(world.counter))
    assert [change.id for change in again.effects.mutated() if change.id == world.counter]
    assert world.ledger.object(world.counter).owner == initial
    deleted = world.do("delete_counter", world.shared(world.counter))
    assert [change.id for change in deleted.effects.deleted()] == [world.counter]


def test_shared_object_cannot_become_owned(world: World) -> None:
    executed = world.do("own_counter", world.shared(world.counter))
    assert executed.effects.status.kind is FailureKind.SHARED_OBJECT_OPERATION_NOT_ALLOWED
    assert isinstance(world.ledger.object(world.counter).owner, SharedOwner)


def test_read_only_shared_object_is_neither_changed_nor_taken(world: World) -> None:
    changed = world.do("tick", world.shared(world.counter, mutable=False))
    assert changed.effects.status.argument_error is ArgumentErrorKind.INVALID_OBJECT_BY_MUT_REF
    taken = world.do("delete_counter", world.shared(world.counter, mutable=False))
    assert taken.effects.status.argument_error is ArgumentErrorKind.INVALID_OBJECT_BY_VALUE


# ---- dynamic fields


def test_dynamic_object_field_is_owned_by_its_field_and_listed(world: World) -> None:
    parent, child = world.new_box(1), world.new_box(2)
    world.do("hang", world.owned(parent), u64(5), world.owned(child))
    (field,) = world.ledger.dynamic_fields(parent)
    assert field.field.owner == ObjectOwner(parent)
    assert (field.name.type, field.name.bcs) == (U64, (5).to_bytes(8, "little"))
    assert field.value == world.ledger.object(child)
    assert world.ledger.object(child).owner == ObjectOwner(field.field.id)


def test_child_changes_in_place_and_comes_back_by_removal(world: World) -> None:
    parent, child = world.new_box(1), world.new_box(2)
    world.do("hang", world.owned(parent), u64(5), world.owned(child))
    world.do("set_hanging", world.owned(parent), u64(5), u64(33))
    assert world.value_of(child) == 33
    removed = world.run(
        ALICE,
        [world.owned(parent), u64(5), PureInput(BOB)],
        [world.call("unhang", arg(0), arg(1)), TransferObjects((result(0),), arg(2))],
    )
    assert removed.effects.succeeded
    assert world.ledger.object(child).owner == AddressOwner(BOB)
    assert world.ledger.dynamic_fields(parent) == []


def test_reading_a_child_does_not_write_it(world: World) -> None:
    parent, child = world.new_box(1), world.new_box(2)
    world.do("hang", world.owned(parent), u64(5), world.owned(child))
    before = world.ledger.object(child)
    executed = world.do("hanging", world.owned(parent), u64(5))
    assert executed.results[0].returned[0].bcs == (2).to_bytes(8, "little")
    assert world.ledger.object(child) == before
    assert child in executed.before


def test_child_that_nobody_changed_is_not_written_though_it_was_borrowed_mutably(world: World) -> None:
    parent, child = world.new_box(1), world.new_box(2)
    world.do("hang", world.owned(parent), u64(5), world.owned(child))
    version = world.ledger.object(child).version
    world.do("set_hanging", world.owned(parent), u64(5), u64(2))
    assert world.ledger.object(child).version == version


def test_failed_transaction_leaves_children_as_they_were(world: World) -> None:
    parent, child = world.new_box(1), world.new_box(2)
    world.do("hang", world.owned(parent), u64(5), world.owned(child))
    executed = world.run(
        ALICE,
        [world.owned(parent), u64(5), u64(99), u64(1)],
        [world.call("set_hanging", arg(0), arg(1), arg(2)), world.call("fail", arg(3), module="machine")],
    )
    assert not executed.effects.succeeded
    # through the value that the ledger keeps in memory, not only through its bytes
    reading = world.do("hanging", world.owned(parent), u64(5))
    assert reading.results[0].returned[0].bcs == (2).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("function", "name", "code"),
    [("noted", b"absent", 1), ("noted_as_bool", b"there", 2)],
    ids=["no such field", "field of another type"],
)
def test_wrong_field_aborts_with_the_frameworks_code(world: World, function: str, name: bytes, code: int) -> None:
    box = world.new_box()
    world.do("note", world.owned(box), text(b"there"), u64(1))
    status = world.do(function, world.owned(box), text(name)).effects.status
    assert (status.kind, status.abort_code, status.location.module) == (FailureKind.MOVE_ABORT, code, "dynamic_field")


def test_field_cannot_be_added_twice(world: World) -> None:
    box = world.new_box()
    assert world.do("note", world.owned(box), text(b"a"), u64(1)).effects.succeeded
    status = world.do("note", world.owned(box), text(b"a"), u64(2)).effects.status
    assert (status.abort_code, status.location.module) == (0, "dynamic_field")


def test_field_removed_and_added_again_lives_on(world: World) -> None:
    box = world.new_box()
    world.do("note", world.owned(box), text(b"a"), u64(8))
    (before,) = world.ledger.dynamic_fields(box)
    assert world.do("renote", world.owned(box), text(b"a")).effects.succeeded
    (after,) = world.ledger.dynamic_fields(box)
    assert after.field.id == before.field.id
    assert world.do("unnote", world.owned(box), text(b"a")).results[0].returned[0].bcs == (8).to_bytes(8, "little")
    assert world.ledger.dynamic_fields(box) == []


# ---- receiving


def test_object_sent_to_an_object_is_received_through_it(world: World) -> None:
    parent = world.new_box(1)
    sent = world.new_box(2, to=parent)
    received = world.run(
        ALICE,
        [world.owned(parent), world.receiving(sent), PureInput(BOB)],
        [world.call("receive", arg(0), arg(1)), TransferObjects((result(0),), arg(2))],
    )
    assert received.effects.succeeded, received.effects.status
    assert world.ledger.object(sent).owner == AddressOwner(BOB)


def test_object_sent_elsewhere_cannot_be_received(world: World) -> None:
    parent, other = world.new_box(1), world.new_box(3)
    sent = world.new_box(2, to=other)
    status = world.run(
        ALICE,
        [world.owned(parent), world.receiving(sent), PureInput(BOB)],
        [world.call("receive", arg(0), arg(1)), TransferObjects((result(0),), arg(2))],
    ).effects.status
    assert (status.abort_code, status.location.function) == (3, "receive_impl")


def test_object_of_another_type_cannot_be_received(world: World) -> None:
    parent = world.new_box(1)
    sent = world.new_box(2, to=parent)
    status = world.run(
        ALICE,
        [world.owned(parent), world.receiving(sent), PureInput(BOB)],
        [world.call("receive_coin", arg(0), arg(1)), TransferObjects((result(0),), arg(2))],
    ).effects.status
    assert (status.abort_code, status.location.function) == (2, "receive_impl")


def test_ticket_that_nobody_opens_changes_nothing(world: World) -> None:
    sent = world.new_box(2, to=BOB)
    before = world.ledger.object(sent)
    assert world.run(ALICE, [world.receiving(sent)], [world.call("emit_many", arg(0))]).effects.status is not None
    assert world.run(ALICE, [world.receiving(sent), u64(0)], [world.call("emit_many", arg(1))]).effects.succeeded
    assert world.ledger.object(sent) == before


# ---- reading


def test_past_versions_can_be_read(world: World) -> None:
    box = world.new_box(1)
    first = world.ledger.object(box)
    world.do("set_value", world.owned(box), u64(2))
    old = world.ledger.object(box, first.version)
    assert isinstance(old, Object)
    assert old == first
    assert world.value_of(box) == 2


def test_owned_objects_are_found_by_type_with_and_without_arguments(world: World) -> None:
    coin = Struct(bytes(31) + b"\x02", "coin", "Coin")
    sui = Struct(bytes(31) + b"\x02", "sui", "SUI")
    assert [found.id for found in world.ledger.owned_by(BOB, coin)] == [world.gas_coins[BOB]]
    assert world.ledger.owned_by(BOB, Struct(coin.address, "coin", "Coin", (sui,))) == world.ledger.owned_by(BOB, coin)
    assert world.ledger.owned_by(BOB, Struct(coin.address, "coin", "Coin", (U64,))) == []
    assert world.ledger.owned_by(Address(b"\x99" * 32)) == []
