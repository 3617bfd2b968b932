"""A ledger with two rich people and the package `tricks` (its Move source lies in move/tricks)."""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import count
from pathlib import Path

from localnet.ledger.clock import ManualClock
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    Address,
    Argument,
    Command,
    ExecutedTransaction,
    Gas,
    Input,
    InputArgument,
    Mist,
    MoveCall,
    Object,
    ObjectId,
    OwnedInput,
    Package,
    Publish,
    PureInput,
    ReceivingInput,
    ResultArgument,
    SharedInput,
    SharedOwner,
    Transaction,
    TransactionDigest,
    TransferObjects,
)
from localnet.ledger.names import STD_PACKAGE, SUI_COIN, SUI_PACKAGE
from localnet.movevm.codecs import encode_length
from localnet.movevm.types import Type

ALICE, BOB = Address(b"\xa1" * 32), Address(b"\xb0" * 32)
TRICKS = Path(__file__).parent / "move" / "tricks" / "bytecode"
SUI = 10**9
BUDGET = Mist(SUI)


def modules_of(package: Path) -> tuple[bytes, ...]:
    manifest = json.loads((package / "package.json").read_text())
    return tuple((package / f"{name}.mv").read_bytes() for name in manifest["modules"])


def u64(number: int) -> PureInput:
    return PureInput(number.to_bytes(8, "little"))


def text(data: bytes) -> PureInput:
    return PureInput(encode_length(len(data)) + data)


def arg(index: int) -> InputArgument:
    return InputArgument(index)


def result(command: int) -> ResultArgument:
    return ResultArgument(command)


class World:
    def __init__(self, framework: Framework, genesis: GenesisConfig | None = None) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger(framework, genesis or GenesisConfig(seed=b"test", clock=self.clock))
        self._numbers = count()
        self.gas_coins: dict[Address, ObjectId] = {}
        for owner in (ALICE, BOB):
            self.gas_coins[owner] = self.fund(owner, 1000 * SUI)
        published = self.run(
            ALICE,
            [PureInput(ALICE)],
            [
                Publish(modules_of(TRICKS), (STD_PACKAGE, SUI_PACKAGE)),
                TransferObjects((result(0),), arg(0)),
            ],
        )
        assert published.effects.succeeded, published.effects.status
        self.published = published
        self.package = next(new.id for new in published.after.values() if isinstance(new, Package))
        self.counter = self.made(published, "Counter").id

    # ---- transactions

    def digest(self) -> TransactionDigest:
        return TransactionDigest(blake2b(b"transaction %d" % next(self._numbers), digest_size=32).digest())

    def transaction(
        self, sender: Address, inputs: Sequence[Input], commands: Sequence[Command], budget: int = BUDGET, price: int = 1000
    ) -> Transaction:
        coin = self.ledger.object(self.gas_coins[sender])
        gas = Gas(sender, (coin.ref,), Mist(price), Mist(budget))
        return Transaction(sender, tuple(inputs), tuple(commands), gas)

    def run(
        self, sender: Address, inputs: Sequence[Input], commands: Sequence[Command], budget: int = BUDGET
    ) -> ExecutedTransaction:
        return self.ledger.execute(self.transaction(sender, inputs, commands, budget), self.digest())

    def simulate(
        self, sender: Address, inputs: Sequence[Input], commands: Sequence[Command], *, checks: bool = True
    ) -> ExecutedTransaction:
        return self.ledger.simulate(self.transaction(sender, inputs, commands), checks=checks)

    def call(
        self, function: str, *arguments: Argument, types: Sequence[Type] = (), module: str = "objects"
    ) -> MoveCall:
        return MoveCall(self.package, module, function, tuple(types), tuple(arguments))

    def do(
        self,
        function: str,
        *inputs: Input,
        sender: Address = ALICE,
        types: Sequence[Type] = (),
        module: str = "objects",
        how: Callable[..., ExecutedTransaction] | None = None,
    ) -> ExecutedTransaction:
        """One call whose arguments are the inputs."""
        arguments = [arg(index) for index in range(len(inputs))]
        return (how or self.run)(sender, inputs, [self.call(function, *arguments, types=types, module=module)])

    # ---- objects

    def fund(self, owner: Address, amount: int) -> ObjectId:
        return next(iter(self.ledger.faucet(owner, Mist(amount)).after))

    def owned(self, object_id: ObjectId) -> OwnedInput:
        return OwnedInput(self.ledger.object(object_id).ref)

    def receiving(self, object_id: ObjectId) -> ReceivingInput:
        return ReceivingInput(self.ledger.object(object_id).ref)

    def shared(self, object_id: ObjectId, *, mutable: bool = True) -> SharedInput:
        owner = self.ledger.object(object_id).owner
        assert isinstance(owner, SharedOwner)
        return SharedInput(object_id, owner.initial_version, mutable)

    def made(self, executed: ExecutedTransaction, name: str) -> Object:
        """The only object of that type that a transaction wrote."""
        found = [new for new in executed.after.values() if isinstance(new, Object) and new.type.name == name]
        assert len(found) == 1, f"{len(found)} objects of type {name}: {executed.effects.status}"
        return found[0]

    def new_box(self, value: int = 7, owner: Address = ALICE, to: bytes | None = None) -> ObjectId:
        executed = self.run(
            owner,
            [u64(value), PureInput(to or owner)],
            [self.call("new_box", arg(0)), TransferObjects((result(0),), arg(1))],
        )
        return self.made(executed, "Box").id

    def value_of(self, box: ObjectId) -> int:
        found = self.ledger.object(box)
        assert isinstance(found, Object)
        return int.from_bytes(found.contents[32:40], "little")

    def balance(self, owner: Address) -> int:
        coins = self.ledger.owned_by(owner, SUI_COIN)
        return sum(int.from_bytes(coin.contents[32:40], "little") for coin in coins)
