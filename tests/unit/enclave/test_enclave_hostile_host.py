"""A host that sends what it likes, in any order, with any field changed: what it can never get out of an enclave.

It holds one honest task as executor and one as auditor, tickets that the committee really signed, and every public byte.
"""

from collections import defaultdict
from dataclasses import fields, is_dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from enclave_world import (
    COMMITTEE,
    DENIED,
    NETWORK,
    NOT_AFTER,
    OPENED_AT,
    OTHER_TASK,
    POOL,
    TASK,
    node,
    operator_of,
    output_wraps,
    signed,
    wraps,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.enclave import messages as m
from agent.enclave.codec import to_value
from agent.enclave.handoff import wrap, wrap_output_key
from agent.enclave.memory import NO_ISOLATION
from agent.enclave.orders import (
    Audited,
    AuditOrder,
    BindingRequest,
    DeliveryOrder,
    Executed,
    ExecuteOrder,
    HandedOff,
    HandoffOrder,
    PostedWrap,
    Refused,
)
from agent.enclave.sealing import InputHeader, Recipient, SealedInput, TaskSecrets, seal_input, seal_output
from agent.enclave.service import Service
from agent.enclave.workloads.hashing import HashWorkload
from agent.enclave.workloads.workload import manifest_hash
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.statements import InputFacts, TeeKind, TicketSeat, TicketStatement
from agent.protocol.units import Digest, Millis, NodeId, TaskId

ME, PEER, THIEF = node("m"), node("p"), node("t")
TEXT = "what the host is never to read"
OUTPUT = HashWorkload().run(TEXT).output
MINE, THEIRS = (TaskSecrets(bytes([i]) * 32, bytes([i + 1]) * 32) for i in (0x21, 0x41))
PEER_KEY, THIEF_KEY = (X25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (0x61, 0x62))


def random(count: int) -> bytes:
    return b"\x07" * count


def seat(of: NodeId, public: bytes) -> TicketSeat:
    return TicketSeat(of, operator_of(of), TeeKind.SIMULATED, 1, public)


def sealed_for(executor: NodeId, public: bytes, task: TaskId, secrets: TaskSecrets) -> tuple[SealedInput, ExecuteOrder]:
    manifest = Digest(manifest_hash(HashWorkload().manifest.encode()))
    header = InputHeader(NETWORK, task, manifest, OPENED_AT, secrets.output_pk, 1024, 1, (DENIED,))
    sealed = seal_input(TEXT, header, secrets, Recipient(executor, 1, public), random)
    order = ExecuteOrder(
        NETWORK, task, executor, 1, sealed.digest, sealed.key_commitment, secrets.output_pk, 1, (DENIED,), OPENED_AT
    )
    return sealed, order


class World:
    """One enclave, and all that its host can know."""

    def __init__(self) -> None:
        self.service = Service(HashWorkload(), NO_ISOLATION, random)
        opened = self.ask(m.Open(bytes(32)))
        assert isinstance(opened, m.Opened)
        self.me, self.peer, self.thief = seat(ME, opened.hpke_pk), seat(PEER, _public(PEER_KEY)), seat(THIEF, _public(THIEF_KEY))
        self.other = seat(node("o"), self.peer.hpke_pk)
        self.binding = BindingRequest("enclavia-test", NETWORK, POOL, ME, 1, b"\xc4" * 32, NOT_AFTER, COMMITTEE)
        assert not isinstance(self.ask(m.Bind(self.binding)), m.Declined)
        own, self.own_order = sealed_for(ME, opened.hpke_pk, TASK, MINE)
        other, self.other_order = sealed_for(PEER, self.peer.hpke_pk, OTHER_TASK, THEIRS)
        root = output_root(keys.leaf_key(THEIRS.data_key, OTHER_TASK), OTHER_TASK, OUTPUT)
        posted = commitment(OTHER_TASK, PEER, root, keys.salt(THEIRS.data_key, OTHER_TASK, PEER))
        published = seal_output(OUTPUT, THEIRS.data_key, THEIRS.output_pk, OTHER_TASK, PEER)
        self.tickets = {
            (order.task, kind): TicketStatement(NETWORK, order.task, kind, order.input_digest, (self.peer,), Millis(OPENED_AT + 1))
            for order in (self.own_order, self.other_order)
            for kind in (1, 2, 3)
        }
        handed, opened_to = _for_other(wraps, THEIRS.data_key, self.me), _for_other(output_wraps, THEIRS.output_sk, self.me)
        self.requests: list[Any] = [
            m.Execute(self.own_order, own.blob),
            m.ReportUnavailable(self.own_order),
            m.SealState(),
            m.Forget(TASK),
            m.Forget(OTHER_TASK),
            m.Bind(self.binding),
            *(m.Handoff(self.handoff(order, kind)) for order in (self.own_order, self.other_order) for kind in (1, 2, 3)),
            *(m.Audit(AuditOrder(self.other_order, ME, 1, kind, posted, handed, ()), other.blob) for kind in (1, 2)),
            m.ReportNoInput(AuditOrder(self.other_order, ME, 1, 1, posted, (), ())),
            m.Arbitrate(DeliveryOrder(self.other_order, ME, 1, 4, posted, blob_digest(published), opened_to), published),
        ]

        audits = [request for request in self.requests if isinstance(request, m.Audit)]
        self.attacks: list[Any] = [
            # a seat for the thief, under the signatures of the honest ticket; and a second ticket that the committee did sign
            *(m.Handoff(self.handoff(order, kind, seats=(self.thief,))) for order in (self.own_order, self.other_order) for kind in (1, 2, 3)),
            *(m.Handoff(self.handoff(order, kind, again=True)) for order in (self.own_order, self.other_order) for kind in (1, 2, 3)),
            # the key of an audit under laxer rules than the sealed header's
            *(m.Handoff(self.handoff(replace(self.other_order, denied=()), kind)) for kind in (2, 3)),
            *(replace(audit, order=replace(audit.order, task=replace(self.other_order, denied=()))) for audit in audits),
            # another vote: the wrap is spoilt, the executor's commitment or name another
            *(replace(audit, order=replace(audit.order, wraps=(replace(handed[0], octets=bytes(80)),))) for audit in audits),
            *(replace(audit, order=replace(audit.order, commitment=Digest(bytes(32)))) for audit in audits),
            m.Audit(AuditOrder(self.own_order, ME, 1, 1, posted, _for_other(wraps, MINE.data_key, self.me), ()), own.blob),
            m.Execute(replace(self.own_order, tee_mask=3), own.blob),
            m.Execute(replace(self.own_order, output_pk=self.thief.hpke_pk), own.blob),
        ]

    def ask(self, request: Any) -> m.Answer:
        return m.answer_in(m.open_envelope(self.service.handle(m.pack(1, request))))

    def handoff(self, order: ExecuteOrder, kind: int, *, seats: tuple[TicketSeat, ...] = (), again: bool = False) -> HandoffOrder:
        ticket = self.tickets[order.task, kind]
        if again:
            ticket = replace(ticket, seats=(self.peer, self.other))
        return HandoffOrder(order, replace(ticket, seats=seats or ticket.seats), (0, 2), signed(ticket), ())


def _public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _for_other(make: Any, secret: bytes, to: TicketSeat) -> tuple[PostedWrap, ...]:
    """`wraps` of the world are for `TASK`."""
    octets = (wrap if make is wraps else wrap_output_key)(secret, NETWORK, OTHER_TASK, to)
    return (PostedWrap(to.node, to.key_epoch, to.hpke_pk, octets),)


def mutated(data: st.DataObject, value: Any, world: World) -> Any:  # noqa: PLR0911  one return a type
    """`value` with one leaf changed into something of its type that a host may know."""
    if is_dataclass(value):
        name = data.draw(st.sampled_from([each.name for each in fields(value)] or [""]))
        return replace(value, **{name: mutated(data, getattr(value, name), world)}) if name else value  # type: ignore[type-var]
    if isinstance(value, tuple):
        if value and data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(value) - 1))
            return (*value[:at], mutated(data, value[at], world), *value[at + 1 :])
        return data.draw(st.sampled_from([(), value + value, tuple(reversed(value)), *([(world.thief,)] if isinstance(next(iter(value), None), TicketSeat) else [])]))
    if isinstance(value, TeeKind):
        return data.draw(st.sampled_from(TeeKind))
    if type(value) is int:
        return data.draw(st.sampled_from([0, 1, 2, 3, 4, 5, value + 1, NOT_AFTER, 2**64 - 1]))
    if type(value) is bytes and len(value) == 32:
        known = [TASK, OTHER_TASK, ME, PEER, THIEF, NETWORK, DENIED, bytes(32), world.thief.hpke_pk, world.me.hpke_pk, MINE.output_pk]
        return data.draw(st.sampled_from(known))
    if type(value) is bytes:
        return data.draw(st.sampled_from([b"", value[:-1], value + b"\x00", bytes(len(value)), value[::-1]]))
    return value


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_host_gets_a_secret_or_a_second_answer(data: st.DataObject) -> None:
    world = World()
    answers: dict[Any, set[bytes]] = defaultdict(set)
    secrets = (TEXT.encode(), OUTPUT[:32], MINE.data_key, THEIRS.data_key, MINE.output_sk, THEIRS.output_sk)
    for _ in range(data.draw(st.integers(1, 16))):
        request = data.draw(st.sampled_from(world.requests) | st.sampled_from(world.attacks))
        for _ in range(data.draw(st.sampled_from([0, 0, 1, 2]))):
            request = mutated(data, request, world)
        answered = world.service.handle(m.pack(1, request))
        answer = m.answer_in(m.open_envelope(answered))
        assert not any(secret in answered for secret in secrets), "a secret in the open"
        assert not (isinstance(answer, m.Declined) and answer.refusal == "InternalFailure"), (request, answer)
        if isinstance(answer, (Executed, Refused)):
            answers["task", answer.statement.task].add(answer.statement.signing_bytes())
        if isinstance(answer, Audited):
            answers["vote", answer.statement.task, answer.statement.round].add(answer.statement.signing_bytes())
        if isinstance(answer, HandedOff):
            statement = answer.statement
            answers["handoff", statement.task, statement.round].add(statement.signing_bytes())
            data_key = MINE.data_key if statement.task == TASK else THEIRS.data_key
            drawn = tuple(wrap(data_key, NETWORK, statement.task, each) for each in (world.peer, world.other))
            assert statement.wraps in (drawn[:1], drawn), "for somebody who was not drawn"
    assert all(len(said) == 1 for said in answers.values()), "two answers to one question"


