"""What the contract says to what it must not take: a named abort, and nothing moved."""

from dataclasses import replace

import pytest
from protocol_world import (
    CLOCK,
    FALSE_ROOT,
    FAR,
    SALT,
    SUI,
    TRUE_ROOT,
    WRAP,
    Aborted,
    Ed25519PrivateKey,
    Failed,
    Owned,
    Shared,
    World,
    label,
    never,
    u64,
    vec,
)

from agent.protocol import draw
from agent.protocol.lifecycle import TaskState
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Millis, NodeId, TaskId
from localnet.ledger.errors import NotFound, NotOwner, ObjectNotFound

ALWAYS = draw.ALWAYS


class aborts:
    def __init__(self, module: str, code: int) -> None:
        self.expected = (module, code)

    def __enter__(self) -> None:
        self.raises = pytest.raises(Aborted)
        self.info = self.raises.__enter__()

    def __exit__(self, *exc) -> bool:
        swallowed = self.raises.__exit__(*exc)
        if not swallowed:
            return False
        assert (self.info.value.module, self.info.value.code) == self.expected, self.info.value
        return bool(swallowed)


def test_commit_after_the_deadline(world: World) -> None:
    task, node = world.running()
    world.pass_time(world.params.commit_ms)
    with aborts("task", 3):
        world.commit(task, node)


def test_commit_of_another_key(world: World) -> None:
    task, node = world.running()
    with aborts("statement", 1):
        world.commit(task, replace(node, sign=Ed25519PrivateKey.generate()))


def test_commit_signed_for_another_task(world: World) -> None:
    task, node = world.running()
    signed = replace(world.commit_statement(task, node), task=TaskId(label("another task")))
    with aborts("statement", 1):
        world.commit(task, node, signed=signed)


def test_commit_signed_for_another_network(world: World) -> None:
    task, node = world.running()
    signed = replace(world.commit_statement(task, node), network=Address(label("another network")))
    with aborts("statement", 1):
        world.commit(task, node, signed=signed)


def test_commit_of_another_key_epoch(world: World) -> None:
    task, node = world.running()
    with aborts("statement", 1):
        world.commit(task, node, signed=replace(world.commit_statement(task, node), key_epoch=2))


def test_second_commit(world: World) -> None:
    task, node = world.running()
    world.commit(task, node)
    with aborts("task", 2):
        world.commit(task, node, FALSE_ROOT)


def test_reveal_of_another_root() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    world.audit_commit(task, 0, TRUE_ROOT)
    world.audit_commit(task, 1, TRUE_ROOT)
    with aborts("audit", 3):
        world.reveal(task, 0, FALSE_ROOT)


def test_reveal_with_another_executor_salt_cannot_make_an_honest_seat_differ() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    world.audit_commit(task, 0, TRUE_ROOT)
    world.audit_commit(task, 1, TRUE_ROOT)
    with aborts("audit", 3):
        world.reveal(task, 0, TRUE_ROOT, SALT, b"?" * 32)


def test_reveal_before_all_have_committed() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    world.audit_commit(task, 0, TRUE_ROOT)
    with aborts("task", 2):
        world.reveal(task, 0, TRUE_ROOT)


def test_second_reveal() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    world.audit_commit(task, 0, TRUE_ROOT)
    world.audit_commit(task, 1, TRUE_ROOT)
    world.reveal(task, 0, TRUE_ROOT)
    with aborts("audit", 2):
        world.reveal(task, 0, TRUE_ROOT)


def test_auditor_votes_twice() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    world.audit_commit(task, 0, TRUE_ROOT)
    with aborts("audit", 2):
        world.audit_commit(task, 0, FALSE_ROOT)


def test_seat_that_does_not_exist() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    with aborts("audit", 1):
        world.call(world.admin, "audit::audit_commit", Shared(task, True), Shared(world.network), u64(2), vec(b"c" * 32), vec(b"s" * 64), Shared(CLOCK))


def test_vote_signed_by_somebody_else() -> None:
    world = World(audit_probability=ALWAYS)
    task, _ = world.audited()
    with aborts("statement", 1):
        world.call(world.admin, "audit::audit_commit", Shared(task, True), Shared(world.network), u64(0), vec(b"c" * 32), vec(b"s" * 64), Shared(CLOCK))


