"""A member of a Pool, what was attested of it, and its caps: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U64
from agent.protocol.records.record import Record
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot


@dataclass(frozen=True, slots=True)
class Attestation(Record):
    """What was recorded of a node's evidence in one key epoch; epoch 0: nothing."""

    key_epoch: U64
    tee_kind: TeeKind
    policy: Digest
    evidence_digest: BlobId
    measurement: bytes
    hpke_pk: bytes
    sign_pk: bytes
    not_after: Millis


@dataclass(frozen=True, slots=True)
class MemberView(Record):
    """A member of a Pool."""

    node: NodeId
    slot: Slot
    operator: Address
    stake: Mist
    unbonding: Mist
    """On its way out: it counts in no draw and backs nothing."""
    unbonding_at: Millis
    locked: Mist
    backing: Mist
    """The part of `locked` that backs executions."""
    fees: Mist
    fees_owed: Mist
    weight: Mist
    joined_at: Millis
    leaving_at: Millis
    """0: not leaving."""
    strikes: U64
    jailed_until: Millis
    """0: not jailed; a jailed member stays so until it calls `unjail`."""
    challenge: bytes
    challenge_expires: Millis
    key_epoch: U64
    revoked_through: U64
    attestation: Attestation
    previous: Attestation
    previous_until: Millis

    def usable(self, key_epoch: int, now: Millis) -> Attestation | None:
        """The record of `key_epoch` if it counts at `now`: the present one, or the one before in its grace; not revoked."""
        if key_epoch == 0 or self.is_revoked(key_epoch):
            return None
        if key_epoch == self.attestation.key_epoch:
            return self.attestation
        return self.previous if key_epoch == self.previous.key_epoch and now < self.previous_until else None

    def current(self) -> Attestation | None:
        """The present record; None if there is none, or it is revoked."""
        return None if self.is_revoked(self.attestation.key_epoch) else self.attestation

    def is_revoked(self, key_epoch: int) -> bool:
        """Whether the committee revoked this key epoch."""
        return key_epoch <= self.revoked_through


@dataclass(frozen=True, slots=True)
class OwnerCap(Record):
    """NodeOwnerCap or NodeOperatorCap."""

    id: ObjectId
    pool: Address
    node: NodeId
    slot: Slot
