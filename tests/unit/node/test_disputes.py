"""What drawn members do when it comes to a dispute: of the computation, with the executor gone; of the delivery, with the
requester's key; and when the sealed input is nowhere to be had.
"""

from dataclasses import replace

from chain_twin import NETWORK
from node_world import NodeHarness, World
from test_audit_duty import audited, decided, disagree_in_the_audit, nodes

from agent.chain import calls as c
from agent.enclave.handoff import wrap_output_key
from agent.node.duties.arbitration import handed_before, posted
from agent.node.duties.audit import AUDIT
from agent.protocol.events import Disputed, Event, OutputPublished, RoundBegun
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.statements import FORGED, NO_INPUT
from agent.protocol.states import RoundKind
from agent.protocol.units import NONE, Mist, Slot, TaskId


async def disputed_without_executor(world: World) -> tuple[list[NodeHarness], TaskId]:
    """An audit in which one of two auditors lied; the executor's enclave is gone before the dispute."""
    members = await nodes(world, 5)
    world.state.dispute = (Slot(3), Slot(4), Slot(4))
    task = await audited(world, (2, 1))
    disagree_in_the_audit(world)

    def vanish(event: Event) -> None:
        if isinstance(event, Disputed):
            members[0].enclaves._directory = world.folder / "gone"
            members[0].enclaves._running.clear()

    world.state.watchers.append(vanish)
    return members, task


async def test_an_auditor_hands_off_after_half_the_window_where_the_executor_does_not(world: World) -> None:
    _, task = await disputed_without_executor(world)
    handed: list[int] = []
    world.state.watchers.append(lambda event: handed.append(world.state.now) if type(event).__name__ == "HandedOff" else None)
    begun: list[int] = []
    world.state.watchers.append(lambda event: begun.append(world.state.now) if type(event).__name__ == "TicketIssued" else None)
    await world.run_until(lambda: decided(world, task))
    stand_in = [call for call in world.state.done if isinstance(call, c.Handoff)][1]
    assert stand_in.by in (0, 1)
    window = world.state.params.handoff_ms
    assert window // 2 <= handed[1] - begun[1] < window * 3 // 4
    view = world.state.tasks[task]
    assert (view.outcome, view.rounds[1].handed_by) == (Outcome.UPHELD, view.rounds[0].seats[stand_in.by].slot)


async def test_an_executor_that_is_there_hands_off_itself(world: World) -> None:
    await nodes(world, 5)
    world.state.dispute = (Slot(3), Slot(4), Slot(4))
    task = await audited(world, (2, 1))
    disagree_in_the_audit(world)
    await world.run_until(lambda: decided(world, task))
    assert [call.by for call in world.state.done if isinstance(call, c.Handoff)] == [NONE, NONE]
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_who_hands_off_keeps_the_input_readable(world: World) -> None:
    await nodes(world, 2)
    task = await audited(world)
    digest = world.state.tasks[task].input_digest

    def take_away(event: Event) -> None:
        if isinstance(event, RoundBegun):
            world.blobs.content.pop(digest, None)

    world.state.watchers.append(take_away)
    await world.run_until(lambda: decided(world, task))
    assert world.state.tasks[task].rounds[0].uri == b"http://blobs"
    assert world.state.tasks[task].outcome is Outcome.UPHELD


async def test_an_input_that_is_nowhere_is_voted_so_late_in_the_window(world: World) -> None:
    _, auditor = await nodes(world, 2)
    task = await audited(world)
    voted: list[int] = []

    def take_away(event: Event) -> None:
        if type(event).__name__ == "HandedOff":
            world.blobs.content.pop(world.state.tasks[task].input_digest, None)
        if type(event).__name__ == "AuditCommitted":
            voted.append(world.state.tasks[task].deadline - world.state.now)

    world.state.watchers.append(take_away)
    await world.run_until(lambda: len(voted) == 1 and decided(world, task))
    assert world.state.tasks[task].rounds[0].seats[0].root == NO_INPUT
    assert 0 < voted[0] <= world.state.params.audit_ms // 4
    assert await auditor.row(AUDIT, task, 1) is not None


async def delivery_disputed(world: World, spoil: bool = False) -> TaskId:
    """A task whose requester has the output published and disputes it, and gives the arbiters its key."""
    await nodes(world, 4)
    world.state.dispute = (Slot(1), Slot(2), Slot(3))
    task = await world.post(0)
    secrets = world.secrets[task]

    def requester(event: Event) -> None:
        later = world.clock.call_later
        if type(event).__name__ == "Committed":
            later(1, lambda: world.state.apply(c.ClaimUndelivered(task, Mist(10))))
        if isinstance(event, OutputPublished):
            if spoil:
                view = world.state.tasks[task]
                world.change(task, output=replace(view.output, commitment=bytes([1]) * 32))
            later(1, lambda: world.state.apply(c.DisputeDelivery(task, Mist(10))))
        if isinstance(event, RoundBegun) and event.round is RoundKind.DELIVERY:
            seats = world.state.tasks[task].rounds[-1].seats
            wraps = tuple(wrap_output_key(secrets.output_sk, NETWORK, task, seat) for seat in seats)
            later(1, lambda: world.state.apply(c.PostOutputKey(task, wraps)))

    world.state.watchers.append(requester)
    return task


async def test_arbiters_find_that_what_was_published_was_committed_to(world: World) -> None:
    task = await delivery_disputed(world)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    view = world.state.tasks[task]
    assert [seat.mark for seat in view.rounds[0].seats] == [Mark.AGREES] * 3
    assert view.outcome is Outcome.ACCEPTED
    assert "IssueTicket" not in world.calls()


async def test_arbiters_find_a_forged_delivery(world: World) -> None:
    task = await delivery_disputed(world, spoil=True)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    view = world.state.tasks[task]
    assert {seat.root for seat in view.rounds[0].seats} == {FORGED}
    assert view.outcome is Outcome.FORGED


async def test_arbiters_read_what_no_store_has_from_the_chain(world: World) -> None:
    task = await delivery_disputed(world)
    world.state.watchers.append(lambda event: world.blobs.content.clear() if isinstance(event, OutputPublished) else None)
    await world.run_until(lambda: world.state.tasks[task].state is TaskState.SETTLED)
    assert world.state.tasks[task].outcome is Outcome.ACCEPTED


async def test_what_the_executor_handed_off_before_is_told_and_nothing_else(world: World) -> None:
    await nodes(world, 5)
    world.state.dispute = (Slot(3), Slot(4), Slot(4))
    task = await audited(world, (2, 1))
    disagree_in_the_audit(world)
    await world.run_until(lambda: decided(world, task))
    view = world.state.tasks[task]
    assert handed_before(view) == posted(view.rounds[0])
    by_auditor = replace(view, rounds=(replace(view.rounds[0], handed_by=Slot(2)), view.rounds[1]))
    assert handed_before(by_auditor) == ()
