"""The enclave itself: keys, one node, one committee, and the four things it does for them. Pure computation; no I/O, no
clock.

Every answer is remembered before it is given, and is the same when asked for again [M6].
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.attestation.binding import Binding, committee_hash
from agent.attestation.errors import AttestationError
from agent.enclave.admission import InvalidInput, admit
from agent.enclave.agreement import BAD_WRAP, NO_SALT, agreed_root
from agent.enclave.errors import (
    AlreadyBound,
    BindingRefused,
    ConflictingOrder,
    NotBound,
    SealBroken,
    TicketRefused,
    UnknownTask,
    WrongOrder,
)
from agent.enclave.handoff import unwrap, wrap
from agent.enclave.orders import (
    Audited,
    AuditOrder,
    BindingRequest,
    Executed,
    ExecuteOrder,
    HandedOff,
    HandoffOrder,
    Refused,
)
from agent.enclave.sealing import InputBlob, Random, data_key_info, open_data_key, seal_output
from agent.enclave.state import EnclaveState, open_state, seal_state
from agent.enclave.task_memory import Execution, TaskMemory, Vote
from agent.enclave.tickets import ROUNDS, check_committee, check_ticket
from agent.enclave.workloads.workload import Workload, manifest_hash
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.statements import (
    AuditStatement,
    CommitStatement,
    HandoffStatement,
    InvalidInputStatement,
    InvalidReason,
)
from agent.protocol.units import Digest, TaskId


@dataclass(frozen=True, slots=True)
class EnclaveKeys:
    """Born inside; they leave only in a sealed state."""

    hpke: X25519PrivateKey = field(repr=False)
    sign: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, random: Random) -> "EnclaveKeys":
        """Fresh keys."""
        return cls.restored(random(32), random(32))

    @classmethod
    def restored(cls, hpke_sk: bytes, sign_sk: bytes) -> "EnclaveKeys":
        """Keys from their private bytes."""
        return cls(X25519PrivateKey.from_private_bytes(hpke_sk), Ed25519PrivateKey.from_private_bytes(sign_sk))

    @property
    def hpke_pk(self) -> bytes:
        """X25519, 32 bytes."""
        return self.hpke.public_key().public_bytes_raw()

    @property
    def sign_pk(self) -> bytes:
        """Ed25519, 32 bytes."""
        return self.sign.public_key().public_bytes_raw()


class Engine:
    """One enclave's mind. Methods raise `Refusal`s and nothing else on purpose."""

    def __init__(self, workload: Workload, sealing_key: bytes, random: Random) -> None:
        self.workload = workload
        self.keys = EnclaveKeys.generate(random)
        self._sealing_key = sealing_key
        self._random = random
        self._bound: BindingRequest | None = None
        self._memory = TaskMemory()

    def bind(self, request: BindingRequest) -> bytes:
        """Serve this node from now on; returns the canonical CBOR binding for the evidence.

        Raises:
            AlreadyBound: it serves another, or another epoch or committee.
            BindingRefused: a field could not be verified by anybody.
        """
        if self._bound is not None and self._bound != request:
            raise AlreadyBound("this enclave serves a node and epoch already: start a new one for a new key epoch")
        check_committee(request.committee)
        try:
            binding = Binding(
                chain_id=request.chain_id,
                network_id=request.network,
                node_id=request.node,
                key_epoch=request.key_epoch,
                challenge=request.challenge,
                hpke_pk=self.keys.hpke_pk,
                sign_pk=self.keys.sign_pk,
                workload_manifest_hash=manifest_hash(self.workload.manifest.encode()),
                committee_hash=committee_hash(request.committee.threshold, request.committee.verifiers),
                not_after=request.not_after,
            )
        except AttestationError as error:
            raise BindingRefused(str(error)) from None
        self._bound = request
        return binding.encode()

    def execute(self, order: ExecuteOrder, sealed_input: bytes) -> Executed | Refused:
        """Run the task if its input may be run; else a signed refusal of the input [H2].

        Raises:
            NotBound, WrongOrder, ConflictingOrder, TooManyTasks
        """
        self._check_mine(order)
        try:
            admitted = admit(order, sealed_input, self.workload, lambda blob: self._own_data_key(blob, order))
        except InvalidInput as refused:
            return self._refuse(order, refused.reason)
        output = self.workload.run(admitted.text).output
        root = output_root(keys.leaf_key(admitted.data_key, order.task), order.task, output)
        sealed_output = seal_output(output, admitted.data_key, order.output_pk, order.task, order.node)
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
        return self._refuse(order, InvalidReason.UNAVAILABLE)

    def handoff(self, handoff: HandoffOrder) -> HandedOff:
        """Wrap the data key for every seat of a ticket that the committee signed [C6].

        Raises:
            TicketRefused, UnknownTask, NotBound, WrongOrder, ConflictingOrder
        """
        bound = self._check_mine(handoff.order)
        execution = self._memory.execution(handoff.order.task)
        if execution.order != handoff.order:
            raise ConflictingOrder("the task was executed for another order")
        if execution.data_key is None:
            raise UnknownTask("the input of this task was refused: there is nothing to hand off")
        ticket = handoff.ticket
        check_ticket(ticket, handoff.signers, handoff.signatures, bound.committee, execution.order)
        try:
            wraps = tuple(wrap(execution.data_key, ticket.network, ticket.task, seat) for seat in ticket.seats)
        except SealBroken as error:
            raise TicketRefused(f"a seat of the ticket cannot be sealed to: {error}") from None
        statement = HandoffStatement(
            network=ticket.network,
            task=ticket.task,
            node=execution.order.node,
            key_epoch=execution.order.key_epoch,
            round=ticket.round,
            wraps=wraps,
        )
        self._memory.hand_off(statement)
        return HandedOff(statement, self.keys.sign.sign(statement.signing_bytes()))

    def audit(self, order: AuditOrder, sealed_input: bytes, wrapped: bytes) -> Audited:
        """Run another node's task again. A wrap or input that no honest executor could have answered with a commit is
        voted `BAD_WRAP`.

        Raises:
            NotBound, ConflictingOrder, TooManyTasks
            WrongOrder: the order is not for this enclave, or the input is not the one on chain (fetch it again).
        """
        bound = self._require_bound()
        task = order.task
        mine = (order.node, order.key_epoch, task.network) == (bound.node, bound.key_epoch, bound.network)
        if not mine or order.round not in ROUNDS or task.node == order.node:
            raise WrongOrder("the audit is for another network, node or key epoch, of one's own task, or of no round")
        if blob_digest(sealed_input) != task.input_digest:
            raise WrongOrder("the sealed input is not the one on chain: fetch it from another store")
        self._memory.admit_vote(task.task, order.round)
        root, salt, executor_salt = self._run_again(order, sealed_input, wrapped)
        statement = AuditStatement(
            network=task.network,
            task=task.task,
            node=order.node,
            key_epoch=order.key_epoch,
            round=order.round,
            input_digest=task.input_digest,
            # binds the executor's salt too: else the host could reveal a wrong one and make this vote differ
            commitment=commitment(task.task, order.node, root, salt + executor_salt),
        )
        audited = Audited(statement, self.keys.sign.sign(statement.signing_bytes()), root, salt, executor_salt)
        self._memory.vote(Vote(order, audited))
        return audited

    def forget(self, task: TaskId) -> None:
        """Drop the data key and answers of a settled task."""
        self._memory.forget(task)

    def seal_state(self) -> bytes:
        """The recovery envelope [H5]."""
        state = EnclaveState(
            self.keys.hpke.private_bytes_raw(), self.keys.sign.private_bytes_raw(), self._bound, self._memory
        )
        return seal_state(state, self._sealing_key, self._random(12))

    def restore(self, envelope: bytes) -> None:
        """Become the enclave that sealed `envelope`.

        Raises:
            StateRefused: it does not open here.
            AlreadyBound: this enclave has begun a life of its own.
        """
        if self._bound is not None:
            raise AlreadyBound("restore comes before bind")
        state = open_state(envelope, self._sealing_key)
        self.keys = EnclaveKeys.restored(state.hpke_sk, state.sign_sk)
        self._bound = state.bound
        self._memory = state.memory

    def _run_again(self, order: AuditOrder, sealed_input: bytes, wrapped: bytes) -> tuple[Digest, bytes, bytes]:
        """Root, the auditor's salt, and the executor's."""
        task = order.task
        try:
            admitted = admit(
                task,
                sealed_input,
                self.workload,
                lambda _: unwrap(wrapped, self.keys.hpke, task.network, task.task, order.node, order.key_epoch),
            )
        except InvalidInput:
            return BAD_WRAP, NO_SALT, NO_SALT
        run = self.workload.run(admitted.text)
        root = agreed_root(run, admitted.data_key, task.task, task.node, order.commitment)
        salt = keys.salt(admitted.data_key, task.task, order.node)
        return root, salt, keys.salt(admitted.data_key, task.task, task.node)

    def _refuse(self, order: ExecuteOrder, reason: InvalidReason) -> Refused:
        statement = InvalidInputStatement(
            network=order.network,
            task=order.task,
            node=order.node,
            key_epoch=order.key_epoch,
            input_digest=order.input_digest,
            reason=reason,
        )
        self._memory.answer(Execution(order, None, None, statement))
        return Refused(statement, self.keys.sign.sign(statement.signing_bytes()))

    def _own_data_key(self, blob: InputBlob, order: ExecuteOrder) -> bytes:
        info = data_key_info(order.network, order.task, order.node, order.key_epoch)
        return open_data_key(blob, self.keys.hpke, info)

    def _check_mine(self, order: ExecuteOrder) -> BindingRequest:
        bound = self._require_bound()
        if (order.network, order.node, order.key_epoch) != (bound.network, bound.node, bound.key_epoch):
            raise WrongOrder("the order is for another network, node or key epoch")
        if order.opened_at >= bound.not_after:
            raise WrongOrder("the task was opened after this enclave's attestation ended: start a new key epoch")
        self._memory.admit(order.task)
        return bound

    def _require_bound(self) -> BindingRequest:
        if self._bound is None:
            raise NotBound("the enclave serves no node yet: send `bind` first")
        return self._bound
