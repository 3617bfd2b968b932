"""Bytes in, bytes out: what the enclave's process answers to each message.

Nothing that was computed ever stands in an error's text.
"""

from collections.abc import Callable

from agent.enclave import messages as m
from agent.enclave.engine import Engine
from agent.enclave.errors import BadRequest, InternalFailure, MalformedMessage, Refusal
from agent.enclave.identity import Isolation
from agent.enclave.sealing import Random
from agent.enclave.state import SEALING_KEY_BYTES
from agent.enclave.workloads.workload import Workload


class Service:
    """One enclave behind a channel."""

    def __init__(self, workload: Workload, isolation: Isolation, random: Random) -> None:
        self._workload = workload
        self._isolation = isolation
        self._random = random
        self._engine: Engine | None = None

    def handle(self, message: bytes) -> bytes:
        """The answer to `message`; every message has one, hostile or not."""
        ident = 0
        try:
            envelope = m.open_envelope(message)
            ident = envelope.id
            answer = self._answer(m.request_in(envelope))
        except MalformedMessage as error:
            answer = _declined(BadRequest(str(error)))
        except Refusal as refusal:
            answer = _declined(refusal)
        except Exception as error:  # noqa: BLE001  whatever went wrong: its text may hold plaintext, its class cannot
            answer = _declined(InternalFailure(f"{type(error).__name__} inside the enclave"))
        return m.pack(ident, answer)

    def _answer(self, request: m.Request) -> m.Answer:
        if isinstance(request, m.Open):
            return self._open(request)
        if self._engine is None:
            raise BadRequest("the enclave is not open yet: the launcher sends `Open` first")
        return _dispatch(self._engine, request, self._opened)

    def _open(self, request: m.Open) -> m.Opened:
        if self._engine is not None:
            raise BadRequest("the enclave is open: its sealing key is not changed")
        if len(request.sealing_key) != SEALING_KEY_BYTES:
            raise BadRequest(f"a sealing key has {SEALING_KEY_BYTES} bytes")
        # only now: the process is locked down before a key exists
        self._engine = Engine(self._workload, request.sealing_key, self._random)
        return self._opened(self._engine)

    def _opened(self, engine: Engine) -> m.Opened:
        return m.Opened(
            engine.keys.hpke_pk, engine.keys.sign_pk, self._workload.manifest.encode(), self._isolation, engine.key_epoch
        )


def _dispatch(  # noqa: C901, PLR0911  one line a request
    engine: Engine, request: m.Request, opened: Callable[[Engine], m.Opened]
) -> m.Answer:
    match request:
        case m.Bind(request=binding):
            return engine.bind(binding)
        case m.Execute(order=order, sealed_input=sealed_input):
            return engine.execute(order, sealed_input)
        case m.ReportUnavailable(order=order):
            return engine.report_unavailable(order)
        case m.Handoff(handoff=handoff):
            return engine.handoff(handoff)
        case m.Audit(order=audit, sealed_input=sealed_input):
            return engine.audit(audit, sealed_input)
        case m.ReportNoInput(order=audit):
            return engine.report_no_input(audit)
        case m.Arbitrate(order=delivery, sealed_output=sealed_output):
            return engine.arbitrate(delivery, sealed_output)
        case m.SealState():
            return m.SealedState(engine.seal_state())
        case m.Forget(task=task):
            engine.forget(task)
            return m.Forgotten()
        case m.Restore(state=state):
            engine.restore(state)
            return opened(engine)
        case m.Identify():
            return opened(engine)
        case m.Open():
            raise BadRequest("the enclave is open already")


def _declined(refusal: Refusal) -> m.Declined:
    return m.Declined(type(refusal).__name__, str(refusal))
