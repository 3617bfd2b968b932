from dataclasses import replace

import pytest
from chain_twin import NETWORK, POOL, operator_cap, record

from agent.node.duties.crank import CRANK
from agent.node.identity import NodeIdentity
from agent.node.journal import DutyKey, DutyRow, Journal, Open, Wake, WakeAll
from agent.node.routing import route
from agent.protocol import events as e
from agent.protocol.units import Address, NodeId, ObjectId, Slot, TaskId

NODE = NodeId(b"\xb0" * 32)
ME = NodeIdentity(NETWORK, POOL, NODE, Slot(4), ObjectId(NODE), operator_cap(NODE))
TASK = TaskId(b"\x01" * 32)
STRANGER = NodeId(b"\x0c" * 32)


@pytest.mark.parametrize(
    "event",
    [
        record(e.Challenged, task=TASK, pool=POOL, panel=(Slot(4),)),
        record(e.Redrawn, task=TASK, pool=POOL, panel=(Slot(4),)),
        record(e.Committed, task=TASK, pool=POOL, audited=True, panel=(Slot(4),)),
        record(e.DisputeDrawn, task=TASK, pool=POOL, slots=(Slot(4),)),
    ],
)
def test_who_is_drawn_watches_the_task(event: e.Event) -> None:
    opened = [effect.row.key for effect in route(event, ME) if isinstance(effect, Open)]
    assert opened == [DutyKey(CRANK, TASK)]
    assert route(replace(event, pool=Address(b"\x77" * 32)), ME) == []


def test_everybodys_tasks_are_watched_for_bounties_and_only_then() -> None:
    event = record(e.TaskOpened, task=TASK, pool=POOL, network=NETWORK)
    assert [type(effect) for effect in route(event, ME, bounties=True)] == [Open]
    assert route(event, ME) == []


@pytest.mark.parametrize("kind", [e.Stalled, e.ParamsChanged, e.CommitteeChanged, e.CommitteeProposed, e.PolicySunset, e.PolicyAdded])
def test_what_changes_time_or_rules_wakes_all(kind: type[e.Event]) -> None:
    event = record(kind, network=NETWORK) if kind is not e.ParamsChanged else e.ParamsChanged(NETWORK, None)
    assert route(event, ME) == [WakeAll()]
    assert route(replace(event, network=Address(b"\x77" * 32)), ME) == []


def test_revoked_keys_concern_every_duty_of_their_node_and_no_other() -> None:
    event = record(e.Revoked, pool=POOL, node=NODE)
    assert route(event, ME) == [WakeAll()]
    assert route(replace(event, node=STRANGER), ME) == []


@pytest.mark.parametrize("kind", [e.Jailed, e.Unjailed, e.Slashed, e.Attested, e.Deposited, e.Replaced, e.Leaving])
def test_what_happens_to_a_node_wakes_its_own_duties(kind: type[e.Event]) -> None:
    event = record(kind, pool=POOL, node=NODE)
    assert route(event, ME) == [Wake(NODE)]
    assert route(replace(event, node=STRANGER), ME) == []


def test_an_event_that_nobody_knows_means_nothing() -> None:
    assert route(e.UnknownEvent("audit", "Novelty", b""), ME) == []


async def test_waking_all_gives_every_open_duty_and_no_closed_one() -> None:
    journal = await Journal.memory()
    rows = [DutyRow(DutyKey("execute", bytes([number]) * 32), "assigned") for number in range(3)]
    await journal.begin(rows, now=1)
    await journal.save(rows[0].close("done"), now=2)
    woken = await journal.take("node", [("tx", 0, [WakeAll()])], b"cursor", now=3)
    assert {row.key for row in woken} == {row.key for row in rows[1:]}
    await journal.close()
