from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from made_records import PARAMS, plain, task

from agent.protocol.eligibility import ANY_TEE, Obstacle, can_execute, can_judge, is_eligible, next_candidate, obstacles
from agent.protocol.records import Attestation, MemberView, PoolView
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis, Mist, Slot

CLOCK = Millis(1_000)
UNTIL = Millis(CLOCK + PARAMS.span())
POOL: PoolView = plain(PoolView, tee_mask=1 << TeeKind.NITRO | 1 << TeeKind.TDX)
RECORD: Attestation = plain(Attestation, key_epoch=1, tee_kind=TeeKind.NITRO, not_after=UNTIL)
MEMBER: MemberView = plain(MemberView, stake=PARAMS.min_stake, attestation=RECORD)
NEEDS: dict[str, Any] = {"min_stake": PARAMS.min_stake, "lock": PARAMS.executor_lock, "tee_mask": ANY_TEE, "until": UNTIL}

CASES: list[tuple[Obstacle, Callable[[MemberView], MemberView]]] = [
    (Obstacle.UNATTESTED, lambda m: replace(m, attestation=replace(RECORD, key_epoch=0))),
    (Obstacle.ATTESTATION_ENDS, lambda m: replace(m, attestation=replace(RECORD, not_after=Millis(UNTIL - 1)))),
    (Obstacle.TEE_REFUSED, lambda m: replace(m, attestation=replace(RECORD, tee_kind=TeeKind.SEV_SNP))),
    (Obstacle.LEAVING, lambda m: replace(m, leaving_at=Millis(1))),
    (Obstacle.STAKE_TOO_SMALL, lambda m: replace(m, stake=Mist(m.stake - 1))),
    (Obstacle.STAKE_LOCKED, lambda m: replace(m, locked=Mist(m.stake - PARAMS.executor_lock + 1))),
]


def test_nothing_keeps_a_fit_member_from_serving() -> None:
    assert obstacles(MEMBER, POOL, **NEEDS) == ()
    assert is_eligible(MEMBER, POOL, **NEEDS)


@pytest.mark.parametrize(("obstacle", "spoil"), CASES, ids=[case[0].name for case in CASES])
def test_each_condition_alone_keeps_a_member_from_serving(
    obstacle: Obstacle, spoil: Callable[[MemberView], MemberView]
) -> None:
    assert obstacles(spoil(MEMBER), POOL, **NEEDS) == (obstacle,)
    assert not is_eligible(spoil(MEMBER), POOL, **NEEDS)


def test_all_obstacles_are_told_at_once() -> None:
    spoiled = MEMBER
    for _, spoil in CASES[3:]:
        spoiled = spoil(spoiled)
    assert obstacles(spoiled, POOL, **NEEDS) == (Obstacle.LEAVING, Obstacle.STAKE_TOO_SMALL, Obstacle.STAKE_LOCKED)


def test_stake_may_be_locked_up_to_what_the_next_lock_needs() -> None:
    assert is_eligible(replace(MEMBER, locked=Mist(MEMBER.stake - PARAMS.executor_lock)), POOL, **NEEDS)


def test_an_executor_needs_the_executor_lock_and_the_pool_s_tee_only() -> None:
    asked = task(tee_mask=0)
    assert can_execute(MEMBER, POOL, asked, CLOCK)
    assert not can_execute(MEMBER, POOL, asked, Millis(CLOCK + 1))
    assert not can_execute(replace(MEMBER, locked=Mist(MEMBER.stake - PARAMS.auditor_lock)), POOL, asked, CLOCK)


def test_an_auditor_needs_the_auditor_lock_and_a_tee_that_the_task_allows_too() -> None:
    little_left = replace(MEMBER, locked=Mist(MEMBER.stake - PARAMS.auditor_lock))
    assert can_judge(little_left, POOL, task(tee_mask=1 << TeeKind.NITRO), CLOCK)
    assert not can_judge(little_left, POOL, task(tee_mask=1 << TeeKind.TDX), CLOCK)


def test_the_first_candidate_that_can_is_taken() -> None:
    leaving = replace(MEMBER, leaving_at=Millis(1))
    members = {Slot(1): leaving, Slot(3): MEMBER, Slot(4): MEMBER}
    asked = task(candidates=(Slot(1), Slot(2), Slot(3), Slot(4)))
    assert next_candidate(asked, POOL, members, CLOCK) == 3


def test_candidates_before_the_cursor_are_not_asked_again() -> None:
    asked = task(candidates=(Slot(3), Slot(4)), candidate=1)
    assert next_candidate(asked, POOL, {Slot(3): MEMBER, Slot(4): MEMBER}, CLOCK) == 4


def test_a_used_up_list_has_nobody() -> None:
    assert next_candidate(task(candidates=(Slot(3),), candidate=1), POOL, {Slot(3): MEMBER}, CLOCK) is None
