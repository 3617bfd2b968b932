"""The receipt: what the executor's enclave signed has to fit the chain."""

from dataclasses import replace

import pytest
from client_world import World, some

from agent.client.errors import ReceiptMismatch
from agent.client.receipt import receipt_of
from agent.protocol import draw
from agent.protocol.records import TaskView
from agent.protocol.units import Address, BlobId, Digest, TaskId

ANOTHER = some("another")


async def committed() -> TaskView:
    world = World(0)
    await world.post()
    world.commit()
    return world.view


async def test_genuine_receipt_is_accepted() -> None:
    view = await committed()
    receipt_of(view).check(view)


@pytest.mark.parametrize(
    "change",
    [
        lambda view: {"output": replace(view.output, commitment=Digest(ANOTHER))},
        lambda view: {"output": replace(view.output, sealed_digest=BlobId(ANOTHER))},
        lambda view: {"output": replace(view.output, units=17)},
        lambda view: {"output": replace(view.output, signature=b"s" * 64)},
        lambda view: {"output": replace(view.output, signature=b"")},
        lambda view: {"input": replace(view.input, digest=BlobId(ANOTHER))},
        lambda view: {"executor": replace(view.executor, key_epoch=2)},
        lambda view: {"id": TaskId(ANOTHER)},
        lambda view: {"network": Address(ANOTHER)},
    ],
)
async def test_receipt_with_a_bad_signature_is_refused(change) -> None:
    view = await committed()
    view = replace(view, **change(view))
    with pytest.raises(ReceiptMismatch, match="not signed"):
        receipt_of(view).check(view)


async def test_audit_that_chance_decided_cannot_be_left_out() -> None:
    view = await committed()
    view = replace(view, terms=replace(view.terms, audit_probability=draw.ALWAYS))
    with pytest.raises(ReceiptMismatch, match="has to be audited"):
        receipt_of(view).check(view)


async def test_panel_drawn_anew_has_another_seed_than_the_one_that_decided() -> None:
    view = await committed()
    view = replace(view, draw=replace(view.draw, audited=True, seed=b""))
    receipt_of(view).check(view)
