"""`SuiChain`: one deployment, one endpoint, and at most one wallet."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Self

from agent.chain.calls import Call
from agent.chain.deployment import Deployment
from agent.chain.errors import Malformed, WalletError, WrongChain
from agent.chain.port import Chain, Cursor, EventPage, Receipt
from agent.chain.sui.broadcast import Broadcaster
from agent.chain.sui.effects import receipt_of
from agent.chain.sui.encoding import encode, needs
from agent.chain.sui.gas import GasStatistics
from agent.chain.sui.keys import Wallet
from agent.chain.sui.pacing import Pace
from agent.chain.sui.publications import Publications
from agent.chain.sui.pysui_parts import v2
from agent.chain.sui.sender import GasPolicy, Sender
from agent.chain.sui.state import State
from agent.chain.sui.watcher import EventWatcher, WatchPolicy
from agent.chain.sui.wire import Endpoint, Wire
from agent.chain.transaction_log import TransactionLog, TxDigest
from agent.protocol.records import (
    MemberView,
    NetworkView,
    OwnerCap,
    PoolView,
    QueueView,
    RequestView,
    RosterView,
    TaskView,
)
from agent.protocol.units import Address, Millis, Mist, NodeId, ObjectId, Slot, TaskId


@dataclass(frozen=True, slots=True)
class SuiSettings:
    """Limits of time and patience. Seconds, unless said otherwise."""

    answer_s: float = 20.0
    """Until a unary call counts as lost."""
    execute_s: float = 60.0
    """Until an ExecuteTransaction counts as lost; it waits for finality."""
    attempts: int = 8
    """How often a broadcast is repeated before its fate counts as unknown."""
    gas: GasPolicy = field(default_factory=GasPolicy)
    watch: WatchPolicy = field(default_factory=WatchPolicy)
    pace: Pace = field(default_factory=Pace)


class SuiChain(Chain):
    """Belongs to the event loop that opened it. Get one from `SuiChain.open`; close it, or use it with `async with`."""

    def __init__(
        self,
        endpoint: Endpoint,
        deployment: Deployment,
        wallet: Wallet | None,
        log: TransactionLog | None,
        settings: SuiSettings | None = None,
    ) -> None:
        settings = settings or SuiSettings()
        self._wire = Wire(endpoint, answer_s=settings.answer_s)
        self._deployment = deployment
        self._wallet = wallet
        self._state = State(self._wire, deployment)
        self._watcher = EventWatcher(self._wire, deployment, settings.pace, settings.watch)
        watch = settings.watch
        self._publications = Publications(
            self._wire, deployment, settings.pace, page=watch.page, idle_s=watch.idle_s
        )
        self._sender: Sender | None = None
        if wallet is not None and log is not None:
            broadcaster = Broadcaster(
                self._wire, log, settings.pace, attempts=settings.attempts, execute_s=settings.execute_s
            )
            self._sender = Sender(self._wire, wallet, self._state, broadcaster, deployment.packages, settings.gas)

    @classmethod
    async def open(
        cls,
        endpoint: Endpoint,
        deployment: Deployment,
        *,
        wallet: Wallet | None = None,
        log: TransactionLog | None = None,
        settings: SuiSettings | None = None,
    ) -> Self:
        """A chain whose endpoint was asked which chain it serves. Without wallet and log it only reads.

        Raises:
            WrongChain: the deployment is on another chain.
            Unreachable, Malformed
        """
        chain = cls(endpoint, deployment, wallet, log, settings)
        try:
            found = await chain_id_of(chain._wire)
        except BaseException:
            await chain.close()
            raise
        if found != deployment.chain_id:
            await chain.close()
            raise WrongChain(deployment.chain_id, found)
        return chain

    async def close(self) -> None:
        """Close the connection. What is under way fails with Unreachable; what was broadcast stays in the log."""
        self._wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def deployment(self) -> Deployment:
        return self._deployment

    @property
    def address(self) -> Address:
        return self._signer().address

    def events(self, after: Cursor | None) -> AsyncGenerator[EventPage, None]:
        return self._watcher.events(after)

    async def task(self, task: TaskId) -> TaskView:
        return await self._state.task(task)

    async def tasks(self, tasks: Sequence[TaskId]) -> dict[TaskId, TaskView]:
        """Those of `tasks` that exist, in few requests."""
        return await self._state.tasks(tasks)

    async def network(self) -> NetworkView:
        return await self._state.network()

    async def pool(self) -> PoolView:
        return await self._state.pool()

    async def member(self, slot: Slot) -> MemberView | None:
        return await self._state.member(slot)

    async def roster(self) -> RosterView:
        return await self._state.roster()

    async def queue(self) -> QueueView:
        """The RosterQueue as it is now."""
        return await self._state.queue()

    async def request(self, request: ObjectId) -> RequestView:
        return await self._state.request(request)

    async def departed(self, node: NodeId) -> MemberView | None:
        return await self._state.departed(node)

    async def slot_of(self, operator: Address) -> Slot | None:
        return await self._state.slot_of(operator)

    async def published_output(self, task: TaskId) -> bytes:
        return b"".join(await self._publications.chunks_of(await self._state.task(task)))

    async def now(self) -> Millis:
        return await self._state.now()

    async def balance(self) -> Mist:
        return Mist(sum(coin.balance for coin in await self._state.coins(self.address)))

    async def caps(self, kind: str) -> list[OwnerCap]:
        """The wallet's `NodeOwnerCap`s or `NodeOperatorCap`s, of any Pool of the package."""
        return await self._state.caps(self.address, kind)

    async def submit(self, *calls: Call, purpose: str) -> Receipt:
        sender = self._sending()
        wanted = needs(calls)
        executed = await sender.send(
            wanted, lambda known: encode(calls, self._deployment, self.address, known), purpose
        )
        return receipt_of(executed, self._deployment.packages, TxDigest(executed.digest))

    async def recover(self) -> Sequence[TxDigest]:
        return await self._sending().recover()

    def gas_statistics(self) -> GasStatistics:
        """The wallet's coins at this moment; all zero before the first transaction."""
        return self._sending().gas.statistics()

    def _signer(self) -> Wallet:
        if self._wallet is None:
            raise WalletError("this chain was opened without a wallet, so it only reads: open it with one")
        return self._wallet

    def _sending(self) -> Sender:
        self._signer()
        if self._sender is None:
            raise WalletError("this chain was opened without a transaction log, so it only reads: open it with one")
        return self._sender


async def chain_id_of(wire: Wire) -> str:
    """The chain's id as the endpoint tells it: base58 of the genesis checkpoint's digest."""
    answer = await wire.call("LedgerService/GetServiceInfo", v2.GetServiceInfoRequest(), v2.GetServiceInfoResponse)
    if not answer.chain_id or len(answer.chain_id) > 64:
        raise Malformed("the endpoint does not say which chain it serves: use another endpoint")
    return str(answer.chain_id)
