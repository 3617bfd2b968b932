"""What derives from a task's data key: docs/spec/protocol.md §2.

Whoever holds the data key holds all of it; nobody else holds any of it.
"""

from hashlib import blake2b
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.protocol.tags import INPUT, KEY, LEAF_KEY, OUTPUT, SALT, WRAP
from agent.protocol.units import Digest, NodeId, TaskId

KEY_BYTES: Final = 32
"""Of a data key and of everything derived from it."""


def leaf_key(data_key: bytes, task: TaskId) -> bytes:
    """Key of the leaves of the output's tree [C8]."""
    return _derive(data_key, LEAF_KEY + task)


def salt(data_key: bytes, task: TaskId, node: NodeId) -> bytes:
    """Salt of `node`'s commitment; any holder of the data key opens the executor's [C8]."""
    return _derive(data_key, SALT + task + node)


def input_key(data_key: bytes, task: TaskId) -> bytes:
    """Key of the input's body."""
    return _derive(data_key, INPUT + task)


def wrap_ephemeral(data_key: bytes, task: TaskId, recipient: NodeId) -> bytes:
    """Key material of the ephemeral of a wrap: every holder of the data key can recompute the wrap's bytes [H1]."""
    return _derive(data_key, WRAP + task + recipient)


def output_ephemeral(data_key: bytes, task: TaskId, node: NodeId, plaintext: bytes) -> bytes:
    """Key material of the ephemeral of a sealed output: one for each plaintext."""
    return _derive(data_key, OUTPUT + task + node + blake2b(plaintext, digest_size=32).digest())


def key_commitment(data_key: bytes, task: TaskId) -> Digest:
    """Pins the data key: authenticated encryption alone would open under two keys [H2]."""
    return Digest(blake2b(KEY + task + data_key, digest_size=32).digest())


def _derive(data_key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(data_key)
