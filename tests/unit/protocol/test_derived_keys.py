"""Keys from a data key, against HKDF spelled out from RFC 5869."""

import hmac
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import keys
from agent.protocol.units import Address, NodeId, TaskId

ids = st.binary(min_size=32, max_size=32)


def hkdf(ikm: bytes, info: bytes) -> bytes:
    extracted = hmac.digest(bytes(32), ikm, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_this_hkdf_is_that_of_rfc_5869() -> None:
    # appendix A.3: no salt, no info; the first 32 of its 42 bytes
    assert hkdf(b"\x0b" * 22, b"").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


@given(ids, ids.map(TaskId), ids.map(NodeId), st.binary(max_size=40))
def test_keys_are_as_specified(data_key: bytes, task: TaskId, node: NodeId, output: bytes) -> None:
    assert keys.leaf_key(data_key, task) == hkdf(data_key, b"enclavia-leaf-key/1:" + task)
    assert keys.salt(data_key, task, node) == hkdf(data_key, b"enclavia-salt/1:" + task + node)
    assert keys.input_key(data_key, task) == hkdf(data_key, b"enclavia-input/1:" + task)
    assert keys.wrap_ephemeral(data_key, task, node) == hkdf(data_key, b"enclavia-wrap/1:" + task + node)
    hashed = blake2b(output, digest_size=32).digest()
    assert keys.output_ephemeral(data_key, task, node, output) == hkdf(data_key, b"enclavia-output/1:" + task + node + hashed)


@given(ids, ids.map(TaskId), ids.map(NodeId))
def test_an_arbiter_of_the_delivery_derives_from_the_secret_that_the_requester_gave(secret: bytes, task: TaskId, node: NodeId) -> None:
    assert keys.arbiter_salt(secret, task, node) == hkdf(secret, b"enclavia-salt/1:" + task + node)
    assert keys.wrap_ephemeral(secret, task, node) == hkdf(secret, b"enclavia-wrap/1:" + task + node)


@given(ids.map(Address), ids.map(TaskId), ids.map(NodeId), st.integers(0, 2**64 - 1))
def test_a_wrap_says_for_whom_it_is_and_of_what(network: Address, task: TaskId, node: NodeId, epoch: int) -> None:
    seat = network + task + node + epoch.to_bytes(8, "little")
    assert keys.wrap_info(network, task, node, epoch) == b"enclavia-handoff/1:" + seat
    assert keys.output_wrap_info(network, task, node, epoch) == b"enclavia-output-key/1:" + seat


@given(ids, ids.map(TaskId))
def test_key_commitment_is_as_specified(data_key: bytes, task: TaskId) -> None:
    assert keys.key_commitment(data_key, task) == blake2b(b"enclavia-key/1:" + task + data_key, digest_size=32).digest()
