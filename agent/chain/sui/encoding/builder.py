"""Arguments as our calls have them: objects of the deployment, pure values, coins split off the gas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from agent.chain.deployment import Deployment, SharedObject
from agent.chain.sui.names import CLOCK, FRAMEWORK, RANDOM, ObjectRef
from agent.chain.sui.transaction import GAS, Argument, Transaction
from agent.protocol.bcs import uleb
from agent.protocol.records import Params
from agent.protocol.units import Address, ObjectId

CLOCK_OBJECT: Final = SharedObject(CLOCK, 1)
"""Shared at genesis on every Sui network."""
WIDE: Final = ("audit_probability",)
"""Parameters that are u128; all others are u64."""


@dataclass(slots=True)
class Known:
    """What the chain answered."""

    shared: Mapping[ObjectId, int] = field(default_factory=dict)
    owned: Mapping[ObjectId, ObjectRef] = field(default_factory=dict)


class Builder:
    """Adds Move calls of one deployment to a transaction."""

    def __init__(self, transaction: Transaction, deployment: Deployment, sender: Address, known: Known) -> None:
        self._tx = transaction
        self._deployment = deployment
        self._sender = sender
        self._known = known

    def move(self, target: str, *arguments: Argument) -> int:
        """Call `<module>::<function>` of our package; returns the command's index."""
        return self._tx.call(self._deployment.called, target, *arguments)

    def framework(self, target: str, *arguments: Argument) -> Argument:
        """Call `<module>::<function>` of the Sui framework; returns what it returns."""
        return self._tx.result(self._tx.call(FRAMEWORK, target, *arguments))

    def result(self, command: int, index: int = 0) -> Argument:
        """Value `index` that `command` returned."""
        return self._tx.result(command, index)

    def keep(self, command: int, count: int = 1) -> None:
        """Give the first `count` values that `command` returned to the sender."""
        self._tx.transfer([self._tx.result(command, index) for index in range(count)], self._sender)

    def coin(self, amount: int) -> Argument:
        """A coin of `amount` Mist off the sender's."""
        return self._tx.result(self._tx.split(GAS, [amount]))

    def network(self, *, mutable: bool = False) -> Argument:
        return self._tx.shared(self._deployment.network, mutable=mutable)

    def pool(self, *, mutable: bool = True) -> Argument:
        return self._tx.shared(self._deployment.pool, mutable=mutable)

    def roster(self, *, mutable: bool = False) -> Argument:
        return self._tx.shared(self._deployment.roster, mutable=mutable)

    def queue(self) -> Argument:
        return self._tx.shared(self._deployment.queue, mutable=True)

    def clock(self) -> Argument:
        return self._tx.shared(CLOCK_OBJECT, mutable=False)

    def random(self) -> Argument:
        return self._tx.shared(SharedObject(RANDOM, self._known.shared[RANDOM]), mutable=False)

    def shared(self, name: bytes) -> Argument:
        """A Task or a Request, mutably or by value."""
        identifier = ObjectId(name)
        return self._tx.shared(SharedObject(identifier, self._known.shared[identifier]), mutable=True)

    def cap(self, cap: ObjectId) -> Argument:
        """An object of the sender, by reference or by value."""
        return self._tx.owned(self._known.owned[cap])

    def params(self, params: Params) -> Argument:
        """The parameters as a value that `params::new` made."""
        numbers = ((each.name, getattr(params, each.name)) for each in fields(params))
        made = self.move("params::new", *(self.integer(value, 16 if name in WIDE else 8) for name, value in numbers))
        return self._tx.result(made)

    def address(self, value: bytes) -> Argument:
        return self._tx.pure(value)

    def integer(self, value: int, width: int) -> Argument:
        """An unsigned integer of `width` bytes."""
        return self._tx.pure(value.to_bytes(width, "little"))

    def u64(self, value: int) -> Argument:
        return self.integer(value, 8)

    def u8(self, value: int) -> Argument:
        return self.integer(value, 1)

    def flag(self, value: bool) -> Argument:
        return self._tx.pure(b"\1" if value else b"\0")

    def octets(self, value: bytes) -> Argument:
        return self._tx.pure(uleb(len(value)) + value)

    def text(self, value: str) -> Argument:
        return self.octets(value.encode())

    def vectors(self, values: Sequence[bytes]) -> Argument:
        """`vector<vector<u8>>`."""
        return self._tx.pure(uleb(len(values)) + b"".join(uleb(len(value)) + value for value in values))

    def addresses(self, values: Sequence[bytes]) -> Argument:
        return self._tx.pure(uleb(len(values)) + b"".join(values))

    def numbers(self, values: Sequence[int]) -> Argument:
        """`vector<u64>`."""
        return self._tx.pure(uleb(len(values)) + b"".join(value.to_bytes(8, "little") for value in values))

    def signed(self, committee: int, signers: Sequence[int], signatures: Sequence[bytes]) -> tuple[Argument, ...]:
        """Signatures of a committee: its epoch, who signed, what they signed."""
        return self.u64(committee), self.numbers(signers), self.vectors(signatures)

    def heartbeat(self) -> None:
        """`network::heartbeat`."""
        self.move("network::heartbeat", self.network(mutable=True), self.clock())
