from collections.abc import Callable
from dataclasses import replace

import pytest
from made_records import PARAMS, person, plain, task

from agent.protocol.eligibility import Obstacle, audit_obstacles, can_execute, can_judge, execution_obstacles, next_candidate
from agent.protocol.records import Attestation, MemberView, NetworkView, PolicyEntry, PoolView
from agent.protocol.statements import TeeKind
from agent.protocol.states import RoundKind
from agent.protocol.units import Digest, Millis, Mist, Slot

CLOCK, DRAWN_AT = Millis(1_000), Millis(600)
POLICY = Digest(b"p" * 32)
# 100 ms of the chain's clock are a halt: protocol time is 900
NETWORK: NetworkView = plain(
    NetworkView, stall_ms=Millis(100), policies=(plain(PolicyEntry, digest=POLICY, activates_at=Millis(100), sunset_at=Millis(901)),)
)
POOL: PoolView = plain(PoolView, tee_mask=1 << TeeKind.NITRO | 1 << TeeKind.TDX)
RECORD: Attestation = plain(
    Attestation, key_epoch=1, tee_kind=TeeKind.NITRO, not_after=Millis(CLOCK + PARAMS.span()), policy=POLICY
)
MEMBER: MemberView = plain(MemberView, stake=PARAMS.min_stake, attestation=RECORD, joined_at=DRAWN_AT)
TASK = task(opened_at=DRAWN_AT, tee_mask=2**64 - 1)
Spoil = Callable[[MemberView], MemberView]

COMMON: list[tuple[Obstacle, Spoil]] = [
    (Obstacle.UNATTESTED, lambda m: replace(m, attestation=replace(RECORD, key_epoch=0))),
    (Obstacle.UNATTESTED, lambda m: replace(m, revoked_through=1)),
    (Obstacle.ATTESTATION_ENDS, lambda m: replace(m, attestation=replace(RECORD, not_after=Millis(RECORD.not_after - 1)))),
    (Obstacle.POLICY_ENDED, lambda m: replace(m, attestation=replace(RECORD, policy=Digest(b"q" * 32)))),
    (Obstacle.TEE_REFUSED, lambda m: replace(m, attestation=replace(RECORD, tee_kind=TeeKind.SEV_SNP))),
    (Obstacle.LEAVING, lambda m: replace(m, leaving_at=Millis(1))),
    (Obstacle.JAILED, lambda m: replace(m, jailed_until=Millis(1))),
    (Obstacle.TOO_NEW, lambda m: replace(m, joined_at=Millis(DRAWN_AT + 1))),
    (Obstacle.STAKE_TOO_SMALL, lambda m: replace(m, stake=Mist(m.stake - 1))),
]
OF_EXECUTORS: list[tuple[Obstacle, Spoil]] = [
    (Obstacle.STAKE_LOCKED, lambda m: replace(m, locked=Mist(m.stake - PARAMS.executor_lock + 1))),
    (Obstacle.STAKE_RESERVED, lambda m: replace(m, backing=Mist(m.stake - PARAMS.executor_lock - PARAMS.audit_reserve + 1))),
]
OF_AUDITORS: list[tuple[Obstacle, Spoil]] = [
    (Obstacle.STAKE_LOCKED, lambda m: replace(m, locked=Mist(m.stake - PARAMS.auditor_lock + 1))),
    (Obstacle.DENIED, lambda m: replace(m, operator=person(7))),
]


def executes(member: MemberView) -> tuple[Obstacle, ...]:
    return execution_obstacles(member, POOL, NETWORK, PARAMS, DRAWN_AT, CLOCK)


def judges(member: MemberView, tee_mask: int = 2**64 - 1, kind: RoundKind = RoundKind.AUDIT, challenged: bool = False) -> tuple[Obstacle, ...]:
    asked = task(tee_mask=tee_mask, denied=(person(7),), challenged=challenged)
    return audit_obstacles(member, POOL, NETWORK, asked, DRAWN_AT, CLOCK, kind)


def test_nothing_keeps_a_fit_member_from_serving() -> None:
    assert (executes(MEMBER), judges(MEMBER)) == ((), ())
    assert can_execute(MEMBER, POOL, NETWORK, TASK, CLOCK)
    assert can_judge(MEMBER, POOL, NETWORK, TASK, DRAWN_AT, CLOCK)


