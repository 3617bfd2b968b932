"""Requests from Move: the example contract `contracts/examples/oracle` asks, and takes no answer but its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from protocol_world import (
    CLOCK,
    COIN,
    EXECUTOR_SALT,
    GAS,
    RANDOM,
    ROOT,
    SALT,
    Aborted,
    Done,
    MoveCall,
    Publish,
    PureInput,
    ResultArgument,
    Shared,
    SplitCoins,
    TransferObjects,
    World,
    label,
    never,
    u64,
    vec,
)
from protocol_world import InputArgument as Arg

from agent.protocol.bcs import decode
from agent.protocol.commitment import output_root
from agent.protocol.events import RequestCreated, TaskOpened
from agent.protocol.lifecycle import Outcome, TaskState
from agent.protocol.units import TaskId
from localnet.ledger.errors import NotFound
from localnet.toolchain.compiling import check_bytecode, compile_package
from localnet.toolchain.package import read_package
from localnet.toolchain.publication import Publication, Published

ORACLE = ROOT / "contracts" / "examples" / "oracle"
LEAF_KEY, ANSWER = b"l" * 32, b"forty-two"
TTL = 100_000
CHANGE = 12_345
SOMEBODY, NOBODY = label("nobody in particular"), bytes(32)


@dataclass(frozen=True)
class Question:
    """`oracle::Question`."""

    id: bytes
    network: bytes
    pool: bytes
    requester: bytes
    request: bytes
    state: int
    task: bytes
    answer: bytes


class OracleWorld(World):
    """A World on which the oracle is published."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**{**never(), **changes})
        oracle = Publication.read(ORACLE / "bytecode").linked({"enclavia": Published.first_version(self.package)})
        commands = [Publish(oracle.modules, oracle.dependencies), TransferObjects((ResultArgument(0),), Arg(0))]
        published = self.transact(self.admin, [PureInput(self.admin)], commands)
        self.oracle = next(c.id for c in published.executed.effects.created() if c.package)

    def consult(self, function: str, *arguments: Any, sender: bytes | None = None) -> Done:
        inputs, places = self._inputs(arguments)
        return self.transact(sender or self.requester, inputs, [MoveCall(self.oracle, "oracle", function, (), tuple(places))])

    def ask(self, extra: int = CHANGE) -> tuple[bytes, bytes]:
        """Question and request."""
        values = [u64(self.quote() + extra), Shared(self.network), Shared(self.pool), COIN, u64(0), u64(TTL), Shared(CLOCK)]
        inputs, (amount, *places) = self._inputs(values)
        done = self.transact(
            self.requester, inputs, [SplitCoins(GAS, (amount,)), MoveCall(self.oracle, "oracle", "ask", (), tuple(places))]
        )
        return self.created(done, "Question"), self.created(done, "Request")

    def question(self, question: bytes) -> Question:
        contents = self.ledger.object(question).contents
        fixed = [contents[i : i + 32] for i in range(0, 160, 32)]
        return Question(*fixed, contents[160], contents[161:193], decode(bytes, contents[193:]))

    def open_request(self, request: bytes, *, sender: bytes = SOMEBODY) -> tuple[TaskId, Done]:
        done = self.call(
            sender, "task::open_request", Shared(request, True), Shared(self.network), Shared(self.pool), Shared(self.roster), Shared(RANDOM), Shared(CLOCK)
        )
        return TaskId(self.created(done, "Task")), done

    def settled(self, task: TaskId) -> None:
        """The requester's agent, the executor and a crank do their parts; the executor answers `ANSWER`."""
        node = self.post(task)
        self.commit(task, node, output_root(LEAF_KEY, task, ANSWER))
        self.advance(task)
        self.settle(task)

    def answered(self) -> tuple[bytes, TaskId]:
        question, request = self.ask()
        task, _ = self.open_request(request)
        self.settled(task)
        return question, task

    def receive(self, question: bytes, task: bytes, *, output: bytes = ANSWER, leaf_key: bytes = LEAF_KEY, salt: bytes = EXECUTOR_SALT) -> Done:
        return self.consult("receive", Shared(question, True), Shared(task), vec(output), vec(leaf_key), vec(salt), sender=SOMEBODY)

    def cancel(self, question: bytes, request: bytes, *, sender: bytes | None = None) -> Done:
        return self.consult("cancel", Shared(question, True), Shared(request, True), Shared(self.network), Shared(CLOCK), sender=sender)

    def coins_made(self, done: Done, owner: bytes) -> list[int]:
        """Values of the coins that a transaction sent to `owner`."""
        found = [self.ledger.object(c.id) for c in done.executed.effects.created() if not c.package]
        coins = [each for each in found if each.type.name == "Coin" and each.owner.address == owner]
        return [int.from_bytes(each.contents[32:40], "little") for each in coins]


