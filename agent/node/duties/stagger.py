"""Who goes first: a delay that differs between nodes and is the same for one node each time, so that nodes do not race
for a crank.
"""

from hashlib import blake2b

from agent.protocol.units import Millis, NodeId


def stagger(subject: bytes, me: NodeId, spread: int) -> Millis:
    """A delay in [0, `spread`) for node `me` and what it is about; uniform over nodes."""
    if spread <= 0:
        return Millis(0)
    return Millis(int.from_bytes(blake2b(subject + me, digest_size=16).digest(), "big") % spread)
