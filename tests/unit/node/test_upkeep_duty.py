"""What the administrator proposed takes effect although the administrator is asleep."""

from dataclasses import replace

import pytest
from chain_twin import NETWORK, PARAMS, POOL
from node_world import World, committee

from agent.node.duties.upkeep import due, start
from agent.protocol.events import CommitteeProposed, ParamsProposed, PricesProposed
from agent.protocol.records import Pending, Prices
from agent.protocol.units import Millis, Mist, NodeId


async def three_nodes(world: World) -> None:
    await world.verifier()
    for slot in range(3):
        await world.node(slot, attested=False, own=True)


async def test_parameters_are_put_in_force_once_when_they_are_due(world: World) -> None:
    await three_nodes(world)
    changed, at = replace(PARAMS, bounty=Mist(1)), Millis(world.state.now + 200_000)
    world.state.next_params = Pending((changed,), at)
    world.state.emit(ParamsProposed(NETWORK, at), "proposed")
    await world.run_until(lambda: world.state.params.bounty == 1)
    assert world.state.now >= at
    assert world.calls().count("ApplyParams") == 1


async def test_a_committee_is_put_in_office(world: World) -> None:
    await three_nodes(world)
    at = Millis(world.state.now + 200_000)
    world.state.next_committee = Pending((committee(1, 2, epoch=2),), at)
    world.state.emit(CommitteeProposed(NETWORK, at), "proposed")
    await world.run_until(lambda: world.state.committee.epoch == 2)
    assert world.calls().count("ApplyCommittee") == 1


async def test_prices_are_put_in_force(world: World) -> None:
    await three_nodes(world)
    prices, at = Prices(Mist(7), Mist(1), Mist(1)), Millis(world.state.now + 200_000)
    world.state.next_prices = Pending((prices,), at)
    world.state.emit(PricesProposed(POOL, Mist(7), Mist(1), Mist(1), at), "proposed")
    await world.run_until(lambda: "ApplyPrices" in world.calls())
    assert world.state.now >= at


def test_of_several_proposals_the_first_due_goes_first(world: World) -> None:
    network = replace(world.state.network, next_params=Pending((PARAMS,), Millis(20)), next_committee=Pending((committee(1, 1),), Millis(10)))
    found = due(network, world.state.pool)
    assert found is not None
    assert found.at == 10


@pytest.mark.parametrize("stall", [0, 5_000])
def test_nodes_try_one_after_the_other(world: World, stall: int) -> None:
    world.state.stall_ms = stall
    network = replace(world.state.network, next_params=Pending((PARAMS,), Millis(1_000)))
    proposal = due(network, world.state.pool)
    assert proposal is not None
    starts = {start(proposal, network, NodeId(bytes([number]) * 32)) for number in range(20)}
    assert len(starts) > 15
    assert min(starts) >= 1_000 + stall
