"""From one member's signature to the committee's: k of n members sign the very same bytes.

Each member computes the statement from the chain and the evidence alone, so honest members sign the same bytes without
talking about them. What counts of what others offer, `agent.attestation.collecting` says.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.attestation.binding import Committee
from agent.attestation.collecting import Collected, Offer, add_signature
from agent.attestation.errors import NotAMember, WrongSignature
from agent.node.verifier.board import KEY_BYTES, SignatureBoard, name_of
from agent.node.verifier.peers import Peer, PeerUnreachable
from agent.protocol.statements import Statement
from agent.protocol.units import Digest

PEER_SECONDS: Final = 5.0
"""How long one peer may take; the others' signatures are not kept waiting longer."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A committee as it signs: one of the two that the Network holds, and this member's place in it."""

    epoch: int
    """What the contract takes as `committee`."""
    committee: Committee
    place: int
    """This member's index."""

    @property
    def key(self) -> bytes:
        """This member's own."""
        return self.committee.verifiers[self.place]


class SignatureCollector:
    """Puts this member's signatures on its board and looks for the others'."""

    def __init__(self, board: SignatureBoard, peers: Sequence[Peer] = ()) -> None:
        self._board = board
        self._peers = tuple(peers)

    async def collect(self, statement: Statement, signature: bytes, bench: Bench) -> tuple[Collected, tuple[str, ...]]:
        """Offer `signature` to the others, and ask each of them once: what was found, and what is wrong with whom."""
        name = name_of(statement)
        self._board.post(name, signature)
        collected = Collected(statement, bench.committee, bench.epoch)
        collected = add_signature(collected, Offer(bench.key, statement, signature))
        if collected.enough:
            return collected, ()
        complaints: list[str] = []
        for offered in await asyncio.gather(*(self._ask(peer, name, complaints) for peer in self._peers)):
            try:
                if offered is not None:
                    collected = add_signature(collected, Offer(offered[:KEY_BYTES], statement, offered[KEY_BYTES:]))
            except (NotAMember, WrongSignature) as error:
                complaints.append(str(error))
        return collected, tuple(sorted(complaints))

    async def _ask(self, peer: Peer, name: Digest, complaints: list[str]) -> bytes | None:
        try:
            async with asyncio.timeout(PEER_SECONDS):
                return await peer.offer(name)
        except (PeerUnreachable, TimeoutError) as error:
            complaints.append(str(error) or f"{peer!r} does not answer in {PEER_SECONDS:g} s")
            return None
