"""The recovery envelope [H5]: an enclave's keys and tasks, sealed to the platform, so that an honest restart does not
cost the stake.

    state = nonce(12) || ChaCha20-Poly1305(HKDF-SHA256(sealing key, "enclavia-state/1:"), CBOR)

The sealing key comes from the platform and depends on the measurement: other code cannot open the envelope. For a
SIMULATED enclave the launcher derives it, so the operator could open it too. There is no protection against rollback: a
host may restore an old envelope. It then gets the old keys with fewer tasks remembered; a second answer to a task is
prevented by the contract, which takes one commit, and by determinism, which makes it the same answer.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.enclave import cbor
from agent.enclave.codec import from_value, to_value
from agent.enclave.errors import MalformedMessage, StateRefused
from agent.enclave.orders import BindingRequest
from agent.enclave.own_keys import EnclaveKeys
from agent.enclave.task_memory import Contents, Execution, TaskMemory, Vote
from agent.protocol.units import Millis, TaskId

T = TypeVar("T")

STATE: Final = b"enclavia-state/1:"
VERSION: Final = 2
SEALING_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_LENGTH: Final = 4
_ID_BYTES: Final = 32
_TIME_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class EnclaveState:
    """Everything that a restarted enclave takes over."""

    keys: EnclaveKeys
    bound: BindingRequest | None
    memory: TaskMemory


def seal_state(state: EnclaveState, sealing_key: bytes, nonce: bytes) -> bytes:
    """The envelope of `state`; `nonce` is 12 random bytes."""
    memory = state.memory.contents()
    plaintext = cbor.encode(
        {
            "v": VERSION,
            "hpke_sk": state.keys.hpke.private_bytes_raw(),
            "sign_sk": state.keys.sign.private_bytes_raw(),
            "blind": state.keys.blind,
            "bound": None if state.bound is None else to_value(state.bound),
            # one item a list: the reader bounds the number of values in a document
            "executions": _join(memory.executions),
            "votes": _join(memory.votes),
            "forgotten": b"".join(task + opened_at.to_bytes(_TIME_BYTES, "little") for task, opened_at in memory.forgotten),
            "floor": memory.floor,
        }
    )
    return nonce + _cipher(sealing_key).encrypt(nonce, plaintext, STATE)


def open_state(envelope: bytes, sealing_key: bytes) -> EnclaveState:
    """The state in `envelope`.

    Raises:
        StateRefused: it was sealed by other code or on another platform, or altered.
    """
    try:
        plaintext = _cipher(sealing_key).decrypt(envelope[:_NONCE_BYTES], envelope[_NONCE_BYTES:], STATE)
        content = from_value(_Content, cbor.decode(plaintext))
        if content.v != VERSION:
            raise StateRefused(f"the state has version {content.v}, this enclave reads {VERSION}")
        keys = EnclaveKeys.restored(content.hpke_sk, content.sign_sk, content.blind)
        executions, votes = _parted(Execution, content.executions), _parted(Vote, content.votes)
        memory = TaskMemory(Contents(executions, votes, _read_forgotten(content.forgotten), content.floor))
    except (InvalidTag, ValueError):
        raise StateRefused("the state does not open: other code, another platform key, or altered bytes") from None
    except MalformedMessage as error:
        raise StateRefused(f"the state opens but is not one of this release: {error}") from None
    return EnclaveState(keys, content.bound, memory)


@dataclass(frozen=True, slots=True)
class _Content:
    v: int
    hpke_sk: bytes
    sign_sk: bytes
    blind: bytes
    bound: BindingRequest | None
    executions: bytes
    votes: bytes
    forgotten: bytes
    floor: Millis


def _cipher(sealing_key: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=None, info=STATE).derive(sealing_key))


def _join(items: tuple[Any, ...]) -> bytes:
    encoded = [cbor.encode(to_value(item)) for item in items]
    return b"".join(len(item).to_bytes(_LENGTH, "little") + item for item in encoded)


def _parted(kind: type[T], joined: bytes) -> tuple[T, ...]:
    items: list[T] = []
    at = 0
    while at < len(joined):
        end = at + _LENGTH + int.from_bytes(joined[at : at + _LENGTH], "little")
        items.append(from_value(kind, cbor.decode(joined[at + _LENGTH : end])))
        at = end
    return tuple(items)


def _read_forgotten(joined: bytes) -> tuple[tuple[TaskId, Millis], ...]:
    size = _ID_BYTES + _TIME_BYTES
    items = (joined[at : at + size] for at in range(0, len(joined), size))
    return tuple((TaskId(item[:_ID_BYTES]), Millis(int.from_bytes(item[_ID_BYTES:], "little"))) for item in items)
