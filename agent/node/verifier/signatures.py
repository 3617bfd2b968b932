"""From one member's signature to the committee's: k of n members sign the very same bytes.

Each member computes the statement from the chain and the evidence alone, so honest members sign the same bytes without
talking about them. What a peer offers counts only if it verifies under a key of the committee.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.node.verifier.board import KEY_BYTES, SignatureBoard, name_of
from agent.node.verifier.peers import Peer, PeerUnreachable
from agent.protocol.statements import Statement

PEER_SECONDS: Final = 5.0
"""How long one peer may take; the others' signatures are not kept waiting longer."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A committee as it signs: one of the two that the Network holds, and this member's place in it."""

    epoch: int
    """What the contract takes as `committee`."""
    verifiers: tuple[bytes, ...]
    """Ed25519 keys, 32 bytes each, in the order in which signers are named."""
    threshold: int
    place: int
    """This member's index."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """What the contract takes: the committee's epoch, signers by rising index, a signature each."""

    committee: int
    signers: tuple[int, ...]
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What was found at one look."""

    signatures: Signatures | None
    """Exactly as many as the threshold asks for; None: too few yet."""
    found: int
    silent: tuple[str, ...]
    """Peers that could not be asked, with the reason."""


class SignatureCollector:
    """Puts this member's signatures on its board and looks for the others'."""

    def __init__(self, board: SignatureBoard, peers: Sequence[Peer] = ()) -> None:
        self._board = board
        self._peers = tuple(peers)

    async def collect(self, statement: Statement, signature: bytes, bench: Bench) -> Collected:
        """Offer `signature` to the others, and ask each of them once."""
        name = name_of(statement)
        self._board.post(name, signature)
        known = {bench.place: signature}
        silent: list[str] = []

        async def ask(peer: Peer) -> None:
            try:
                async with asyncio.timeout(PEER_SECONDS):
                    offered = await peer.offer(name)
            except (PeerUnreachable, TimeoutError) as error:
                silent.append(str(error) or f"{peer!r} does not answer in {PEER_SECONDS:g} s")
                return
            place = None if offered is None else signer_of(offered, statement, bench)
            if place is not None and offered is not None:
                known[place] = offered[KEY_BYTES:]

        if bench.threshold > 1:
            async with asyncio.TaskGroup() as group:
                for peer in self._peers:
                    group.create_task(ask(peer))
        if len(known) < bench.threshold:
            return Collected(None, len(known), tuple(sorted(silent)))
        signers = tuple(sorted(known))[: bench.threshold]
        return Collected(Signatures(bench.epoch, signers, tuple(known[each] for each in signers)), len(known), tuple(sorted(silent)))


def signer_of(offered: bytes, statement: Statement, bench: Bench) -> int | None:
    """Whose valid signature under `statement` is offered, as a place in the committee; None: nobody's who sits there."""
    key, signature = offered[:KEY_BYTES], offered[KEY_BYTES:]
    if key not in bench.verifiers:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, statement.signing_bytes())
    except (InvalidSignature, ValueError):
        return None
    return bench.verifiers.index(key)
