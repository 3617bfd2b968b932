"""A data key leaves only against a draw ticket of the committee in the binding [C6], in bytes that anybody with the key can check [H1]."""

from dataclasses import replace
from typing import Any

import pytest
from enclave_world import (
    MEMBERS,
    NETWORK,
    OPENED_AT,
    OTHER_TASK,
    TASK,
    Node,
    Posted,
    bound_node,
    changed,
    post,
    signed,
    ticket_for,
)

from agent.enclave.errors import ConflictingOrder, TicketRefused, UnknownTask
from agent.enclave.handoff import WRAP_BYTES, wrap
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import Executed
from agent.enclave.tickets import MAX_RECIPIENTS, MAX_SEATS
from agent.protocol.blob import blob_digest
from agent.protocol.statements import TeeKind, TicketStatement
from agent.protocol.units import Address, Millis, NodeId

TEXT = "who watches the watchmen?"


async def ran(executor: Node) -> Posted:
    posted = post(executor, TEXT)
    assert isinstance(await executor.client.execute(posted.order, posted.blob), Executed)
    return posted


async def test_wraps_are_recomputable_by_whoever_holds_the_data_key(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    handed = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    assert handed.wraps == (wrap(posted.secrets.data_key, NETWORK, TASK, auditor.seat()),)
    assert len(handed.wraps[0]) == WRAP_BYTES


async def test_handoff_is_signed_and_the_same_when_asked_again(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    first = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    executor.verify(first.signature, first.statement.signing_bytes())
    assert await executor.client.handoff(ticket, (1, 2), signed(ticket, (1, 2)), posted.order) == first


async def test_wraps_stand_in_seat_order(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    other = await bound_node("b")
    ticket = ticket_for(posted, other, auditor)
    handed = await executor.client.handoff(ticket, (0, 1), signed(ticket, (0, 1)), posted.order)
    seats = (other.seat(), auditor.seat())
    assert handed.wraps == tuple(wrap(posted.secrets.data_key, NETWORK, TASK, seat) for seat in seats)
    await other.client.close()


LIES: list[dict[str, Any]] = [
    {"network": Address(b"\x00" * 32)},
    {"task": OTHER_TASK},
    {"round": 0},
    {"round": 4},
    {"input_digest": blob_digest(b"other")},
    {"issued_at": Millis(OPENED_AT - 1)},
    {"seats": ()},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
async def test_a_ticket_for_something_else_is_refused(executor: Node, auditor: Node, lie: dict[str, Any]) -> None:
    posted = await ran(executor)
    ticket = replace(ticket_for(posted, auditor), **lie)
    with pytest.raises(TicketRefused):
        await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)


async def refused(executor: Node, posted: Posted, ticket: TicketStatement, signers: tuple[int, ...], signatures: Any) -> None:
    with pytest.raises(TicketRefused):
        await executor.client.handoff(ticket, signers, signatures, posted.order)


async def test_too_few_signatures_are_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    await refused(executor, posted, ticket, (1,), signed(ticket, (1,)))


async def test_a_member_named_twice_counts_once(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    await refused(executor, posted, ticket, (1, 1), signed(ticket, (1, 1)))


async def test_a_signature_by_another_member_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    await refused(executor, posted, ticket, (0, 1), signed(ticket, (0, 2)))


async def test_a_signature_of_another_ticket_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    await refused(executor, posted, ticket, (0, 2), signed(replace(ticket, round=2)))


async def test_an_unknown_member_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    await refused(executor, posted, ticket, (0, 3), signed(ticket))


async def test_signers_without_a_signature_each_are_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    await refused(executor, posted, ticket, (0, 1, 2), signed(ticket))


async def test_a_garbage_signature_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    good = MEMBERS[0].sign(ticket.signing_bytes())
    await refused(executor, posted, ticket, (0, 1), (good, b"\x00"))


async def test_a_kind_of_tee_that_the_requester_excluded_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    seat = replace(auditor.seat(), tee_kind=TeeKind.TDX)
    ticket = replace(ticket_for(posted, auditor), seats=(seat,))
    await refused(executor, posted, ticket, (0, 2), signed(ticket))


async def test_a_recipient_named_twice_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor, auditor)
    await refused(executor, posted, ticket, (0, 2), signed(ticket))


async def test_a_recipient_key_without_secrecy_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    seat = replace(auditor.seat(), hpke_pk=bytes(32))
    ticket = replace(ticket_for(posted, auditor), seats=(seat,))
    await refused(executor, posted, ticket, (0, 2), signed(ticket))


def crowd(posted: Posted, auditor: Node, size: int, first: int = 0, in_round: int = 1) -> TicketStatement:
    nodes = (NodeId(number.to_bytes(32, "big")) for number in range(first, first + size))
    seats = tuple(replace(auditor.seat(), node=node) for node in nodes)
    return replace(ticket_for(posted, auditor, in_round=in_round), seats=seats)


async def test_more_seats_than_a_ticket_may_have_are_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = crowd(posted, auditor, MAX_SEATS + 1)
    await refused(executor, posted, ticket, (0, 2), signed(ticket))


async def test_recipients_of_all_rounds_are_limited(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    fits = crowd(posted, auditor, MAX_SEATS)
    await executor.client.handoff(fits, (0, 2), signed(fits), posted.order)
    more = crowd(posted, auditor, MAX_RECIPIENTS - MAX_SEATS + 1, first=MAX_SEATS, in_round=2)
    with pytest.raises(ConflictingOrder):
        await executor.client.handoff(more, (0, 2), signed(more), posted.order)


async def test_two_tickets_for_one_round_are_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    first, second = crowd(posted, auditor, 2), crowd(posted, auditor, 2, first=2)
    await executor.client.handoff(first, (0, 2), signed(first), posted.order)
    with pytest.raises(ConflictingOrder):
        await executor.client.handoff(second, (0, 2), signed(second), posted.order)


async def test_a_dispute_is_handed_off_after_the_audit(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    audit, dispute = crowd(posted, auditor, 2), crowd(posted, auditor, 3, first=2, in_round=2)
    await executor.client.handoff(audit, (0, 2), signed(audit), posted.order)
    assert len((await executor.client.handoff(dispute, (0, 2), signed(dispute), posted.order)).wraps) == 3


async def test_a_task_that_never_ran_has_nothing_to_hand_off(executor: Node, auditor: Node) -> None:
    posted = post(executor, TEXT)
    ticket = ticket_for(posted, auditor)
    with pytest.raises(UnknownTask):
        await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)


async def test_a_refused_input_has_nothing_to_hand_off(executor: Node, auditor: Node) -> None:
    posted = post(executor, TEXT)
    await executor.client.report_unavailable(posted.order)
    ticket = ticket_for(posted, auditor)
    with pytest.raises(UnknownTask):
        await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)


async def test_the_host_cannot_widen_the_mask_after_the_fact(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    seat = replace(auditor.seat(), tee_kind=TeeKind.TDX)
    ticket = replace(ticket_for(posted, auditor), seats=(seat,))
    with pytest.raises(ConflictingOrder):
        await executor.client.handoff(ticket, (0, 2), signed(ticket), changed(posted, tee_mask=0b1111))


async def test_a_restarted_enclave_hands_off_the_same_bytes(auditor: Node) -> None:
    first = await bound_node("x", MemoryLauncher())
    posted = await ran(first)
    state = await first.client.seal_state()
    ticket = ticket_for(posted, auditor)
    before = await first.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    executed_before = await first.client.execute(posted.order, posted.blob)
    await first.client.close()
    second = await bound_node("x", MemoryLauncher(), state=state)
    assert await second.client.handoff(ticket, (0, 2), signed(ticket), posted.order) == before
    assert await second.client.execute(posted.order, posted.blob) == executed_before
    await second.client.close()
