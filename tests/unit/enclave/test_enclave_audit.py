"""Auditors open the executor's commitment, agree where it is honest, and vote against it where nobody could have been."""

from dataclasses import replace
from typing import Any

import pytest
from enclave_world import (
    NETWORK,
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

from agent.enclave import memory
from agent.enclave.errors import ConflictingOrder, WrongOrder
from agent.enclave.orders import Audited, Executed, PostedWrap
from agent.enclave.sealing import LARGEST_OUTPUT, TaskSecrets
from agent.enclave.workloads.hashing import HashWorkload
from agent.enclave.workloads.workload import Run
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment
from agent.protocol.statements import BAD_WRAP, EARLIER_WRAP, NO_INPUT, NO_SALT
from agent.protocol.units import Digest

ANY = Digest(b"\x00" * 32)


async def audited(executor: Node, auditor: Node) -> tuple[Posted, Executed, Audited]:
    posted, answer = await committed(executor)
    ticket = ticket_for(posted, auditor)
    handed = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
    order = audit_order(posted, auditor, answer.statement.commitment)
    assert tuple(each.octets for each in order.wraps) == handed.wraps
    return posted, answer, await auditor.client.audit(order, posted.blob)


async def test_auditor_opens_the_executors_commitment(executor: Node, auditor: Node) -> None:
    _, answer, vote = await audited(executor, auditor)
    assert commitment(TASK, executor.id, vote.root, vote.executor_salt) == answer.statement.commitment


async def test_the_vote_binds_both_salts_and_the_auditor(executor: Node, auditor: Node) -> None:
    posted, _, vote = await audited(executor, auditor)
    auditor.verify(vote.signature, vote.statement.signing_bytes())
    assert vote.statement.commitment == commitment(TASK, auditor.id, vote.root, vote.salt + vote.executor_salt)
    assert vote.salt == keys.salt(posted.secrets.data_key, TASK, auditor.id)


async def test_a_lying_executors_root_is_not_found(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    lie = commitment(TASK, executor.id, Digest(b"\x11" * 32), keys.salt(posted.secrets.data_key, TASK, executor.id))
    vote = await auditor.client.audit(audit_order(posted, auditor, lie), posted.blob)
    assert commitment(TASK, executor.id, vote.root, vote.executor_salt) != lie
    assert vote.root != BAD_WRAP


def spoilt(posted: Posted, auditor: Node, octets: bytes) -> tuple[PostedWrap, ...]:
    (good,) = wraps(posted.secrets.data_key, auditor.seat())
    return (replace(good, octets=octets),)


async def vote_on(posted: Posted, auditor: Node, in_round: int = 1, **changes: object) -> Audited:
    return await auditor.client.audit(audit_order(posted, auditor, ANY, in_round, **changes), posted.blob)


async def test_a_wrap_for_another_is_a_vote(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    (foreign,) = wraps(posted.secrets.data_key, replace(auditor.seat(), node=node("z")))
    vote = await vote_on(posted, auditor, wraps=spoilt(posted, auditor, foreign.octets))
    assert (vote.root, vote.executor_salt) == (BAD_WRAP, NO_SALT)
    assert vote.statement.commitment == commitment(TASK, auditor.id, BAD_WRAP, vote.salt + NO_SALT)


async def test_a_vote_without_a_data_key_is_blinded_all_the_same(executor: Node, auditor: Node) -> None:
    """Else everybody could tell it from its commitment, before reveals open."""
    posted, _ = await committed(executor)
    vote = await vote_on(posted, auditor, wraps=spoilt(posted, auditor, bytes(80)))
    assert vote.salt not in (NO_SALT, keys.salt(posted.secrets.data_key, TASK, auditor.id))
    other = await bound_node("a")
    assert (await vote_on(posted, other, wraps=spoilt(posted, other, bytes(80)))).salt != vote.salt
    await other.client.close()


async def test_a_wrap_of_another_key_is_a_vote(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    assert (await vote_on(posted, auditor, wraps=wraps(TaskSecrets.generate().data_key, auditor.seat()))).root == BAD_WRAP


async def test_a_round_wrapped_with_another_key_is_not_the_earlier_ones_fault(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    earlier = wraps(posted.secrets.data_key, replace(auditor.seat(), node=node("b")))
    false = wraps(TaskSecrets.generate().data_key, auditor.seat())
    assert (await vote_on(posted, auditor, 2, wraps=false, earlier=earlier)).root == BAD_WRAP


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 80, b"\xff" * 81])
async def test_garbage_instead_of_a_wrap_is_a_vote(executor: Node, auditor: Node, garbage: bytes) -> None:
    posted, _ = await committed(executor)
    assert (await vote_on(posted, auditor, wraps=spoilt(posted, auditor, garbage))).root == BAD_WRAP


async def test_a_false_wrap_for_another_seat_is_seen_by_all(executor: Node, auditor: Node) -> None:
    """One who wraps falsely for one auditor alone would have it stand against all others."""
    posted, _ = await committed(executor)
    other = replace(auditor.seat(), node=node("b"))
    mine, others = wraps(posted.secrets.data_key, auditor.seat(), other)
    vote = await vote_on(posted, auditor, wraps=(mine, replace(others, octets=mine.octets)))
    assert (vote.root, vote.salt) == (BAD_WRAP, keys.salt(posted.secrets.data_key, TASK, auditor.id))


async def test_a_wrap_that_opens_but_is_not_the_one_that_the_key_gives_is_false(executor: Node, auditor: Node) -> None:
    """Whoever receives it could say that it does not open, and nobody could tell."""
    posted, _ = await committed(executor)
    info = keys.wrap_info(NETWORK, TASK, auditor.id, 1)
    from agent.enclave import hpke

    random = hpke.seal(auditor.identity.hpke_pk, posted.secrets.data_key, info=info, ephemeral_ikm=b"\x01" * 32)
    assert (await vote_on(posted, auditor, wraps=spoilt(posted, auditor, random))).root == BAD_WRAP


async def test_a_false_wrap_of_an_earlier_round_is_the_executors_alone(executor: Node, auditor: Node) -> None:
    posted, _ = await committed(executor)
    (earlier,) = wraps(posted.secrets.data_key, replace(auditor.seat(), node=node("b")))
    false = replace(earlier, octets=bytes(80))
    assert (await vote_on(posted, auditor, 2, earlier=(earlier, false))).root == EARLIER_WRAP


async def test_true_wraps_of_an_earlier_round_count_nothing(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    (earlier,) = wraps(posted.secrets.data_key, replace(auditor.seat(), node=node("b")))
    order = audit_order(posted, auditor, answer.statement.commitment, 2, earlier=(earlier,))
    vote = await auditor.client.audit(order, posted.blob)
    assert commitment(TASK, executor.id, vote.root, vote.executor_salt) == answer.statement.commitment


async def test_no_wrap_is_owed_to_a_seat_with_a_broken_key(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    broken = replace(auditor.seat(), node=node("b"), hpke_pk=bytes(32))
    handed = wraps(posted.secrets.data_key, auditor.seat(), broken)
    assert handed[1].octets == bytes(80)
    order = audit_order(posted, auditor, answer.statement.commitment, wraps=handed)
    assert (await auditor.client.audit(order, posted.blob)).root != BAD_WRAP


HEADER_LIES: list[dict[str, Any]] = [{"tee_mask": 0b11}, {"denied": ()}, {"opened_at": 999_999}, {"output_pk": b"\x09" * 32}]


@pytest.mark.parametrize("lie", HEADER_LIES, ids=lambda lie: next(iter(lie)))
async def test_an_input_that_no_honest_executor_ran_is_a_vote(executor: Node, auditor: Node, lie: dict[str, Any]) -> None:
    """The executor's enclave is broken: it committed to an input whose header says otherwise than the chain."""
    posted, _ = await committed(executor)
    assert (await vote_on(replace(posted, order=changed(posted, **lie)), auditor)).root == BAD_WRAP


class Verbose(HashWorkload):
    def run(self, text: str) -> Run:
        return Run(bytes(LARGEST_OUTPUT))


async def test_an_output_that_no_honest_executor_delivers_is_a_vote(executor: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    posted, _ = await committed(executor)
    monkeypatch.setattr(memory, "load_workload", lambda _: Verbose())
    assert (await vote_on(posted, await bound_node("a"))).root == BAD_WRAP


async def test_an_input_that_is_nowhere_is_a_vote_on_the_hosts_word(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment, wraps=())
    vote = await auditor.client.report_no_input(order)
    assert (vote.root, vote.executor_salt) == (NO_INPUT, NO_SALT)
    assert vote.statement.commitment == commitment(TASK, auditor.id, NO_INPUT, vote.salt + NO_SALT)
    auditor.verify(vote.signature, vote.statement.signing_bytes())


async def test_after_that_word_no_other_vote_is_signed(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    await auditor.client.report_no_input(order)
    with pytest.raises(ConflictingOrder):
        await auditor.client.audit(order, posted.blob)


async def test_a_blob_that_is_not_the_tasks_is_no_vote(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    with pytest.raises(WrongOrder):
        await auditor.client.audit(order, b"something else")


async def test_a_seat_without_a_wrap_is_no_vote(executor: Node, auditor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment, wraps=())
    with pytest.raises(WrongOrder):
        await auditor.client.audit(order, posted.blob)


ELSEWHERE: list[dict[str, Any]] = [{"node": node("z")}, {"key_epoch": 2}, {"round": 0}, {"round": 4}]


@pytest.mark.parametrize("change", ELSEWHERE, ids=str)
async def test_an_audit_for_another_seat_is_refused(executor: Node, auditor: Node, change: dict[str, Any]) -> None:
    posted, answer = await committed(executor)
    order = replace(audit_order(posted, auditor, answer.statement.commitment), **change)
    for ask in (auditor.client.audit(order, posted.blob), auditor.client.report_no_input(order)):
        with pytest.raises(WrongOrder):
            await ask


async def test_nobody_audits_itself(executor: Node) -> None:
    posted, answer = await committed(executor)
    order = audit_order(posted, executor, answer.statement.commitment)
    with pytest.raises(WrongOrder):
        await executor.client.audit(order, posted.blob)


async def test_nor_by_naming_another_executor(executor: Node, auditor: Node) -> None:
    """The host lies about who executed, to have two answers to one task under one key."""
    posted, answer = await committed(executor)
    order = audit_order(replace(posted, order=changed(posted, node=auditor.id)), executor, answer.statement.commitment)
    with pytest.raises(ConflictingOrder):
        await executor.client.audit(order, posted.blob)


async def test_who_judged_a_task_does_not_execute_it(executor: Node, auditor: Node) -> None:
    posted, _, _ = await audited(executor, auditor)
    with pytest.raises(ConflictingOrder):
        await auditor.client.execute(changed(posted, node=auditor.id), posted.blob)


async def test_one_vote_a_round_stands(executor: Node, auditor: Node) -> None:
    posted, answer, first = await audited(executor, auditor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    assert await auditor.client.audit(order, posted.blob) == first
    with pytest.raises(ConflictingOrder):
        await vote_on(posted, auditor, wraps=spoilt(posted, auditor, b""))


async def test_one_vote_a_round_stands_against_another_input(executor: Node, auditor: Node) -> None:
    """The host replays the order with another input, under the same task."""
    posted, answer, _ = await audited(executor, auditor)
    other, _ = await committed(await bound_node("y"))
    swapped = replace(posted, order=changed(posted, input_digest=blob_digest(other.blob)))
    with pytest.raises(ConflictingOrder):
        await auditor.client.audit(audit_order(swapped, auditor, answer.statement.commitment), other.blob)


async def test_the_vote_stands_for_the_restarted_enclave_too(executor: Node) -> None:
    auditor = await bound_node("a")
    posted, answer, first = await audited(executor, auditor)
    again = await restarted(auditor)
    assert await again.client.audit(audit_order(posted, again, answer.statement.commitment), posted.blob) == first
    with pytest.raises(ConflictingOrder):
        await again.client.report_no_input(audit_order(posted, again, answer.statement.commitment))
    await again.client.close()


async def test_a_blinded_vote_is_repeated_after_a_restart(executor: Node) -> None:
    """A lost journal must not keep a posted vote from being opened."""
    auditor = await bound_node("a")
    posted, answer = await committed(executor)
    order = audit_order(posted, auditor, answer.statement.commitment)
    first = await auditor.client.report_no_input(order)
    again = await restarted(auditor)
    assert await again.client.report_no_input(order) == first
    await again.client.close()
