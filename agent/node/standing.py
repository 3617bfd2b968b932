"""What the chain says of one node, in the words of whoever runs it: stake, what it backs, jail, record, earnings, and
what keeps the node from being drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.protocol.draw import weight_of
from agent.protocol.eligibility import execution_obstacles
from agent.protocol.records import MemberView, NetworkView, PoolView, RosterView
from agent.protocol.units import Millis, Mist, format_address

FOREVER: Final = 2**64 - 1
"""`sunset_at` of a policy without an end."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read together."""

    member: MemberView
    network: NetworkView
    pool: PoolView
    roster: RosterView
    clock: Millis
    wallet: Mist
    replaced: bool = False
    """Somebody who staked more has the slot; the record waits to be withdrawn."""


def report(seen: Seen) -> Mapping[str, object]:
    """Names and values, in the order in which they are read. Times are the chain's clock, milliseconds; money is Mist."""
    member, network = seen.member, seen.network
    record = member.current()

    def at(moment: int) -> Millis:
        return Millis(moment + network.stall_ms)

    return {
        "node": format_address(member.node),
        "slot": member.slot,
        "wallet_mist": seen.wallet,
        "stake_mist": member.stake,
        "locked_mist": member.locked,
        "backing_executions_mist": member.backing,
        "unbonding_mist": member.unbonding,
        "unbonded_at_ms": at(member.unbonding_at) if member.unbonding else None,
        "weight_mist": member.weight,
        "drawn_with_mist": 0 if seen.replaced else weight_of(seen.roster.fen, member.slot),
        "fees_mist": member.fees,
        "fees_owed_mist": member.fees_owed,
        "strikes": member.strikes,
        "strikes_to_jail": max(0, network.params.jail_strikes - member.strikes),
        "jailed_until_ms": at(member.jailed_until) if member.jailed_until else None,
        "leaving": bool(member.leaving_at),
        "withdrawable_at_ms": at(member.leaving_at + network.params.unbonding_ms) if member.leaving_at else None,
        "key_epoch": member.key_epoch,
        "attested": record is not None,
        "tee": record.tee_kind.name if record else None,
        "attested_until_ms": record.not_after if record else None,
        "last_task_by_ms": Millis(record.not_after - network.params.span()) if record else None,
        "policy_ends_ms": _sunset(network, record.policy) if record else None,
        "paused": network.paused,
        "hindrances": hindrances(seen),
    }


def hindrances(seen: Seen) -> tuple[str, ...]:
    """Why the node would be passed over if it were drawn now, and what to do about each; empty: nothing."""
    if seen.replaced:
        return ("somebody who staked more took the slot: `enclavia node withdraw` once unbonded, then register anew",)
    member, network = seen.member, seen.network
    now = network.protocol_time(seen.clock)
    found = execution_obstacles(member, seen.pool, network, network.params, now, seen.clock)
    texts = [each.value for each in found]
    if not member.weight and not texts:
        texts.append("no weight is queued: keep the node running, it does so by itself")
    elif member.weight and not weight_of(seen.roster.fen, member.slot):
        texts.append("the Roster takes the weight at the end of the period: wait")
    return tuple(dict.fromkeys(texts))


def _sunset(network: NetworkView, policy: bytes) -> Millis | None:
    for entry in network.policies:
        if entry.digest == policy and entry.sunset_at != FOREVER:
            return Millis(entry.sunset_at + network.stall_ms)
    return None
