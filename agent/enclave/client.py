"""The host's view of its enclave: one request at a time, typed answers, typed errors.

    client = EnclaveClient(ProcessLauncher(provider.sealing_key))
    identity = await client.start(EnclaveConfig(workload="minilm-f64"))
    binding = await client.bind(request)
    answer = await client.execute(order, sealed_input)
"""

import asyncio
from dataclasses import dataclass
from typing import Final, TypeVar

from agent.enclave import messages as m
from agent.enclave.channel import ChannelStatistics
from agent.enclave.errors import EnclaveDead, EnclaveStartFailed, EnclaveTimeout, MalformedMessage
from agent.enclave.identity import EnclaveConfig, EnclaveIdentity
from agent.enclave.launcher import Launched, Launcher
from agent.enclave.orders import (
    Audited,
    AuditOrder,
    BindingRequest,
    Bound,
    DeliveryOrder,
    Executed,
    ExecuteOrder,
    HandedOff,
    HandoffOrder,
    PostedWrap,
    Refused,
)
from agent.enclave.workloads.workload import manifest_hash
from agent.protocol.statements import TicketStatement
from agent.protocol.units import TaskId

A = TypeVar("A")

REQUEST_SECONDS: Final = 60.0
"""How long one request may take, waiting for its turn included; an execute or audit runs the model."""


@dataclass(frozen=True, slots=True)
class ClientStatistics:
    """What an `EnclaveClient` did so far."""

    requests: int
    timeouts: int
    refusals: int
    channel: ChannelStatistics | None
    """None before `start` and after `close`."""


