"""Digests as the API writes them: base58 of 32 bytes, in Bitcoin's alphabet."""

from functools import lru_cache
from typing import Final

from localnet.rpc.errors import InvalidArgument

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DIGEST: Final = 32
MAX_TEXT: Final = 44

_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}


@lru_cache(maxsize=65_536)
def base58(digest: bytes) -> str:
    """Text of `digest`."""
    number = int.from_bytes(digest, "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = ALPHABET[rest] + text
    return ALPHABET[0] * (len(digest) - len(digest.lstrip(b"\0"))) + text


def parse_digest(text: str | None) -> bytes:
    """32 bytes of a digest's text.

    Raises:
        InvalidArgument: it is none.
    """
    if not text or len(text) > MAX_TEXT or any(character not in _VALUE for character in text):
        raise InvalidArgument(f"{(text or '')[:60]!r} is no digest: write base58 of 32 bytes")
    number = 0
    for character in text:
        number = number * 58 + _VALUE[character]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    raw = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(raw) != DIGEST:
        raise InvalidArgument(f"{text!r} is a digest of {len(raw)} bytes, not {DIGEST}")
    return raw
