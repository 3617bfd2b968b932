"""The chain, as the rest of the agent sees it: events in order, objects by name, calls that took effect or raise.

One `Chain` serves one `Deployment` and, for what it submits, one address. `agent.chain.memory` is its in-memory twin,
`agent.chain.sui` the real one.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final, NewType, TypeVar

from agent.chain.calls import Call
from agent.chain.deployment import Deployment, SharedObject
from agent.chain.errors import Malformed, Unsupported
from agent.chain.transaction_log import LoggedTransaction, MemoryTransactionLog, TransactionLog, TxDigest, TxStatus
from agent.protocol.blob import BLOB_CHUNK
from agent.protocol.events import Event
from agent.protocol.records import MemberView, NetworkView, PoolView, RequestView, RosterView, TaskView
from agent.protocol.units import Address, Millis, Mist, NodeId, ObjectId, Slot, TaskId

__all__ = [
    "MAX_PAGE",
    "Chain",
    "ChainEvent",
    "Created",
    "Cursor",
    "Deployment",
    "EventPage",
    "LoggedTransaction",
    "MemoryTransactionLog",
    "Receipt",
    "SharedObject",
    "TransactionLog",
    "TxDigest",
    "TxStatus",
]

Cursor = NewType("Cursor", bytes)
"""A place in the chain's events. Opaque; keep it, hand it back to the same kind of adapter. At most 1,024 bytes."""

MAX_PAGE: Final = 1_000
"""Events in one page at most."""

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event of our package, and where it happened."""

    event: Event
    module: str
    digest: TxDigest
    """The transaction that emitted it. `(digest, index)` names the event for ever."""
    index: int
    """Its place among the events of its transaction."""
    checkpoint: int
    timestamp: Millis | None
    """The checkpoint's time; None where the endpoint does not tell it."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in chain order. `cursor` is the place behind the last: keep it together with what the events caused."""

    events: tuple[ChainEvent, ...]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Created:
    """An object that a transaction created."""

    id: ObjectId
    type: str
    """`<module>::<name>` of our types, the full name of others."""
    owner: Address | None
    """None: shared, frozen, or owned by an object."""
    version: int
    """For a shared object its initial version."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that took effect; one that did not is an error."""

    digest: TxDigest
    checkpoint: int | None
    """None where it was not in a checkpoint yet when its effects were known."""
    events: tuple[Event, ...]
    """Those of our package, in order."""
    created: tuple[Created, ...]
    gas: Mist
    """Paid net of the storage rebate; negative if the rebate was larger."""

    def event(self, kind: type[E]) -> E:
        """The first event of type `kind`.

        Raises:
            Malformed: there is none, so the endpoint did not tell all.
        """
        for event in self.events:
            if isinstance(event, kind):
                return event
        raise Malformed(f"transaction {self.digest} took effect without {kind.__name__}: use another endpoint")

    def created_one(self, type_: str) -> Created:
        """The first created object of type `<module>::<name>`.

        Raises:
            Malformed: there is none, so the endpoint did not tell all.
        """
        for each in self.created:
            if each.type == type_:
                return each
        raise Malformed(f"transaction {self.digest} took effect without creating a {type_}: use another endpoint")


class Chain(ABC):
    """Every method may raise `Unreachable` and `Malformed`; what else it raises is said with it."""

    @property
    @abstractmethod
    def deployment(self) -> Deployment:
        """What this chain's calls and views are about."""

    @property
    @abstractmethod
    def address(self) -> Address:
        """Whose transactions `submit` makes."""

    @abstractmethod
    def events(self, after: Cursor | None) -> AsyncGenerator[EventPage, None]:
        """Pages of our package's events, in chain order, from behind `after` (None: from the deployment on), for ever.

        Pages come when there are events, and now and then without any, to move the cursor. Where the iterator raised,
        begin again with the cursor last kept. An event comes once per iterator; after a change of endpoint some may
        come again, `(digest, index)` tells.

        Raises:
            NotFound: the endpoint has pruned what follows `after`: use one with more history.
        """

    @abstractmethod
    async def task(self, task: TaskId) -> TaskView:
        """The task as it is now.

        Raises:
            NotFound: there is none, or it was reaped.
        """

    @abstractmethod
    async def network(self) -> NetworkView:
        """The Network as it is now."""

    @abstractmethod
    async def pool(self) -> PoolView:
        """The Pool as it is now, without its members."""

    @abstractmethod
    async def member(self, slot: Slot) -> MemberView | None:
        """The member in `slot`; None if nobody registered there."""

    @abstractmethod
    async def roster(self) -> RosterView:
        """The Roster as it is now."""

    @abstractmethod
    async def published_output(self, task: TaskId) -> bytes:
        """The sealed output that `publish_output` or `submit_output` put on chain; it has the digest of the Task.

        Raises:
            NotFound: it was not put on chain, or the endpoint does not have all of it any more.
        """

    async def published_chunks(self, task: TaskId) -> tuple[bytes, ...]:
        """As `published_output`, in the chunks that its digest is made of."""
        sealed = await self.published_output(task)
        return tuple(sealed[at : at + BLOB_CHUNK] for at in range(0, len(sealed), BLOB_CHUNK))

    async def request(self, request: ObjectId) -> RequestView:
        """The Request as it is now.

        Raises:
            NotFound: there is none, or it was opened or cancelled.
        """
        raise Unsupported(f"{type(self).__name__} reads no requests, not even 0x{request.hex()}")

    async def departed(self, node: NodeId) -> MemberView | None:
        """The record of a node whose slot another has taken; None if there is none."""
        raise Unsupported(f"{type(self).__name__} reads no departed members, not even 0x{node.hex()}")

    async def slot_of(self, operator: Address) -> Slot | None:
        """The slot of an operator, who has at most one; None if it has none."""
        raise Unsupported(f"{type(self).__name__} looks up no operators, not even 0x{operator.hex()}")

    @abstractmethod
    async def now(self) -> Millis:
        """The chain's clock, milliseconds. The time of deadlines is this less the Network's `stall_ms`."""

    @abstractmethod
    async def balance(self) -> Mist:
        """What `address` has in coins."""

    @abstractmethod
    async def submit(self, *calls: Call, purpose: str) -> Receipt:
        """Have `calls` executed as one transaction and wait for its effects. `purpose` is for logs.

        It is tried in a dry run first; a call that would abort costs nothing. Several may run at the same time.
        Cancelled after the broadcast, the transaction stays in the log and its fate is learned later.

        Raises:
            Aborted: Move code refused; the subclass says why.
            InsufficientFunds: nothing was sent.
            TransactionError: see its subclasses; only after `Unsettled` may it still take effect.
            NotFound: an object that a call names is not there.
        """

    @abstractmethod
    async def recover(self) -> Sequence[TxDigest]:
        """Send again what the log has pending, settle what can be settled; returns what is still of unknown fate.

        `submit` does this before its first transaction; calling it at start-up only makes it sooner.
        """
