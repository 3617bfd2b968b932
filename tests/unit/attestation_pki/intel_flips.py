"""Changing bytes of evidence: which changes does a verifier accept?

`ENCLAVIA_FLIPS=all` changes every byte; without it, a few hundred bytes at a prime stride.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agent.attestation.errors import EvidenceError

_FEW = 300


@dataclass(frozen=True)
class Flips:
    """What became of a number of changed bytes."""

    tried: int
    accepted: tuple[int, ...]
    """Places at which a change was accepted."""
    refused: Counter[str]
    """By the check that refused."""


def flip(evidence: bytes, authenticate: Callable[[bytes], object]) -> Flips:
    """Change one bit of many bytes of `evidence`, a different one from byte to byte. Anything but a typed error escapes."""
    stride = 1 if os.environ.get("ENCLAVIA_FLIPS") == "all" else _prime(len(evidence) // _FEW)
    accepted, refused = [], Counter[str]()
    places = range(0, len(evidence), stride)
    for place in places:
        spoilt = bytearray(evidence)
        spoilt[place] ^= 1 << place % 8
        try:
            authenticate(bytes(spoilt))
        except EvidenceError as error:
            refused[error.check.value] += 1
        else:
            accepted.append(place)
    return Flips(len(places), tuple(accepted), refused)


def _prime(least: int) -> int:
    return next(number for number in range(max(least, 2), 2 * least + 4) if all(number % by for by in range(2, number)))
