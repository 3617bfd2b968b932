"""A data key leaves only against a draw ticket of the committee in the binding [C6], in bytes that anybody with the key can check [H1]."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from enclave_world import (
    DENIED,
    MEMBERS,
    NETWORK,
    OPENED_AT,
    OTHER_TASK,
    TASK,
    Node,
    Posted,
    binding_request,
    bound_node,
    changed,
    post,
    restarted,
    signed,
    ticket_for,
)

from agent.enclave.errors import AlreadyBound, ConflictingOrder, TicketRefused, UnknownTask
from agent.enclave.handoff import NO_WRAP, WRAP_BYTES, wrap
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import Committee, Executed
from agent.enclave.tickets import MAX_SEATS
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


@pytest.mark.parametrize("broken", [bytes(32), b"\x01" + bytes(31)])
async def test_a_recipient_key_without_secrecy_gets_zeros(executor: Node, auditor: Node, broken: bytes) -> None:
    """An attested key of a broken TEE must not keep an executor from handing off to the others."""
    posted = await ran(executor)
    seat = replace(auditor.seat(), hpke_pk=broken, node=NodeId(b"b" * 32))
    ticket = replace(ticket_for(posted, auditor), seats=(auditor.seat(), seat))
    handed = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    assert handed.wraps == (wrap(posted.secrets.data_key, NETWORK, TASK, auditor.seat()), NO_WRAP)


async def test_an_operator_that_the_requester_denied_is_refused(executor: Node, auditor: Node) -> None:
    """Even where the committee signed: the requester's word is inside the seal, and stands above k of n."""
    posted = await ran(executor)
    ticket = replace(ticket_for(posted, auditor), seats=(auditor.seat(), replace(auditor.seat(), node=NodeId(b"b" * 32), operator=DENIED)))
    await refused(executor, posted, ticket, (0, 2), signed(ticket))


async def test_the_host_cannot_allow_a_denied_operator_after_the_fact(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    ticket = replace(ticket_for(posted, auditor), seats=(replace(auditor.seat(), operator=DENIED),))
    with pytest.raises(ConflictingOrder):
        await executor.client.handoff(ticket, (0, 2), signed(ticket), changed(posted, denied=()))


async def test_a_ticket_whose_operator_was_changed_after_signing_is_refused(executor: Node, auditor: Node) -> None:
    posted = await ran(executor)
    honest = replace(ticket_for(posted, auditor), seats=(replace(auditor.seat(), operator=DENIED),))
    await refused(executor, posted, ticket_for(posted, auditor), (0, 2), signed(honest))


NEXT = tuple(Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (11, 12, 13))


async def test_only_the_committee_in_the_binding_is_believed(executor: Node, auditor: Node) -> None:
    """After a rotation the network has another; this enclave was attested with its own, and tickets of that go on."""
    posted = await ran(executor)
    ticket = ticket_for(posted, auditor)
    theirs = tuple(NEXT[i].sign(ticket.signing_bytes()) for i in (0, 2))
    await refused(executor, posted, ticket, (0, 2), theirs)
    assert (await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)).wraps


async def test_the_host_cannot_name_another_committee_to_a_bound_enclave(executor: Node) -> None:
    theirs = Committee(2, tuple(member.public_key().public_bytes_raw() for member in NEXT))
    with pytest.raises(AlreadyBound):
        await executor.client.bind(replace(binding_request(executor.id), committee=theirs))


def crowd(posted: Posted, auditor: Node, size: int, first: int = 0, in_round: int = 1) -> TicketStatement:
    nodes = (NodeId(number.to_bytes(32, "big")) for number in range(first, first + size))
    seats = tuple(replace(auditor.seat(), node=node) for node in nodes)
    return replace(ticket_for(posted, auditor, in_round=in_round), seats=seats)


@pytest.mark.parametrize(("in_round", "most"), [(1, 16), (2, 32), (3, 32)])
async def test_a_ticket_has_no_more_seats_than_the_contract_allows(executor: Node, auditor: Node, in_round: int, most: int) -> None:
    assert MAX_SEATS[in_round] == most
    posted = await ran(executor)
    more = crowd(posted, auditor, most + 1, in_round=in_round)
    await refused(executor, posted, more, (0, 2), signed(more))
    fits = crowd(posted, auditor, most, in_round=in_round)
    assert len((await executor.client.handoff(fits, (0, 2), signed(fits), posted.order)).wraps) == most


async def test_a_key_is_wrapped_for_one_ticket_a_round_and_no_more(executor: Node, auditor: Node) -> None:
    """Auditors and arbiters, that is all who can ever get it."""
    posted = await ran(executor)
    first = 0
    for in_round, most in MAX_SEATS.items():
        fits = crowd(posted, auditor, most, first=first, in_round=in_round)
        await executor.client.handoff(fits, (0, 2), signed(fits), posted.order)
        first += most
    for in_round in MAX_SEATS:
        more = crowd(posted, auditor, 1, first=first, in_round=in_round)
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
    first = await bound_node("x")
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


async def test_the_handoff_stands_for_the_restarted_enclave_too(auditor: Node) -> None:
    first = await bound_node("x")
    posted = await ran(first)
    one, other = crowd(posted, auditor, 2), crowd(posted, auditor, 2, first=2)
    await first.client.handoff(one, (0, 2), signed(one), posted.order)
    second = await restarted(first)
    with pytest.raises(ConflictingOrder):
        await second.client.handoff(other, (0, 2), signed(other), posted.order)
    await second.client.close()
