"""Upgrading the contracts with everything under way: each version refuses the other's objects, and nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from protocol_world import (
    CLOCK,
    COIN,
    ROOT,
    TRUE_ROOT,
    Aborted,
    MoveCall,
    Owned,
    Publish,
    PureInput,
    ResultArgument,
    Shared,
    TransferObjects,
    World,
    u64,
    vec,
)
from protocol_world import InputArgument as Arg

from agent.protocol.draw import ALWAYS
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.units import TaskId
from localnet.ledger.model import Upgrade
from localnet.ledger.names import SUI_PACKAGE
from localnet.toolchain.compiling import compile_package
from localnet.toolchain.package import read_package
from localnet.toolchain.publication import Publication

pytestmark = pytest.mark.node

ADDED = "\n/// Only the second version has it.\npublic fun is_second(): bool { true }\n"
WRONG_VERSION = {"network": 5, "roster": 3, "pool": 10, "task": 16}


@cache
def compiled(version: int) -> Publication:
    """The contracts as they are, or as their next version would be."""
    package = read_package(ROOT / "contracts" / "sui")
    if version == 1:
        return compile_package(package).publication()
    path = "sources/network.move"
    assert "const VERSION: u64 = 1;" in package.sources[path]
    text = package.sources[path].replace("const VERSION: u64 = 1;", "const VERSION: u64 = 2;") + ADDED
    return compile_package(replace(package, sources={**package.sources, path: text})).publication()


class UpgradingWorld(World):
    """Calls go to `code`; types and events keep the first version's address, `package`."""

    code: bytes = b""

    def _publish(self) -> bytes:
        first = compiled(1)
        commands = [Publish(first.modules, first.dependencies), TransferObjects((ResultArgument(0),), Arg(0))]
        done = self.transact(self.admin, [PureInput(self.admin)], commands)
        self.upgrade_cap = self.created(done, "UpgradeCap")
        self.first = self.code = next(c.id for c in done.executed.effects.created() if c.package)
        return self.code

    def move(self, target: str, arguments: Any) -> MoveCall:
        return replace(super().move(target, arguments), package=self.code)

    def upgrade(self) -> None:
        """As `sui client upgrade` does; calls go to the second version from now on."""
        second = compiled(2)
        inputs, (cap, policy, digest) = self._inputs([Owned(self.upgrade_cap), b"\0", vec(second.digest)])
        done = self.transact(
            self.admin, inputs,
            [
                MoveCall(SUI_PACKAGE, "package", "authorize_upgrade", (), (cap, policy, digest)),
                Upgrade(second.modules, second.dependencies, self.first, ResultArgument(0)),
                MoveCall(SUI_PACKAGE, "package", "commit_upgrade", (), (cap, ResultArgument(1))),
            ],
        )  # fmt: skip
        self.code = self.second = next(c.id for c in done.executed.effects.created() if c.package)

    @contextmanager
    def calling(self, code: bytes) -> Iterator[None]:
        before, self.code = self.code, code
        try:
            yield
        finally:
            self.code = before

    # --- migration

    def migrate_network(self) -> None:
        self.call(self.admin, "network::migrate", Shared(self.network, True), Owned(self.cap))

    def migrate_pool(self) -> None:
        self.call(self.requester, "pool::migrate", Shared(self.pool, True), Shared(self.network))

    def migrate_roster(self) -> None:
        self.call(self.requester, "roster::migrate", Shared(self.roster, True), Shared(self.queue, True), Shared(self.network))

    def migrate_task(self, task: TaskId) -> None:
        self.call(self.requester, "task::migrate", Shared(task, True), Shared(self.network))

    def migrate(self, *tasks: TaskId) -> None:
        for step in (self.migrate_network, self.migrate_pool, self.migrate_roster):
            step()
        for task in tasks:
            self.migrate_task(task)

    def create_network(self) -> bytes:
        """Another Network; the id of its AdminCap."""
        network, cap, others = self.network, self.cap, (self.pool, self.roster, self.queue)
        self._create(simulated=True, depth=2)
        made, self.network, self.cap = self.cap, network, cap
        self.pool, self.roster, self.queue = others
        return made

    def fund_audits(self) -> None:
        self.paying(self.requester, "pool::fund_audits", 1_000, Shared(self.pool, True), COIN)


@pytest.fixture
def world() -> UpgradingWorld:
    return UpgradingWorld(audit_probability=ALWAYS)


@contextmanager
def refused_version(module: str) -> Iterator[None]:
    with pytest.raises(Aborted) as info:
        yield
    assert (info.value.module, info.value.code) == (module, WRONG_VERSION[module]), info.value


def versions(world: UpgradingWorld, task: TaskId) -> set[int]:
    """The `version` field follows the id in every shared object."""
    shared = [world.network, world.pool, world.roster, world.queue, task]
    return {int.from_bytes(world.ledger.object(each).contents[32:40], "little") for each in shared}


def test_second_version_has_what_the_first_lacks(world: UpgradingWorld) -> None:
    world.upgrade()
    world.call(world.requester, "network::is_second")
    with world.calling(world.first), pytest.raises(Exception, match="is_second"):
        world.call(world.requester, "network::is_second")


def test_second_version_refuses_objects_that_were_not_migrated(world: UpgradingWorld) -> None:
    task, node = world.running()
    world.upgrade()
    with refused_version("network"):
        world.heartbeat()
    with refused_version("pool"):
        world.fund_audits()
    with refused_version("pool"):
        world.update_weight(node)
    with refused_version("task"):
        world.commit(task, node)
    with refused_version("pool"):
        world.open()