@pytest.fixture
def world() -> OracleWorld:
    return OracleWorld()


@contextmanager
def refused(module: str, code: int) -> Iterator[None]:
    with pytest.raises(Aborted) as info:
        yield
    assert (info.value.module, info.value.code) == (module, code), info.value


# ---- asking


def test_question_posts_a_request_that_names_it_as_origin(world: OracleWorld) -> None:
    values = [u64(world.quote()), Shared(world.network), Shared(world.pool), COIN, u64(0), u64(TTL), Shared(CLOCK)]
    inputs, (amount, *places) = world._inputs(values)
    done = world.transact(
        world.requester, inputs, [SplitCoins(GAS, (amount,)), MoveCall(world.oracle, "oracle", "ask", (), tuple(places))]
    )
    created = done.event(RequestCreated)
    question = world.question(world.created(done, "Question"))
    assert (created.origin, created.requester, created.payment) == (question.id, world.requester, world.quote())
    assert (question.request, question.requester, question.state, question.task, question.answer) == (created.request, world.requester, 0, NOBODY, b"")


def test_anybody_turns_the_request_into_a_task_of_the_question(world: OracleWorld) -> None:
    question, request = world.ask()
    task, done = world.open_request(request)
    opened, view = done.event(TaskOpened), world.task(task)
    assert (opened.request, opened.origin, opened.requester) == (request, question, world.requester)
    assert (view.origin, view.requester, view.state, view.escrow) == (question, world.requester, TaskState.OPEN, world.quote())
    assert len(set(view.candidates)) == 4
    with pytest.raises(NotFound):
        world.ledger.object(request)


@pytest.mark.parametrize("change", [0, CHANGE])
def test_what_exceeds_the_quote_goes_back_to_the_requester(world: OracleWorld, change: int) -> None:
    _, request = world.ask(change)
    _, done = world.open_request(request)
    assert world.coins_made(done, world.requester) == [change]
    assert world.ledger.supply().is_conserved


def test_opening_costs_the_same_whether_there_is_change_or_not() -> None:
    """The draw comes after the change: a budget must not choose the candidates."""
    costs = set()
    for change in (0, CHANGE):
        world = OracleWorld()
        world.fund(SOMEBODY)
        _, request = world.ask(change)
        _, done = world.open_request(request)
        costs.add(done.executed.effects.gas.computation)
    assert len(costs) == 1


# ---- the answer


def test_settled_answer_is_kept(world: OracleWorld) -> None:
    question, task = world.answered()
    done = world.receive(question, task)
    kept = world.question(question)
    assert (kept.state, kept.task, kept.answer) == (1, task, ANSWER)
    (told,) = (event for event in done.executed.events if event.type.name == "Answered")
    assert told.contents == question + task + vec(ANSWER)


def test_answer_of_an_audited_task_is_kept() -> None:
    world = OracleWorld(audit_probability=1 << 64)
    question, request = world.ask()
    task, _ = world.open_request(request)
    node = world.post(task)
    root = output_root(LEAF_KEY, task, ANSWER)
    world.commit(task, node, root)
    world.begin_audit(task)
    world.issue_ticket(task)
    world.handoff(task, node)
    world.vote(task, [root, root])
    world.advance(task)
    world.settle(task)
    world.receive(question, task)
    assert (world.task(task).outcome, world.question(question).answer) == (Outcome.UPHELD, ANSWER)


def test_answer_is_taken_once(world: OracleWorld) -> None:
    question, task = world.answered()
    world.receive(question, task)
    with refused("oracle", 4):
        world.receive(question, task)


