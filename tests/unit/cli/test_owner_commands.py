"""Commands of node runners, administrators and committee members, over a chain in memory: what they send, say, and exit with."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import PARAMS, record
from typer.testing import CliRunner

from agent.attestation.policy import Layer, Policy
from agent.attestation.policy_document import dump_policy
from agent.chain import calls as c
from agent.chain.deployment import Deployment
from agent.chain.memory import MemoryChain, memory_deployment
from agent.chain.port import Created, Receipt
from agent.chain.transaction_log import TxDigest
from agent.cli import connect, owner
from agent.cli.failures import texts
from agent.cli.main import app
from agent.node.errors import IdentityError, JournalInUse, NodeError, OwnerRefused
from agent.node.identity import NodeIdentity
from agent.node.verifier.orders import Orders
from agent.protocol.draw import fenwick
from agent.protocol.events import NodeRegistered
from agent.protocol.records import Attestation, Committee, Delivery, MemberView, NetworkView, PolicyEntry, PoolView, RosterView, Round, Seat, TaskView
from agent.protocol.statements import FORGED
from agent.protocol.states import Mark, RoundKind, TaskState
from agent.protocol.units import Address, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

NODE, CAP = NodeId(b"\xb0" * 32), ObjectId(b"\x4f" * 32)
FOREVER = Millis(2**64 - 1)
ADMIN = ObjectId(b"\x0a" * 32)
NODE_TOML = """
[chain]
endpoint = "http://127.0.0.1:1"
[blobs]
url = "http://127.0.0.1:2"
[stake]
pool = "0x3"
amount = "1000 Mist"
[enclave]
workload = "sha256-stream"
"""
VERIFIER_TOML = '[chain]\nendpoint = "http://127.0.0.1:1"\n[evidence]\narchive = "file:///nowhere"\n'


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> MemoryChain:
    deployment = replace(memory_deployment(), admin_cap=ADMIN)
    chain = MemoryChain(deployment, Address(b"\x0f" * 32))
    policies = (PolicyEntry(Digest(b"\x05" * 32), Millis(0), FOREVER, ()),)
    chain.views.network = record(
        NetworkView, id=deployment.network.id, params=PARAMS, policies=policies, committee=Committee(1, (b"\x01" * 32,), 1)
    )
    chain.views.pool = record(PoolView, id=deployment.pool.id, slots=8, tee_mask=1)
    chain.views.roster = record(RosterView, depth=3, period=1, fen=tuple(fenwick([0, 0, 0, 1_000], 3)))
    known = record(Attestation, key_epoch=1, policy=Digest(b"\x05" * 32), not_after=Millis(10**12))
    chain.views.members[Slot(3)] = record(
        MemberView, node=NODE, slot=Slot(3), operator=chain.address, stake=Mist(1_000), weight=Mist(1_000), key_epoch=1, attestation=known
    )

    @asynccontextmanager
    async def opened(*_: Any) -> AsyncIterator[MemoryChain]:
        yield chain

    monkeypatch.setattr(connect, "open_endpoint", opened)
    monkeypatch.setattr(connect, "open_chain", opened)
    monkeypatch.setattr(owner, "open_chain", opened)
    return chain


@pytest.fixture
def node(tmp_path: Path, chain: MemoryChain) -> Path:
    """The directory of a registered node."""
    folder = tmp_path / "node"
    assert run("node", "init", "-c", folder).exit_code == 0
    (folder / "node.toml").write_text(NODE_TOML)
    chain.deployment.save(folder / "deployment.json")
    network, pool = (Address(each.id) for each in (chain.deployment.network, chain.deployment.pool))
    NodeIdentity.of(network, pool, Slot(3), NODE, CAP).save(folder)
    return folder


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def said(*arguments: object) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        (["deposit", "5 Mist"], [c.Deposit(Slot(3), Mist(5)), c.UpdateWeight(Slot(3))]),
        (["unbond", "900 Mist"], [c.Unbond(ObjectId(NODE), Mist(900))]),
        (["leave"], [c.Leave(ObjectId(NODE))]),
        (["claim-fees"], [c.ClaimFees(ObjectId(NODE))]),
        (["retire"], [c.Retire(ObjectId(NODE))]),
    ],
)
def test_a_stake_command_sends_its_call_and_says_what_comes_next(
    node: Path, chain: MemoryChain, command: list[str], calls: list[c.Call]
) -> None:
    found = said("node", *command, "-c", node)
    assert chain.calls == calls
    assert found["done"] == command[0]
    assert found["digest"]
    assert found["next"]


@pytest.mark.parametrize(
    ("change", "command", "says"),
    [
        ({"unbonding": Mist(5)}, ["unbond", "1 Mist"], "withdraw-unbonded"),
        ({}, ["withdraw-unbonded"], "comes first"),
        ({}, ["withdraw"], "enclavia node leave"),
        ({}, ["unjail"], "not in jail"),
        ({"jailed_until": Millis(10**9)}, ["unjail"], "free in"),
    ],
)
def test_what_cannot_be_had_now_is_refused_with_the_next_step(
    node: Path, chain: MemoryChain, change: dict[str, Any], command: list[str], says: str
) -> None:
    chain.views.members[Slot(3)] = replace(chain.views.members[Slot(3)], **change)
    done = run("node", *command, "-c", node)
    assert isinstance(done.exception, OwnerRefused)
    assert says in str(done.exception)
    assert chain.calls == []


@pytest.mark.parametrize("amount", ["10", "-1 SUI", "0.0000000001 SUI", "much"])
def test_an_amount_without_a_unit_is_wrong_usage(node: Path, chain: MemoryChain, amount: str) -> None:
    assert run("node", "deposit", "-c", node, "--", amount).exit_code == 2
    assert chain.calls == []


def test_the_owner_of_a_running_node_is_told_to_stop_it(node: Path, chain: MemoryChain) -> None:
    import fcntl

    with (node / "journal.db.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run("node", "leave", "-c", node)
        assert isinstance(done.exception, JournalInUse)
        assert chain.calls == []
        # looking does not disturb it, and a wallet of the owner's own is nobody's rival
        assert run("node", "status", "-c", node).exit_code == 0
        assert run("node", "leave", "-c", node, "--wallet", node / "wallet.json").exit_code == 0


def test_status_says_all_that_a_runner_must_know(node: Path, chain: MemoryChain) -> None:
    found = said("node", "status", "-c", node)
    assert found["hindrances"] == []
    assert found["next_duty"] is None
    wanted = {
        "stake_mist", "locked_mist", "unbonding_mist", "fees_mist", "fees_owed_mist", "strikes", "strikes_to_jail", "jailed_until_ms",
        "attested_until_ms", "last_task_by_ms", "policy_ends_ms", "weight_mist", "drawn_with_mist", "wallet_mist", "leaving",
    }  # fmt: skip
    assert wanted <= found.keys()


def test_status_of_a_node_that_would_not_be_drawn_exits_with_1(node: Path, chain: MemoryChain) -> None:
    chain.views.members[Slot(3)] = replace(chain.views.members[Slot(3)], jailed_until=Millis(5))
    done = run("node", "status", "-c", node, "--json")
    assert done.exit_code == 1
    assert "unjail" in json.loads(done.stdout)["hindrances"][0]


def test_status_of_a_replaced_node_says_how_the_stake_comes_back(node: Path, chain: MemoryChain) -> None:
    chain.views.departed[NODE] = chain.views.members.pop(Slot(3))
    done = run("node", "status", "-c", node, "--json")
    assert done.exit_code == 1
    assert "enclavia node withdraw" in json.loads(done.stdout)["hindrances"][0]
    chain.views.departed.clear()
    assert isinstance(run("node", "status", "-c", node).exception, IdentityError)


def test_registering_says_which_node_it_became(node: Path, chain: MemoryChain) -> None:
    (node / "identity.json").unlink()
    chain.views.members.clear()

    def registered(calls: tuple[c.Call, ...]) -> Receipt:
        event = record(NodeRegistered, node=NODE, slot=Slot(3))
        return Receipt(TxDigest("tx"), None, (event,), (Created(CAP, "member::NodeOperatorCap", None, 1),), Mist(1))

    chain.on_submit = registered
    assert said("node", "register", "-c", node)["slot"] == 3
    assert chain.calls == [c.RegisterNode(Mist(1_000))]


def test_tasks_of_a_node_that_never_ran_are_none(node: Path, chain: MemoryChain) -> None:
    assert said("node", "tasks", "-c", node) == {"duties": []}


@pytest.fixture
def admin(tmp_path: Path, chain: MemoryChain) -> list[object]:
    """The options of an administrator."""
    from agent.chain.sui.keys import Wallet

    Wallet.generate().save(tmp_path / "admin.json")
    chain.deployment.save(tmp_path / "deployment.json")
    assert Deployment.load(tmp_path / "deployment.json").admin_cap == ADMIN
    return ["admin", "--deployment", tmp_path / "deployment.json", "--wallet", tmp_path / "admin.json"]


@pytest.mark.parametrize(
    ("command", "call"),
    [
        (["pause"], c.SetPaused(ADMIN, paused=True)),
        (["resume"], c.SetPaused(ADMIN, paused=False)),
        (["propose-params", "bounty=7", "grace_ms=9"], c.ProposeParams(ADMIN, replace(PARAMS, bounty=Mist(7), grace_ms=Millis(9)))),
        (["propose-committee", "11" * 32, "22" * 32, "--threshold", "2"], c.ProposeCommittee(ADMIN, (b"\x11" * 32, b"\x22" * 32), 2)),
        (["cancel-proposals"], c.CancelProposals(ADMIN)),
        (["sunset-policy", "05" * 32, "--at", "99"], c.SunsetPolicy(ADMIN, Digest(b"\x05" * 32), Millis(99))),
        (
            ["propose-prices", "--price", "3 Mist", "--auditor-fee", "2 Mist", "--reservation-fee", "1 Mist"],
            c.ProposePrices(ADMIN, Mist(3), Mist(2), Mist(1)),
        ),
        (["propose-withdrawal", "5 Mist", "0x" + "33" * 32], c.ProposeWithdrawal(ADMIN, Mist(5), Address(b"\x33" * 32))),
        (["apply", "params"], c.ApplyParams()),
        (["apply", "committee"], c.ApplyCommittee()),
        (["apply", "prices"], c.ApplyPrices()),
        (["apply", "withdrawal"], c.ApplyWithdrawal()),
        (["fund-audits", "8 Mist"], c.FundAudits(Mist(8))),
        (["launch"], c.LaunchRoster(ADMIN)),
    ],
)
def test_an_administrators_command_is_one_call(admin: list[object], chain: MemoryChain, command: list[str], call: c.Call) -> None:
    assert said(*admin, *command)["done"]
    assert chain.calls == [call]


def test_migrating_raises_everything(admin: list[object], chain: MemoryChain) -> None:
    said(*admin, "migrate")
    assert chain.calls == [c.MigrateNetwork(ADMIN), c.MigratePool(), c.MigrateRoster()]


def test_a_policy_is_added_by_its_document_no_sooner_than_the_timelock_allows(
    admin: list[object], chain: MemoryChain, tmp_path: Path
) -> None:
    policy = Policy(version=3, max_age=Millis(1_000), allow_simulated=False, vendor=Layer())
    (tmp_path / "policy.json").write_bytes(dump_policy(policy))
    said(*admin, "add-policy", tmp_path / "policy.json")
    (call,) = chain.calls
    assert isinstance(call, c.AddPolicy)
    assert call.digest == policy.digest()
    assert call.activates_at >= chain.clock + PARAMS.timelock_ms


@pytest.mark.parametrize(
    "command",
    [
        ["propose-params", "bounties=7"],
        ["propose-params", "bounty=-7"],
        ["propose-committee", "11" * 31, "--threshold", "1"],
        ["propose-committee", "11" * 32, "--threshold", "2"],
        ["propose-committee", "11" * 32, "11" * 32, "--threshold", "2"],
        ["apply", "everything"],
        ["propose-withdrawal", "5", "0x" + "33" * 32],
        ["sunset-policy", "zz"],
        ["add-policy", "/nowhere/policy.json"],
    ],
)
def test_an_administrators_slip_is_wrong_usage_and_sends_nothing(admin: list[object], chain: MemoryChain, command: list[str]) -> None:
    assert run(*admin, *command).exit_code == 2
    assert chain.calls == []


def test_show_says_what_is_proposed(admin: list[object], chain: MemoryChain) -> None:
    found = said(*admin, "show")
    assert found["committee"]["verifiers"] == ["01" * 32]
    assert found["proposed"] == {"params": None, "committee": None, "prices": None, "withdrawal": None}
    assert found["params"]["bounty"] == PARAMS.bounty


@pytest.fixture
def member(tmp_path: Path, chain: MemoryChain) -> Path:
    """The directory of a committee member."""
    folder = tmp_path / "member"
    assert run("verifier", "init", "-c", folder).exit_code == 0
    (folder / "verifier.toml").write_text(VERIFIER_TOML)
    chain.deployment.save(folder / "deployment.json")
    return folder


def undecided(chain: MemoryChain, *roots: bytes, mark: Mark = Mark.AGREES, **changes: Any) -> TaskView:
    seats = tuple(record(Seat, slot=Slot(number), votes=1, root=Digest(root * 32), mark=mark) for number, root in enumerate(roots))
    rounds = (record(Round, kind=RoundKind.SECOND_DISPUTE, seats=seats),)
    view = record(TaskView, id=TaskId(b"\x07" * 32), state=TaskState.RULING, rounds=rounds, **changes)
    chain.views.tasks[view.id] = view
    return view


def test_init_makes_a_key_that_only_its_owner_reads_and_never_another(tmp_path: Path) -> None:
    assert run("verifier", "init", "-c", tmp_path).exit_code == 0
    assert (tmp_path / "member.key").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "member.key").read_bytes()
    assert run("verifier", "init", "-c", tmp_path).exit_code == 2
    assert (tmp_path / "member.key").read_bytes() == before


def test_without_a_decision_the_votes_are_shown(member: Path, chain: MemoryChain) -> None:
    view = undecided(chain, b"\x01", b"\x02")
    done = run("verifier", "rule", "-c", member, "0x" + view.id.hex(), "--json")
    assert done.exit_code == 1
    assert len(json.loads(done.stdout.splitlines()[0])["votes"]) == 2
    assert Orders(member).ruling(view.id, RoundKind.SECOND_DISPUTE) is None


def test_a_ruling_is_an_order_for_the_service(member: Path, chain: MemoryChain) -> None:
    view = undecided(chain, b"\x01", b"\x01")
    said("verifier", "rule", "-c", member, "0x" + view.id.hex(), "--agrees")
    order = Orders(member).ruling(view.id, RoundKind.SECOND_DISPUTE)
    assert order is not None
    assert (order.root, order.agrees) == (b"\x01" * 32, True)


def test_of_several_roots_the_right_one_has_to_be_named(member: Path, chain: MemoryChain) -> None:
    view = undecided(chain, b"\x01", b"\x02", mark=Mark.DIFFERS)
    assert run("verifier", "rule", "-c", member, "0x" + view.id.hex(), "--differs").exit_code == 2
    said("verifier", "rule", "-c", member, "0x" + view.id.hex(), "--differs", "--root", "02" * 32)
    order = Orders(member).ruling(view.id, RoundKind.SECOND_DISPUTE)
    assert order is not None
    assert (order.root, order.agrees) == (b"\x02" * 32, False)


def test_a_delivery_that_was_forged_needs_no_root(member: Path, chain: MemoryChain) -> None:
    view = undecided(chain, delivery=record(Delivery, disputed=True))
    said("verifier", "rule", "-c", member, "0x" + view.id.hex(), "--differs")
    order = Orders(member).ruling(view.id, RoundKind.DELIVERY)
    assert order is not None
    assert order.root == FORGED


def test_nobody_rules_on_a_task_that_waits_for_no_ruling(member: Path, chain: MemoryChain) -> None:
    view = undecided(chain, b"\x01")
    chain.views.tasks[view.id] = replace(view, state=TaskState.DISPUTED)
    assert run("verifier", "rule", "-c", member, "0x" + view.id.hex(), "--agrees").exit_code == 2


def test_a_revocation_is_an_order_for_the_service(member: Path, chain: MemoryChain) -> None:
    said("verifier", "revoke", "-c", member, "3", "--reason", "hardware")
    (order,) = Orders(member).revocations()
    assert (order.node, order.slot, order.key_epoch, order.reason.name) == (NODE, 3, 1, "HARDWARE")


@pytest.mark.parametrize("arguments", [["3", "--reason", "mood"], ["5", "--reason", "code"], ["3", "--reason", "code", "--key-epoch", "2"]])
def test_a_revocation_of_nothing_is_wrong_usage(member: Path, chain: MemoryChain, arguments: list[str]) -> None:
    assert run("verifier", "revoke", "-c", member, *arguments).exit_code == 2
    assert Orders(member).revocations() == ()


def test_of_a_group_of_failures_each_is_read() -> None:
    group = ExceptionGroup("two", [NodeError("one"), ExceptionGroup("inner", [NodeError("other"), NodeError("one")])])
    assert texts(group) == ("one", "other")
