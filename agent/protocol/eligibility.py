"""Who can serve a task: docs/spec/protocol.md §6.

A client foresees with it whom `assign` will take, a node says with it why it is passed over.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from agent.protocol.records import MemberView, NetworkView, Params, PoolView, TaskView
from agent.protocol.states import RoundKind
from agent.protocol.units import Millis, Slot

ANY_TEE: Final = 2**64 - 1
"""A tee_mask that allows every kind."""


class Obstacle(Enum):
    """Why a member cannot serve; the value says what to do about it."""

    UNATTESTED = "no attestation is recorded, or it was revoked: request a challenge and post evidence"
    ATTESTATION_ENDS = "the attestation ends before the task could: attest anew"
    POLICY_ENDED = "the attestation was made under a policy that is not in force: attest anew"
    TEE_REFUSED = "the Pool or the task does not take this kind of TEE"
    DENIED = "the requester does not want this operator to audit"
    LEAVING = "the node is leaving"
    JAILED = "the node was absent too often: unjail it once its time is over"
    TOO_NEW = "the node joined after the draw"
    STAKE_TOO_SMALL = "the stake is below the Network's minimum: deposit"
    STAKE_LOCKED = "too much of the stake backs other tasks: deposit, or wait for them to settle"
    STAKE_RESERVED = "what is left of the stake is kept for audits: deposit, or wait for executions to settle"


def execution_obstacles(
    member: MemberView, pool: PoolView, network: NetworkView, params: Params, drawn_at: Millis, clock: Millis
) -> tuple[Obstacle, ...]:
    """What keeps `member` from executing a task whose candidates were drawn at `drawn_at`, now, at `clock` (chain clock)."""
    free, unbacked = member.stake - member.locked, member.stake - member.backing
    found = {
        **_obstacles(member, pool, network, params, ANY_TEE, drawn_at, clock),
        Obstacle.STAKE_LOCKED: free < params.executor_lock,
        Obstacle.STAKE_RESERVED: unbacked < params.executor_lock + params.audit_reserve,
    }
    return tuple(obstacle for obstacle, there in found.items() if there)


def audit_obstacles(
    member: MemberView,
    pool: PoolView,
    network: NetworkView,
    task: TaskView,
    drawn_at: Millis,
    clock: Millis,
    kind: RoundKind = RoundKind.AUDIT,
) -> tuple[Obstacle, ...]:
    """What keeps `member` from a seat of a round of `task` that was drawn at `drawn_at`, now, at `clock` (chain clock).

    Who may not be drawn at all, such as the executor, is the draw's affair: `disputes.excluded`.
    """
    lock = task.params.auditor_lock
    found = {
        **_obstacles(member, pool, network, task.params, task.tee_mask, drawn_at, clock),
        Obstacle.DENIED: member.operator in task.input.denied,
        Obstacle.STAKE_LOCKED: member.stake - member.locked < lock,
        Obstacle.STAKE_RESERVED: task.is_voluntary(kind) and member.stake - member.backing < lock + task.params.audit_reserve,
    }
    return tuple(obstacle for obstacle, there in found.items() if there)


def can_execute(member: MemberView, pool: PoolView, network: NetworkView, task: TaskView, clock: Millis) -> bool:
    """Whether `assign` would take `member`, were it its turn, at `clock` (chain clock)."""
    return not execution_obstacles(member, pool, network, task.params, task.opened_at, clock)


def can_judge(
    member: MemberView,
    pool: PoolView,
    network: NetworkView,
    task: TaskView,
    drawn_at: Millis,
    clock: Millis,
    kind: RoundKind = RoundKind.AUDIT,
) -> bool:
    """Whether `begin_audit` or `begin_dispute` would seat `member`, drawn at `drawn_at`, at `clock` (chain clock)."""
    return not audit_obstacles(member, pool, network, task, drawn_at, clock, kind)


def next_candidate(
    task: TaskView, pool: PoolView, network: NetworkView, members: Mapping[Slot, MemberView], clock: Millis
) -> Slot | None:
    """Whom `assign` would take at `clock` (chain clock); None if no candidate is left that can.

    `members`: the task's candidates, as far as they exist.
    """
    for slot in task.candidates[task.candidate :]:
        member = members.get(slot)
        if member is not None and can_execute(member, pool, network, task, clock):
            return slot
    return None


def _obstacles(
    member: MemberView,
    pool: PoolView,
    network: NetworkView,
    params: Params,
    tee_mask: int,
    drawn_at: Millis,
    clock: Millis,
) -> dict[Obstacle, bool]:
    record = member.current()
    policy = record.policy if record else None
    return {
        Obstacle.UNATTESTED: record is None,
        Obstacle.ATTESTATION_ENDS: record is not None and record.not_after < clock + params.span(),
        Obstacle.POLICY_ENDED: policy is not None and not network.is_in_force(policy, network.protocol_time(clock)),
        Obstacle.TEE_REFUSED: record is not None and not (pool.tee_mask & tee_mask) >> record.tee_kind & 1,
        Obstacle.LEAVING: member.leaving_at > 0,
        Obstacle.JAILED: member.jailed_until > 0,
        Obstacle.TOO_NEW: member.joined_at > drawn_at,
        Obstacle.STAKE_TOO_SMALL: member.stake < params.min_stake,
    }
