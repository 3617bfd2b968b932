"""Hostile spellings of genuine bytes: cut, padded, spliced, with lengths that lie, nested, huge."""

from collections.abc import Callable, Sequence
from random import Random

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
NESTED = (
    b"\x81" * 3000, b"\xa1\x00" * 2000, b"\xc1" * 3000, b"\x9f" * 3000, b"[" * 3000, b'{"a":' * 2000, b"<a>" * 2000, b"\x30\x80" * 2000,
    b"\x30\x84\xff\xff\xff\xff", b"\x5f" * 3000, b"&a;" * 1000, b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<![CDATA[", b"<!--",
)  # fmt: skip
WORDS = (
    b"NaN", b"Infinity", b"-0", b"1e999", b"9" * 5000, b"\xef\xbb\xbf", b"\x00", b"\\u0000", b"\\ud800", b"\xff\xfe", b"null", b"true", b"[]", b"{}", b'""',
    b"\xf9\x7e\x00", b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00", b"\xc2\x58\x20" + b"\xff" * 32, b"-----BEGIN CERTIFICATE-----\n", b"\r\n", b"%", b"0x",
)  # fmt: skip


def _place(data: bytes, random: Random) -> int:
    return random.randrange(len(data) + 1)


def cut(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    return data[: _place(data, random)]


def headless(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    return data[_place(data, random) :]


def padded(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    return data + random.choice((b"\0", b"\xff", b" ", b"\n")) * random.choice((1, 2, 64, 4096))


def flipped(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    out = bytearray(data)
    for _each in range(random.choice((1, 1, 2, 8))):
        if out:
            out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def numbered(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    """A number overwritten where one may stand: most often a length."""
    size, order = random.choice((1, 2, 4, 8)), random.choice(("little", "big"))
    at = _place(data, random)
    number = random.choice(NUMBERS) & ((1 << 8 * size) - 1)
    return data[:at] + number.to_bytes(size, order) + data[at + size :]  # type: ignore[arg-type]


def spliced(data: bytes, random: Random, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: _place(data, random)] + other[_place(other, random) :]


def repeated(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start = _place(data, random)
    part = data[start : start + random.choice((1, 8, 64, 700))]
    return data[:start] + part * random.choice((2, 3, 40)) + data[start:]


def dropped(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start = _place(data, random)
    return data[:start] + data[start + random.choice((1, 2, 4, 16, 48)) :]


def nested(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at = _place(data, random)
    return data[:at] + random.choice(NESTED) + data[at:]


def worded(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    at, word = _place(data, random), random.choice(WORDS)
    return data[:at] + word + data[at + (len(word) if random.random() < 0.5 else 0) :]


def swapped(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    one, two = sorted((_place(data, random), _place(data, random)))
    size = random.choice((1, 4, 32, 48))
    return data[:one] + data[two : two + size] + data[one + size : two] + data[one : one + size] + data[two + size :]


def noise(_data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    return random.randbytes(random.choice((0, 1, 7, 64, 1184, 5000)))


MUTATIONS: Sequence[Callable[[bytes, Random, Sequence[bytes]], bytes]] = (
    cut, headless, padded, flipped, flipped, numbered, numbered, spliced, repeated, dropped, nested, worded, swapped, noise,
)  # fmt: skip


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """One of `seeds`, changed once or a few times."""
    data = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(MUTATIONS)(data, random, seeds)
    return data
