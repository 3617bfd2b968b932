"""A task on a chain that the test scripts, two candidates whose enclaves the test plays, and the requester's side of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from call_examples import PARAMS as EXAMPLE
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from view_examples import plain

from agent.chain.calls import AssignAndPostInput, Call, RejectExecutor
from agent.chain.memory import MemoryChain
from agent.chain.port import Receipt, TxDigest
from agent.client.receipt import receipt_of
from agent.client.requester import Opened, Requester, Submission
from agent.client.store import MemoryRequesterStore
from agent.delivery.blob_store import MemoryBlobStore
from agent.enclave import cbor, hpke
from agent.enclave.padding import pad
from agent.enclave.sealing import OpenedInput, data_key_info, open_body, open_data_key, output_info, parse_input, read_body, seal_output
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.lifecycle import TaskState
from agent.protocol.records import (
    Attestation,
    Committee,
    Draw,
    Input,
    MemberView,
    NetworkView,
    Output,
    PolicyEntry,
    PoolView,
    Prices,
    Seat,
    TaskView,
    Terms,
)
from agent.protocol.statements import TeeKind
from agent.protocol.units import NONE, Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

FAR = Millis(10**15)


def some(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=32).digest()


TASK = TaskId(some("task"))
NETWORK, POOL = Address(some("network")), Address(some("pool"))
POLICY = Digest(some("policy"))
WINDOW = 10_000
PARAMS = replace(
    EXAMPLE, bounty=Mist(7), delivery_bond=Mist(900), audit_probability=0, heartbeat_ms=Millis(10**9),
    grace_ms=Millis(100), delivery_ms=Millis(WINDOW), input_ms=Millis(WINDOW), handoff_ms=Millis(WINDOW),
)  # fmt: skip
PRICES = Prices(Mist(100), Mist(10), Mist(3))


@dataclass(frozen=True)
class Enclave:
    """Who plays in a slot."""

    slot: int
    epoch: int = 1

    @property
    def node(self) -> NodeId:
        return NodeId(some(f"node {self.slot}"))

    @property
    def sign(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(some(f"sign {self.slot}/{self.epoch}"))

    @property
    def hpke(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(some(f"hpke {self.slot}/{self.epoch}"))

    def record(self) -> Attestation:
        return Attestation(
            self.epoch, TeeKind.SIMULATED, POLICY, BlobId(some("evidence")), b"M" * 48,
            self.hpke.public_key().public_bytes_raw(), self.sign.public_key().public_bytes_raw(), FAR,
        )  # fmt: skip

    def member(self) -> MemberView:
        return plain(
            MemberView, node=self.node, slot=Slot(self.slot), operator=Address(some(f"operator {self.slot}")), stake=Mist(10**9),
            key_epoch=self.epoch, attestation=self.record(),
        )  # fmt: skip

    def seat(self, **more: Any) -> Seat:
        record = self.record()
        return plain(
            Seat, slot=Slot(self.slot), node=self.node, key_epoch=self.epoch, hpke_pk=record.hpke_pk, sign_pk=record.sign_pk, **more
        )

    def opens(self, blob: bytes) -> tuple[bytes, OpenedInput]:
        """Data key and content of a sealed input, as this enclave finds them."""
        parsed = parse_input(blob)
        data_key = open_data_key(parsed, self.hpke, data_key_info(NETWORK, TASK, self.node, self.epoch))
        return data_key, read_body(open_body(parsed, data_key, NETWORK, TASK))


@dataclass
class Judged:
    ok: bool
    simulated: bool = True


@dataclass
class Judge:
    """Evidence of the slots in `bad` is not accepted."""

    bad: frozenset[int] = frozenset()
    asked: list[int] = field(default_factory=list)
    on_ask: Callable[[], None] = lambda: None

    async def of(self, member: MemberView, pool: PoolView, network: NetworkView, at: Millis) -> Judged:
        self.on_ask()
        self.asked.append(member.slot)
        return Judged(member.slot not in self.bad)


class World:
    """The chain's part is played by `view`; what is submitted changes it as far as these tests need."""

    def __init__(self, *slots: int, bad: tuple[int, ...] = ()) -> None:
        self.chain, self.blobs, self.store = MemoryChain(), MemoryBlobStore(), MemoryRequesterStore()
        self.judge = Judge(frozenset(bad))
        self.enclaves = {slot: Enclave(slot) for slot in slots}
        self.chain.views.members = {Slot(slot): each.member() for slot, each in self.enclaves.items()}
        self.chain.views.pool = plain(
            PoolView, id=ObjectId(POOL), network=NETWORK, manifest=Digest(some("manifest")), tee_mask=1, prices=PRICES
        )
        self.chain.views.network = plain(
            NetworkView, id=ObjectId(NETWORK), params=PARAMS, policies=(PolicyEntry(POLICY, Millis(0), FAR, ()),),
            committee=Committee(1, (some("verifier"),), 1), heartbeat_at=self.chain.clock,
        )  # fmt: skip
        self.view = plain(
            TaskView, id=TASK, network=NETWORK, pool=POOL, requester=self.chain.address, manifest=Digest(some("manifest")),
            params=PARAMS, escrow=Mist(103), opened_at=self.chain.clock, deadline=Millis(self.chain.clock + WINDOW),
            terms=Terms(PRICES.price, PRICES.auditor_fee, PRICES.reservation_fee, Mist(0), 1, 0),
            candidates=tuple(Slot(slot) for slot in (0, 1)), executor=plain(Seat, slot=NONE),
        )  # fmt: skip
        self.before: Callable[[Call], None] = lambda _: None
        """May raise in place of the call, or change the chain before it."""
        self.chain.on_submit = self._on_submit

    @property
    def view(self) -> TaskView:
        return self.chain.views.tasks[TASK]

    @view.setter
    def view(self, task: TaskView) -> None:
        self.chain.views.tasks[TASK] = task

    @property
    def sent(self) -> list[str]:
        return [type(call).__name__ for call in self.chain.calls]

    def requester(self, **more: Any) -> Requester:
        """As a process would have it; another one has the same store."""
        return Requester(self.chain, self.blobs, "memory", self.judge, store=self.store, **more)

    async def post(self, text: str = "a confidential text", **more: Any) -> Submission:
        return await self.requester().post(Opened(TASK, Mist(103)), text, **more)

    def _on_submit(self, calls: tuple[Call, ...]) -> Receipt:
        for call in calls:
            self.before(call)
            match call:
                case RejectExecutor():
                    self.view = replace(self.view, candidate=self.view.candidate + 1)
                case AssignAndPostInput():
                    enclave = next(each for each in self.enclaves.values() if each.node == call.node)
                    posted = Input(
                        call.input_uri.encode(), call.input_digest, call.key_commitment, call.output_pk, call.tee_mask, call.denied
                    )
                    self.view = replace(self.view, state=TaskState.RUNNING, executor=enclave.seat(), input=posted)
                case _:
                    # whatever it was, the Task is another one afterwards
                    held = self.view.bonds.held
                    self.view = replace(self.view, bonds=replace(self.view.bonds, held=Mist(held + 1)))
        return Receipt(TxDigest(f"tx {len(self.chain.submissions)}"), 1, (), (), Mist(0))

    # --- what the executor does

    def commit(self, output: bytes = b"the output", *, sealed: bytes | None = None, **how: bytes) -> bytes:
        """Commit to `output` as the executor; returns the sealed output, which the caller delivers or does not. `how`:
        another leaf_key or salt than the data key gives; `sealed`: other bytes than those of `output`."""
        view = self.view
        node = view.executor.node
        enclave = next(each for each in self.enclaves.values() if each.node == node)
        data_key, _ = enclave.opens(self.blobs.content[view.input_digest])
        leaf_key = how.get("leaf_key", keys.leaf_key(data_key, TASK))
        salt = how.get("salt", keys.salt(data_key, TASK, node))
        if sealed is None and how:
            plaintext = pad(cbor.encode({"v": 1, "output": output, "salt": salt, "leaf_key": leaf_key}))
            sealed = hpke.seal(view.output_pk, plaintext, info=output_info(TASK, node), ephemeral_ikm=some("ephemeral"))
        sealed = sealed or seal_output(output, data_key, view.output_pk, TASK, node)
        posted = commitment(TASK, node, output_root(leaf_key, TASK, output), salt)
        self._commit(posted, sealed)
        return sealed

    def forge(self, output: bytes = b"forged", committed: bytes = b"the output") -> bytes:
        """Commit to one output and seal another."""
        view = self.view
        node = view.executor.node
        enclave = next(each for each in self.enclaves.values() if each.node == node)
        data_key, _ = enclave.opens(self.blobs.content[view.input_digest])
        sealed = seal_output(output, data_key, view.output_pk, TASK, node)
        root = output_root(keys.leaf_key(data_key, TASK), TASK, committed)
        self._commit(commitment(TASK, node, root, keys.salt(data_key, TASK, node)), sealed)
        return sealed

    def _commit(self, posted: Digest, sealed: bytes) -> None:
        view = self.view
        enclave = next(each for each in self.enclaves.values() if each.node == view.executor.node)
        output = Output(posted, blob_digest(sealed), 16, b"")
        deadline = Millis(self.chain.clock + WINDOW)
        draw = plain(Draw, seed=some("seed"))
        view = replace(view, state=TaskState.COMMITTED, deadline=deadline, output=output, draw=draw)
        signature = enclave.sign.sign(receipt_of(view).statement.signing_bytes())
        self.view = replace(view, output=replace(output, signature=signature))

    def seconds(self, duration: float) -> None:
        self.chain.clock = Millis(self.chain.clock + int(duration * 1_000))


async def look(requester: Requester, submission: Submission) -> Any:
    """One look of `result`: what it finds, or None where it would look again."""
    found = await requester._look(submission)
    return None if isinstance(found, bool) else found
