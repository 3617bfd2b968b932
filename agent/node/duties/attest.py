"""The duty to be attested: ask for a challenge, make evidence for it, post it, be vouched for; and in time again before
it ends.

    unattested ── evidence stored ──> evidenced ──> posted ── committee ──> attested ── due again ──> evidenced …

A renewal is a new key epoch and a new enclave beside the old one. The record of the old epoch stands until the new one
is made, and can be assigned tasks for `rotation_ms` more; its enclave serves until the last of them has ended.

Due again: three quarters into the record's time; at once when another committee is in office (enclaves believe the
tickets of the one in their binding), when the record's policy comes to its end and another is in force, when the
committee revoked the record, or when the keys are lost.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final

from agent.attestation.binding import committee_hash
from agent.chain.calls import PostEvidence, RequestChallenge
from agent.node.duties.duty import Duty, Moved, Step, Wait, sent
from agent.node.duties.station import Station
from agent.node.errors import KeysLost
from agent.node.evidence import EvidenceMaker
from agent.node.journal import DutyKey, DutyRow
from agent.protocol.records import MemberView, NetworkView
from agent.protocol.units import BlobId, Millis

ATTEST: Final = "attest"

UNATTESTED: Final = "unattested"
EVIDENCED: Final = "evidenced"
POSTED: Final = "posted"
ATTESTED: Final = "attested"

FOREVER: Final = 2**64 - 1
"""`sunset_at` of a policy without an end."""

MAX_PATIENCE: Final = 6
"""Each refused or unanswered challenge doubles the wait before the next one, this often at most."""


RECHECK_MS: Final = 600_000
"""How often the record is compared with the Network although no event came."""


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
    def now(self) -> Millis:
        """The time of deadlines."""
        return self.network.protocol_time(self.clock)

    @property
    def attested(self) -> bool:
        """Whether the chain counts this node's keys now, and this node has them."""
        record = self.member.current()
        if record is None or not self.has_keys or self.clock >= record.not_after:
            return False
        return self.network.is_in_force(record.policy, self.now)

    @property
    def left_at(self) -> Millis | None:
        """The chain clock at which another policy can take the place of the record's, if that has an end; None: not so."""
        mine = self.member.attestation.policy
        if not any(entry.digest == mine and entry.sunset_at != FOREVER for entry in self.network.policies):
            return None
        others = [entry for entry in self.network.policies if entry.digest != mine and self.now < entry.sunset_at]
        at = min((entry.activates_at for entry in others), default=None)
        return None if at is None else Millis(at + self.network.stall_ms)

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
        due = due if seen.left_at is None else min(due, seen.left_at)
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
    if row.state != ATTESTED and record.key_epoch < member.key_epoch and row.facts.get("counted") != member.key_epoch:
        # Nobody vouched for the last evidence, or none could be made. The next one waits longer, since asking costs gas.
        tries = row.number("tries") + 1
        rest = seen.network.params.challenge_ms * (2 ** min(tries, MAX_PATIENCE) - 2)
        return Moved(row.to(UNATTESTED, tries=tries, rest_until=seen.clock + rest, counted=member.key_epoch))
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
        if seen is None:
            # somebody who staked more has the slot: there is nothing to attest
            return Wait()
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

    async def _look(self) -> Standing | None:
        member = await self._at.chain.member(self._at.me.slot)
        if member is None or member.node != self._at.me.node:
            return None
        record = member.attestation
        has_keys = False
        if record.key_epoch:
            try:
                has_keys = (await self._at.enclaves.identity(record.key_epoch)).sign_pk == record.sign_pk
            except KeysLost:
                has_keys = False
        return Standing(member, await self._at.chain.network(), await self._at.time.now(), has_keys)

    async def _retire(self, row: DutyRow, seen: Standing, wait: Wait) -> Step:
        """Stop enclaves of earlier epochs. One span after the record before lost its grace, every task that could name it
        has ended; open duties say so too.
        """
        old = [epoch for epoch in self._at.enclaves.kept() if epoch < seen.member.attestation.key_epoch]
        if not old:
            return wait
        graced = max(row.number("attested_at"), seen.member.previous_until + seen.network.stall_ms)
        from_then = Millis(graced + seen.network.params.span())
        if seen.clock < from_then:
            return Wait(from_then if wait.until is None else Millis(min(from_then, wait.until)))
        needed = await self._at.epochs_in_use()
        for epoch in old:
            if needed is not None and epoch not in needed:
                await self._at.enclaves.retire(epoch)
        return wait
