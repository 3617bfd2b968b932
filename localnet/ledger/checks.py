"""What is checked before a transaction runs: sizes, inputs, gas. Whoever fails here pays nothing.

Limits are Sui's (protocol_config.rs).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from localnet.ledger import gas
from localnet.ledger.errors import (
    DigestMismatch,
    Expired,
    GasRefused,
    MalformedTransaction,
    NotOwner,
    ObjectNotFound,
    StaleVersion,
    WrongInitialVersion,
)
from localnet.ledger.model import (
    AddressOwner,
    Argument,
    Command,
    GasCoin,
    ImmutableOwner,
    InputArgument,
    MakeMoveVec,
    MergeCoins,
    Mist,
    MoveCall,
    Object,
    ObjectId,
    ObjectRef,
    OwnedInput,
    Publish,
    PureInput,
    ReceivingInput,
    ResultArgument,
    SharedInput,
    SharedOwner,
    SplitCoins,
    Transaction,
    TransferObjects,
    Upgrade,
)
from localnet.ledger.names import CLOCK_ID, RANDOM_ID, SUI_COIN
from localnet.ledger.store import ObjectStore
from localnet.movevm.types import short_address

MAX_TRANSACTION: Final = 128 * 1024
MAX_PURE: Final = 16 * 1024
MAX_INPUTS: Final = 2048
MAX_COMMANDS: Final = 1024
MAX_ARGUMENTS: Final = 512
MAX_TYPE_ARGUMENTS: Final = 16

_OBJECT_INPUT_BYTES: Final = 75
_ARGUMENT_BYTES: Final = 3
_U16_MAX: Final = 65_535
_SYSTEM_READ_ONLY: Final = frozenset({CLOCK_ID, RANDOM_ID})


@dataclass(frozen=True, slots=True)
class CheckedInputs:
    """The objects that a transaction names, found and allowed."""

    inputs: tuple[Object | None, ...]
    """One per input; None for a pure one."""
    payment: tuple[Object, ...]
    """Empty if a mock coin pays."""

    def renewed(self, store: ObjectStore) -> "CheckedInputs":
        """The same, with the objects of the system as they are now."""
        return CheckedInputs(tuple(_renewed(found, store) for found in self.inputs), self.payment)

    def objects(self) -> Iterable[Object]:
        """All of them."""
        yield from (found for found in self.inputs if found is not None)
        yield from self.payment


def _renewed(found: Object | None, store: ObjectStore) -> Object | None:
    if found is None or found.id not in _SYSTEM_READ_ONLY:
        return found
    new = store.get(found.id)
    assert isinstance(new, Object)
    return new


def check_transaction(transaction: Transaction, store: ObjectStore, *, epoch: int, price: Mist, checked: bool) -> CheckedInputs:
    """Check everything that can be checked without running. `checked=False` lets anybody use any object.

    Raises:
        Rejected: one of its kinds.
    """
    _check_sizes(transaction)
    if transaction.expiration is not None and transaction.expiration < epoch:
        raise Expired(f"the transaction expired with epoch {transaction.expiration}, this is epoch {epoch}")
    if checked:
        _check_random(transaction)
    inputs = tuple(_find_input(entry, transaction, store, checked=checked) for entry in transaction.inputs)
    payment = _check_payment(transaction, store, price)
    seen: set[ObjectId] = set()
    for found in (*(found for found in inputs if found is not None), *payment):
        if found.id in seen:
            raise MalformedTransaction(f"object {short_address(found.id)} is there twice: name it once and use it twice")
        seen.add(found.id)
    return CheckedInputs(inputs, payment)


# ---- sizes


def _check_sizes(transaction: Transaction) -> None:
    if len(transaction.inputs) > MAX_INPUTS:
        raise MalformedTransaction(f"{len(transaction.inputs)} inputs, at most {MAX_INPUTS}")
    for index, entry in enumerate(transaction.inputs):
        if isinstance(entry, PureInput) and len(entry.value) > MAX_PURE:
            raise MalformedTransaction(f"input {index} has {len(entry.value)} bytes, at most {MAX_PURE}")
    if not 1 <= len(transaction.commands) <= MAX_COMMANDS:
        raise MalformedTransaction(f"{len(transaction.commands)} commands, between 1 and {MAX_COMMANDS} are allowed")
    for index, command in enumerate(transaction.commands):
        _check_command(index, command)
    size = _size_of(transaction)
    if size > MAX_TRANSACTION:
        raise MalformedTransaction(f"about {size} bytes, at most {MAX_TRANSACTION}")


def _check_command(index: int, command: Command) -> None:
    arguments = arguments_of(command)
    if len(arguments) > MAX_ARGUMENTS:
        raise MalformedTransaction(f"command {index} has more than {MAX_ARGUMENTS} arguments")
    if not all(map(_is_u16, arguments)):
        raise MalformedTransaction(f"command {index} has an argument whose index is no u16")
    if isinstance(command, MoveCall) and len(command.type_arguments) > MAX_TYPE_ARGUMENTS:
        raise MalformedTransaction(f"command {index} has more than {MAX_TYPE_ARGUMENTS} type arguments")
    if isinstance(command, TransferObjects | MergeCoins | SplitCoins) and len(arguments) < 2:
        raise MalformedTransaction(f"command {index} names nothing to do")


def _size_of(transaction: Transaction) -> int:
    """Bytes of the transaction, near enough: its exact BCS is the caller's."""
    size = sum(len(i.value) if isinstance(i, PureInput) else _OBJECT_INPUT_BYTES for i in transaction.inputs)
    for command in transaction.commands:
        size += _ARGUMENT_BYTES * len(arguments_of(command))
        if isinstance(command, Publish | Upgrade):
            size += sum(map(len, command.modules))
    return size


