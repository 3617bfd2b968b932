"""Who can serve a task: docs/spec/protocol.md §6. A client uses it to foresee whom `assign` will take."""

from collections.abc import Mapping

from agent.protocol.records import MemberView, PoolView, TaskView
from agent.protocol.units import Millis, Mist, Slot

ANY_TEE = 2**64 - 1
"""A tee_mask that allows every kind."""


def is_eligible(
    member: MemberView, pool: PoolView, *, min_stake: Mist, lock: Mist, tee_mask: int, until: Millis
) -> bool:
    """Whether `member` could back `lock` more stake with a TEE of `tee_mask` until `until` (chain clock)."""
    record = member.attestation
    return (
        record.key_epoch > 0
        and record.not_after >= until
        and bool((pool.tee_mask & tee_mask) >> record.tee_kind & 1)
        and member.leaving_at == 0
        and member.stake >= min_stake
        and member.stake - member.locked >= lock
    )


def next_candidate(task: TaskView, pool: PoolView, members: Mapping[Slot, MemberView], clock: Millis) -> Slot | None:
    """Whom `assign` would take now; None if no candidate is left that can. `members` of the task's candidates, as far as they exist."""
    until = Millis(clock + task.params.span())
    for slot in task.candidates[task.candidate :]:
        member = members.get(slot)
        if member is not None and is_eligible(
            member, pool, min_stake=task.params.min_stake, lock=task.params.executor_lock, tee_mask=ANY_TEE, until=until
        ):
            return slot
    return None
