"""Who plays in the stateful test: honest actors that do every duty in time, and adversaries that do anything at all.

What happens off chain is reduced to what a vote depends on: whether wraps are good, whether the sealed input can still be read,
whether the sealed output is what was committed to.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol_world import FALSE_ROOT, TRUE_ROOT, WRAP, Node, World

from agent.protocol.lifecycle import TaskState
from agent.protocol.records import Round, TaskView
from agent.protocol.statements import BAD_KEY, BAD_WRAP, EARLIER_WRAP, FORGED, NO_INPUT
from agent.protocol.units import TaskId

BAD = b"b" * 80
"""A wrap that the data key does not give."""
HERE, GONE = b"here", b"gone"
"""URIs: one can be read, the other cannot."""
LIES = (TRUE_ROOT, FALSE_ROOT, bytes(BAD_WRAP), bytes(NO_INPUT), bytes(FORGED), bytes(BAD_KEY), bytes(EARLIER_WRAP))
DISPUTE_BOND = 300_000_000
ENDED = (TaskState.SETTLED,)


@dataclass(frozen=True)
class Plan:
    """What adversaries do for one task, each time it is their turn; the defaults are honest."""

    commits: bytes | None = TRUE_ROOT
    forged: bool = False
    bad_wraps: frozenset[int] = frozenset()
    """Seats that get a wrong wrap."""
    hands_off: bool = True
    auditor_hands_off: bool = False
    uri: bytes = HERE
    votes: tuple[bytes | None, ...] = (TRUE_ROOT,)
    """By seat, over and over; None stays away."""
    reveals: bool = True
    publishes: bool = True
    complaints: tuple[str, ...] = ()
    """Of the requester, whoever he is, in delivery windows: challenge, claim, dispute."""


@dataclass
class Job:
    """A task, and what the chain cannot see of it."""

    task: TaskId
    kind_requester: bool
    """Whether its requester is honest."""
    plan: Plan = Plan()
    executor: Node | None = None
    root: bytes = TRUE_ROOT
    forged: bool = False
    """Whether the sealed output is not what was committed to."""
    votes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """(round, seat) → the root committed to."""


def _is_bad(each: Round) -> bool:
    return any(seat.wrap not in {WRAP, b""} for seat in each.seats)


class Cast:
    """The honest part of the cast, and what it sees."""

    def __init__(self, world: World, honest: int) -> None:
        self.world = world
        self.honest = {node.slot for node in world.nodes[:honest]}
        self.jobs: list[Job] = []

    def live(self) -> list[Job]:
        return [job for job in self.jobs if self.world.task(job.task).state not in ENDED]

    def is_honest(self, node: Node | None) -> bool:
        return node is not None and node.slot in self.honest

    # --- what an honest enclave says

    def honest_vote(self, job: Job, view: TaskView, each: Round) -> bytes:
        if each.kind > 3:
            if any(seat.wrap != WRAP for seat in each.seats):
                return bytes(BAD_KEY)
            return bytes(FORGED) if job.forged else job.root
        if _is_bad(each):
            return bytes(BAD_WRAP)
        if any(_is_bad(r) for r in view.rounds if r.kind < each.kind and r.handed_by == view.executor.slot):
            return bytes(EARLIER_WRAP)
        if GONE in view.input_uri and each.uri != HERE:
            return bytes(NO_INPUT)
        return TRUE_ROOT

    # --- duties

    def do_duties(self) -> bool:
        """Everything that honest actors have to do now; whether there was anything."""
        did = False
        for job in self.live():
            did |= self._duty(job)
        return did

    def _duty(self, job: Job) -> bool:
        view = self.world.task(job.task)
        if self.world.now() >= view.deadline:
            return False
        act = self._acts().get(view.state)
        return act(job, view) if act else False

    def _acts(self) -> dict[TaskState, Callable[[Job, TaskView], bool]]:
        return {
            TaskState.RUNNING: self._commit,
            TaskState.COMMITTED: self._complain,
            TaskState.TICKET: self._ticket,
            TaskState.HANDOFF: self._handoff,
            TaskState.AUDITING: self._vote,
            TaskState.REVEALING: self._reveal,
            TaskState.PUBLISHING: self._publish,
            TaskState.RULING: self._rule,
        }

    def _commit(self, job: Job, view: TaskView) -> bool:
        assert job.executor is not None
        root = TRUE_ROOT if self.is_honest(job.executor) else job.plan.commits
        if root is None:
            return False
        self.world.commit(job.task, job.executor, root)
        job.root, job.forged = root, job.plan.forged and not self.is_honest(job.executor)
        return True

    def _complain(self, job: Job, view: TaskView) -> bool:
        """Honest requesters complain of what is wrong only; the plan may have others complain of anything."""
        waiting = view.audited and not view.verdict.reached
        if waiting or view.delivery.disputed:
            return False
        wanted = ("dispute",) if job.kind_requester and job.forged else () if job.kind_requester else job.plan.complaints
        if "challenge" in wanted and not view.audited and not view.delivery.claimed and not view.delivery.published:
            self.world.challenge_task(job.task)
        elif "claim" in wanted and not view.delivery.claimed and not view.delivery.published:
            self.world.claim_undelivered(job.task)
        elif "dispute" in wanted:
            if not view.delivery.published:
                self.world.submit(job.task)
            self.world.dispute_delivery(job.task, DISPUTE_BOND)
        else:
            return False
        return True

    def _ticket(self, job: Job, view: TaskView) -> bool:
        self.world.issue_ticket(job.task)
        return True

    def _wraps(self, job: Job, view: TaskView) -> list[bytes]:
        assert view.current is not None
        return [BAD if index in job.plan.bad_wraps else WRAP for index in range(len(view.current.seats))]

    def _handoff(self, job: Job, view: TaskView) -> bool:
        if view.round > 3:
            if job.kind_requester:
                self.world.post_output_key(job.task)
            elif job.plan.hands_off:
                self.world.post_output_key(job.task, self._wraps(job, view))
            return job.kind_requester or job.plan.hands_off
        for by, seat in enumerate(view.rounds[0].seats):
            if job.plan.auditor_hands_off and view.round > 1 and seat.slot not in self.honest and seat.mark in {2, 3}:
                self.world.handoff(job.task, self.world.node_of(seat), self._wraps(job, view), by=by, uri=job.plan.uri)
                return True
        if self.is_honest(job.executor):
            self.world.handoff(job.task, job.executor, uri=HERE)
        elif job.plan.hands_off:
            self.world.handoff(job.task, job.executor, self._wraps(job, view), uri=job.plan.uri)
        else:
            return False
        return True

    def _vote(self, job: Job, view: TaskView) -> bool:
        assert view.current is not None
        did = False
        for index, seat in enumerate(view.current.seats):
            if seat.mark != 0:
                continue
            honest = seat.slot in self.honest
            root = self.honest_vote(job, view, view.current) if honest else job.plan.votes[index % len(job.plan.votes)]
            if root is not None:
                self.world.audit_commit(job.task, index, root)
                job.votes[view.round, index] = root
                did = True
        return did

    def _reveal(self, job: Job, view: TaskView) -> bool:
        assert view.current is not None
        did = False
        for index, seat in enumerate(view.current.seats):
            if seat.mark == 1 and (seat.slot in self.honest or job.plan.reveals):
                self.world.reveal(job.task, index, job.votes[view.round, index])
                did = True
        return did

    def _publish(self, job: Job, view: TaskView) -> bool:
        assert job.executor is not None
        if self.is_honest(job.executor) or job.plan.publishes:
            self.world.publish(job.task, job.executor)
            return True
        return False

    def _rule(self, job: Job, view: TaskView) -> bool:
        """The committee finds out what an arbiter would have found out, and says so."""
        delivery = view.delivery.disputed
        if delivery:
            root, right = (bytes(FORGED), False) if job.forged else (job.root, True)
        else:
            of_executor = [each for each in view.rounds if each.handed_by == view.executor.slot]
            root = self.honest_vote(job, view, of_executor[-1]) if of_executor else TRUE_ROOT
            right = root == job.root
        self.world.rule(job.task, root, agrees=right, round_=max(view.round, 4) if delivery else view.round)
        return True
