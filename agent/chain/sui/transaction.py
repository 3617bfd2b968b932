"""A programmable transaction: commands over inputs, and its bytes. Nothing here asks the chain.

Bytes are made by pysui's BCS types. An object is one input however often commands use it; a shared one is taken
mutably if any command wants it so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.chain.deployment import SharedObject
from agent.chain.sui.names import ObjectRef
from agent.chain.sui.pysui_parts import bcs
from agent.protocol.units import Address, ObjectId

Argument = Any
"""pysui's BCS `Argument`: an input, the gas coin, or the result of a command."""

GAS: Final[Argument] = bcs.Argument("GasCoin")

MAX_PAYMENT: Final = 256
"""Gas coins of one transaction, at most (Sui's `max_gas_payment_objects`)."""


@dataclass(frozen=True, slots=True)
class Gas:
    """What pays for a transaction."""

    payment: tuple[ObjectRef, ...]
    price: int
    """Mist per gas unit, at least the reference gas price."""
    budget: int
    """Mist that it may cost at most."""


class Transaction:
    """Collects commands; `encode` may be called again with other gas."""

    def __init__(self) -> None:
        self._inputs: list[Any] = []
        self._places: dict[ObjectId, int] = {}
        self._commands: list[Any] = []

    def pure(self, value: bytes) -> Argument:
        """An argument of the BCS `value`."""
        self._inputs.append(bcs.CallArg("Pure", list(value)))
        return bcs.Argument("Input", len(self._inputs) - 1)

    def shared(self, shared: SharedObject, *, mutable: bool) -> Argument:
        """A shared object, by `&mut` or by value if `mutable`, else by `&`."""

        def make() -> Any:
            reference = bcs.SharedObjectReference(_address(shared.id), shared.initial_version, mutable)
            return bcs.CallArg("Object", bcs.ObjectArg("SharedObject", reference))

        argument = self._object(shared.id, make)
        if mutable:
            self._inputs[argument.value].value.value.Mutable = True
        return argument

    def owned(self, reference: ObjectRef) -> Argument:
        """An object of the sender, or an immutable one."""
        return self._object(
            reference.id, lambda: bcs.CallArg("Object", bcs.ObjectArg("ImmOrOwnedObject", _reference(reference)))
        )

    def call(self, package: ObjectId, target: str, *arguments: Argument) -> int:
        """Add a call of `<module>::<function>`; returns its index for `result`."""
        module, function = target.split("::")
        call = bcs.ProgrammableMoveCall(_address(package), module, function, [], list(arguments))
        return self._command("MoveCall", call)

    def split(self, coin: Argument, amounts: Sequence[int]) -> int:
        """Split `amounts` Mist off `coin`; result i is the coin of amount i."""
        pure = [self.pure(amount.to_bytes(8, "little")) for amount in amounts]
        return self._command("SplitCoin", bcs.SplitCoin(coin, pure))

    def transfer(self, objects: Sequence[Argument], to: Address) -> None:
        """Give `objects` to the address `to`."""
        self._command("TransferObjects", bcs.TransferObjects(list(objects), self.pure(to)))

    def publish(self, modules: Sequence[bytes], dependencies: Sequence[ObjectId]) -> int:
        """Publish a package; its result is the UpgradeCap."""
        code = [list(module) for module in modules]
        return self._command("Publish", bcs.Publish(code, [_address(each) for each in dependencies]))

    def upgrade(self, modules: Sequence[bytes], dependencies: Sequence[ObjectId], package: ObjectId, ticket: Argument) -> int:
        """Publish the next version of `package`, its newest; the result is the UpgradeReceipt."""
        code = [list(module) for module in modules]
        return self._command("Upgrade", bcs.Upgrade(code, [_address(each) for each in dependencies], _address(package), ticket))

    @staticmethod
    def result(command: int, index: int = 0) -> Argument:
        """Value `index` that `command` returned."""
        return bcs.Argument("NestedResult", (command, index))

    def encode(self, sender: Address, gas: Gas) -> bytes:
        """BCS `TransactionData` of all commands so far, paid for by the sender."""
        kind = bcs.TransactionKind(
            "ProgrammableTransaction", bcs.ProgrammableTransaction(self._inputs, self._commands)
        )
        payment = bcs.GasData(
            [_reference(each) for each in gas.payment], _address(sender), gas.price, gas.budget
        )
        data = bcs.TransactionDataV1(kind, _address(sender), payment, bcs.TransactionExpiration("None"))
        encoded: bytes = bcs.TransactionData("V1", data).serialize()
        return encoded

    def _object(self, identifier: ObjectId, make: Callable[[], Any]) -> Argument:
        place = self._places.get(identifier)
        if place is None:
            place = self._places[identifier] = len(self._inputs)
            self._inputs.append(make())
        return bcs.Argument("Input", place)

    def _command(self, kind: str, command: Any) -> int:
        self._commands.append(bcs.Command(kind, command))
        return len(self._commands) - 1


def owned_inputs(tx_bytes: bytes) -> frozenset[ObjectId]:
    """Objects of the sender that a transaction names, its gas coins too: while its fate is open, no other may.

    Raises:
        ValueError: not a transaction that `Transaction` made.
    """
    try:
        data = bcs.TransactionData.deserialize(tx_bytes).value
        references = list(data.GasData.Payment)
        objects = [each.value for each in data.TransactionKind.value.Inputs if each.enum_name == "Object"]
        references += [each.value for each in objects if each.enum_name != "SharedObject"]
        return frozenset(ObjectId(bytes(each.ObjectID.Address)) for each in references)
    except Exception as error:  # canoser raises what it happens to, a NameError among others
        raise ValueError("the transaction log holds bytes that are no transaction") from error


def _address(value: bytes) -> Any:
    return bcs.Address(list(value))


def _reference(reference: ObjectRef) -> Any:
    return bcs.ObjectReference(_address(reference.id), reference.version, bcs.Digest(list(reference.digest)))
