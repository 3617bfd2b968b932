"""What a node sells: a seam of three methods, and the manifest that pins it.

Two nodes agree on an output only if they agree on the manifest, so it names everything that the output depends on:
docs/spec/protocol.md, "Pool.manifest".
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Final

from agent.enclave import cbor

MANIFEST_VERSION: Final = 1

UNIT_CLASS: Final = 16
"""Smallest number of units that is billed."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that an output depends on, besides its input."""

    name: str
    model: bytes
    """BLAKE2b-256 of the weights and their configuration; empty: no model."""
    tokenizer: bytes
    """BLAKE2b-256 of the tokenizer; empty: none."""
    runtime: str
    """Which code computes, with its own version."""
    arithmetic: str
    """Profile of equality: `exact-int` or `exact-f64`."""
    encoding: str
    """What the output bytes are."""
    unit: str
    """What is counted and billed."""
    max_units: int
    max_text: int
    """Longest text, bytes of UTF-8."""

    def encode(self) -> bytes:
        """Canonical CBOR."""
        return cbor.encode({"v": MANIFEST_VERSION, **asdict(self)})


def manifest_hash(encoded: bytes) -> bytes:
    """BLAKE2b-256 of a manifest's canonical CBOR: what stands in the Pool, 32 bytes."""
    return blake2b(encoded, digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another honest machine may have written `replacement` at `offset`: a value lay on a rounding boundary [H3]."""

    offset: int
    replacement: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    output: bytes
    alternatives: tuple[Alternative, ...] = ()
    """Nearest to their boundary first; empty for exact arithmetic."""


class Workload(ABC):
    """A deterministic function of a text. All it needs is loaded before the enclave is locked down."""

    manifest: Manifest

    @abstractmethod
    def measure(self, text: str) -> int:
        """Units that `text` will cost, at most `manifest.max_units`; cheap beside `run`.

        Raises:
            InputTooLarge: the workload does not take so much.
        """

    @abstractmethod
    def run(self, text: str) -> Run:
        """The output for `text`, the same on every honest machine but for `Run.alternatives`.

        Raises:
            InputTooLarge: as `measure`.
            WorkloadError: the computation went wrong.
        """


def billed(units: int) -> int:
    """`units` rounded up to a power of two, at least `UNIT_CLASS`.

    An exact count would tell the length of the input [C8].
    """
    return max(UNIT_CLASS, 1 << (units - 1).bit_length()) if units > 0 else UNIT_CLASS