def test_the_host_above_gets_what_it_is_due() -> None:
    """The property would hold of an enclave that refuses everything."""
    world = World()
    got = defaultdict(int)
    for request in (request for request in world.requests if not isinstance(request, (m.Forget, m.ReportUnavailable, m.ReportNoInput))):
        got[type(world.ask(request)).__name__] += 1
    # before it audited it cannot stand in, and then not in round 1
    assert got["Executed"] == 1
    assert got["Audited"] == 3
    assert got["HandedOff"] == 3
    again = [world.ask(m.Handoff(world.handoff(world.other_order, kind))) for kind in (1, 2, 3)]
    assert [type(answer).__name__ for answer in again] == ["Declined", "HandedOff", "HandedOff"]


def test_every_request_there_is_was_thought_of() -> None:
    """A new one needs its line in the list above, or here, and in the review in `agent/enclave/README.md`."""
    covered = {type(request).__name__ for request in World().requests}
    assert set(m.REQUESTS) - covered == {"Open", "Restore", "Identify"}
    assert to_value(m.Identify()) == {}


def test_a_lie_about_the_chain_makes_no_refusal_that_the_contract_would_take() -> None:
    """A refusal frees the host of its duty, and pays it the reservation fee; the input is good."""
    world = World()
    (blob,) = {request.sealed_input for request in world.requests if isinstance(request, m.Execute)}
    order = world.own_order
    answer = world.ask(m.Execute(replace(order, tee_mask=3), blob))
    assert isinstance(answer, Refused)
    on_chain = InputFacts(order.key_commitment, order.output_pk, order.tee_mask, order.denied, order.opened_at)
    assert answer.statement.facts != on_chain.digest()