def test_ticket_of_a_stranger() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    world.begin_audit(task)
    with aborts("statement", 1):
        world.issue_ticket(task, Ed25519PrivateKey.generate())


def test_ticket_for_other_seats() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    world.begin_audit(task)
    ticket = world.ticket(task)
    with aborts("statement", 1):
        world.issue_ticket(task, ticket=replace(ticket, seats=ticket.seats[:1]))


def test_ticket_of_another_time() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    world.begin_audit(task)
    old = Millis(world.clock.now() - world.params.ticket_ms - 1)
    with aborts("audit", 5):
        world.issue_ticket(task, ticket=replace(world.ticket(task), issued_at=old))


@pytest.mark.parametrize("wraps", [[WRAP], [WRAP, WRAP[:-1]], [WRAP] * 3])
def test_handoff_that_does_not_fit_the_seats(wraps: list[bytes]) -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    world.begin_audit(task)
    world.issue_ticket(task)
    with aborts("audit", 4):
        world.handoff(task, node, wraps)


def test_audit_of_a_task_that_chance_spared() -> None:
    world = World(**never())
    task, node = world.running()
    world.commit(task, node)
    with aborts("task", 2):
        world.begin_audit(task)


def test_expired_attestation(world: World) -> None:
    node = world.register(7, 20 * SUI, attested=False)
    world.challenge(node)
    with aborts("attestation", 4):
        world.attest(node, world.verdict(node, not_after=world.clock.now()))


@pytest.mark.parametrize(
    "foreign",
    [
        {"network": Address(label("another network"))},
        {"pool": Address(label("another pool"))},
        {"node": NodeId(label("another node"))},
        {"key_epoch": 9},
        {"challenge": b"c" * 32},
        {"manifest": b"n" * 32},
    ],
)
def test_foreign_attestation(world: World, foreign: dict) -> None:
    node = world.register(7, 20 * SUI, attested=False)
    world.challenge(node)
    with aborts("statement", 1):
        world.attest(node, world.verdict(node, **foreign))


@pytest.mark.parametrize(
    "changed",
    [{"hpke_pk": b"h" * 32}, {"sign_pk": b"s" * 32}, {"evidence_digest": BlobId(b"d" * 32)}, {"measurement": b"x" * 48}, {"not_after": FAR + 1}],
)
def test_attestation_that_the_committee_did_not_sign(world: World, changed: dict) -> None:
    node = world.register(7, 20 * SUI, attested=False)
    world.challenge(node)
    with aborts("statement", 1):
        world.attest(node, **changed)


def test_attestation_carried_in_twice(world: World) -> None:
    node = world.register(7, 20 * SUI, attested=False)
    world.challenge(node)
    verdict = world.verdict(node)
    world.attest(node, verdict)
    with aborts("attestation", 1):
        world.attest(node, verdict)


def test_attestation_after_its_challenge_expired(world: World) -> None:
    node = world.register(7, 20 * SUI, attested=False)
    world.challenge(node)
    world.clock.advance(world.params.challenge_ms)
    with aborts("attestation", 1):
        world.attest(node)


def test_simulated_evidence_on_a_network_that_was_not_created_for_it() -> None:
    world = World(nodes=0, simulated=False)
    node = world.register(0, 20 * SUI, attested=False)
    world.challenge(node)
    with aborts("attestation", 2):
        world.attest(node)


def test_kind_of_tee_that_the_pool_does_not_take(world: World) -> None:
    node = world.register(7, 20 * SUI, attested=False)
    world.challenge(node)
    with aborts("attestation", 3):
        world.attest(node, world.verdict(node, tee_kind=TeeKind.SEV_SNP))


def test_node_whose_attestation_ends_too_soon_is_passed_over(world: World) -> None:
    task = world.open()
    first = world.nodes[world.task(task).candidates[0]]
    world.challenge(first)
    soon = Millis(world.clock.now() + world.params.span() - 1)
    world.attest(first, world.verdict(first, not_after=soon))
    assert world.post(task, world.nodes[world.task(task).candidates[1]]).slot != first.slot


