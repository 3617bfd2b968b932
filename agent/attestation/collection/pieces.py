"""What a vendor's service gave: the bytes to be kept, and where they came from."""

from dataclasses import dataclass

from agent.attestation.collection.index import Role


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to keep."""

    role: Role
    content: bytes
    source: str
