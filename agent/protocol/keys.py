"""What derives from a task's data key, and what from the secret of its output key: docs/spec/protocol.md §2 and §4.1.

Whoever holds the data key holds all that derives from it; nobody else holds any of it.
"""

from hashlib import blake2b
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.protocol.tags import HANDOFF, INPUT, KEY, LEAF_KEY, OUTPUT, OUTPUT_KEY, SALT, WRAP
from agent.protocol.units import Address, Digest, NodeId, TaskId

KEY_BYTES: Final = 32
"""Of a data key and of everything derived from it."""


def leaf_key(data_key: bytes, task: TaskId) -> bytes:
    """Key of the leaves of the output's tree [C8]."""
    return _derive(data_key, LEAF_KEY + task)


def salt(data_key: bytes, task: TaskId, node: NodeId) -> bytes:
    """Salt of `node`'s commitment; any holder of the data key opens the executor's [C8]."""
    return _derive(data_key, SALT + task + node)


def arbiter_salt(output_secret: bytes, task: TaskId, node: NodeId) -> bytes:
    """Salt of `node`'s commitment in a dispute of the delivery: arbiters get the secret of `output_pk`, not the data key."""
    return _derive(output_secret, SALT + task + node)


def input_key(data_key: bytes, task: TaskId) -> bytes:
    """Key of the input's body."""
    return _derive(data_key, INPUT + task)


def wrap_ephemeral(wrapped: bytes, task: TaskId, recipient: NodeId) -> bytes:
    """Key material of the ephemeral of a wrap of a data key, or of the secret of an output key.

    Every holder of what is wrapped can recompute the wrap's bytes [H1].
    """
    return _derive(wrapped, WRAP + task + recipient)


def output_ephemeral(data_key: bytes, task: TaskId, node: NodeId, plaintext: bytes) -> bytes:
    """Key material of the ephemeral of a sealed output: one for each plaintext."""
    return _derive(data_key, OUTPUT + task + node + blake2b(plaintext, digest_size=32).digest())


def key_commitment(data_key: bytes, task: TaskId) -> Digest:
    """Pins the data key: authenticated encryption alone would open under two keys [H2]."""
    return Digest(blake2b(KEY + task + data_key, digest_size=32).digest())


def wrap_info(network: Address, task: TaskId, node: NodeId, key_epoch: int) -> bytes:
    """HPKE info of the data key's wrap to the seat of `node`."""
    return HANDOFF + network + task + node + key_epoch.to_bytes(8, "little")


def output_wrap_info(network: Address, task: TaskId, node: NodeId, key_epoch: int) -> bytes:
    """HPKE info of the wrap of the secret of `output_pk` to the seat of `node`, in a dispute of the delivery."""
    return OUTPUT_KEY + network + task + node + key_epoch.to_bytes(8, "little")


def _derive(data_key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(data_key)