@pytest.mark.parametrize("off", [-1, 1])
def test_payment_that_is_not_the_quote(world: World, off: int) -> None:
    with aborts("task", 6):
        world.open(world.quote() + off)


def test_input_by_somebody_else(world: World) -> None:
    with aborts("task", 5):
        world.post(world.open(), sender=world.admin)


def test_input_sealed_for_another_node(world: World) -> None:
    task = world.open()
    with aborts("task", 8):
        world.post(task, world.nodes[world.task(task).candidates[1]])
    assert world.task(task).state is TaskState.OPEN


def test_input_sealed_for_another_key_epoch(world: World) -> None:
    with aborts("task", 8):
        world.post(world.open(), epoch=2)


def test_uri_that_is_too_long(world: World) -> None:
    with aborts("task", 10):
        world.post(world.open(), uri=b"u" * 257)


def test_input_after_the_deadline(world: World) -> None:
    task = world.open()
    world.pass_time(world.params.input_ms)
    with aborts("task", 3):
        world.post(task)


def test_assignment_without_an_input_locks_nothing(world: World) -> None:
    task = world.open()
    inputs, places = world._inputs([Shared(task, True), Shared(world.pool, True), Shared(world.network), u64(1), Shared(CLOCK)])
    with pytest.raises(Failed):
        world.transact(world.requester, inputs, [world.move("task::assign", places)])
    assert all(world.member(node.slot).locked == 0 for node in world.nodes)


def test_open_on_a_roster_that_is_too_small() -> None:
    world = World(nodes=4)
    with aborts("task", 11):
        world.open()


def test_open_while_paused(world: World) -> None:
    world.call(world.admin, "network::set_paused", Shared(world.network, True), Owned(world.cap), b"\1")
    with aborts("network", 4):
        world.open()


def test_pause_does_not_stop_a_task_under_way(world: World) -> None:
    task, node = world.running()
    world.call(world.admin, "network::set_paused", Shared(world.network, True), Owned(world.cap), b"\1")
    world.commit(task, node)
    assert world.task(task).state is TaskState.COMMITTED


def test_owner_cap_of_another_node(world: World) -> None:
    thief, victim = world.nodes[0], world.nodes[1]
    with pytest.raises(NotOwner):
        world.call(
            thief.address, "member::leave", Shared(world.pool, True), Shared(world.network), Shared(world.queue, True), Owned(victim.owner_cap), Shared(CLOCK)
        )
    assert world.member(victim.slot).leaving_at == 0


def test_stake_that_backs_a_task_is_not_withdrawn() -> None:
    world = World(audit_probability=ALWAYS)
    task, node = world.running()
    world.commit(task, node)
    caps = [Shared(world.pool, True), Shared(world.network)]
    world.call(node.address, "member::leave", *caps, Shared(world.queue, True), Owned(node.owner_cap), Shared(CLOCK))
    world.pass_time(world.params.unbonding_ms)
    with aborts("member", 3):
        world.call(node.address, "member::withdraw", *caps, Owned(node.owner_cap), Shared(CLOCK))


def test_roster_of_another_pool(world: World) -> None:
    task, node = world.running()
    before = world.roster
    done = world.call(
        world.admin, "pool::create", Shared(world.network), Owned(world.cap), vec(b"m" * 32), u64(3), u64(1), u64(1), u64(1_000_000), b"\2", Shared(CLOCK)
    )
    world.roster = world.created(done, "Roster")
    with aborts("task", 1):
        world.commit(task, node)
    world.roster = before
    world.commit(task, node)


def test_task_that_was_never_opened(world: World) -> None:
    with pytest.raises((NotFound, ObjectNotFound)):
        world.begin_audit(TaskId(label("no such task")))


def test_digest_of_the_wrong_size(world: World) -> None:
    task, node = world.running()
    with aborts("task", 9):
        world.call(
            node.address, "task::commit", Shared(task, True), Shared(world.network), Shared(world.roster), vec(b"c" * 31), vec(b"d" * 32), u64(1),
            vec(b"s" * 64), Shared((8).to_bytes(32, "big")), Shared(CLOCK),
        )  # fmt: skip
