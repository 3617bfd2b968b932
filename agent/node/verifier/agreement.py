"""How a member gets from its own signature to a transaction: offer, collect, and, with enough, send in turn.

Any member that sees enough signatures may send; they take turns by a rank that differs from statement to statement, so
that mostly one pays gas. Whoever is dead loses its turn, nobody waits for it.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import structlog

from agent.attestation.collecting import Collected
from agent.node.duties.duty import Moved, Step, Wait
from agent.node.journal import DutyRow
from agent.node.verifier.board import name_of
from agent.node.verifier.member import Member
from agent.node.verifier.signatures import Bench, SignatureCollector
from agent.protocol.statements import Statement
from agent.protocol.units import Digest, Millis

TURN_MS: Final = 1_500
"""How long each member is given before the next one tries."""

FIRST_LOOK_MS: Final = 250
LAST_LOOK_MS: Final = 30_000
"""How soon the others are asked again: soon at first, then ever more seldom."""


_log: Final = structlog.get_logger("agent.node.verifier")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the duties of a member share."""

    member: Member
    collector: SignatureCollector

    async def seek(self, row: DutyRow, statement: Statement, bench: Bench, clock: Millis) -> Collected | Step:
        """Enough signatures under `statement` if it is this member's turn to send them; else what to wait for."""
        name = name_of(statement)
        if row.facts.get("statement") != name:
            return Moved(row.to(row.state, statement=name, signed_at=clock, ready_at=0))
        collected, complaints = await self.collector.collect(statement, self.member.sign(statement), bench)
        if not collected.enough:
            age = clock - row.number("signed_at")
            if complaints and age > TURN_MS:
                _log.warning("signatures are missing", duty=str(row.key), missing=collected.missing, complaints=complaints)
            return Wait(Millis(clock + pause(age)))
        if not row.number("ready_at"):
            return Moved(row.to(row.state, ready_at=clock))
        turn = Millis(row.number("ready_at") + TURN_MS * rank(name, bench))
        return Wait(turn) if clock < turn else collected


def pause(age: int) -> Millis:
    """How long to wait before the others are asked again, `age` ms after this member signed. Pure."""
    return Millis(max(FIRST_LOOK_MS, min(LAST_LOOK_MS, age // 8)))


def rank(name: Digest, bench: Bench) -> int:
    """How many members go before this one with the statement `name`. Pure."""
    order = sorted(bench.committee.verifiers, key=lambda key: blake2b(name + key, digest_size=16).digest())
    return order.index(bench.key)
