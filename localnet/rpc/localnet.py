"""A whole localnet in one process: ledger, gRPC, gRPC-web, faucet, control."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from localnet.ledger.clock import Clock, ManualClock
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import Address, Checkpoint, ExecutedTransaction, Mist
from localnet.rpc.control import Control
from localnet.rpc.digests import base58
from localnet.rpc.faucet import Faucet
from localnet.rpc.node import Node
from localnet.rpc.services.execution import TransactionExecutionService
from localnet.rpc.services.ledger import LedgerService
from localnet.rpc.services.packages import MovePackageService
from localnet.rpc.services.state import StateService
from localnet.rpc.services.subscription import SubscriptionService
from localnet.rpc.subscriptions import Subscriptions, SubscriptionStatistics
from localnet.rpc.transport.certificates import issue
from localnet.rpc.transport.limits import Limits
from localnet.rpc.transport.listener import Listener
from localnet.rpc.transport.methods import MethodTable
from localnet.rpc.transport.web import WebApplication

LOOPBACK: Final = "127.0.0.1"
TICK: Final = 1.0
"""Seconds between checkpoints in which nothing but the clock moves, so that readers of 0x6 see time pass."""


class NotRunning(RuntimeError):
    """A localnet is used outside its `async with`."""


@dataclass(frozen=True, slots=True)
class _Running:
    port: int
    ca_file: Path


class Localnet:
    """`async with Localnet() as localnet:` serves until the block ends, then leaves no task, socket or file behind; once only.

    With a manual clock time stands still until `advance`; otherwise a checkpoint is committed every `tick` seconds.
    Change the ledger through this class or through the API only: subscribers do not hear of `ledger.execute`.
    """

    def __init__(
        self,
        genesis: GenesisConfig | None = None,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        clock: Clock | None = None,
        seed: bytes | None = None,
        repeatable: bool = False,
        nitro_root: bytes | None = None,
        directory: Path | None = None,
        framework: Framework | None = None,
        limits: Limits | None = None,
        tick: float = TICK,
    ) -> None:
        """`directory` keeps the certificates, a temporary one if None; `port` 0 takes any free one.

        `clock`, `seed`, `repeatable` and `nitro_root` go before what `genesis` says.
        """
        genesis = genesis or GenesisConfig()
        genesis = replace(
            genesis,
            clock=clock or genesis.clock,
            seed=genesis.seed if seed is None else seed,
            repeatable=repeatable or genesis.repeatable,
            nitro_root=nitro_root or genesis.nitro_root,
        )
        limits = limits or Limits()
        self.clock: Final = genesis.clock
        self.ledger: Final = Ledger(framework or Framework.load(), genesis)
        self._subscriptions: Final = Subscriptions(subscribers=limits.subscribers, mailbox=limits.mailbox)
        self._node: Final = Node(self.ledger, self._subscriptions)
        self._host: Final = host
        self._port: Final = port
        self._directory: Final = directory
        self._limits: Final = limits
        self._tick: Final = tick
        self._closing: Final = AsyncExitStack()
        self._running: _Running | None = None

    # ---- where it is

    @property
    def url(self) -> str:
        """Plaintext: HTTP/2 for gRPC, HTTP/1.1 for gRPC-web, faucet and control."""
        return f"http://{self._authority}"

    @property
    def tls_url(self) -> str:
        """The same port with TLS."""
        return f"https://{self._authority}"

    @property
    def ca_file(self) -> Path:
        """PEM of the authority that a client of `tls_url` has to trust."""
        return self._started.ca_file

    @property
    def chain_id(self) -> str:
        """Digest of the genesis checkpoint in base58, as `GetServiceInfo` gives it."""
        return base58(self.ledger.chain_identifier)

    # ---- what it can do without a client

    def faucet(self, recipient: bytes, amount: Mist) -> ExecutedTransaction:
        """Mint one coin of SUI."""
        return self._node.faucet(Address(recipient), amount)

    def advance(self, milliseconds: int) -> Checkpoint:
        """Move a manual clock on and commit a checkpoint.

        Raises:
            TypeError: the clock is not manual.
        """
        if not isinstance(self.clock, ManualClock):
            raise TypeError("the clock is not manual: pass clock=ManualClock()")
        self.clock.advance(milliseconds)
        return self._node.tick()

    def tick(self) -> Checkpoint:
        """Commit a checkpoint in which nothing but the clock moves."""
        return self._node.tick()

    def statistics(self) -> SubscriptionStatistics:
        """Of the subscribers."""
        return self._subscriptions.statistics()

    # ---- life

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            directory = self._directory or Path(
                starting.enter_context(TemporaryDirectory(prefix="localnet-", ignore_cleanup_errors=True))
            )
            certificates = issue(directory)
            methods, application = self._api()
            listener = Listener(methods, application, certificates.server_context(), self._limits)
            port = listener.open(self._host, self._port)
            starting.push_async_callback(listener.close)
            starting.callback(self._subscriptions.close)
            if not isinstance(self.clock, ManualClock):
                ticking = asyncio.get_running_loop().create_task(self._keep_ticking())
                starting.push_async_callback(_stop, ticking)
            self._running = _Running(port, certificates.authority)
            self._closing.push_async_exit(starting.pop_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._closing.aclose()
        self._running = None

    def _api(self) -> tuple[MethodTable, WebApplication]:
        node, ledger = self._node, LedgerService(self._node)
        methods = MethodTable(
            [
                ledger,
                StateService(node),
                TransactionExecutionService(node),
                SubscriptionService(node, ledger),
                MovePackageService(node),
            ]
        )
        control, faucet = Control(node, self.clock), Faucet(node)
        routes = {
            ("POST", "/v2/gas"): faucet.gas,
            ("POST", "/localnet/clock/advance"): control.advance,
            ("GET", "/localnet/status"): control.status,
        }
        return methods, WebApplication(methods, routes, self._limits.request)

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(self._tick)
            self._node.tick()

    @property
    def _started(self) -> _Running:
        if self._running is None:
            raise NotRunning("enter the localnet with `async with` first")
        return self._running

    @property
    def _authority(self) -> str:
        host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        return f"[{host}]:{self._started.port}" if ":" in host else f"{host}:{self._started.port}"


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancel `task`; an error that ended it earlier is raised here."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
