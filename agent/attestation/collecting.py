"""k of n: the signatures of separate members under one statement, until there are enough for the contract.

Pure, and not of one kind of statement: verdicts, tickets, revocations and rulings are collected alike. Nobody's word counts
but by its signature; what is refused says whose it claims to be, so that an operator can be told.
"""

from dataclasses import dataclass, fields, is_dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.attestation.binding import Committee
from agent.attestation.errors import NotAMember, OtherStatement, WrongSignature
from agent.protocol.statements import Statement


@dataclass(frozen=True, slots=True)
class Offer:
    """What one member sends another."""

    member: bytes
    """Its Ed25519 key, 32 bytes."""
    statement: Statement
    signature: bytes
    """64 bytes."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Good signatures under one statement, each member's once."""

    statement: Statement
    committee: Committee
    epoch: int
    """Of the committee; the contract is told whose indices these are."""
    found: tuple[tuple[int, bytes], ...] = ()
    """Places in the committee, rising, with their signatures."""

    @property
    def enough(self) -> bool:
        """Whether the contract would take them."""
        return not self.missing

    @property
    def missing(self) -> int:
        """How many more are wanted."""
        return max(0, self.committee.threshold - len(self.found))

    @property
    def signers(self) -> tuple[int, ...]:
        """As many places as the threshold asks for, rising; more would only cost gas."""
        return tuple(place for place, _ in self.found[: self.committee.threshold])

    @property
    def signatures(self) -> tuple[bytes, ...]:
        """In the order of `signers`."""
        return tuple(signature for _, signature in self.found[: self.committee.threshold])


def add_signature(collected: Collected, offer: Offer) -> Collected:
    """`collected` with the signature in `offer`; as it was if the member's is there already.

    Raises:
        NotAMember: the key has no place in the committee.
        OtherStatement: the member means something else. Its signature under that is good, so it is really its word.
        WrongSignature: nobody's word.
    """
    if offer.member not in collected.committee.verifiers:
        raise NotAMember(offer.member, "it has no place in the committee")
    if not _verifies(offer):
        raise WrongSignature(offer.member, "it does not verify: ask the member itself")
    if not same(offer.statement, collected.statement):
        raise OtherStatement(offer.member, f"under another statement than ours ({differing(offer.statement, collected.statement)})")
    place = collected.committee.verifiers.index(offer.member)
    # Ed25519 signatures of one message can differ; the first stays, so that what was collected only grows
    return replace(collected, found=tuple(sorted(({place: offer.signature} | dict(collected.found)).items())))


def same(one: Statement, other: Statement) -> bool:
    """Whether two statements say the same: what is signed is equal, byte for byte."""
    return one.signing_bytes() == other.signing_bytes()


def differing(one: Statement, other: Statement) -> str:
    """The fields in which two statements differ, for people."""
    if type(one) is not type(other):
        return f"a {type(one).__name__}, not a {type(other).__name__}"
    assert is_dataclass(one), "every statement is a dataclass"
    return ", ".join(each.name for each in fields(one) if getattr(one, each.name) != getattr(other, each.name)) or "nothing"


def _verifies(offer: Offer) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(offer.member).verify(offer.signature, offer.statement.signing_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True
