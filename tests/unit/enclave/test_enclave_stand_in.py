"""An auditor hands the data key off in a dispute, so that it does not hang on who is judged: the same bytes, another signature."""

from dataclasses import replace
from typing import Any

import pytest
from enclave_world import (
    DENIED,
    NETWORK,
    OTHER_TASK,
    TASK,
    Node,
    Posted,
    audit_order,
    bound_node,
    changed,
    committed,
    node,
    restarted,
    signed,
    ticket_for,
    wraps,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.enclave.errors import ConflictingOrder, TicketRefused, UnknownTask
from agent.enclave.handoff import wrap
from agent.enclave.orders import ExecuteOrder, HandedOff, PostedWrap
from agent.enclave.sealing import Recipient
from agent.enclave.state import open_state
from agent.protocol.statements import TeeKind, TicketStatement
from agent.protocol.units import Address, Millis, NodeId


@pytest.fixture
async def arbiter() -> Node:
    return await bound_node("b")


async def audited(executor: Node, auditor: Node, in_round: int = 1) -> Posted:
    """A task that `executor` ran and `auditor` ran again."""
    posted, answer = await committed(executor)
    await auditor.client.audit(audit_order(posted, auditor, answer.statement.commitment, in_round), posted.blob)
    return posted


async def stand_in(by: Node, posted: Posted, ticket: TicketStatement, order: ExecuteOrder | None = None, earlier: Any = ()) -> HandedOff:
    return await by.client.handoff(ticket, (0, 2), signed(ticket), order or posted.order, earlier)


@pytest.mark.parametrize("in_round", [2, 3])
async def test_auditor_and_executor_make_the_same_wraps(executor: Node, auditor: Node, arbiter: Node, in_round: int) -> None:
    posted = await audited(executor, auditor)
    ticket = ticket_for(posted, arbiter, in_round=in_round)
    by_auditor, by_executor = await stand_in(auditor, posted, ticket), await stand_in(executor, posted, ticket)
    assert by_auditor.wraps == by_executor.wraps
    assert by_auditor.statement == replace(by_executor.statement, node=auditor.id)


async def test_each_signs_as_itself(executor: Node, auditor: Node, arbiter: Node) -> None:
    posted = await audited(executor, auditor)
    handed = await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=2))
    assert (handed.statement.node, handed.statement.key_epoch) == (auditor.id, auditor.key_epoch)
    auditor.verify(handed.signature, handed.statement.signing_bytes())


async def test_the_arbiter_judges_by_what_the_auditor_handed_off(executor: Node, auditor: Node, arbiter: Node) -> None:
    posted, answer = await committed(executor)
    first = await auditor.client.audit(audit_order(posted, auditor, answer.statement.commitment), posted.blob)
    handed = await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=2))
    mine = PostedWrap(arbiter.id, arbiter.key_epoch, arbiter.identity.hpke_pk, handed.wraps[0])
    earlier = wraps(posted.secrets.data_key, auditor.seat())
    order = audit_order(posted, arbiter, answer.statement.commitment, 2, wraps=(mine,), earlier=earlier)
    assert (await arbiter.client.audit(order, posted.blob)).root == first.root


async def test_a_restarted_auditor_hands_off_the_same(executor: Node, arbiter: Node) -> None:
    auditor = await bound_node("a")
    posted = await audited(executor, auditor)
    ticket = ticket_for(posted, arbiter, in_round=2)
    before = await stand_in(auditor, posted, ticket)
    again = await restarted(auditor)
    assert await stand_in(again, posted, ticket) == before
    with pytest.raises(ConflictingOrder):
        await stand_in(again, posted, replace(ticket, issued_at=Millis(ticket.issued_at + 1), seats=(executor.seat(),)))
    await again.client.close()


async def test_an_audit_is_the_executors_alone_to_hand_off(executor: Node, auditor: Node, arbiter: Node) -> None:
    posted = await audited(executor, auditor)
    with pytest.raises(TicketRefused):
        await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=1))


async def test_an_arbiter_of_a_dispute_keeps_no_key(executor: Node, auditor: Node, arbiter: Node) -> None:
    """The contract takes handoffs of members of the audit only; nobody else needs the key after its vote."""
    posted = await audited(executor, auditor, in_round=2)
    with pytest.raises(UnknownTask):
        await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=3))
    (vote,) = open_state(await auditor.client.seal_state(), bytes(32)).memory.contents().votes
    assert vote.data_key is None


async def test_who_never_audited_has_nothing_to_hand_off(executor: Node, auditor: Node, arbiter: Node) -> None:
    posted, _ = await committed(executor)
    with pytest.raises(UnknownTask):
        await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=2))


