"""A small world for enclave tests:

a network with a committee of three, enclaves bound to nodes, a requester that posts tasks.
"""

from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.enclave.client import EnclaveClient
from agent.enclave.identity import EnclaveConfig, EnclaveIdentity
from agent.enclave.launcher import Launcher
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import AuditOrder, BindingRequest, Committee, ExecuteOrder
from agent.enclave.sealing import InputHeader, OpenedOutput, Recipient, TaskSecrets, open_output, seal_input
from agent.protocol.statements import CommitStatement, TicketSeat, TicketStatement
from agent.protocol.units import Address, Digest, Millis, NodeId, TaskId

NETWORK = Address(b"\x4e" * 32)
POOL = Address(b"\x90" * 32)
TASK = TaskId(b"\x7a" * 32)
OTHER_TASK = TaskId(b"\x7b" * 32)
OPENED_AT = Millis(1_000_000)
NOT_AFTER = Millis(9_000_000)
SIMULATED = 0

MEMBERS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2, 3))
COMMITTEE = Committee(2, tuple(member.public_key().public_bytes_raw() for member in MEMBERS))


def node(letter: str) -> NodeId:
    return NodeId(letter.encode() * 32)


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
        return TicketSeat(node=self.id, tee_kind=SIMULATED, key_epoch=self.key_epoch, hpke_pk=self.identity.hpke_pk)

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


def header_for(executor: Node, secrets: TaskSecrets) -> InputHeader:
    return InputHeader(
        network=NETWORK,
        task=TASK,
        manifest=Digest(executor.identity.manifest_hash),
        opened_at=OPENED_AT,
        output_pk=secrets.output_pk,
        max_units=1024,
        tee_mask=0b0001,
    )


def post(executor: Node, text: str, secrets: TaskSecrets | None = None, header: InputHeader | None = None) -> Posted:
    """Seal `text` for `executor`; the order says what an honest client would post, whatever `header` says."""
    secrets = secrets or TaskSecrets.generate()
    honest = header_for(executor, secrets)
    recipient = Recipient(executor.id, executor.key_epoch, executor.identity.hpke_pk)
    sealed = seal_input(text, header or honest, secrets, recipient)
    order = ExecuteOrder(
        network=NETWORK,
        task=TASK,
        node=executor.id,
        key_epoch=executor.key_epoch,
        input_digest=Digest(sealed.digest),
        key_commitment=sealed.key_commitment,
        output_pk=secrets.output_pk,
        tee_mask=honest.tee_mask,
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


def audit_order(posted: Posted, auditor: Node, commitment: Digest, in_round: int = 1) -> AuditOrder:
    return AuditOrder(posted.order, auditor.id, auditor.key_epoch, in_round, commitment)


def changed(posted: Posted, **fields: object) -> ExecuteOrder:
    return replace(posted.order, **fields)
