"""The enclave itself: keys, one node, one committee, and what it signs for them. Pure computation; no I/O, no clock.

Every answer is remembered before it is given, and is the same when asked for again [M6].
"""

from collections.abc import Callable

from agent.attestation.binding import Binding, committee_hash
from agent.attestation.errors import AttestationError
from agent.enclave.admission import InvalidInput, admit
from agent.enclave.arbitration import vote_on_delivery
from agent.enclave.errors import (
    AlreadyBound,
    BindingRefused,
    ConflictingOrder,
    NotBound,
    PlaintextTooLarge,
    TicketRefused,
    UnknownTask,
    WrongOrder,
)
from agent.enclave.handoff import wrap, wraps_hold
from agent.enclave.orders import (
    Audited,
    AuditOrder,
    BindingRequest,
    Bound,
    DeliveryOrder,
    Executed,
    ExecuteOrder,
    HandedOff,
    HandoffOrder,
    Refused,
)
from agent.enclave.own_keys import EnclaveKeys
from agent.enclave.sealing import InputBlob, Random, data_key_info, open_data_key, seal_output
from agent.enclave.state import EnclaveState, open_state, seal_state
from agent.enclave.task_memory import Execution, TaskMemory, Vote
from agent.enclave.tickets import DISPUTES, check_committee, check_ticket
from agent.enclave.voting import Ballot, vote_on_computation, vote_without_input
from agent.enclave.workloads.workload import Workload, manifest_hash
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.statements import (
    AuditStatement,
    CommitStatement,
    HandoffStatement,
    InputFacts,
    InvalidInputStatement,
    InvalidReason,
    native_digest,
)
from agent.protocol.states import RoundKind
from agent.protocol.units import BlobId, Digest, TaskId


