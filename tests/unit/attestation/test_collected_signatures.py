"""Signatures of separate members come together into what the contract takes, and every bad one has a name on it."""

from dataclasses import replace
from itertools import permutations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from agent.attestation.binding import Committee
from agent.attestation.collecting import Collected, Offer, add_signature, same
from agent.attestation.errors import NotAMember, OtherStatement, SignatureRefused, WrongSignature
from agent.protocol.statements import RevocationReason, RevocationStatement, RulingStatement, Statement
from agent.protocol.units import Address, Digest, NodeId, TaskId

KEYS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in range(1, 6))
PUBLIC = tuple(key.public_key().public_bytes_raw() for key in KEYS)
COMMITTEE = Committee(verifiers=PUBLIC, threshold=3)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x99" * 32)
RULING = RulingStatement(Address(b"\x01" * 32), TaskId(b"\x02" * 32), 3, Digest(b"\x03" * 32), agrees=True)
EMPTY = Collected(RULING, COMMITTEE, epoch=7)


def offer(place: int, statement: Statement = RULING) -> Offer:
    return Offer(PUBLIC[place], statement, KEYS[place].sign(statement.signing_bytes()))


def collected(*places: int) -> Collected:
    so_far = EMPTY
    for place in places:
        so_far = add_signature(so_far, offer(place))
    return so_far


def test_k_of_n_are_enough_and_one_less_is_not() -> None:
    assert not collected(4, 0).enough
    assert collected(4, 0).missing == 1
    assert collected(4, 0, 2).enough


@pytest.mark.parametrize("order", [*permutations((4, 0, 2))])
def test_signers_rise_whatever_order_they_came_in(order: tuple[int, ...]) -> None:
    """The contract takes them rising, each once."""
    done = collected(*order)
    assert done.signers == (0, 2, 4)
    for place, signature in zip(done.signers, done.signatures, strict=True):
        Ed25519PublicKey.from_public_bytes(PUBLIC[place]).verify(signature, RULING.signing_bytes())


@given(st.lists(st.integers(0, 4), max_size=12))
def test_no_more_signatures_than_members_and_no_more_sent_than_needed(places: list[int]) -> None:
    done = collected(*places)
    assert len(done.found) == len(set(places))
    assert len(done.signers) == len(done.signatures) == min(3, len(set(places)))
    assert done.enough == (len(set(places)) >= 3)


def test_a_member_counts_once_however_often_it_signs() -> None:
    assert collected(1, 1, 1).missing == 2


def test_the_key_and_not_the_sender_says_who_signed() -> None:
    """Nobody can put its signature under another's name."""
    forged = replace(offer(0), member=PUBLIC[1])
    with pytest.raises(WrongSignature) as refused:
        add_signature(EMPTY, forged)
    assert refused.value.member == PUBLIC[1]


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(65), b"\xff" * 64])
def test_garbage_is_no_signature(signature: bytes) -> None:
    with pytest.raises(WrongSignature):
        add_signature(EMPTY, replace(offer(0), signature=signature))


def test_a_stranger_has_no_place() -> None:
    public = STRANGER.public_key().public_bytes_raw()
    with pytest.raises(NotAMember) as refused:
        add_signature(EMPTY, Offer(public, RULING, STRANGER.sign(RULING.signing_bytes())))
    assert refused.value.member == public


OTHER = replace(RULING, agrees=False, root=Digest(b"\x04" * 32))


def test_a_member_that_means_something_else_is_named_with_what_differs() -> None:
    """Its signature under that is good, so it is really its word: not the fault of whoever carried it."""
    with pytest.raises(OtherStatement, match="root, agrees") as refused:
        add_signature(EMPTY, offer(2, OTHER))
    assert refused.value.member == PUBLIC[2]


def test_what_a_member_did_not_sign_is_not_held_against_it() -> None:
    """A forger shows another statement in a member's name."""
    with pytest.raises(WrongSignature):
        add_signature(EMPTY, replace(offer(2), statement=OTHER))


def test_another_kind_of_statement_is_another_statement() -> None:
    revocation = RevocationStatement(Address(bytes(32)), Address(bytes(32)), NodeId(bytes(32)), 1, RevocationReason.KEYS)
    with pytest.raises(OtherStatement, match="RevocationStatement"):
        add_signature(EMPTY, offer(0, revocation))


def test_statements_are_the_same_if_what_is_signed_is() -> None:
    assert same(RULING, replace(RULING))
    assert not same(RULING, OTHER)


def test_a_refused_offer_leaves_what_was_collected() -> None:
    before = collected(0, 1)
    with pytest.raises(SignatureRefused):
        add_signature(before, offer(2, OTHER))
    assert before == collected(1, 0)


def test_the_first_signature_of_a_member_stays() -> None:
    """Any two are as good; what was collected only grows, so that members that look twice send the same."""
    assert add_signature(collected(0), offer(0)) == collected(0)
