"""The duty to be attested: ask for a challenge, make evidence for it, post it, be vouched for; and in time again before
it ends.

    unattested ── evidence stored ──> evidenced ──> posted ── committee ──> attested ── due again ──> evidenced …

A renewal is a new key epoch and a new enclave; the record of the old one stands until then. The old enclave lives on
until no task can be pinned to it any more.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final

from agent.attestation.binding import committee_hash
from agent.chain.calls import PostEvidence, RequestChallenge
from agent.node.duties.duty import Duty, Moved, Step, Wait, sent
from agent.node.duties.station import Station
from agent.node.errors import KeysLost, NodeError
from agent.node.evidence import EvidenceMaker
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.records import MemberView, NetworkView
from agent.protocol.units import BlobId, Millis

ATTEST: Final = "attest"

UNATTESTED: Final = "unattested"
EVIDENCED: Final = "evidenced"
POSTED: Final = "posted"
ATTESTED: Final = "attested"

MAX_PATIENCE: Final = 6
"""Each refused or unanswered challenge doubles the wait before the next one, this often at most."""


RECHECK_MS: Final = 600_000
"""How often the record is compared with the Network although nothing happened: no event tells of a new committee."""


class Act(Enum):
    """What a node can have to do for its attestation."""

    CHALLENGE = auto()
    MAKE_EVIDENCE = auto()
    POST = auto()


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of this node's attestation."""

    member: MemberView
    network: NetworkView
    clock: Millis
    has_keys: bool
    """Whether this node has the enclave whose keys stand on chain."""

    @property
    def attested(self) -> bool:
        """Whether the chain counts this node's keys now, and this node has them."""
        record = self.member.attestation
        return record.key_epoch > 0 and self.clock < record.not_after and self.has_keys

    @property
    def answering(self) -> bool:
        """Whether a challenge waits for evidence."""
        return self.member.key_epoch > self.member.attestation.key_epoch and self.clock < self.member.challenge_expires


def committee_of(network: NetworkView) -> bytes:
    """What bindings say of the committee of `network`, 32 bytes."""
    return committee_hash(network.threshold, network.verifiers)


def renewal(made_at: int, not_after: int, span_ms: int) -> Millis:
    """When to attest again: three quarters into the time in which tasks can still be assigned."""
    return Millis(made_at + max(0, not_after - span_ms - made_at) * 3 // 4)


def decide(row: DutyRow, seen: Standing) -> Act | Moved | Wait:  # noqa: PLR0911 - one return a rule
    """The next thing for a node's attestation. Pure."""
    member, record = seen.member, seen.member.attestation
    if member.leaving_at:
        return Wait()
    if row.number("asked") > member.key_epoch:
        # The endpoint does not show our own challenge yet; a second one would cost the first.
        return sent(seen.clock)
    if seen.attested and row.facts.get("committee") == committee_of(seen.network):
        due = renewal(row.number("made_at"), record.not_after, seen.network.params.span())
        # `evidenced` too: the node may have crashed between posting and noting it, and the committee was faster.
        if row.state in (EVIDENCED, POSTED) and row.facts.get("epoch") == record.key_epoch:
            return Moved(row.to(ATTESTED, tries=0, attested_at=seen.clock))
        if row.state == ATTESTED and seen.clock < due:
            return Wait(Millis(min(due, seen.clock + RECHECK_MS)))
    mine = row.facts.get("epoch") == member.key_epoch
    if seen.answering and mine and row.state == EVIDENCED:
        return Act.POST
    if seen.answering and mine and row.state == POSTED:
        return Wait(member.challenge_expires)
    if seen.answering:
        return Act.MAKE_EVIDENCE
    if row.state == POSTED:
        # Nobody vouched for the last evidence. The next one waits longer, since asking costs gas.
        tries = row.number("tries") + 1
        rest = seen.network.params.challenge_ms * (2 ** min(tries, MAX_PATIENCE) - 2)
        return Moved(row.to(UNATTESTED, tries=tries, rest_until=seen.clock + rest))
    resting = row.number("rest_until")
    return Wait(Millis(resting)) if seen.clock < resting else Act.CHALLENGE


class AttestDuty(Duty):
    """Keeps this node attested, and retires enclaves that nobody can need any more."""

    kind: ClassVar[str] = ATTEST

    def __init__(self, station: Station, maker: EvidenceMaker) -> None:
        self._at = station
        self._maker = maker

    def row(self) -> DutyRow:
        """The row to begin with, if the journal has none."""
        return DutyRow(DutyKey(ATTEST, self._at.me.node), UNATTESTED, {"tries": 0, "rest_until": 0, "asked": 0})

    async def step(self, row: DutyRow) -> Step:
        seen = await self._look()
        decision = decide(row, seen)
        match decision:
            case Act.CHALLENGE:
                purpose = f"{row.key}:challenge/{seen.member.key_epoch + 1}"
                await self._at.submitter.submit(RequestChallenge(self._at.me.operator_cap), purpose=purpose)
                return Moved(row.to(UNATTESTED, asked=seen.member.key_epoch + 1))
            case Act.MAKE_EVIDENCE:
                digest = await self._maker.make(seen.member, seen.network)
                facts = {"epoch": seen.member.key_epoch, "made_at": int(seen.clock)}
                return Moved(row.to(EVIDENCED, digest=digest, committee=committee_of(seen.network), **facts))
            case Act.POST:
                call = PostEvidence(self._at.me.operator_cap, BlobId(row.octets("digest")), self._at.home_uri)
                await self._at.submitter.submit(call, purpose=f"{row.key}:evidence/{seen.member.key_epoch}")
                return Moved(row.to(POSTED))
            case Wait() if row.state == ATTESTED:
                return await self._retire(row, seen, decision)
            case _:
                return decision

    async def _look(self) -> Standing:
        member = await self._at.chain.member(self._at.me.slot)
        if member is None or member.node != self._at.me.node:
            raise NodeError(f"slot {self._at.me.slot} of the pool is not this node's: check identity.json")
        record = member.attestation
        has_keys = False
        if record.key_epoch:
            try:
                has_keys = (await self._at.enclaves.identity(record.key_epoch)).sign_pk == record.sign_pk
            except KeysLost:
                has_keys = False
        return Standing(member, await self._at.chain.network(), await self._at.time.now(), has_keys)

    async def _retire(self, row: DutyRow, seen: Standing, wait: Wait) -> Step:
        """Stop enclaves of earlier epochs. By one span after the new record every task that could name the old one is
        known here.
        """
        old = [epoch for epoch in self._at.enclaves.kept() if epoch < seen.member.attestation.key_epoch]
        if not old:
            return wait
        from_then = Millis(row.number("attested_at") + seen.network.params.span())
        if seen.clock < from_then:
            return Wait(from_then if wait.until is None else Millis(min(from_then, wait.until)))
        needed = await self._at.epochs_in_use()
        for epoch in old:
            if needed is not None and epoch not in needed:
                await self._at.enclaves.retire(epoch)
        return wait
