"""Size classes: a ciphertext tells only which power of two its plaintext fits [C8]."""

from typing import Final

from agent.enclave.errors import PlaintextTooLarge, SealBroken

SMALLEST: Final = 1024
LARGEST: Final = 1024 * 1024
"""Bytes of the largest class: an input with its frame has to fit. That of outputs is a little less."""

_LENGTH: Final = 4


def pad(plaintext: bytes, largest: int = LARGEST) -> bytes:
    """`u32le length || plaintext || zeros`, filling the smallest class that holds it; the last class has `largest` bytes.

    Raises:
        PlaintextTooLarge: no class does.
    """
    framed = len(plaintext).to_bytes(_LENGTH, "little") + plaintext
    if len(framed) > largest:
        raise PlaintextTooLarge(f"{len(plaintext)} bytes to seal, at most {largest - _LENGTH}: use several tasks")
    return framed.ljust(_class_of(len(framed), largest), b"\x00")


def unpad(padded: bytes, largest: int = LARGEST) -> bytes:
    """The plaintext in `padded`.

    Raises:
        SealBroken: not what `pad` gives for any plaintext.
    """
    length = int.from_bytes(padded[:_LENGTH], "little")
    plaintext = padded[_LENGTH : _LENGTH + length]
    if len(padded) > largest or len(plaintext) != length or pad(plaintext, largest) != padded:
        raise SealBroken("the plaintext is not padded to its size class")
    return plaintext


def _class_of(size: int, largest: int) -> int:
    return min(largest, max(SMALLEST, 1 << (size - 1).bit_length()))
