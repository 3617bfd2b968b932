"""The receipt: what the executor's enclave signed has to fit the chain, and the key out of the evidence."""

from dataclasses import replace
from hashlib import blake2b

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.client.errors import ReceiptMismatch
from agent.client.receipt import receipt_of
from agent.protocol import draw
from agent.protocol.lifecycle import Mark, Outcome, TaskState
from agent.protocol.records import Params, Seat, TaskView
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()


def some(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=32).digest()


def committed() -> TaskView:
    params = Params(
        Mist(10), Mist(1), Mist(1), 2, 5, draw.ALWAYS // 2, *[Millis(1)] * 8, *[Millis(1)] * 4, 1, 1, 1, 1, 1,
    )  # fmt: skip
    seat = Seat(Slot(3), NodeId(some("node")), Address(some("op")), TeeKind.SIMULATED, 1, some("hpke"), PUBLIC, 1, Mist(1), b"", Digest(b""), Digest(b""), Mark.WAITING)
    seed = some("seed")
    view = TaskView(
        TaskId(some("task")), 1, Address(some("network")), Address(some("pool")), Address(some("roster")), Address(some("me")), Digest(some("m")), params,
        Mist(1), Mist(1), Mist(1), Mist(3), TaskState.COMMITTED, Outcome.NONE, Millis(0), Millis(9), (Slot(3),), 1, seat, b"", BlobId(some("input")),
        Digest(some("key")), some("pk"), 1, Digest(some("commitment")), BlobId(some("output")), 16, b"", seed, (Slot(1),),
        draw.is_audited(seed, params.audit_probability), (), Digest(b""),
    )  # fmt: skip
    return replace(view, signature=KEY.sign(receipt_of(view).statement.signing_bytes()))


def test_genuine_receipt_is_accepted() -> None:
    view = committed()
    receipt_of(view).check(view)


@pytest.mark.parametrize(
    "change",
    [
        {"commitment": Digest(some("another"))},
        {"sealed_output_digest": BlobId(some("another"))},
        {"input_digest": BlobId(some("another"))},
        {"units": 17},
        {"id": TaskId(some("another"))},
        {"network": Address(some("another"))},
        {"signature": b"s" * 64},
        {"signature": b""},
    ],
)
def test_receipt_with_a_bad_signature_is_refused(change: dict) -> None:
    view = replace(committed(), **change)
    with pytest.raises(ReceiptMismatch, match="not signed"):
        receipt_of(view).check(view)


def test_audit_that_the_seed_did_not_decide_is_refused() -> None:
    view = committed()
    view = replace(view, audited=not view.audited)
    with pytest.raises(ReceiptMismatch, match="seed"):
        receipt_of(view).check(view)
