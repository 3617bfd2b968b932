"""The in-memory twin of a chain: what a test puts in comes out, and what was submitted is kept.

`views` and `clock` are what the chain shows; `emit` makes events; `on_submit` may change either, return a receipt or
raise. Nothing is computed: rules are the contracts' and are tested against those.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from agent.chain.calls import Call
from agent.chain.deployment import Deployment, SharedObject
from agent.chain.errors import NotFound
from agent.chain.port import Chain, ChainEvent, Cursor, EventPage, Receipt
from agent.chain.transaction_log import TxDigest
from agent.protocol.events import KINDS, Event
from agent.protocol.records import MemberView, NetworkView, PoolView, RequestView, RosterView, TaskView
from agent.protocol.units import Address, Millis, Mist, NodeId, ObjectId, Slot, TaskId

T = TypeVar("T")

_MODULES = {kind: module for (module, _), kind in KINDS.items()}


@dataclass(slots=True)
class Views:
    """What the chain shows; a missing view is NotFound."""

    network: NetworkView | None = None
    pool: PoolView | None = None
    roster: RosterView | None = None
    members: dict[Slot, MemberView] = field(default_factory=dict)
    departed: dict[NodeId, MemberView] = field(default_factory=dict)
    tasks: dict[TaskId, TaskView] = field(default_factory=dict)
    requests: dict[ObjectId, RequestView] = field(default_factory=dict)
    published: dict[TaskId, bytes] = field(default_factory=dict)
    """Sealed outputs on chain."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One call of `submit`."""

    calls: tuple[Call, ...]
    purpose: str


def memory_deployment() -> Deployment:
    """Ids that differ in their first byte."""
    network, pool, roster, queue = (SharedObject(ObjectId(bytes([each]) * 32), 1) for each in (2, 3, 4, 5))
    return Deployment("memory", 0, ObjectId(b"\1" * 32), network, pool, roster, queue)


class MemoryChain(Chain):
    """A chain that does what the test says. Every checkpoint holds one transaction."""

    def __init__(self, deployment: Deployment | None = None, address: Address | None = None) -> None:
        self.views = Views()
        self.clock = Millis(1_000_000)
        self.funds = Mist(10**12)
        self.submissions: list[Submission] = []
        self.on_submit: Callable[[tuple[Call, ...]], Receipt | None] = lambda _: None
        """Called with every submission; what it raises, `submit` raises; None is an empty receipt."""
        self.happened: list[ChainEvent] = []
        self._deployment = deployment or memory_deployment()
        self._address = address or Address(b"\xad" * 32)
        self._news = asyncio.Event()

    @property
    def deployment(self) -> Deployment:
        return self._deployment

    @property
    def address(self) -> Address:
        return self._address

    @property
    def calls(self) -> list[Call]:
        """Every call submitted, in order."""
        return [call for each in self.submissions for call in each.calls]

    def emit(self, *events: Event) -> None:
        """Let `events` happen in one transaction."""
        number = len(self.happened) and self.happened[-1].checkpoint + 1
        for index, event in enumerate(events):
            digest = TxDigest(f"memory-{number}")
            self.happened.append(ChainEvent(event, _MODULES[type(event)], digest, index, number, self.clock))
        self._news.set()

    async def events(self, after: Cursor | None) -> AsyncGenerator[EventPage, None]:
        given = 0 if after is None else int.from_bytes(after, "big")
        while True:
            if given < len(self.happened):
                page = tuple(self.happened[given:])
                given += len(page)
                yield EventPage(page, Cursor(given.to_bytes(8, "big")))
            else:
                self._news.clear()
                await self._news.wait()

    async def task(self, task: TaskId) -> TaskView:
        return _found(self.views.tasks.get(task), "task")

    async def network(self) -> NetworkView:
        return _found(self.views.network, "Network")

    async def pool(self) -> PoolView:
        return _found(self.views.pool, "Pool")

    async def member(self, slot: Slot) -> MemberView | None:
        return self.views.members.get(slot)

    async def departed(self, node: NodeId) -> MemberView | None:
        return self.views.departed.get(node)

    async def slot_of(self, operator: Address) -> Slot | None:
        return next((slot for slot, each in self.views.members.items() if each.operator == operator), None)

    async def request(self, request: ObjectId) -> RequestView:
        return _found(self.views.requests.get(request), "Request")

    async def published_output(self, task: TaskId) -> bytes:
        return _found(self.views.published.get(task), "published output")

    async def roster(self) -> RosterView:
        return _found(self.views.roster, "Roster")

    async def now(self) -> Millis:
        return self.clock

    async def balance(self) -> Mist:
        return self.funds

    async def submit(self, *calls: Call, purpose: str) -> Receipt:
        self.submissions.append(Submission(calls, purpose))
        digest = TxDigest(f"submitted-{len(self.submissions)}")
        return self.on_submit(calls) or Receipt(digest, None, (), (), Mist(0))

    async def recover(self) -> Sequence[TxDigest]:
        return ()


def _found(view: T | None, name: str) -> T:
    if view is None:
        raise NotFound(f"the memory chain has no such {name}: put one into `views`")
    return view