@pytest.mark.parametrize("wrong", [{"output": b"forty-three"}, {"leaf_key": b"?" * 32}, {"salt": SALT}, {"output": b""}])
def test_what_does_not_open_the_commitment_is_no_answer(world: OracleWorld, wrong: dict[str, bytes]) -> None:
    question, task = world.answered()
    with refused("oracle", 3):
        world.receive(question, task, **wrong)
    assert world.question(question).state == 0


def test_task_that_is_not_settled_answers_nothing(world: OracleWorld) -> None:
    question, request = world.ask()
    task, _ = world.open_request(request)
    node = world.post(task)
    world.commit(task, node, output_root(LEAF_KEY, task, ANSWER))
    for step in (lambda: None, lambda: world.advance(task)):
        step()
        with refused("oracle", 2):
            world.receive(question, task)


def test_task_whose_executor_failed_answers_nothing_and_the_requester_is_refunded(world: OracleWorld) -> None:
    question, request = world.ask()
    task, _ = world.open_request(request)
    world.post(task)
    world.advance(task, sender=SOMEBODY)
    settled = world.settle(task)
    with refused("oracle", 2):
        world.receive(question, task)
    (refund,) = world.coins_made(settled, world.requester)
    assert refund > world.quote()
    world.consult("give_up", Shared(question, True))
    assert world.question(question).state == 2


def test_task_of_another_question_answers_nothing(world: OracleWorld) -> None:
    question, _ = world.ask()
    _, task = world.answered()
    with refused("oracle", 1):
        world.receive(question, task)


def test_task_without_an_origin_answers_nothing(world: OracleWorld) -> None:
    question, _ = world.ask()
    task = world.open()
    world.settled(task)
    with refused("oracle", 1):
        world.receive(question, task)


def test_task_of_a_stranger_that_claims_the_origin_answers_nothing(world: OracleWorld) -> None:
    """A Request may name any object as its origin: the requester has to be the question's too."""
    question, _ = world.ask()
    stranger, requester = label("stranger"), world.requester
    done = world.paying(
        stranger, "request::create", world.quote(), Shared(world.network), Shared(world.pool), COIN, u64(0), stranger, question, u64(TTL), Shared(CLOCK)
    )
    task, _ = world.open_request(world.created(done, "Request"))
    world.requester = stranger
    world.settled(task)
    world.requester = requester
    assert world.task(task).origin == question
    with refused("oracle", 1):
        world.receive(question, task)


# ---- giving up


def test_expired_request_is_cancelled_by_anybody_and_paid_back(world: OracleWorld) -> None:
    question, request = world.ask()
    world.pass_time(TTL)
    with refused("request", 1):
        world.open_request(request)
    done = world.cancel(question, request, sender=SOMEBODY)
    assert world.coins_made(done, world.requester) == [world.quote() + CHANGE]
    assert world.question(question).state == 2


def test_requester_cancels_before_it_expires(world: OracleWorld) -> None:
    question, request = world.ask()
    done = world.cancel(question, request)
    assert world.coins_made(done, world.requester) == [world.quote() + CHANGE]


def test_nobody_else_cancels_before_it_expires(world: OracleWorld) -> None:
    question, request = world.ask()
    with refused("request", 2):
        world.cancel(question, request, sender=SOMEBODY)
    assert world.question(question).state == 0


def test_request_of_another_question_is_not_cancelled(world: OracleWorld) -> None:
    question, _ = world.ask()
    _, other = world.ask()
    with refused("oracle", 1):
        world.cancel(question, other)


def test_only_the_requester_gives_up(world: OracleWorld) -> None:
    question, _ = world.ask()
    with refused("oracle", 5):
        world.consult("give_up", Shared(question, True), sender=SOMEBODY)


def test_question_that_is_closed_takes_no_answer(world: OracleWorld) -> None:
    question, task = world.answered()
    world.consult("give_up", Shared(question, True))
    with refused("oracle", 4):
        world.receive(question, task)


@pytest.mark.node
def test_committed_bytecode_is_what_the_sources_give() -> None:
    package = read_package(ORACLE)
    check_bytecode(package, compile_package(package))
