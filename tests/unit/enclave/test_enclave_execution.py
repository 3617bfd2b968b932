"""What an executor's enclave signs, and what it refuses to [H2, M6, C8]."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from enclave_world import (
    DENIED,
    NETWORK,
    NOT_AFTER,
    OTHER_TASK,
    POOL,
    TASK,
    Node,
    Posted,
    binding_request,
    bound_node,
    changed,
    header_for,
    node,
    post,
    restarted,
)

from agent.attestation.binding import Binding, committee_hash, native_of
from agent.attestation.binding import Committee as AttestedCommittee
from agent.enclave import cbor, memory
from agent.enclave.client import EnclaveClient
from agent.enclave.errors import (
    AlreadyBound,
    BindingRefused,
    ConflictingOrder,
    NotBound,
    OutputMismatch,
    Refusal,
    WrongBlob,
    WrongOrder,
)
from agent.enclave.identity import EnclaveConfig
from agent.enclave.memory import MemoryLauncher
from agent.enclave.orders import Committee, Executed, Refused
from agent.enclave.sealing import LARGEST_OUTPUT, MAX_SEALED_INPUT, MAX_SEALED_OUTPUT, TaskSecrets
from agent.enclave.workloads.hashing import HashWorkload
from agent.enclave.workloads.workload import Run
from agent.protocol import keys
from agent.protocol.blob import BLOB_CHUNK, MAX_PUBLISHED_CHUNKS, blob_digest
from agent.protocol.commitment import commitment
from agent.protocol.statements import InvalidReason
from agent.protocol.units import Digest

TEXT = "is the moon made of cheese?"


async def executed(executor: Node, posted: Posted) -> Executed:
    answer = await executor.client.execute(posted.order, posted.blob)
    assert isinstance(answer, Executed)
    return answer


async def reason_of(executor: Node, posted: Posted) -> InvalidReason:
    answer = await executor.client.execute(posted.order, posted.blob)
    assert isinstance(answer, Refused), "the input was run"
    executor.verify(answer.signature, answer.statement.signing_bytes())
    return answer.statement.reason


async def test_requester_opens_the_output_that_was_committed(executor: Node) -> None:
    posted = post(executor, TEXT)
    answer = await executed(executor, posted)
    assert posted.open(answer.statement, answer.sealed_output).output == HashWorkload().run(TEXT).output


async def test_commit_is_signed_by_the_key_in_the_binding(executor: Node) -> None:
    answer = await executed(executor, post(executor, TEXT))
    executor.verify(answer.signature, answer.statement.signing_bytes())


async def test_commitment_names_the_node_and_hides_the_root(executor: Node) -> None:
    posted = post(executor, TEXT)
    answer = await executed(executor, posted)
    root = posted.open(answer.statement, answer.sealed_output).root
    salt = keys.salt(posted.secrets.data_key, TASK, executor.id)
    assert answer.statement.commitment == commitment(TASK, executor.id, root, salt)


async def test_same_request_gives_the_same_bytes(executor: Node) -> None:
    posted = post(executor, TEXT)
    assert await executed(executor, posted) == await executed(executor, posted)


async def test_another_input_for_the_same_task_is_refused(executor: Node) -> None:
    await executed(executor, post(executor, TEXT))
    second = post(executor, "another question")
    with pytest.raises(ConflictingOrder):
        await executor.client.execute(second.order, second.blob)


async def test_an_unavailable_blob_is_signed_once_and_then_stands(executor: Node) -> None:
    posted = post(executor, TEXT)
    refused = await executor.client.report_unavailable(posted.order)
    assert refused.statement.reason == InvalidReason.UNAVAILABLE
    with pytest.raises(ConflictingOrder):
        await executor.client.execute(posted.order, posted.blob)


async def test_a_task_that_ran_cannot_be_called_unavailable(executor: Node) -> None:
    posted = post(executor, TEXT)
    await executed(executor, posted)
    with pytest.raises(ConflictingOrder):
        await executor.client.report_unavailable(posted.order)


async def test_swapped_bytes_are_neither_run_nor_refused(executor: Node) -> None:
    """A signed refusal frees the host of its duty, and only the host says that these bytes are all there is."""
    posted = post(executor, TEXT)
    with pytest.raises(WrongOrder):
        await executor.client.execute(posted.order, post(executor, TEXT).blob)
    assert (await executed(executor, posted)).statement.task == TASK


async def test_key_commitment_to_another_key_is_invalid(executor: Node) -> None:
    posted = post(executor, TEXT)
    poisoned = changed(posted, key_commitment=keys.key_commitment(bytes(32), TASK))
    assert await reason_of(executor, replace(posted, order=poisoned)) == InvalidReason.KEY_COMMITMENT


def flip(blob: bytes, field: str) -> bytes:
    value = cbor.decode(blob)
    value[field] = bytes([value[field][0] ^ 1]) + value[field][1:]
    return cbor.encode(value)


SPOILERS: list[Callable[[bytes], bytes]] = [
    lambda blob: flip(blob, "enc_key"),
    lambda blob: flip(blob, "nonce"),
    lambda blob: flip(blob, "body"),
    lambda blob: blob + b"\x00",
    lambda blob: blob[:-1],
    lambda _: b"",
    lambda _: cbor.encode({"v": 2}),
    lambda _: cbor.encode([1, 2, 3]),
    lambda blob: cbor.encode({**cbor.decode(blob), "more": 1}),
]


@pytest.mark.parametrize("spoil", SPOILERS)
async def test_a_ciphertext_that_was_altered_does_not_open(executor: Node, spoil: Callable[[bytes], bytes]) -> None:
    posted = post(executor, TEXT)
    blob = spoil(posted.blob)
    order = changed(posted, input_digest=blob_digest(blob))
    assert await reason_of(executor, replace(posted, blob=blob, order=order)) == InvalidReason.SEAL


async def test_an_input_sealed_to_another_enclave_does_not_open(executor: Node, auditor: Node) -> None:
    posted = post(auditor, TEXT)
    order = changed(posted, node=executor.id)
    assert await reason_of(executor, replace(posted, order=order)) == InvalidReason.SEAL


HEADERS: list[dict[str, Any]] = [
    {"network": b"\x00" * 32},
    {"manifest": Digest(b"\x00" * 32)},
    {"opened_at": 1},
    {"tee_mask": 0},
    {"denied": ()},
    {"denied": (DENIED, DENIED)},
    {"output_pk": TaskSecrets.generate().output_pk},
]


@pytest.mark.parametrize("lie", HEADERS, ids=lambda lie: next(iter(lie)))
async def test_a_header_that_differs_from_the_chain_is_refused_before_it_runs(
    executor: Node, lie: dict[str, Any]
) -> None:
    secrets = TaskSecrets.generate()
    posted = post(executor, TEXT, secrets, replace(header_for(executor, secrets), **lie))
    # the network is bound by the seal already
    wanted = InvalidReason.SEAL if "network" in lie else InvalidReason.HEADER
    assert await reason_of(executor, posted) == wanted


async def test_an_input_for_another_task_does_not_open(executor: Node) -> None:
    posted = post(executor, TEXT)
    order = changed(posted, task=OTHER_TASK, key_commitment=keys.key_commitment(posted.secrets.data_key, OTHER_TASK))
    assert await reason_of(executor, replace(posted, order=order)) == InvalidReason.SEAL


async def test_a_host_cannot_have_the_output_sealed_to_itself(executor: Node) -> None:
    posted = post(executor, TEXT)
    host = TaskSecrets.generate()
    order = changed(posted, output_pk=host.output_pk)
    assert await reason_of(executor, replace(posted, order=order)) == InvalidReason.HEADER


async def test_an_output_key_without_secrecy_is_refused_before_it_runs(executor: Node) -> None:
    secrets = TaskSecrets.generate()
    low_order = bytes(32)
    posted = post(executor, TEXT, secrets, replace(header_for(executor, secrets), output_pk=low_order))
    order = changed(posted, output_pk=low_order)
    assert await reason_of(executor, replace(posted, order=order)) == InvalidReason.HEADER


async def test_more_units_than_the_requester_allows_are_too_large(executor: Node) -> None:
    secrets = TaskSecrets.generate()
    header = replace(header_for(executor, secrets), max_units=16)
    fits, too_long = "x" * 64 * 16, "x" * 64 * 17
    assert await reason_of(executor, post(executor, too_long, secrets, header)) == InvalidReason.TOO_LARGE
    other = await bound_node("x")
    assert (await executed(other, post(other, fits, header=None))).statement.units == 16
    await other.client.close()


async def test_more_than_the_workload_takes_is_too_large(executor: Node) -> None:
    assert await reason_of(executor, post(executor, "x" * 70_000)) == InvalidReason.TOO_LARGE


async def test_a_blob_over_the_limit_is_too_large(executor: Node) -> None:
    blob = bytes(MAX_SEALED_INPUT + 1)
    posted = post(executor, TEXT)
    assert await reason_of(executor, replace(posted, blob=blob, order=changed(posted, input_digest=blob_digest(blob)))) == InvalidReason.TOO_LARGE


async def test_a_host_cannot_have_a_good_input_called_too_large(executor: Node) -> None:
    posted = post(executor, TEXT)
    with pytest.raises(WrongOrder):
        await executor.client.execute(posted.order, bytes(MAX_SEALED_INPUT + 1))


async def test_units_and_sizes_tell_only_the_class_of_a_length(executor: Node) -> None:
    answers = []
    for text in ("no", "certainly not, and here is why"):
        other = await bound_node("x")
        posted = post(other, text)
        answer = await executed(other, posted)
        answers.append((answer.statement.units, len(answer.sealed_output), len(posted.blob)))
        await other.client.close()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("field", ["network", "node", "key_epoch", "opened_at"])
async def test_an_order_for_someone_else_is_refused(executor: Node, field: str) -> None:
    posted = post(executor, TEXT)
    wrong = {"network": b"\x00" * 32, "node": node("z"), "key_epoch": 2, "opened_at": NOT_AFTER}[field]
    with pytest.raises(WrongOrder):
        await executor.client.execute(changed(posted, **{field: wrong}), posted.blob)


async def test_output_of_another_task_is_recognised_by_the_client(executor: Node) -> None:
    posted = post(executor, TEXT)
    answer = await executed(executor, posted)
    forged = replace(answer.statement, commitment=Digest(b"\x00" * 32))
    with pytest.raises(OutputMismatch):
        posted.open(forged, answer.sealed_output)


async def test_a_blob_that_is_not_the_committed_one_is_recognised_by_the_client(executor: Node) -> None:
    posted = post(executor, TEXT)
    answer = await executed(executor, posted)
    with pytest.raises(WrongBlob):
        posted.open(answer.statement, answer.sealed_output + b"\x00")


async def test_binding_carries_keys_workload_and_committee(executor: Node) -> None:
    request = binding_request(executor.id)
    bound = await executor.client.bind(request)
    binding = Binding.decode(bound.binding)
    assert (binding.hpke_pk, binding.sign_pk) == (executor.identity.hpke_pk, executor.identity.sign_pk)
    assert binding.workload_manifest_hash == executor.identity.manifest_hash
    assert binding.committee_hash == committee_hash(request.committee.threshold, request.committee.verifiers)
    assert (binding.node_id, binding.challenge) == (request.node, request.challenge)


async def test_binding_comes_in_the_form_that_the_chain_recomputes(executor: Node) -> None:
    request = binding_request(executor.id)
    bound = await executor.client.bind(request)
    committee = AttestedCommittee(verifiers=request.committee.verifiers, threshold=request.committee.threshold)
    assert bound.native == native_of(Binding.decode(bound.binding), POOL, committee)
    assert bound.native != native_of(Binding.decode(bound.binding), NETWORK, committee), "another pool"


async def test_an_enclave_says_which_epoch_it_serves_and_still_after_a_restart() -> None:
    """Two of one node run side by side while one takes over from the other."""
    client = EnclaveClient(MemoryLauncher())
    assert (await client.start(EnclaveConfig("sha256-stream"))).key_epoch is None
    await client.bind(binding_request(node("x"), key_epoch=7))
    assert (await client.identify()).key_epoch == 7
    old = await bound_node("x")
    assert (await restarted(old)).identity.key_epoch == 1
    await client.close()


async def test_an_enclave_serves_one_node_and_epoch(executor: Node) -> None:
    with pytest.raises(AlreadyBound):
        await executor.client.bind(binding_request(executor.id, key_epoch=2))


KEY = b"\x01" * 32


@pytest.mark.parametrize(
    "committee",
    [Committee(0, (KEY,)), Committee(2, (KEY,)), Committee(1, ()), Committee(1, (KEY, KEY)), Committee(1, (b"\x01",))],
)
async def test_a_committee_that_could_not_be_trusted_is_refused(committee: Committee) -> None:
    client = EnclaveClient(MemoryLauncher())
    await client.start(EnclaveConfig("sha256-stream"))
    with pytest.raises(BindingRefused):
        await client.bind(replace(binding_request(node("x")), committee=committee))
    await client.close()


async def test_nothing_runs_before_the_binding() -> None:
    client = EnclaveClient(MemoryLauncher())
    identity = await client.start(EnclaveConfig("sha256-stream"))
    posted = post(Node(node("x"), client, identity), TEXT)
    with pytest.raises(NotBound):
        await client.execute(posted.order, posted.blob)
    await client.close()


async def test_a_forgotten_task_is_never_served_again(executor: Node) -> None:
    posted = post(executor, TEXT)
    await executed(executor, posted)
    await executor.client.forget(TASK)
    with pytest.raises(ConflictingOrder):
        await executor.client.execute(posted.order, posted.blob)


async def test_every_refusal_is_counted(executor: Node) -> None:
    with pytest.raises(Refusal):
        await executor.client.bind(binding_request(executor.id, key_epoch=2))
    assert executor.client.statistics().refusals == 1


async def test_repr_of_what_a_client_keeps_shows_no_secret() -> None:
    secrets = TaskSecrets(b"\xaa" * 32, b"\xbb" * 32)
    assert "\\xaa" not in repr(secrets)
    assert "\\xbb" not in repr(secrets)


class Verbose(HashWorkload):
    """Says as much as `size` bytes."""

    size = LARGEST_OUTPUT

    def run(self, text: str) -> Run:
        return Run(bytes(self.size))


async def verbose(monkeypatch: pytest.MonkeyPatch, size: int) -> Node:
    monkeypatch.setattr(memory, "load_workload", lambda _: Verbose())
    monkeypatch.setattr(Verbose, "size", size)
    return await bound_node("x")


FRAME = 4 + len(cbor.encode({"v": 1, "output": bytes(LARGEST_OUTPUT // 2), "salt": bytes(32), "leaf_key": bytes(32)})) - LARGEST_OUTPUT // 2


async def test_the_largest_output_can_just_be_published_on_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    enclave = await verbose(monkeypatch, LARGEST_OUTPUT - FRAME)
    posted = post(enclave, TEXT)
    answer = await executed(enclave, posted)
    assert len(answer.sealed_output) == MAX_SEALED_OUTPUT == MAX_PUBLISHED_CHUNKS * BLOB_CHUNK
    assert len(posted.open(answer.statement, answer.sealed_output).output) == Verbose.size


async def test_an_output_that_could_not_be_published_is_refused_before_it_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    enclave = await verbose(monkeypatch, LARGEST_OUTPUT - FRAME + 1)
    assert await reason_of(enclave, post(enclave, TEXT)) == InvalidReason.TOO_LARGE
