"""A small world for enclave tests:

a network with a committee of three, enclaves bound to nodes, a requester that posts tasks.
"""

from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.enclave.client import EnclaveClient
from agent.enclave.handoff import Holder, wrap, wrap_output_key
from agent.enclave.identity import EnclaveConfig, EnclaveIdentity
from agent.enclave.launcher import Launcher
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import AuditOrder, BindingRequest, Committee, DeliveryOrder, Executed, ExecuteOrder, PostedWrap
from agent.enclave.sealing import InputHeader, OpenedOutput, Recipient, TaskSecrets, open_output, seal_input
from agent.protocol.statements import CommitStatement, TeeKind, TicketSeat, TicketStatement
from agent.protocol.units import Address, Digest, Millis, NodeId, TaskId

NETWORK = Address(b"\x4e" * 32)
POOL = Address(b"\x90" * 32)
TASK = TaskId(b"\x7a" * 32)
OTHER_TASK = TaskId(b"\x7b" * 32)
DENIED = Address(b"\xde" * 32)
"""An operator that the requester does not want."""
OPENED_AT = Millis(1_000_000)
NOT_AFTER = Millis(9_000_000)

MEMBERS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2, 3))
COMMITTEE = Committee(2, tuple(member.public_key().public_bytes_raw() for member in MEMBERS))


def node(letter: str) -> NodeId:
    return NodeId(letter.encode() * 32)


def operator_of(of: NodeId) -> Address:
    return Address(bytes(255 - byte for byte in of))


@dataclass(frozen=True)
class Posted:
    """A task as the chain and the blob store know it, and the requester's secrets."""

    order: ExecuteOrder
    blob: bytes
    secrets: TaskSecrets

    def open(self, statement: CommitStatement, sealed_output: bytes) -> OpenedOutput:
        return open_output(
            sealed_output,
            self.secrets,
            self.order.task,
            self.order.node,
            posted_commitment=statement.commitment,
            sealed_output_digest=statement.sealed_output_digest,
        )


@dataclass(frozen=True)
class Node:
    """A bound enclave."""

    id: NodeId
    client: EnclaveClient
    identity: EnclaveIdentity
    key_epoch: int = 1

    def seat(self) -> TicketSeat:
        return TicketSeat(self.id, operator_of(self.id), TeeKind.SIMULATED, self.key_epoch, self.identity.hpke_pk)

    def verify(self, signature: bytes, message: bytes) -> None:
        Ed25519PublicKey.from_public_bytes(self.identity.sign_pk).verify(signature, message)


def binding_request(of: NodeId, key_epoch: int = 1) -> BindingRequest:
    return BindingRequest("enclavia-test", NETWORK, POOL, of, key_epoch, b"\xc4" * 32, NOT_AFTER, COMMITTEE)


async def bound_node(
    letter: str, launcher: Launcher | None = None, workload: str = "sha256-stream", state: bytes | None = None
) -> Node:
    client = EnclaveClient(launcher or MemoryLauncher())
    identity = await client.start(EnclaveConfig(workload, state))
    await client.bind(binding_request(node(letter)))
    return Node(node(letter), client, identity)


def header_for(executor: Node, secrets: TaskSecrets, task: TaskId = TASK) -> InputHeader:
    return InputHeader(
        network=NETWORK,
        task=task,
        manifest=Digest(executor.identity.manifest_hash),
        opened_at=OPENED_AT,
        output_pk=secrets.output_pk,
        max_units=1024,
        tee_mask=0b0001,
        denied=(DENIED,),
    )


def post(
    executor: Node, text: str, secrets: TaskSecrets | None = None, header: InputHeader | None = None, task: TaskId = TASK
) -> Posted:
    """Seal `text` for `executor`; the order says what an honest client would post, whatever `header` says."""
    secrets = secrets or TaskSecrets.generate()
    honest = header_for(executor, secrets, task)
    recipient = Recipient(executor.id, executor.key_epoch, executor.identity.hpke_pk)
    sealed = seal_input(text, header or honest, secrets, recipient)
    order = ExecuteOrder(
        network=NETWORK,
        task=task,
        node=executor.id,
        key_epoch=executor.key_epoch,
        input_digest=Digest(sealed.digest),
        key_commitment=sealed.key_commitment,
        output_pk=secrets.output_pk,
        tee_mask=honest.tee_mask,
        denied=honest.denied,
        opened_at=OPENED_AT,
    )
    return Posted(order, sealed.blob, secrets)


def ticket_for(posted: Posted, *auditors: Node, in_round: int = 1) -> TicketStatement:
    return TicketStatement(
        network=NETWORK,
        task=posted.order.task,
        round=in_round,
        input_digest=posted.order.input_digest,
        seats=tuple(auditor.seat() for auditor in auditors),
        issued_at=Millis(OPENED_AT + 1),
    )


def signed(ticket: TicketStatement, signers: tuple[int, ...] = (0, 2)) -> tuple[bytes, ...]:
    return tuple(MEMBERS[signer].sign(ticket.signing_bytes()) for signer in signers)


def wraps(data_key: bytes, *seats: Holder) -> tuple[PostedWrap, ...]:
    """What an honest hand-off puts on chain."""
    return tuple(PostedWrap(seat.node, seat.key_epoch, seat.hpke_pk, wrap(data_key, NETWORK, TASK, seat)) for seat in seats)


def output_wraps(output_sk: bytes, *seats: Holder) -> tuple[PostedWrap, ...]:
    """What an honest requester posts in a dispute of the delivery."""
    return tuple(PostedWrap(seat.node, seat.key_epoch, seat.hpke_pk, wrap_output_key(output_sk, NETWORK, TASK, seat)) for seat in seats)


def audit_order(posted: Posted, auditor: Node, commitment: Digest, in_round: int = 1, **changes: object) -> AuditOrder:
    """The seat of `auditor`, alone in its round, handed off honestly."""
    handed = wraps(posted.secrets.data_key, auditor.seat())
    order = AuditOrder(posted.order, auditor.id, auditor.key_epoch, in_round, commitment, handed, ())
    return replace(order, **changes)  # type: ignore[arg-type]


def delivery_order(posted: Posted, answer: Executed, arbiter: Node, in_round: int = 4, **changes: object) -> DeliveryOrder:
    """The seat of `arbiter`, alone in its round; the requester is honest."""
    handed = output_wraps(posted.secrets.output_sk, arbiter.seat())
    order = DeliveryOrder(
        posted.order, arbiter.id, arbiter.key_epoch, in_round, answer.statement.commitment, answer.statement.sealed_output_digest, handed
    )
    return replace(order, **changes)  # type: ignore[arg-type]


async def committed(executor: Node, text: str = "trust, but verify") -> tuple[Posted, Executed]:
    """A task that `executor` ran."""
    posted = post(executor, text)
    answer = await executor.client.execute(posted.order, posted.blob)
    assert isinstance(answer, Executed)
    return posted, answer


async def restarted(of: Node) -> Node:
    """The enclave that takes over from `of`, which is gone."""
    state = await of.client.seal_state()
    await of.client.close()
    client = EnclaveClient(MemoryLauncher())
    return Node(of.id, client, await client.start(EnclaveConfig("sha256-stream", state)), of.key_epoch)


def changed(posted: Posted, **fields: object) -> ExecuteOrder:
    return replace(posted.order, **fields)
