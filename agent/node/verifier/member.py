"""One member of the verifier committee: its key, the policies it applies, and in which committee it sits.

What it signs is computed here from views of a chain node that the member trusts, and from the evidence; nothing in a
statement comes from whoever asked for it. Spec: docs/spec/protocol.md §4, scopes 5 to 8.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.binding import Committee
from agent.attestation.committee import AttestationFacts, CommitteeMember
from agent.attestation.errors import EvidenceRefused, FactsRefused
from agent.attestation.policy import Policy
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE
from agent.node.errors import ConfigError
from agent.node.verifier.rejections import rejected_outright
from agent.node.verifier.signatures import Bench
from agent.protocol.records import Committee as CommitteeView
from agent.protocol.records import MemberView, NetworkView, PoolView, TaskView
from agent.protocol.statements import Statement, TicketSeat, TicketStatement, VerdictStatement
from agent.protocol.units import BlobId, Digest, Millis

SEED_BYTES: Final = 32


class Member:
    """Signs for one key; `policies` are those it has read and agrees with."""

    def __init__(self, key: Ed25519PrivateKey, policies: Sequence[Policy], verifiers: Sequence[EvidenceVerifier] = HARDWARE) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self._verifiers = tuple(verifiers)
        self._policies: dict[Digest, Policy] = {}
        self._judges: dict[Digest, CommitteeMember] = {}
        self.apply(policies)

    def apply(self, policies: Sequence[Policy]) -> None:
        """Judge by `policies`, and no others, from now on."""
        self._policies = {policy.digest(): policy for policy in policies}
        self._judges = {digest: CommitteeMember(self._key, policy, self._verifiers) for digest, policy in self._policies.items()}

    @property
    def public_key(self) -> bytes:
        """32 bytes, as listed in a committee's verifiers."""
        return self._public

    @property
    def policies(self) -> tuple[Digest, ...]:
        """Digests of the policies that this member applies."""
        return tuple(self._policies)

    @property
    def verifiers(self) -> tuple[EvidenceVerifier, ...]:
        """The kinds of evidence that this member knows, with the roots that it trusts."""
        return self._verifiers

    def policy(self, digest: Digest) -> Policy:
        """The policy named `digest`, one of `policies`."""
        return self._policies[digest]

    def sign(self, statement: Statement) -> bytes:
        """Ed25519 over the statement's signing bytes, 64 bytes."""
        return self._key.sign(statement.signing_bytes())

    def present_bench(self, network: NetworkView) -> Bench:
        """This member's place in the committee in office.

        Raises:
            FactsRefused: it has none.
        """
        return self._bench(network.committee)

    def bench_trusted_by(self, network: NetworkView, now: Millis, trusted: bytes | None) -> Bench:
        """This member's place in the committee that an enclave bound to the committee hash `trusted` believes: the one in
        office, or the one before in its grace. None: not known, so the one in office.

        Raises:
            FactsRefused: it has none there.
        """
        if trusted is not None and now < network.previous_until and trusted == _committee(network.previous).digest():
            return self._bench(network.previous)
        return self.present_bench(network)

    def judge(
        self, evidence: bytes, chain_id: str, network: NetworkView, pool: PoolView, member: MemberView, digest: BlobId, at: Millis
    ) -> VerdictStatement:
        """The verdict on `evidence` under the newest policy in force that accepts it; what any of them rejects, none accepts.

        Raises:
            FactsRefused: the chain does not want a verdict now, or this member applies none of the policies in force.
            EvidenceRefused: no policy accepts it, or one rejects it by name; the text has the newest such one's reasons.
        """
        self.present_bench(network)
        accepted: VerdictStatement | None = None
        refused: EvidenceRefused | None = None
        judges = self._judges
        for policy in policies_in_force(network, at):
            judge = judges.get(policy)
            if judge is None:
                continue
            facts = AttestationFacts.of(chain_id, network, pool, member, digest, policy)
            try:
                found = judge.sign_verdict(evidence, facts, at).statement
            except EvidenceRefused as error:
                if rejected_outright(error.verdict.failed):
                    raise
                refused = refused or error
            else:
                accepted = accepted or found
        if accepted is not None:
            return accepted
        if refused is not None:
            raise refused
        raise FactsRefused("no policy in force on the network is loaded here: put its document into [committee] policies")

    def _bench(self, view: CommitteeView) -> Bench:
        if self._public not in view.verifiers:
            raise FactsRefused(f"key {self._public.hex()[:16]}… is not in committee {view.epoch} of the network: was it started with the right one?")
        return Bench(view.epoch, _committee(view), view.verifiers.index(self._public))


def policies_in_force(network: NetworkView, clock: Millis) -> tuple[Digest, ...]:
    """Digests of the policies that count at chain clock `clock`, the newest first. Pure."""
    now = network.protocol_time(clock)
    counting = [entry for entry in network.policies if entry.activates_at <= now < entry.sunset_at]
    return tuple(entry.digest for entry in sorted(counting, key=lambda entry: (entry.activates_at, entry.digest), reverse=True))


def ticket_of(task: TaskView, network: NetworkView) -> TicketStatement:
    """The ticket that `task`, in state TICKET, waits for; every member computes the same bytes. Pure."""
    round_ = task.rounds[-1]
    seats = tuple(TicketSeat(seat.node, seat.operator, seat.tee_kind, seat.key_epoch, seat.hpke_pk) for seat in round_.seats)
    # the chain clock at which the round began: as long as it is in time it is fresh, and no member has to propose it
    issued_at = Millis(task.deadline - task.params.ticket_ms + network.stall_ms)
    return TicketStatement(task.network, task.id, round_.kind, task.input.digest, seats, issued_at)


class MemberKeyFile:
    """A member's key on disk: 64 hexadecimal digits, mode 0600."""

    @staticmethod
    def create(file: Path) -> Ed25519PrivateKey:
        """A new key in `file`.

        Raises:
            ConfigError: the file exists already; a key is never overwritten.
        """
        key = Ed25519PrivateKey.generate()
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConfigError(file, ("exists: a key is never overwritten, choose another file",)) from None
        with os.fdopen(handle, "w") as opened:
            opened.write(key.private_bytes_raw().hex() + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        return key

    @classmethod
    def load(cls, file: Path) -> Ed25519PrivateKey:
        """The key in `file`.

        Raises:
            ConfigError: missing, readable by others, or not a key.
        """
        try:
            with file.open("rb") as opened:
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
                if mode & 0o077:
                    raise ConfigError(file, (f"has mode {mode:04o}, others can sign as this member: run `chmod 600 {file}`",))
                text = opened.read(4 * SEED_BYTES).decode("ascii").strip()
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
        except FileNotFoundError:
            raise ConfigError(file, ("does not exist: run `enclavia verifier init`",)) from None
        except (OSError, ValueError) as error:
            raise ConfigError(file, (f"no member key (64 hexadecimal digits): {error}",)) from None


def _committee(view: CommitteeView) -> Committee:
    return Committee(verifiers=view.verifiers, threshold=view.threshold)
