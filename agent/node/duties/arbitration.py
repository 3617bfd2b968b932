"""What a drawn member's enclave is asked: to run the task again, or, in a dispute of the delivery, to open what was
published (docs/spec/protocol.md §6).
"""

from agent.delivery.errors import BlobError, UnknownStore
from agent.enclave.errors import ConflictingOrder
from agent.enclave.orders import Audited, AuditOrder, DeliveryOrder, PostedWrap
from agent.enclave.sealing import MAX_SEALED_OUTPUT
from agent.node.duties.sight import Sight
from agent.node.duties.station import Station, execute_order
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import Round, Seat, TaskView
from agent.protocol.states import RoundKind


async def judge(at: Station, sight: Sight, kind: RoundKind, seat: Seat) -> Audited:
    """The vote of this node's enclave in its `seat` of the round under way, which is of `kind`.

    Raises:
        BlobError, UnknownStore, ChainError: what is to be judged cannot be had now.
        EnclaveError: the enclave declined, or is gone.
    """
    if kind.judges_delivery:
        return await _judge_delivery(at, sight.task, kind, seat)
    task = sight.task
    try:
        sealed = await at.fetch_input(task)
    except (BlobError, UnknownStore):
        # Until then it may still come; afterwards there would be no time left to run it.
        late = sight.now >= task.deadline - task.params.audit_ms // 4
        if task.state is TaskState.AUDITING and not late:
            raise
        return await _without_input(at, task, kind, seat)
    order = audit_order(at, task, kind, seat)
    try:
        return await at.enclaves.ask(seat.key_epoch, lambda client: client.audit(order, sealed))
    except ConflictingOrder:
        # it voted already, before the input was to be had
        return await _without_input(at, task, kind, seat)


async def _without_input(at: Station, task: TaskView, kind: RoundKind, seat: Seat) -> Audited:
    order = AuditOrder(execute_order(task), at.me.node, seat.key_epoch, kind, task.commitment, wraps=(), earlier=())
    return await at.enclaves.ask(seat.key_epoch, lambda client: client.report_no_input(order))


async def _judge_delivery(at: Station, task: TaskView, kind: RoundKind, seat: Seat) -> Audited:
    order = DeliveryOrder(
        execute_order(task), at.me.node, seat.key_epoch, kind, task.commitment, task.sealed_output_digest, posted(task.rounds[-1])
    )
    sealed = await published_output(at, task)
    return await at.enclaves.ask(seat.key_epoch, lambda client: client.arbitrate(order, sealed))


def audit_order(at: Station, task: TaskView, kind: RoundKind, seat: Seat) -> AuditOrder:
    """What the enclave of an auditor or arbiter is told, word for word from the chain."""
    return AuditOrder(
        execute_order(task), at.me.node, seat.key_epoch, kind, task.commitment, posted(task.rounds[-1]), handed_before(task)
    )


def posted(round_: Round) -> tuple[PostedWrap, ...]:
    """What was wrapped for each seat of a round."""
    return tuple(PostedWrap(seat.node, seat.key_epoch, seat.hpke_pk, seat.wrap) for seat in round_.seats)


def handed_before(task: TaskView) -> tuple[PostedWrap, ...]:
    """What the executor wrapped in rounds before the one under way."""
    by_executor = [each for each in task.rounds[:-1] if each.handed and each.handed_by == task.executor.slot]
    return tuple(wrap for each in by_executor for wrap in posted(each))


async def published_output(at: Station, task: TaskView) -> bytes:
    """The sealed output that was put on chain. Its digest names it, so wherever it comes from it is the same; the chain's
    transactions are the place where it cannot be missing.
    """
    try:
        return await at.home.fetch(task.sealed_output_digest, limit=MAX_SEALED_OUTPUT)
    except BlobError:
        return await at.chain.published_output(task.id)
