"""What every kind of transaction costs on the localnet: a scenario that makes each of them once.

    python tests/integration/contracts/gas_scenario.py            rewrites gas.json, which test_gas_snapshot.py keeps current

Computation is the localnet's (docs/localnet.md, "Gas"), in units; storage and its rebate are Sui's, in Mist.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # pytest finds its neighbours by conftest.py
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[3])]

import protocol_world
import test_contract_nitro as nitro
from protocol_world import (
    CLOCK,
    COIN,
    FALSE_ROOT,
    GAS,
    KEY,
    RANDOM,
    SUI,
    TRUE_ROOT,
    Done,
    MoveCall,
    NestedResult,
    Owned,
    Shared,
    SplitCoins,
    label,
    never,
    u64,
    vec,
    vecs,
)
from protocol_world import TransferObjects as Transfer
from test_contract_upgrade import UpgradingWorld

from agent.protocol.draw import ALWAYS
from agent.protocol.statements import FORGED
from agent.protocol.units import TaskId
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.model import Command, Input

SNAPSHOT = Path(__file__).parent / "gas.json"
PRICE = 1_000
HALF = 8_192
Costs = dict[str, dict[str, int]]


class MeteredWorld(UpgradingWorld):
    """Notes the gas of the first transaction of each kind: what it calls, and the `variant` it is."""

    def __init__(self, costs: Costs, *arguments: Any, **changes: Any) -> None:
        self.costs, self.variant = costs, ""
        super().__init__(*arguments, verifiers=3, **changes)

    def transact(self, sender: bytes, inputs: Sequence[Input], commands: Sequence[Command]) -> Done:
        done = super().transact(sender, inputs, commands)
        ours = [f"{each.module}::{each.function}" for each in commands if isinstance(each, MoveCall) and each.package == self.code]
        if ours:
            varies = self.variant and ours != ["network::heartbeat"]
            kind = " + ".join(ours) + (f" ({self.variant})" if varies else "")
            gas = done.executed.effects.gas
            noted = {"computation": gas.computation // PRICE, "storage": int(gas.storage), "rebate": int(gas.rebate)}
            self.costs.setdefault(kind, noted)
        return done

    @contextmanager
    def of(self, variant: str) -> Iterator[None]:
        self.variant = variant
        yield
        self.variant = ""

    # --- shorthand

    def shared(self) -> list[Shared]:
        return [Shared(self.pool, True), Shared(self.network)]

    def administer(self, target: str, *arguments: Any) -> Done:
        return self.call(self.admin, target, Shared(self.network, True), Owned(self.cap), *arguments)

    def revoked(self, slots: Sequence[int]) -> None:
        for slot in set(slots):
            self.revoke(self.nodes[slot])


def network_and_pool(costs: Costs) -> None:
    world = MeteredWorld(costs, nodes=5)
    world.heartbeat()
    for paused in (b"\1", b"\0"):
        world.administer("network::set_paused", paused)
    later = world.now() + world.params.timelock_ms
    world.administer("network::add_policy", vec(b"q" * 32), vecs([b"n" * 48]), u64(later), Shared(CLOCK))
    world.administer("network::sunset_policy", vec(b"q" * 32), u64(later), Shared(CLOCK))
    keys = vecs([key.public_key().public_bytes_raw() for key in world.verifiers])
    propose: Callable[[], Any] = partial(world.administer, "network::propose_committee", keys, u64(2), Shared(CLOCK))
    for step in (propose, partial(propose_params, world), partial(world.administer, "network::cancel_proposals"), propose, partial(propose_params, world)):
        step()
    prices = [u64(each) for each in (9_000_000, 3_000_000, 1_000_000)]
    on_pool = [*world.shared(), Owned(world.cap)]
    world.call(world.admin, "pool::propose_prices", *on_pool, *prices, Shared(CLOCK))
    world.call(world.admin, "pool::propose_withdrawal", *on_pool, u64(0), world.admin, Shared(CLOCK))
    world.pass_time(world.params.timelock_ms)
    for target in ("network::apply_params", "network::apply_committee"):
        world.call(world.admin, target, Shared(world.network, True), Shared(CLOCK))
    for target in ("pool::apply_prices", "pool::apply_withdrawal"):
        world.call(world.admin, target, *world.shared(), Shared(CLOCK))
    world.fund_audits()
    world.roll()
    world.call(world.admin, "pool::quote", Shared(world.pool), Shared(world.network), u64(0))


def propose_params(world: MeteredWorld) -> None:
    kinds = [8] * 10 + [16] + [8] * 22
    pure = [value.to_bytes(size, "little") for value, size in zip(world.params.in_order(), kinds, strict=True)]
    inputs, places = world._inputs([Shared(world.network, True), Owned(world.cap), Shared(CLOCK), *pure])
    network, cap, clock, *fields = places
    world.transact(
        world.admin, inputs,
        [world.move("params::new", fields), world.move("network::propose_params", [network, cap, protocol_world.ResultArgument(0), clock])],
    )  # fmt: skip


def membership(costs: Costs) -> None:
    world = MeteredWorld(costs, nodes=5, jail_strikes=1)
    node = world.nodes[0]
    world.paying(world.admin, "member::deposit", SUI, Shared(world.pool, True), u64(0), COIN)
    owner, queue = Owned(node.owner_cap), Shared(world.queue, True)
    world.call(node.address, "member::unbond", *world.shared(), queue, owner, u64(SUI), Shared(CLOCK))
    world.taking(node, "member::claim_fees", Shared(world.pool, True), owner)
    world.pass_time(world.params.unbonding_ms)
    world.taking(node, "member::withdraw_unbonded", *world.shared(), owner, Shared(CLOCK))
    world.call(node.address, "member::leave", *world.shared(), queue, owner, Shared(CLOCK))
    world.pass_time(world.params.unbonding_ms)
    world.taking(node, "member::withdraw", *world.shared(), owner, Shared(CLOCK))
    world.roll()
    world.call(node.address, "member::retire", *world.shared(), Shared(world.roster), owner)
    late = world.nodes[1]
    world.challenge(late)
    world.call(late.address, "attestation::post_evidence", Shared(world.pool, True), Owned(late.operator_cap), vec(KEY), vec(b"uri"), Shared(CLOCK))
    world.revoke(late, 2)


def jailed(costs: Costs) -> None:
    world = MeteredWorld(costs, jail_strikes=1)
    task, node = world.running()
    with world.of("absent"):
        world.advance(task)
        world.settle(task)
    world.pass_time(world.params.jail_ms)
    world.call(node.address, "member::unjail", *world.shared(), Owned(node.operator_cap), Shared(CLOCK))


def replaced(costs: Costs) -> None:
    world = MeteredWorld(costs, nodes=2, depth=1)
    me = label("newcomer")
    values = [u64(30 * SUI), *world.shared(), Shared(world.roster), Shared(world.queue, True), u64(0), Shared(CLOCK), me]
    inputs, (amount, pool, network, roster, queue, slot, clock, address) = world._inputs(values)
    world.transact(
        me, inputs,
        [
            SplitCoins(GAS, (amount,)),
            world.move("member::replace", [pool, network, roster, queue, slot, NestedResult(0, 0), clock]),
            Transfer((NestedResult(1, 0), NestedResult(1, 1)), address),
        ],
    )  # fmt: skip


def nitro_enclave(costs: Costs) -> None:
    usual = protocol_world.GenesisConfig
    protocol_world.GenesisConfig = partial(GenesisConfig, nitro_root=nitro.AUTHORITY.root)
    try:
        world = MeteredWorld(costs, nodes=0)
    finally:
        protocol_world.GenesisConfig = usual
    node = world.register(0, 20 * SUI, attested=False)
    world.challenge(node)
    nitro.attest(world, node, nitro.document(world, node))


def requests(costs: Costs) -> None:
    world = MeteredWorld(costs)

    def request() -> bytes:
        values = [Shared(world.network), Shared(world.pool), COIN, u64(0), world.requester, bytes(32), u64(100_000), Shared(CLOCK)]
        return world.created(world.paying(world.requester, "request::create", world.quote(), *values), "Request")

    world.call(world.requester, "request::cancel", Shared(request(), True), Shared(world.network), Shared(CLOCK))
    made = Shared(request(), True)
    world.call(world.admin, "task::open_request", made, Shared(world.network), Shared(world.pool), Shared(world.roster), Shared(RANDOM), Shared(CLOCK))


def ended_early(costs: Costs) -> None:
    world = MeteredWorld(costs)
    task = world.open()
    with world.of("expired"):
        world.advance(task)
        world.settle(task)
    task, node = world.running()
    world.refuse_input(task, node)
    task = world.open()
    world.paying(
        world.requester, "task::reject_executor", 1_000_000, Shared(task, True), Shared(world.pool, True), world.candidate(task), COIN,
        Shared(world.network), Shared(CLOCK)
    )
    node = world.post(task)
    world.revoke(node)
    world.call(world.admin, "task::cancel_revoked", Shared(task, True), Shared(world.pool), Shared(world.network), Shared(CLOCK))


def unaudited(costs: Costs) -> None:
    world = MeteredWorld(costs, **never())
    task, node = world.running()
    world.commit(task, node)
    world.call(world.admin, "task::opens", Shared(task), vec(b"a" * 1_000), vec(b"l" * 32), vec(b"s" * 32))
    with world.of("accepted"):
        world.advance(task)
        world.settle(task)
    world.pass_time(world.params.unbonding_ms)
    world.call(world.admin, "task::reap", Shared(task, True), Shared(world.network), Shared(CLOCK))
    task, node = world.running()
    world.commit(task, node)
    world.challenge_task(task)
    delivered(world)


def delivered(world: MeteredWorld) -> None:
    task, node = world.running()
    world.commit(task, node)
    with world.of("a whole chunk of 16 KiB"):
        world.submit(task, head=bytes(HALF), tail=bytes(HALF), last=False)
    world.claim_undelivered(task)
    with world.of("a whole chunk of 16 KiB"):
        world.publish(task, node, head=bytes(HALF), tail=bytes(HALF), last=False)
    world.publish(task, node)
    world.dispute_delivery(task)
    with world.of("of the delivery"):
        world.dispute(task, node, FORGED)
    with world.of("forged"):
        world.settle(task)


def audited(costs: Costs) -> None:
    world = MeteredWorld(costs, audit_probability=ALWAYS)
    task, _ = world.audited()
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    with world.of("upheld"):
        world.advance(task)
        world.settle(task)
    task, node = world.running()
    world.commit(task, node)
    world.revoked(world.task(task).panel)
    with world.of("nobody can serve"):
        world.begin_audit(task)
    world.call(world.requester, "audit::redraw", Shared(task, True), Shared(world.network), Shared(world.roster), Shared(RANDOM), Shared(CLOCK))


def disputed(costs: Costs) -> None:
    world = MeteredWorld(costs, nodes=14, audit_probability=ALWAYS, seed=b"disputed twice")
    task, liar = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    with world.of("five seats"):
        world.dispute(task, liar, TRUE_ROOT)
    with world.of("guilty"):
        world.settle(task)
    ruled(world)


def ruled(world: MeteredWorld) -> None:
    task, _ = world.audited(FALSE_ROOT)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.advance(task)
    world.rule(task, TRUE_ROOT, agrees=False)


def migrated(costs: Costs) -> None:
    world = MeteredWorld(costs)
    task: TaskId = world.open()
    world.upgrade()
    world.migrate(task)


ACTS = (
    network_and_pool, membership, jailed, replaced, nitro_enclave, requests, ended_early, unaudited, audited, disputed, migrated,
)  # fmt: skip


def measured() -> Costs:
    """Costs by kind of transaction, sorted."""
    costs: Costs = {}
    for act in ACTS:
        act(costs)
    return dict(sorted(costs.items()))


def spelled(costs: Costs) -> str:
    """One kind a line."""
    lines = ",\n".join(f"  {json.dumps(kind)}: {json.dumps(cost)}" for kind, cost in costs.items())
    return "{\n" + lines + "\n}\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(spelled(measured()))
