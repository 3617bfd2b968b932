"""Transactions: inputs, commands, gas."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from localnet.ledger.model.ids import Address, Millis, Mist, ObjectId, Version
from localnet.ledger.model.objects import ObjectRef
from localnet.movevm.types import Type


@dataclass(frozen=True, slots=True)
class PureInput:
    """BCS of a value without identity."""

    value: bytes


@dataclass(frozen=True, slots=True)
class OwnedInput:
    """An immutable object, or one owned by the sender, at exactly this version."""

    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class SharedInput:
    """A shared object, at whichever version it has when the transaction runs."""

    id: ObjectId
    initial_version: Version
    mutable: bool


@dataclass(frozen=True, slots=True)
class ReceivingInput:
    """An object owned by the address of another object, to be taken by `transfer::receive`."""

    ref: ObjectRef


Input: TypeAlias = PureInput | OwnedInput | SharedInput | ReceivingInput


@dataclass(frozen=True, slots=True)
class GasCoin:
    """The coin that pays, after smashing."""


@dataclass(frozen=True, slots=True)
class InputArgument:
    """The `index`-th input."""

    index: int


@dataclass(frozen=True, slots=True)
class ResultArgument:
    """The only result of the `command`-th command."""

    command: int


@dataclass(frozen=True, slots=True)
class NestedResult:
    """The `result`-th result of the `command`-th command."""

    command: int
    result: int


Argument: TypeAlias = GasCoin | InputArgument | ResultArgument | NestedResult
GAS_COIN: Final = GasCoin()


@dataclass(frozen=True, slots=True)
class MoveCall:
    """Call an entry or public function; TxContext is appended by the ledger."""

    package: ObjectId
    module: str
    function: str
    type_arguments: tuple[Type, ...] = ()
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferObjects:
    """Give `objects` to the address in `recipient`."""

    objects: tuple[Argument, ...]
    recipient: Argument


@dataclass(frozen=True, slots=True)
class SplitCoins:
    """Split one coin off `coin` for each amount."""

    coin: Argument
    amounts: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class MergeCoins:
    """Merge `sources` into `destination`."""

    destination: Argument
    sources: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class MakeMoveVec:
    """A vector of `elements`; the type may be left out if there is at least one object among them."""

    element_type: Type | None
    elements: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a package; its result is the UpgradeCap."""

    modules: tuple[bytes, ...]
    dependencies: tuple[ObjectId, ...]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Publish the next version of a package; its result is the UpgradeReceipt."""

    modules: tuple[bytes, ...]
    """Compiled for 0x0, as for Publish."""
    dependencies: tuple[ObjectId, ...]
    package: ObjectId
    """The version to be upgraded, which must be the one that the ticket names."""
    ticket: Argument
    """The UpgradeTicket that `package::authorize_upgrade` gave."""


Command: TypeAlias = MoveCall | TransferObjects | SplitCoins | MergeCoins | MakeMoveVec | Publish | Upgrade


@dataclass(frozen=True, slots=True)
class Gas:
    """Who pays, and at most how much."""

    owner: Address
    payment: tuple[ObjectRef, ...]
    """Coins of SUI; all are smashed into the first. May be empty in `simulate` only."""
    price: Mist
    """Per unit of computation; at least the reference price."""
    budget: Mist


@dataclass(frozen=True, slots=True)
class Transaction:
    """A programmable transaction; its signatures are the RPC server's business."""

    sender: Address
    inputs: tuple[Input, ...]
    commands: tuple[Command, ...]
    gas: Gas
    expiration: int | None = None
    """Last epoch in which it may run; None for never expiring."""


class SystemKind(Enum):
    """Why the ledger itself changed state."""

    GENESIS = "genesis"
    CLOCK = "clock"
    """Sui's ConsensusCommitPrologue."""
    RANDOMNESS = "randomness"
    """Sui's RandomnessStateUpdate."""
    FAUCET = "faucet"
    """Minting, which no Sui network has; recorded so that history is complete."""


@dataclass(frozen=True, slots=True)
class SystemTransaction:
    """A step of the ledger itself; free of gas, sent by 0x0, never fails."""

    kind: SystemKind
    timestamp: Millis