class Engine:
    """One enclave's mind. Methods raise `Refusal`s and nothing else on purpose."""

    def __init__(self, workload: Workload, sealing_key: bytes, random: Random) -> None:
        self.workload = workload
        self.keys = EnclaveKeys.generate(random)
        self._sealing_key = sealing_key
        self._random = random
        self._bound: BindingRequest | None = None
        self._memory = TaskMemory()

    @property
    def key_epoch(self) -> int | None:
        """The one it is bound to; None before."""
        return None if self._bound is None else self._bound.key_epoch

    def bind(self, request: BindingRequest) -> Bound:
        """Serve this node, in this key epoch, believing this committee, from now on; what the evidence is to carry.

        Raises:
            AlreadyBound: it serves another, or another epoch or committee.
            BindingRefused: a field could not be verified by anybody.
        """
        if self._bound is not None and self._bound != request:
            raise AlreadyBound("this enclave serves a node and epoch already: start a new one for a new key epoch")
        check_committee(request.committee)
        committee, manifest = request.committee, Digest(manifest_hash(self.workload.manifest.encode()))
        try:
            binding = Binding(
                chain_id=request.chain_id,
                network_id=request.network,
                node_id=request.node,
                key_epoch=request.key_epoch,
                challenge=request.challenge,
                hpke_pk=self.keys.hpke_pk,
                sign_pk=self.keys.sign_pk,
                workload_manifest_hash=manifest,
                committee_hash=committee_hash(committee.threshold, committee.verifiers),
                not_after=request.not_after,
            )
        except AttestationError as error:
            raise BindingRefused(str(error)) from None
        native = native_digest(
            request.network, request.pool, request.node, request.key_epoch, request.challenge, self.keys.hpke_pk,
            self.keys.sign_pk, manifest, committee.verifiers, committee.threshold, request.not_after,
        )  # fmt: skip
        self._bound = request
        return Bound(binding.encode(), native)

    def execute(self, order: ExecuteOrder, sealed_input: bytes) -> Executed | Refused:
        """Run the task if its input may be run; else a signed refusal of the input [H2].

        Raises:
            NotBound, ConflictingOrder, TooManyTasks
            WrongOrder: the order is not for this enclave, or the input is not the one on chain. No statement is made of
                such bytes: only the host says that they are all there is (`report_unavailable`).
        """
        self._check_mine(order)
        _check_bytes(sealed_input, order.input_digest, "sealed input")
        self._memory.admit(order)
        try:
            admitted = admit(order, sealed_input, self.workload, lambda blob: self._own_data_key(blob, order))
        except InvalidInput as refused:
            return self._refuse(order, refused.reason)
        output = self.workload.run(admitted.text).output
        try:
            sealed_output = seal_output(output, admitted.data_key, order.output_pk, order.task, order.node)
        except PlaintextTooLarge:
            # it could never be published on chain: no commitment to it is signed, and auditors know of none either
            return self._refuse(order, InvalidReason.TOO_LARGE)
        root = output_root(keys.leaf_key(admitted.data_key, order.task), order.task, output)
        salt = keys.salt(admitted.data_key, order.task, order.node)
        statement = CommitStatement(
            network=order.network,
            task=order.task,
            node=order.node,
            key_epoch=order.key_epoch,
            input_digest=order.input_digest,
            commitment=commitment(order.task, order.node, root, salt),
            sealed_output_digest=blob_digest(sealed_output),
            units=admitted.units,
        )
        self._memory.answer(Execution(order, admitted.data_key, statement, None))
        return Executed(statement, self.keys.sign.sign(statement.signing_bytes()), sealed_output)

    def report_unavailable(self, order: ExecuteOrder) -> Refused:
        """Sign that the blob could not be had, on the host's word.

        Raises:
            NotBound, WrongOrder, ConflictingOrder, TooManyTasks
        """
        self._check_mine(order)
        self._memory.admit(order)
        return self._refuse(order, InvalidReason.UNAVAILABLE)

    def handoff(self, handoff: HandoffOrder) -> HandedOff:
        """Wrap the data key for every seat of a ticket that the committee signed [C6]: of a task executed here or, in a
        dispute, audited here. Both make the same wraps.

        Raises:
            TicketRefused, UnknownTask, NotBound, WrongOrder, ConflictingOrder
        """
        bound = self._require_bound()
        data_key = self._executed_key(handoff) if handoff.order.node == bound.node else self._audited_key(handoff)
        ticket = handoff.ticket
        check_ticket(ticket, handoff.signers, handoff.signatures, bound.committee, handoff.order)
        statement = HandoffStatement(
            network=ticket.network,
            task=ticket.task,
            node=bound.node,
            key_epoch=bound.key_epoch,
            round=ticket.round,
            wraps=tuple(wrap(data_key, ticket.network, ticket.task, seat) for seat in ticket.seats),
        )
        self._memory.hand_off(statement)
        return HandedOff(statement, self.keys.sign.sign(statement.signing_bytes()))

    def audit(self, order: AuditOrder, sealed_input: bytes) -> Audited:
        """Run another node's task again, and vote: see `agent.enclave.voting`.

        Raises:
            NotBound, ConflictingOrder, TooManyTasks
            WrongOrder: the order is not for this enclave, or the input is not the one on chain (fetch it again).
        """
        self._check_seat(order, RoundKind.SECOND_DISPUTE)
        _check_bytes(sealed_input, order.task.input_digest, "sealed input")
        return self._vote(order, lambda: vote_on_computation(order, sealed_input, self.workload, self.keys))

    def report_no_input(self, order: AuditOrder) -> Audited:
        """Vote that the sealed input is nowhere to be had, on the host's word.

        Raises:
            NotBound, WrongOrder, ConflictingOrder, TooManyTasks
        """
        self._check_seat(order, RoundKind.SECOND_DISPUTE)
        return self._vote(order, lambda: vote_without_input(order, self.keys))

    def arbitrate(self, order: DeliveryOrder, sealed_output: bytes) -> Audited:
        """Open what another node published, and vote: see `agent.enclave.arbitration`.

        Raises:
            NotBound, ConflictingOrder, TooManyTasks
            WrongOrder: the order is not for this enclave, or the output is not the one on chain (fetch it again).
        """
        self._check_seat(order, RoundKind.SECOND_DELIVERY)
        _check_bytes(sealed_output, order.sealed_output_digest, "sealed output")
        return self._vote(order, lambda: vote_on_delivery(order, sealed_output, self.keys))

    def forget(self, task: TaskId) -> None:
        """Drop the data key and answers of a settled task."""
        self._memory.forget(task)

    def seal_state(self) -> bytes:
        """The recovery envelope [H5]."""
        return seal_state(EnclaveState(self.keys, self._bound, self._memory), self._sealing_key, self._random(12))

    def restore(self, envelope: bytes) -> None:
        """Become the enclave that sealed `envelope`.

        Raises:
            StateRefused: it does not open here.
            AlreadyBound: this enclave has begun a life of its own.
        """
        if self._bound is not None:
            raise AlreadyBound("restore comes before bind")
        state = open_state(envelope, self._sealing_key)
        self.keys, self._bound, self._memory = state.keys, state.bound, state.memory

    def _vote(self, order: AuditOrder | DeliveryOrder, decide: Callable[[], Ballot]) -> Audited:
        self._memory.admit_vote(order.task, order.round)
        ballot = decide()
        statement = AuditStatement(
            network=order.task.network,
            task=order.task.task,
            node=order.node,
            key_epoch=order.key_epoch,
            round=order.round,
            input_digest=order.task.input_digest,
            # binds the executor's salt too: else the host could reveal a wrong one and make this vote differ
            commitment=commitment(order.task.task, order.node, ballot.root, ballot.salt + ballot.executor_salt),
        )
        signature = self.keys.sign.sign(statement.signing_bytes())
        audited = Audited(statement, signature, ballot.root, ballot.salt, ballot.executor_salt)
        kept = ballot.data_key if order.round == RoundKind.AUDIT else None
        self._memory.vote(Vote(order.task, audited, kept))
        return audited

    def _refuse(self, order: ExecuteOrder, reason: InvalidReason) -> Refused:
        statement = InvalidInputStatement(
            network=order.network,
            task=order.task,
            node=order.node,
            key_epoch=order.key_epoch,
            input_digest=order.input_digest,
            facts=InputFacts(order.key_commitment, order.output_pk, order.tee_mask, order.denied, order.opened_at).digest(),
            reason=reason,
        )
        self._memory.answer(Execution(order, None, None, statement))
        return Refused(statement, self.keys.sign.sign(statement.signing_bytes()))

    def _own_data_key(self, blob: InputBlob, order: ExecuteOrder) -> bytes:
        info = data_key_info(order.network, order.task, order.node, order.key_epoch)
        return open_data_key(blob, self.keys.hpke, info)

    def _executed_key(self, handoff: HandoffOrder) -> bytes:
        self._check_mine(handoff.order)
        execution = self._memory.execution(handoff.order.task)
        if execution.order != handoff.order:
            raise ConflictingOrder("the task was executed for another order")
        if execution.data_key is None:
            raise UnknownTask("the input of this task was refused: there is nothing to hand off")
        return execution.data_key

    def _audited_key(self, handoff: HandoffOrder) -> bytes:
        order = handoff.order
        vote = self._memory.audit(order.task)
        if vote.order != order:
            raise ConflictingOrder("the task was audited for another order")
        if vote.data_key is None:
            raise UnknownTask("the audit found the task not in order: its key is not handed on, and the executor is to answer")
        if handoff.ticket.round not in DISPUTES:
            raise TicketRefused("an auditor hands off in disputes of the computation only")
        if not wraps_hold(vote.data_key, order.network, order.task, handoff.earlier):
            # the missed window convicts it as surely as arbiters would, and at once
            raise TicketRefused("the executor handed off falsely before: do not stand in for it, its missed window ends the task")
        return vote.data_key

    def _check_mine(self, order: ExecuteOrder) -> None:
        bound = self._require_bound()
        if (order.network, order.node, order.key_epoch) != (bound.network, bound.node, bound.key_epoch):
            raise WrongOrder("the order is for another network, node or key epoch")
        if order.opened_at >= bound.not_after:
            raise WrongOrder("the task was opened after this enclave's attestation ended: start a new key epoch")

    def _check_seat(self, order: AuditOrder | DeliveryOrder, last: RoundKind) -> None:
        bound, task = self._require_bound(), order.task
        mine = (order.node, order.key_epoch, task.network) == (bound.node, bound.key_epoch, bound.network)
        if not mine or task.node == order.node:
            raise WrongOrder("the seat is in another network, of another node or key epoch, or judges one's own task")
        first = RoundKind.DELIVERY if last.judges_delivery else RoundKind.AUDIT
        if not first <= order.round <= last:
            raise WrongOrder(f"this is not voted on in a round {order.round}")

    def _require_bound(self) -> BindingRequest:
        if self._bound is None:
            raise NotBound("the enclave serves no node yet: send `bind` first")
        return self._bound


def _check_bytes(given: bytes, named: BlobId, what: str) -> None:
    if blob_digest(given) != named:
        raise WrongOrder(f"the {what} is not the one on chain: fetch it from another store")
