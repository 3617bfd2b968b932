"""A workload without a model: a stream of SHA-256 blocks.

Exact everywhere, starts in no time; localnets and fast tests run it.
"""

from hashlib import sha256
from typing import Final

from agent.enclave.errors import InputTooLarge
from agent.enclave.workloads.workload import Manifest, Run, Workload

UNIT_BYTES: Final = 64
BLOCK_TAG: Final = b"enclavia-hash-workload/1:"


class HashWorkload(Workload):
    """One 32-byte block for every started 64 bytes of text: `SHA-256(tag || u32le(i) || text)`."""

    def __init__(self) -> None:
        self.manifest = Manifest(
            name="sha256-stream",
            model=b"",
            tokenizer=b"",
            runtime="sha256-stream/1",
            arithmetic="exact-int",
            encoding="32-byte blocks",
            unit="started 64 bytes of UTF-8",
            max_units=1024,
            max_text=1024 * UNIT_BYTES,
        )

    def measure(self, text: str) -> int:
        units = max(1, -(-len(text.encode()) // UNIT_BYTES))
        if units > self.manifest.max_units:
            raise InputTooLarge(self.manifest.max_units)
        return units

    def run(self, text: str) -> Run:
        body = text.encode()
        blocks = [sha256(BLOCK_TAG + i.to_bytes(4, "little") + body).digest() for i in range(self.measure(text))]
        return Run(b"".join(blocks))


def load() -> Workload:
    """The workload, ready to run."""
    return HashWorkload()