class EnclaveClient:
    """One enclave, started and stopped by this object. All methods raise `EnclaveDead` once it is gone."""

    def __init__(self, launcher: Launcher, request_seconds: float = REQUEST_SECONDS) -> None:
        self._launcher = launcher
        self._request_seconds = request_seconds
        self._launched: Launched | None = None
        self._turn = asyncio.Lock()
        self._last = 0
        self._requests = self._timeouts = self._refusals = 0

    async def start(self, config: EnclaveConfig) -> EnclaveIdentity:
        """Start the process, wait until it is locked down, and restore `config.sealed_state` if given.

        Raises:
            EnclaveStartFailed: it did not come up; the text says why.
            StateRefused: the sealed state does not open in this enclave.
        """
        if self._launched is not None:
            raise EnclaveDead("this client has started an enclave already: use a new client for a new enclave")
        self._launched = await self._launcher.launch(config)
        try:
            opened = await self._ask(m.Open(self._launched.sealing_key), m.Opened)
            if config.sealed_state is not None:
                opened = await self._ask(m.Restore(config.sealed_state), m.Opened)
        except EnclaveDead as dead:
            said = await self._launched.ended()
            await self.close()
            raise EnclaveStartFailed(said) from dead
        except BaseException:
            await self.close()
            raise
        return _identity(opened, self._launched)

    async def identify(self) -> EnclaveIdentity:
        """Who it is now: after `bind`, with its key epoch."""
        return _identity(await self._ask(m.Identify(), m.Opened), self._running())

    async def bind(self, request: BindingRequest) -> Bound:
        """What the evidence is to carry; binding twice to the same is no error."""
        return await self._ask(m.Bind(request), Bound)

    async def execute(self, order: ExecuteOrder, sealed_input: bytes) -> Executed | Refused:
        """Run the task. Asked again with the same input, the same bytes come back [M6]."""
        return await self._ask(m.Execute(order, sealed_input), Executed, Refused)

    async def report_unavailable(self, order: ExecuteOrder) -> Refused:
        """A signed statement that the blob could not be had; the enclave takes the host's word."""
        return await self._ask(m.ReportUnavailable(order), Refused)

    async def handoff(
        self,
        ticket: TicketStatement,
        signers: tuple[int, ...],
        signatures: tuple[bytes, ...],
        order: ExecuteOrder,
        earlier: tuple[PostedWrap, ...] = (),
    ) -> HandedOff:
        """Wrap the data key for the seats of `ticket`, as the executor of the task or as a member of its audit.

        An auditor also gives what the executor handed off `earlier`: its enclave does not stand in for a false hand.

        Raises:
            TicketRefused: the committee did not sign this, it names seats that the requester did not allow, or an auditor
                had better not stand in.
            UnknownTask: this enclave has no data key to hand off.
        """
        return await self._ask(m.Handoff(HandoffOrder(order, ticket, signers, signatures, earlier)), HandedOff)

    async def audit(self, order: AuditOrder, sealed_input: bytes) -> Audited:
        """Run another node's task again and vote on it."""
        return await self._ask(m.Audit(order, sealed_input), Audited)

    async def report_no_input(self, order: AuditOrder) -> Audited:
        """Vote that the sealed input is nowhere to be had; the enclave takes the host's word."""
        return await self._ask(m.ReportNoInput(order), Audited)

    async def arbitrate(self, order: DeliveryOrder, sealed_output: bytes) -> Audited:
        """Open the output that another node published, and vote on whether it is the committed one."""
        return await self._ask(m.Arbitrate(order, sealed_output), Audited)

    async def seal_state(self) -> bytes:
        """Keys, binding and tasks for `EnclaveConfig.sealed_state`.

        Journal it after each `execute`, before its transaction [H5].
        """
        return (await self._ask(m.SealState(), m.SealedState)).state

    async def forget(self, task: TaskId) -> None:
        """Wipe a settled task. Not before settlement: the enclave could not hand off any more."""
        await self._ask(m.Forget(task), m.Forgotten)

    async def closed(self) -> str:
        """Wait until the enclave is gone; returns how it ended, for the supervisor's log."""
        return await self._running().ended()

    async def close(self) -> None:
        """Stop the enclave and reap it; keys die with it. Closing twice is no error."""
        if self._launched is not None:
            await self._launched.stop()

    def statistics(self) -> ClientStatistics:
        """Counts for /metrics."""
        channel = None if self._launched is None else self._launched.channel.statistics()
        return ClientStatistics(self._requests, self._timeouts, self._refusals, channel)

    async def _ask(self, request: m.Request, *kinds: type[A]) -> A:
        try:
            async with asyncio.timeout(self._request_seconds), self._turn:
                answer = await self._exchange(request)
        except TimeoutError:
            self._timeouts += 1
            raise EnclaveTimeout(
                f"no answer to {type(request).__name__} in {self._request_seconds:g} s: "
                "the enclave is busy or stuck; raise the limit, or stop it and start another"
            ) from None
        if isinstance(answer, m.Declined):
            self._refusals += 1
            raise m.refusal_in(answer)
        for kind in kinds:
            if isinstance(answer, kind):
                return answer
        raise MalformedMessage(f"the enclave answered {type(request).__name__} with {type(answer).__name__}")

    async def _exchange(self, request: m.Request) -> m.Answer:
        channel = self._running().channel
        self._last += 1
        self._requests += 1
        await channel.send(m.pack(self._last, request))
        while True:
            envelope = m.open_envelope(await channel.receive())
            # answers to requests that were given up come first; ids only rise
            if envelope.id == self._last:
                return m.answer_in(envelope)
            if envelope.id > self._last:
                raise MalformedMessage("the enclave answered a request that was never made")

    def _running(self) -> Launched:
        if self._launched is None:
            raise EnclaveDead("no enclave was started: call `start` first")
        return self._launched


def _identity(opened: m.Opened, launched: Launched) -> EnclaveIdentity:
    return EnclaveIdentity(
        hpke_pk=opened.hpke_pk,
        sign_pk=opened.sign_pk,
        measurement=launched.measurement,
        manifest=opened.manifest,
        manifest_hash=manifest_hash(opened.manifest),
        isolation=opened.isolation,
        key_epoch=opened.key_epoch,
    )
