"""Filters of lists and subscriptions: terms joined by OR, literals in a term by AND, each perhaps negated."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from localnet.ledger.model import AddressOwner, Event, ExecutedTransaction, MoveCall, Owner, Transaction
from localnet.movevm.types import Struct
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.type_tags import parse_address, parse_identifier, parse_type

EventTest: TypeAlias = Callable[[Event], bool]
TransactionTest: TypeAlias = Callable[[ExecutedTransaction], bool]

MAX_LITERALS: Final = 10
SYSTEM: Final = bytes(32)


def event_filter(message: Any) -> EventTest:
    """A test of events; without a filter it lets all pass.

    Raises:
        InvalidArgument: the filter is empty, too large, or asks for what the localnet does not index.
    """
    if message is None:
        return _everything
    return _any_term(message, _event_literal)


def transaction_filter(message: Any) -> TransactionTest:
    """A test of transactions; without a filter it lets all pass.

    Raises:
        InvalidArgument: as `event_filter`.
    """
    if message is None:
        return _everything
    return _any_term(message, _transaction_literal)


def _everything(_: object) -> bool:
    return True


def _any_term(message: Any, literal: Callable[[Any], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    literals = sum(len(term.literals) for term in message.terms)
    if not message.terms or any(not term.literals for term in message.terms):
        raise InvalidArgument("a filter has at least one term, and a term at least one literal")
    if literals > MAX_LITERALS:
        raise InvalidArgument(f"a filter of {literals} literals, at most {MAX_LITERALS} are taken")
    terms = [[(one.negated, literal(one)) for one in term.literals] for term in message.terms]
    return lambda item: any(all(test(item) != negated for negated, test in term) for term in terms)


def _event_literal(literal: Any) -> EventTest:
    if literal.sender is not None:
        sender = parse_address(literal.sender.address)
        return lambda event: event.sender == sender
    if literal.emit_module is not None:
        return _emitted_by(literal.emit_module.module)
    if literal.event_type is not None:
        return _of_type(literal.event_type.event_type)
    raise InvalidArgument("an event literal is none of sender, emit_module and event_type, which the localnet indexes")


def _transaction_literal(literal: Any) -> TransactionTest:  # noqa: PLR0911 - one per predicate
    if literal.sender is not None:
        sender = parse_address(literal.sender.address)
        return lambda executed: _sender(executed) == sender
    if literal.affected_address is not None:
        address = parse_address(literal.affected_address.address)
        return lambda executed: _affects_address(executed, address)
    if literal.affected_object is not None:
        object_id = parse_address(literal.affected_object.object_id)
        return lambda executed: any(change.id == object_id for change in executed.effects.changes)
    if literal.move_call is not None:
        return _calling(literal.move_call.function)
    if literal.emit_module is not None:
        emitted = _emitted_by(literal.emit_module.module)
        return lambda executed: any(map(emitted, executed.events))
    if literal.event_type is not None:
        of_type = _of_type(literal.event_type.event_type)
        return lambda executed: any(map(of_type, executed.events))
    if literal.package_write is not None:
        return lambda executed: any(change.package and change.after for change in executed.effects.changes)
    raise InvalidArgument("a transaction literal has a predicate that the localnet does not index")


def _parts(text: str | None, most: int) -> tuple[bytes, tuple[str, ...]]:
    """Address and names of `address[::name…]`."""
    address, *names = (text or "").split("::")
    if len(names) > most:
        raise InvalidArgument(f"{(text or '')[:120]!r} has more than {most} names after the address")
    return parse_address(address), tuple(parse_identifier(name) for name in names)


def _emitted_by(text: str | None) -> EventTest:
    package, names = _parts(text, 1)
    return lambda event: event.package == package and (not names or event.module == names[0])


def _of_type(text: str | None) -> EventTest:
    if "<" in (text or ""):
        exact = parse_type(text or "")
        return lambda event: event.type is exact
    address, names = _parts(text, 2)

    def matches(event: Event) -> bool:
        type_: Struct = event.type
        return type_.address == address and (type_.module, type_.name)[: len(names)] == names

    return matches


def _calling(text: str | None) -> TransactionTest:
    package, names = _parts(text, 2)

    def matches(executed: ExecutedTransaction) -> bool:
        return isinstance(executed.transaction, Transaction) and any(
            command.package == package and (command.module, command.function)[: len(names)] == names
            for command in executed.transaction.commands
            if isinstance(command, MoveCall)
        )

    return matches


def _sender(executed: ExecutedTransaction) -> bytes:
    return executed.transaction.sender if isinstance(executed.transaction, Transaction) else SYSTEM


def _affects_address(executed: ExecutedTransaction, address: bytes) -> bool:
    def owned(owner: Owner) -> bool:
        return isinstance(owner, AddressOwner) and owner.address == address

    return _sender(executed) == address or any(
        state is not None and owned(state.owner)
        for change in executed.effects.changes
        for state in (change.before, change.after)
    )