def _is_u16(argument: Argument) -> bool:
    if isinstance(argument, InputArgument):
        return 0 <= argument.index <= _U16_MAX
    if isinstance(argument, ResultArgument):
        return 0 <= argument.command <= _U16_MAX
    return isinstance(argument, GasCoin) or (0 <= argument.command <= _U16_MAX and 0 <= argument.result <= _U16_MAX)


def arguments_of(command: Command) -> Sequence[Argument]:
    """All arguments of a command."""
    if isinstance(command, MoveCall):
        return command.arguments
    if isinstance(command, TransferObjects):
        return (*command.objects, command.recipient)
    if isinstance(command, SplitCoins):
        return (command.coin, *command.amounts)
    if isinstance(command, MergeCoins):
        return (command.destination, *command.sources)
    if isinstance(command, MakeMoveVec):
        return command.elements
    return (command.ticket,) if isinstance(command, Upgrade) else ()


def uses_random(transaction: Transaction) -> bool:
    """Whether the Random object is an input."""
    return any(isinstance(entry, SharedInput) and entry.id == RANDOM_ID for entry in transaction.inputs)


def _check_random(transaction: Transaction) -> None:
    """After a call that sees randomness nothing may look at the outcome and back out."""
    random = {
        InputArgument(index)
        for index, entry in enumerate(transaction.inputs)
        if isinstance(entry, SharedInput) and entry.id == RANDOM_ID
    }
    used = False
    for index, command in enumerate(transaction.commands):
        if used and not isinstance(command, TransferObjects | MergeCoins):
            raise MalformedTransaction(
                f"command {index} follows a use of Random: only TransferObjects and MergeCoins may do so"
            )
        used = used or (isinstance(command, MoveCall) and not random.isdisjoint(command.arguments))


# ---- inputs


def _find_input(
    entry: PureInput | OwnedInput | SharedInput | ReceivingInput,
    transaction: Transaction,
    store: ObjectStore,
    *,
    checked: bool,
) -> Object | None:
    if isinstance(entry, PureInput):
        return None
    if isinstance(entry, SharedInput):
        return _find_shared(entry, store, checked=checked)
    found = _find_exact(entry.ref, store)
    if not checked:
        return found
    if isinstance(entry, ReceivingInput):
        if not isinstance(found.owner, AddressOwner):
            raise NotOwner(found.id, "only what an address owns can be received")
    elif isinstance(found.owner, SharedOwner):
        raise NotOwner(found.id, "it is shared: name it as a shared input")
    elif not isinstance(found.owner, ImmutableOwner) and found.owner != AddressOwner(transaction.sender):
        raise NotOwner(found.id, f"it does not belong to the sender {short_address(transaction.sender)}")
    return found


def _find_exact(ref: ObjectRef, store: ObjectStore) -> Object:
    found = store.get(ref.id)
    if found is None:
        raise ObjectNotFound(ref.id, ref.version)
    if not isinstance(found, Object):
        raise NotOwner(ref.id, "a package is no input")
    if found.version != ref.version:
        raise StaleVersion(ref.id, ref.version, found.version)
    if found.digest != ref.digest:
        raise DigestMismatch(ref.id)
    return found


def _find_shared(entry: SharedInput, store: ObjectStore, *, checked: bool) -> Object:
    found = store.get(entry.id)
    if found is None:
        raise ObjectNotFound(entry.id)
    if not isinstance(found, Object) or not isinstance(found.owner, SharedOwner):
        raise NotOwner(entry.id, "it is not shared: name it with version and digest")
    if found.owner.initial_version != entry.initial_version:
        raise WrongInitialVersion(entry.id, entry.initial_version, found.owner.initial_version)
    if checked and entry.mutable and entry.id in _SYSTEM_READ_ONLY:
        raise NotOwner(entry.id, "only the system changes it: ask for it immutably")
    return found


# ---- gas


def _check_payment(transaction: Transaction, store: ObjectStore, price: Mist) -> tuple[Object, ...]:
    paid = transaction.gas
    if not price <= paid.price <= gas.MAX_PRICE:
        raise GasRefused(f"gas price {paid.price}: between the reference price {price} and {gas.MAX_PRICE} is allowed")
    least = Mist(gas.MIN_BUDGET_UNITS * paid.price)
    if not least <= paid.budget <= gas.MAX_BUDGET:
        raise GasRefused(f"gas budget {paid.budget}: between {least} and {gas.MAX_BUDGET} is allowed", needed=least)
    if len(paid.payment) > gas.MAX_COINS:
        raise GasRefused(f"{len(paid.payment)} gas coins, at most {gas.MAX_COINS}")
    coins = tuple(_find_exact(ref, store) for ref in paid.payment)
    for coin in coins:
        if coin.type is not SUI_COIN or coin.owner != AddressOwner(paid.owner):
            raise GasRefused(f"object {short_address(coin.id)} is no coin of SUI that {short_address(paid.owner)} owns")
    available = Mist(sum(balance_of(coin) for coin in coins))
    if coins and available < paid.budget:
        raise GasRefused(
            f"the gas coins hold {available}, the budget is {paid.budget}: lower it or add coins",
            needed=paid.budget,
            available=available,
        )
    return coins


def balance_of(coin: Object) -> Mist:
    """What a coin holds: the u64 after its id."""
    return Mist(int.from_bytes(coin.contents[32:40], "little"))