@pytest.mark.parametrize(("obstacle", "spoil"), [*COMMON, *OF_EXECUTORS])
def test_each_condition_alone_keeps_a_member_from_executing(obstacle: Obstacle, spoil: Spoil) -> None:
    assert executes(spoil(MEMBER)) == (obstacle,)
    assert not can_execute(spoil(MEMBER), POOL, NETWORK, TASK, CLOCK)


@pytest.mark.parametrize(("obstacle", "spoil"), [*COMMON, *OF_AUDITORS])
def test_each_condition_alone_keeps_a_member_from_judging(obstacle: Obstacle, spoil: Spoil) -> None:
    assert judges(spoil(MEMBER)) == (obstacle,)


def test_all_obstacles_are_told_at_once() -> None:
    spoiled = MEMBER
    for _, spoil in COMMON[5:]:
        spoiled = spoil(spoiled)
    assert executes(spoiled) == (Obstacle.LEAVING, Obstacle.JAILED, Obstacle.TOO_NEW, Obstacle.STAKE_TOO_SMALL)


def test_a_policy_counts_in_protocol_time_and_no_longer_than_its_sunset() -> None:
    assert can_execute(MEMBER, POOL, NETWORK, TASK, CLOCK)
    assert Obstacle.POLICY_ENDED in execution_obstacles(MEMBER, POOL, NETWORK, PARAMS, DRAWN_AT, Millis(CLOCK + 1))


def test_tasks_under_way_cannot_use_up_what_audits_need() -> None:
    busy = replace(MEMBER, locked=Mist(MEMBER.stake - PARAMS.audit_reserve), backing=Mist(MEMBER.stake - PARAMS.audit_reserve))
    assert Obstacle.STAKE_RESERVED in executes(busy)
    assert judges(busy) == ()
    assert judges(busy, kind=RoundKind.SECOND_DISPUTE, challenged=True) == ()


@pytest.mark.parametrize(
    ("kind", "challenged"), [(RoundKind.AUDIT, True), (RoundKind.DELIVERY, False), (RoundKind.SECOND_DELIVERY, False)]
)
def test_nor_can_the_rounds_that_a_requester_asks_for(kind: RoundKind, challenged: bool) -> None:
    free = PARAMS.auditor_lock + PARAMS.audit_reserve
    busy = replace(MEMBER, backing=Mist(MEMBER.stake - free))
    assert judges(busy, kind=kind, challenged=challenged) == ()
    assert judges(replace(busy, backing=Mist(busy.backing + 1)), kind=kind, challenged=challenged) == (Obstacle.STAKE_RESERVED,)


def test_audits_do_not_keep_a_member_from_executing_beyond_their_locks() -> None:
    auditing = replace(MEMBER, locked=Mist(MEMBER.stake - PARAMS.executor_lock))
    assert executes(auditing) == ()


def test_an_executor_needs_the_pool_s_tee_only_and_an_auditor_the_task_s_too() -> None:
    assert can_execute(MEMBER, POOL, NETWORK, replace(TASK, input=replace(TASK.input, tee_mask=0)), CLOCK)
    assert judges(MEMBER, tee_mask=1 << TeeKind.TDX) == (Obstacle.TEE_REFUSED,)


def test_the_first_candidate_that_can_is_taken() -> None:
    leaving = replace(MEMBER, leaving_at=Millis(1))
    members = {Slot(1): leaving, Slot(3): MEMBER, Slot(4): MEMBER}
    asked = replace(TASK, candidates=(Slot(1), Slot(2), Slot(3), Slot(4)))
    assert next_candidate(asked, POOL, NETWORK, members, CLOCK) == 3


def test_candidates_before_the_cursor_are_not_asked_again() -> None:
    asked = replace(TASK, candidates=(Slot(3), Slot(4)), candidate=1)
    assert next_candidate(asked, POOL, NETWORK, {Slot(3): MEMBER, Slot(4): MEMBER}, CLOCK) == 4


def test_a_used_up_list_has_nobody() -> None:
    asked = replace(TASK, candidates=(Slot(3),), candidate=1)
    assert next_candidate(asked, POOL, NETWORK, {Slot(3): MEMBER}, CLOCK) is None
