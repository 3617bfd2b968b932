"""Who can serve a task: docs/spec/protocol.md §6.

A client foresees with it whom `assign` will take, a node says with it why it is passed over.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from agent.protocol.records import MemberView, PoolView, TaskView
from agent.protocol.units import Millis, Mist, Slot

ANY_TEE: Final = 2**64 - 1
"""A tee_mask that allows every kind."""


class Obstacle(Enum):
    """Why a member cannot serve; the value says what to do about it."""

    UNATTESTED = "no attestation is recorded: request a challenge and post evidence"
    ATTESTATION_ENDS = "the attestation ends before the task could: attest anew"
    TEE_REFUSED = "the Pool or the task does not take this kind of TEE"
    LEAVING = "the node is leaving"
    STAKE_TOO_SMALL = "the stake is below the Network's minimum: deposit"
    STAKE_LOCKED = "too much of the stake backs other tasks: deposit, or wait for them to settle"


def obstacles(
    member: MemberView, pool: PoolView, *, min_stake: Mist, lock: Mist, tee_mask: int, until: Millis
) -> tuple[Obstacle, ...]:
    """What keeps `member` from backing `lock` more stake with a TEE of `tee_mask` until `until` (chain clock)."""
    record = member.attestation
    attested = record.key_epoch > 0
    found = {
        Obstacle.UNATTESTED: not attested,
        Obstacle.ATTESTATION_ENDS: attested and record.not_after < until,
        Obstacle.TEE_REFUSED: attested and not (pool.tee_mask & tee_mask) >> record.tee_kind & 1,
        Obstacle.LEAVING: member.leaving_at > 0,
        Obstacle.STAKE_TOO_SMALL: member.stake < min_stake,
        Obstacle.STAKE_LOCKED: member.stake - member.locked < lock,
    }
    return tuple(obstacle for obstacle, there in found.items() if there)


def is_eligible(
    member: MemberView, pool: PoolView, *, min_stake: Mist, lock: Mist, tee_mask: int, until: Millis
) -> bool:
    """Whether nothing keeps `member` from it: see `obstacles`."""
    return not obstacles(member, pool, min_stake=min_stake, lock=lock, tee_mask=tee_mask, until=until)


def can_execute(member: MemberView, pool: PoolView, task: TaskView, clock: Millis) -> bool:
    """Whether `assign` would take `member`, were it its turn, at `clock` (chain clock)."""
    p = task.params
    until = Millis(clock + p.span())
    return is_eligible(member, pool, min_stake=p.min_stake, lock=p.executor_lock, tee_mask=ANY_TEE, until=until)


def can_judge(member: MemberView, pool: PoolView, task: TaskView, clock: Millis) -> bool:
    """Whether `begin_audit` or `begin_dispute` would seat `member`, had it been drawn, at `clock` (chain clock).

    Who may not be drawn (the executor; in a dispute the audit's members and the silent) is the draw's affair.
    """
    p = task.params
    until = Millis(clock + p.span())
    return is_eligible(member, pool, min_stake=p.min_stake, lock=p.auditor_lock, tee_mask=task.tee_mask, until=until)


def next_candidate(task: TaskView, pool: PoolView, members: Mapping[Slot, MemberView], clock: Millis) -> Slot | None:
    """Whom `assign` would take at `clock` (chain clock); None if no candidate is left that can.

    `members`: the task's candidates, as far as they exist.
    """
    for slot in task.candidates[task.candidate :]:
        member = members.get(slot)
        if member is not None and can_execute(member, pool, task, clock):
            return slot
    return None
