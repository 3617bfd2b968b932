"""Names and units. Addresses, ids and digests are 32 bytes."""

from typing import NewType

Address = NewType("Address", bytes)
"""An account; 32 bytes."""
ObjectId = NewType("ObjectId", bytes)
"""An object or package; 32 bytes."""
Version = NewType("Version", int)
"""Lamport version of an object (u64)."""
Mist = NewType("Mist", int)
"""10^-9 SUI (u64)."""
Millis = NewType("Millis", int)
"""Milliseconds since 1970."""
ObjectDigest = NewType("ObjectDigest", bytes)
TransactionDigest = NewType("TransactionDigest", bytes)
EffectsDigest = NewType("EffectsDigest", bytes)
EventsDigest = NewType("EventsDigest", bytes)
CheckpointDigest = NewType("CheckpointDigest", bytes)
