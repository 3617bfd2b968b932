"""Domain tags: docs/spec/protocol.md §1. Every hash, key and ciphertext says what it is for."""

from typing import Final

LEAF: Final = b"enclavia-leaf/1:"
BRANCH: Final = b"enclavia-branch/1:"
COMMIT: Final = b"enclavia-commit/1:"
KEY: Final = b"enclavia-key/1:"
BLOB: Final = b"enclavia-blob/1:"
LEAF_KEY: Final = b"enclavia-leaf-key/1:"
SALT: Final = b"enclavia-salt/1:"
INPUT: Final = b"enclavia-input/1:"
WRAP: Final = b"enclavia-wrap/1:"
DATA_KEY: Final = b"enclavia-data-key/1:"
OUTPUT: Final = b"enclavia-output/1:"
HANDOFF: Final = b"enclavia-handoff/1:"
ATTEST: Final = b"enclavia-attest/1:"
GPU: Final = b"enclavia-gpu/1:"
