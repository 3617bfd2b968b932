"""What a full node fills in when it simulates: references of objects, the gas price, the budget, the coins that pay.

Follows the rules of Sui's full node (crates/sui-rpc-api, transaction_execution_service/simulate): `mutable` of a shared
object comes from how the commands use it, the budget from a first run with a coin that always pays.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from localnet.ledger.errors import NotFound as NotInLedger
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    Address,
    AddressOwner,
    Command,
    Gas,
    GasSummary,
    ImmutableOwner,
    Input,
    InputArgument,
    Mist,
    MoveCall,
    Object,
    ObjectId,
    ObjectRef,
    OwnedInput,
    Package,
    ReceivingInput,
    SharedInput,
    SharedOwner,
    Transaction,
)
from localnet.movevm.types import Reference, Struct, Type, short_address
from localnet.rpc.errors import FailedPrecondition, InvalidArgument, NotFound
from localnet.rpc.modules import function_of
from localnet.rpc.render.objects import FRAMEWORK, SUI, coin_balance
from localnet.rpc.structured import Program, UnresolvedInput
from localnet.rpc.transaction_bcs import MAX_GAS_OBJECTS

MAX_BUDGET: Final = Mist(50_000_000_000)
"""Sui's `max_tx_gas`."""
SAFE_OVERHEAD: Final = 1_000
"""Units of computation added to an estimate."""
SUI_COIN: Final = Struct(FRAMEWORK, "coin", "Coin", (SUI,))
RECEIVING: Final = (FRAMEWORK, "transfer", "Receiving")


def resolve_inputs(ledger: Ledger, program: Program) -> tuple[Input, ...]:
    """Inputs with every reference filled in.

    Raises:
        NotFound: an object or a called function does not exist.
        FailedPrecondition: an object is not at the version that the client names, or no transaction may use it.
    """
    return tuple(
        [
            _resolve(ledger, given, tuple(_uses(ledger, program.commands, index)))
            if isinstance(given, UnresolvedInput)
            else given
            for index, given in enumerate(program.inputs)
        ]
    )


def budget_of(gas: GasSummary, price: Mist) -> Mist:
    """A budget that the same transaction will not exceed."""
    overhead = SAFE_OVERHEAD * price
    return Mist(min(MAX_BUDGET, max(gas.computation + overhead, gas.net + overhead)))


def select_coins(ledger: Ledger, owner: Address, inputs: Sequence[Input], budget: Mist) -> tuple[ObjectRef, ...]:
    """Coins of `owner` worth `budget`, the largest first, none of which is an input.

    Raises:
        FailedPrecondition: there are not enough.
    """
    taken = {given.ref.id for given in inputs if isinstance(given, OwnedInput | ReceivingInput)}
    coins = [coin for coin in ledger.owned_by(owner, SUI_COIN) if coin.id not in taken]
    coins.sort(key=lambda coin: (-coin_balance(coin), coin.id))
    selected: list[ObjectRef] = []
    total = 0
    for coin in coins[:MAX_GAS_OBJECTS]:
        if total >= budget and selected:
            break
        selected.append(coin.ref)
        total += coin_balance(coin)
    if not selected or total < budget:
        raise FailedPrecondition(
            f"unable to select sufficient gas: 0x{owner.hex()} has {total} Mist in coins that are no inputs, "
            f"{budget} are wanted: ask the faucet"
        )
    return tuple(selected)


def with_gas(transaction: Transaction, gas: Gas) -> Transaction:
    """`transaction`, paid for by `gas`."""
    return Transaction(transaction.sender, transaction.inputs, transaction.commands, gas, transaction.expiration)


def _resolve(ledger: Ledger, given: UnresolvedInput, uses: Sequence[Type | None]) -> Input:
    thing = _lookup(ledger, given.id)
    if given.version is not None and given.version != thing.version:
        raise FailedPrecondition(
            f"object {short_address(given.id)} version {given.version} is unavailable for consumption, "
            f"current version: {thing.version}"
        )
    if given.digest is not None and given.digest != thing.digest:
        raise FailedPrecondition(f"object {short_address(given.id)} has another digest at version {thing.version}")
    match thing.owner:
        case SharedOwner(initial_version):
            return SharedInput(given.id, initial_version, any(_writes(use) for use in uses))
        case ImmutableOwner():
            return OwnedInput(thing.ref)
        case AddressOwner():
            receiving = any(isinstance(use, Struct) and _key(use) == RECEIVING for use in uses)
            return ReceivingInput(thing.ref) if receiving else OwnedInput(thing.ref)
        case _:
            raise FailedPrecondition(
                f"object {short_address(given.id)} is owned by another object: name that object instead"
            )


def _lookup(ledger: Ledger, object_id: ObjectId) -> Object | Package:
    try:
        return ledger.object(object_id)
    except NotInLedger:
        raise NotFound(f"object {short_address(object_id)} does not exist") from None


def _uses(ledger: Ledger, commands: Sequence[Command], index: int) -> Iterator[Type | None]:
    """How the commands take an input: a Move function's parameter, or None for a built-in command, which writes."""
    wanted = InputArgument(index)
    for command in commands:
        if isinstance(command, MoveCall):
            if wanted not in command.arguments:
                continue
            parameters = function_of(ledger, command.package, command.module, command.function).handle.parameters
            for argument, parameter in zip(command.arguments, parameters, strict=False):
                if argument == wanted:
                    yield parameter
        elif wanted in _arguments(command):
            yield None


def _arguments(command: Command) -> tuple[object, ...]:
    """What a built-in command takes."""
    fields = [getattr(command, name) for name in command.__slots__]
    return tuple(one for field in fields for one in (field if isinstance(field, tuple) else (field,)))


def _writes(use: Type | None) -> bool:
    return use.mutable if isinstance(use, Reference) else True


def _key(struct: Struct) -> tuple[bytes, str, str]:
    return struct.address, struct.module, struct.name


def resolved(program: Program) -> tuple[Input, ...]:
    """The inputs of a program that is complete.

    Raises:
        InvalidArgument: it is not.
    """
    inputs = tuple([given for given in program.inputs if not isinstance(given, UnresolvedInput)])
    if len(inputs) != len(program.inputs):
        raise InvalidArgument("an input lacks kind, version or digest: simulate the transaction to have them filled in")
    return inputs
