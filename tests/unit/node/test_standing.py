"""What a node runner is told about the node, from the chain alone."""

from dataclasses import replace

import pytest
from chain_twin import PARAMS, record
from node_world import POLICY, World

from agent.node.standing import Seen, hindrances, report
from agent.protocol.draw import fenwick
from agent.protocol.records import Attestation, RosterView
from agent.protocol.units import Millis, Mist, NodeId


@pytest.fixture
def seen(world: World) -> Seen:
    """A node that is attested, weighs, and can be drawn."""
    state = world.state
    state.enrol(0, NodeId(b"\xb0" * 32))
    known = record(Attestation, key_epoch=2, policy=POLICY.digest(), not_after=Millis(state.at + 10**9))
    member = replace(state.members[0], attestation=known, key_epoch=2, weight=Mist(1_000))
    roster = record(RosterView, depth=3, period=1, fen=tuple(fenwick([1_000], 3)))
    return Seen(member, state.network, state.pool, roster, state.at, Mist(7))


def test_nothing_hinders_a_node_that_is_drawn(seen: Seen) -> None:
    assert hindrances(seen) == ()
    assert report(seen)["drawn_with_mist"] == 1_000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"jailed_until": Millis(5)}, "unjail"),
        ({"revoked_through": 2}, "request a challenge"),
        ({"leaving_at": Millis(5)}, "leaving"),
        ({"locked": Mist(1_000), "backing": Mist(1_000)}, "deposit"),
        ({"stake": Mist(10)}, "minimum"),
        ({"weight": Mist(0)}, "no weight is queued"),
    ],
)
def test_what_hinders_a_node_is_said_with_what_to_do(seen: Seen, change: dict[str, object], says: str) -> None:
    found = hindrances(replace(seen, member=replace(seen.member, **change)))
    assert any(says in text for text in found), found


def test_a_weight_that_waits_for_the_period_is_said(seen: Seen) -> None:
    waiting = replace(seen, roster=record(RosterView, depth=3, period=1, fen=tuple(fenwick([], 3))))
    assert "end of the period" in hindrances(waiting)[0]


def test_times_are_told_by_the_chains_clock_though_it_stood_still(seen: Seen) -> None:
    member = replace(seen.member, jailed_until=Millis(500), unbonding=Mist(3), unbonding_at=Millis(600), leaving_at=Millis(700))
    network = replace(seen.network, stall_ms=Millis(1_000))
    found = report(replace(seen, member=member, network=network))
    assert found["jailed_until_ms"] == 1_500
    assert found["unbonded_at_ms"] == 1_600
    assert found["withdrawable_at_ms"] == 1_700 + PARAMS.unbonding_ms


def test_the_record_says_until_when_tasks_can_come(seen: Seen) -> None:
    found = report(seen)
    assert found["attested"] is True
    assert found["last_task_by_ms"] == seen.member.attestation.not_after - PARAMS.span()
    ended = replace(seen.network, policies=(replace(seen.network.policies[0], sunset_at=Millis(9)),))
    assert report(replace(seen, network=ended))["policy_ends_ms"] == 9


def test_a_revoked_record_is_none(seen: Seen) -> None:
    found = report(replace(seen, member=replace(seen.member, revoked_through=2)))
    assert (found["attested"], found["tee"], found["attested_until_ms"]) == (False, None, None)