def test_first_version_goes_on_until_the_network_is_migrated(world: UpgradingWorld) -> None:
    task, node = world.running()
    world.upgrade()
    with world.calling(world.first):
        world.heartbeat()
        world.fund_audits()
        world.commit(task, node)
        world.begin_audit(task)
    assert world.task(task).state is TaskState.TICKET


def test_nothing_is_migrated_before_the_network(world: UpgradingWorld) -> None:
    task, _ = world.running()
    world.upgrade()
    for step in (world.migrate_pool, world.migrate_roster, lambda: world.migrate_task(task)):
        with refused_version("network"):
            step()


def test_only_the_administrator_migrates_the_network(world: UpgradingWorld) -> None:
    made = world.create_network()
    world.upgrade()
    with pytest.raises(Aborted) as info:
        world.call(world.admin, "network::migrate", Shared(world.network, True), Owned(made))
    assert (info.value.module, info.value.code) == ("network", 1)


def test_first_version_refuses_what_was_migrated(world: UpgradingWorld) -> None:
    task, node = world.running()
    world.upgrade()
    world.migrate(task)
    assert versions(world, task) == {2}
    with world.calling(world.first):
        with refused_version("network"):
            world.heartbeat()
        with refused_version("pool"):
            world.fund_audits()
        with refused_version("task"):
            world.commit(task, node)
        with refused_version("pool"):
            world.open()


def test_task_that_was_left_behind_waits_for_its_migration(world: UpgradingWorld) -> None:
    task, node = world.running()
    world.upgrade()
    world.migrate()
    for code, module in ((world.second, "task"), (world.first, "network")):
        with world.calling(code), refused_version(module):
            world.commit(task, node)
    world.migrate_task(task)
    world.commit(task, node)
    assert world.task(task).state is TaskState.COMMITTED


def test_pool_and_roster_that_were_left_behind_wait_for_their_migration(world: UpgradingWorld) -> None:
    world.upgrade()
    world.migrate_network()
    with refused_version("pool"):
        world.fund_audits()
    with refused_version("roster"):
        world.roll()
    world.migrate_pool()
    with refused_version("roster"):
        world.open()
    world.migrate_roster()
    world.open()
    world.roll()
    assert world.roster_view().period == 2


def test_objects_are_migrated_once_and_never_down(world: UpgradingWorld) -> None:
    task, _ = world.running()
    world.upgrade()
    world.migrate(task)
    steps = {"network": world.migrate_network, "pool": world.migrate_pool, "roster": world.migrate_roster, "task": lambda: world.migrate_task(task)}
    for module, step in steps.items():
        with refused_version(module):
            step()
        with world.calling(world.first), refused_version("network"):
            step()
    assert versions(world, task) == {2}


def test_task_under_way_runs_to_its_end_under_the_second_version(world: UpgradingWorld) -> None:
    task, node = world.running()
    before, stakes = world.task(task), world.stake_of_all()
    world.upgrade()
    world.migrate(task)
    after = world.task(task)
    assert replace(after, version=before.version) == before
    world.commit(task, node)
    world.begin_audit(task)
    world.issue_ticket(task)
    world.handoff(task, node)
    world.vote(task, [TRUE_ROOT, TRUE_ROOT])
    world.advance(task)
    world.settle(task)
    assert (world.task(task).outcome, world.task(task).state) == (Outcome.UPHELD, TaskState.SETTLED)
    assert world.member(node.slot).fees == before.price + before.reservation_fee
    assert world.stake_of_all() == stakes
    assert all(world.member(each.slot).locked == 0 for each in world.nodes)
    assert world.ledger.supply().is_conserved


def test_new_tasks_open_under_the_second_version(world: UpgradingWorld) -> None:
    world.upgrade()
    world.migrate()
    task, node = world.running()
    world.commit(task, node)
    assert versions(world, task) == {2}


def test_requests_of_the_first_version_become_tasks_of_the_second(world: UpgradingWorld) -> None:
    done = world.paying(
        world.requester, "request::create", world.quote(), Shared(world.network), Shared(world.pool), COIN, u64(0), world.requester, bytes(32), u64(100_000),
        Shared(CLOCK),
    )  # fmt: skip
    request = world.created(done, "Request")
    world.upgrade()
    world.migrate()
    opened = world.call(
        world.admin, "task::open_request", Shared(request, True), Shared(world.network), Shared(world.pool), Shared(world.roster),
        Shared((8).to_bytes(32, "big")), Shared(CLOCK),
    )  # fmt: skip
    assert versions(world, TaskId(world.created(opened, "Task"))) == {2}


def test_caps_of_the_first_version_work_in_the_second(world: UpgradingWorld) -> None:
    node = world.nodes[0]
    world.upgrade()
    world.migrate()
    world.challenge(node)
    world.attest(node)
    assert world.member(node.slot).key_epoch == 2
    owned = [Shared(world.pool, True), Shared(world.network)]
    world.call(node.address, "member::leave", *owned, Shared(world.queue, True), Owned(node.owner_cap), Shared(CLOCK))
    world.pass_time(world.params.unbonding_ms)
    world.taking(node, "member::withdraw", *owned, Owned(node.owner_cap), Shared(CLOCK))
    assert world.member(node.slot).stake == 0
    world.call(world.admin, "network::set_paused", Shared(world.network, True), Owned(world.cap), b"\1")
    assert world.network_view().paused
