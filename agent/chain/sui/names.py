"""How Sui names things: ids and addresses, transaction digests, types, the ids of dynamic fields."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import base58

from agent.chain.errors import Malformed
from agent.chain.transaction_log import TxDigest
from agent.protocol.bcs import uleb
from agent.protocol.units import Address, ObjectId

CLOCK: Final = ObjectId((6).to_bytes(32, "big"))
RANDOM: Final = ObjectId((8).to_bytes(32, "big"))
FRAMEWORK: Final = ObjectId((2).to_bytes(32, "big"))

SUI_COIN: Final = f"0x{FRAMEWORK.hex()}::coin::Coin<0x{FRAMEWORK.hex()}::sui::SUI>"
"""Written in full: some endpoints compare type names as text."""

TYPE_U64: Final = b"\x02"
"""BCS of the type tag of u64."""

_TAG_STRUCT: Final = b"\x07"

_FIELD_SCOPE: Final = b"\xf0"
"""Sui's tag for what the id of a dynamic field is hashed from."""

_TYPE: Final = re.compile(r"0x([0-9a-fA-F]{1,64})::([A-Za-z_][A-Za-z0-9_]*)::([A-Za-z_][A-Za-z0-9_]*)")
_LONGEST_TYPE: Final = 1_024


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One version of an object that a transaction takes by its reference."""

    id: ObjectId
    version: int
    digest: bytes
    """32 bytes."""


def to_hex(name: bytes) -> str:
    """`0x` and 64 digits."""
    return "0x" + name.hex()


def from_hex(text: str | None) -> bytes:
    """The 32 bytes of an id or address in an endpoint's answer; short forms are padded on the left.

    Raises:
        Malformed: it is neither.
    """
    if text is None or not re.fullmatch(r"0x[0-9a-fA-F]{1,64}", text):
        raise Malformed(f"{str(text)[:80]!r} is no id: use another endpoint")
    return bytes.fromhex(text[2:].rjust(64, "0"))


def from_base58(text: str | None) -> bytes:
    """The 32 bytes of a digest in an endpoint's answer.

    Raises:
        Malformed: it is none.
    """
    if text is not None and len(text) <= 44:
        try:
            digest: bytes = base58.b58decode(text)
        except ValueError:
            digest = b""
        if len(digest) == 32:
            return digest
    raise Malformed(f"{str(text)[:80]!r} is no digest: use another endpoint")


def to_base58(digest: bytes) -> str:
    """As explorers show it."""
    text: bytes = base58.b58encode(digest)
    return text.decode()


def transaction_digest(tx_bytes: bytes) -> TxDigest:
    """Name of the transaction whose BCS `TransactionData` is `tx_bytes`."""
    return TxDigest(to_base58(_hash(b"TransactionData::", tx_bytes)))


def address_of_key(public_key: bytes) -> Address:
    """Address of an Ed25519 key (flag 0)."""
    return Address(_hash(b"\x00", public_key))


def dynamic_field(parent: ObjectId, key: bytes, key_type: bytes) -> ObjectId:
    """Id of the `Field` object under `parent` whose name has the BCS `key` and the type tag `key_type`."""
    return ObjectId(_hash(_FIELD_SCOPE, parent, len(key).to_bytes(8, "little"), key, key_type))


def struct_tag(package: ObjectId, module: str, name: str) -> bytes:
    """BCS of the type tag of a struct without type parameters."""
    texts = b"".join(uleb(len(text)) + text.encode() for text in (module, name))
    return _TAG_STRUCT + package + texts + b"\x00"


def type_of(text: str | None) -> tuple[bytes, str]:
    """Package and `<module>::<name>` of a type, its parameters cut off.

    Raises:
        Malformed: not a type name.
    """
    found = _TYPE.match(text) if text is not None and len(text) <= _LONGEST_TYPE else None
    if found is None or text is None or text[found.end() : found.end() + 1] not in ("", "<"):
        raise Malformed(f"{str(text)[:80]!r} is no type: use another endpoint")
    return bytes.fromhex(found[1].rjust(64, "0")), f"{found[2]}::{found[3]}"


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"".join(parts), digest_size=32).digest()
