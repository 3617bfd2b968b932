"""The commands that need no Move code: transfers, coins, vectors."""

from typing import Final

from localnet.ledger.failures import CommandFailed, bad_argument
from localnet.ledger.model import (
    Address,
    AddressOwner,
    ArgumentErrorKind,
    CommandResult,
    FailureKind,
    MakeMoveVec,
    MergeCoins,
    SplitCoins,
    TransferObjects,
)
from localnet.ledger.names import is_coin
from localnet.ledger.session import Session, id_of
from localnet.ledger.slots import Slot, Slots
from localnet.movevm.bytecode.module import Ability
from localnet.movevm.errors import LinkError
from localnet.movevm.types import ADDRESS, U8, U64, Struct, Vector
from localnet.movevm.values import Value

_U64_MAX: Final = 2**64 - 1
_UNITS: Final = 20
"""Gas per object or coin that a command touches."""


def transfer_objects(command: TransferObjects, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
    """Give objects away; their types must have `store`. Raises CommandFailed."""
    count = len(command.objects)
    recipient = slots.take(slots.find(command.recipient, count), count, ADDRESS)
    for index, argument in enumerate(command.objects):
        session.charge(_UNITS)
        slot = slots.find(argument, index)
        if slot.type is None:
            raise bad_argument(index, ArgumentErrorKind.TYPE_MISMATCH, "bytes cannot be transferred")
        needed = Ability.KEY | Ability.STORE
        if not isinstance(slot.type, Struct) or session.vm.abilities(slot.type) & needed != needed:
            message = f"{slot.type} is no object that TransferObjects may move: its module must do it"
            raise CommandFailed(FailureKind.INVALID_TRANSFER_OBJECT, message)
        value = slots.take(slot, index, slot.type, may_take_gas=True)
        session.place(slot.type, value, AddressOwner(Address(recipient)))
    return [], CommandResult()


def split_coins(command: SplitCoins, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
    """One new coin per amount. Raises CommandFailed."""
    slot = slots.find(command.coin, 0)
    coin, type_ = _coin(slots, slot, 0)
    made: list[Slot] = []
    for index, argument in enumerate(command.amounts, 1):
        session.charge(_UNITS)
        amount = slots.take(slots.find(argument, index), index, U64)
        if amount > coin[1][0]:
            message = f"the coin holds {coin[1][0]}, {amount} are wanted"
            raise CommandFailed(FailureKind.INSUFFICIENT_COIN_BALANCE, message)
        coin[1][0] -= amount
        made.append(Slot(type_, [[[[session.fresh_id()]], [amount]]]))
    return made, CommandResult(tuple(slots.typed(type_, piece.box[0]) for piece in made))


def merge_coins(command: MergeCoins, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
    """All into the first. Raises CommandFailed."""
    destination = slots.find(command.destination, 0)
    coin, type_ = _coin(slots, destination, 0)
    for index, argument in enumerate(command.sources, 1):
        session.charge(_UNITS)
        slot = slots.find(argument, index)
        if slot is destination:
            raise bad_argument(index, ArgumentErrorKind.INVALID_VALUE_USAGE, "a coin cannot be merged into itself")
        if slot.type is None:
            raise bad_argument(index, ArgumentErrorKind.TYPE_MISMATCH, "bytes are no coin")
        source = slots.take(slot, index, type_)
        if coin[1][0] + source[1][0] > _U64_MAX:
            raise CommandFailed(FailureKind.COIN_BALANCE_OVERFLOW, "the coin would hold more than a u64")
        coin[1][0] += source[1][0]
        session.delete_id(id_of(source))
    return [], CommandResult()


def make_move_vec(command: MakeMoveVec, session: Session, slots: Slots) -> tuple[list[Slot], CommandResult]:
    """A vector of values of one type. Raises CommandFailed."""
    element = command.element_type
    if element is None:
        first = slots.find(command.elements[0], 0) if command.elements else None
        element = first.type if first is not None else None
        if element is None or not session.vm.abilities(element) & Ability.KEY:
            raise bad_argument(0, ArgumentErrorKind.TYPE_MISMATCH, "say the element type: it can be inferred of objects only")
    else:
        try:
            session.vm.linker.check_type(element)
            element = session.vm.linker.canonical(element)
        except LinkError as unfit:
            raise CommandFailed(FailureKind.TYPE_ARGUMENT_ERROR, str(unfit), argument=0) from unfit
    session.charge(_UNITS * len(command.elements))
    found = [slots.find(argument, index) for index, argument in enumerate(command.elements)]
    items = [slots.take(slot, index, element) for index, slot in enumerate(found)]
    type_ = Vector(element)
    made = Slot(
        type_, [bytearray(items) if element is U8 else items], tainted=any(slot.tainted for slot in found)
    )
    return [made], CommandResult((slots.typed(type_, made.box[0]),))


def _coin(slots: Slots, slot: Slot, index: int) -> tuple[Value, Struct]:
    if not isinstance(slot.type, Struct) or not is_coin(slot.type):
        raise bad_argument(index, ArgumentErrorKind.TYPE_MISMATCH, f"a coin is wanted, {slot.type or 'bytes'} are given")
    container, at = slots.borrow(slot, index, slot.type, mutable=True)
    return container[at], slot.type