BAD_AUDITS: list[dict[str, Any]] = [{"tee_mask": 0b1111}, {"denied": ()}, {"output_pk": b"\x09" * 32}]


@pytest.mark.parametrize("lie", BAD_AUDITS, ids=lambda lie: next(iter(lie)))
async def test_a_key_whose_rules_were_not_checked_is_not_handed_on(
    executor: Node, auditor: Node, arbiter: Node, lie: dict[str, Any]
) -> None:
    """The host has its enclave audit under laxer rules than the sealed header's, to hand the key to whom it likes."""
    posted, answer = await committed(executor)
    lax = replace(posted, order=changed(posted, **lie))
    await auditor.client.audit(audit_order(lax, auditor, answer.statement.commitment), posted.blob)
    for order in (lax.order, posted.order):
        with pytest.raises((UnknownTask, ConflictingOrder)):
            await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=2), order)


@pytest.mark.parametrize("lie", BAD_AUDITS, ids=lambda lie: next(iter(lie)))
async def test_the_rules_of_the_audit_cannot_be_changed_afterwards(
    executor: Node, auditor: Node, arbiter: Node, lie: dict[str, Any]
) -> None:
    posted = await audited(executor, auditor)
    with pytest.raises(ConflictingOrder):
        await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=2), changed(posted, **lie))


TICKET_LIES: list[dict[str, Any]] = [
    {"network": Address(bytes(32))},
    {"task": OTHER_TASK},
    {"round": 4},
    {"input_digest": bytes(32)},
    {"issued_at": Millis(1)},
    {"seats": ()},
]


@pytest.mark.parametrize("lie", TICKET_LIES, ids=lambda lie: next(iter(lie)))
async def test_a_ticket_for_something_else_is_refused_by_auditors_too(
    executor: Node, auditor: Node, arbiter: Node, lie: dict[str, Any]
) -> None:
    posted = await audited(executor, auditor)
    with pytest.raises(TicketRefused):
        await stand_in(auditor, posted, replace(ticket_for(posted, arbiter, in_round=2), **lie))


@pytest.mark.parametrize("change", [{"operator": DENIED}, {"tee_kind": TeeKind.TDX}], ids=str)
async def test_whom_the_requester_excluded_gets_nothing_from_auditors_either(
    executor: Node, auditor: Node, arbiter: Node, change: dict[str, Any]
) -> None:
    posted = await audited(executor, auditor)
    ticket = ticket_for(posted, arbiter, in_round=2)
    with pytest.raises(TicketRefused):
        await stand_in(auditor, posted, replace(ticket, seats=(replace(arbiter.seat(), **change),)))


async def test_a_forged_ticket_opens_nothing(executor: Node, auditor: Node, arbiter: Node) -> None:
    posted = await audited(executor, auditor)
    ticket = ticket_for(posted, arbiter, in_round=2)
    for signers, signatures in (((0, 2), (bytes(64), bytes(64))), ((), ()), ((0,), signed(ticket, (0,)))):
        with pytest.raises(TicketRefused):
            await auditor.client.handoff(ticket, signers, signatures, posted.order)


async def test_nobody_stands_in_for_a_false_hand(executor: Node, auditor: Node, arbiter: Node) -> None:
    """The missed window convicts the executor, and costs nobody a round."""
    posted = await audited(executor, auditor)
    ticket = ticket_for(posted, arbiter, in_round=3)
    (true,) = wraps(posted.secrets.data_key, replace(arbiter.seat(), node=node("c")))
    with pytest.raises(TicketRefused):
        await stand_in(auditor, posted, ticket, earlier=(true, replace(true, octets=bytes(80))))
    assert (await stand_in(auditor, posted, ticket, earlier=(true,))).wraps


async def test_a_forgotten_task_is_handed_off_by_nobody(executor: Node, auditor: Node, arbiter: Node) -> None:
    posted = await audited(executor, auditor)
    await auditor.client.forget(TASK)
    with pytest.raises(UnknownTask):
        await stand_in(auditor, posted, ticket_for(posted, arbiter, in_round=2))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32))
@settings(max_examples=40)
def test_a_wrap_is_a_function_of_key_task_and_seat(data_key: bytes, key_epoch: int, of: bytes) -> None:
    seat = Recipient(NodeId(of), key_epoch, b"\x09" + bytes(31))
    first = wrap(data_key, NETWORK, TASK, seat)
    assert first == wrap(data_key, NETWORK, TASK, seat)
    assert len(first) == 80
    assert first != wrap(data_key, NETWORK, OTHER_TASK, seat)
