"""Calls of the modules `member` and `attestation`."""

from agent.chain import calls as c
from agent.chain.sui.encoding.builder import Builder


def add(to: Builder, call: c.OfMember | c.OfAttestation) -> None:
    """Add `call` to the transaction that `to` builds."""
    if isinstance(call, c.OfMember):
        _of_member(to, call)
    else:
        _of_attestation(to, call)


def _of_member(to: Builder, call: c.OfMember) -> None:  # noqa: C901  one case a call
    both = (to.pool(), to.network()) if not isinstance(call, c.Deposit | c.ClaimFees) else (to.pool(),)
    match call:
        case c.RegisterNode():
            to.keep(to.move("member::register", *both, to.coin(call.stake), to.clock()), 2)
        case c.ReplaceNode():
            place = (to.roster(), to.queue(), to.u64(call.slot))
            to.keep(to.move("member::replace", *both, *place, to.coin(call.stake), to.clock()), 2)
        case c.Deposit():
            to.move("member::deposit", *both, to.u64(call.slot), to.coin(call.amount))
        case c.Unbond():
            to.move("member::unbond", *both, to.queue(), to.cap(call.owner_cap), to.u64(call.amount), to.clock())
        case c.WithdrawUnbonded():
            to.keep(to.move("member::withdraw_unbonded", *both, to.cap(call.owner_cap), to.clock()))
        case c.Leave():
            to.move("member::leave", *both, to.queue(), to.cap(call.owner_cap), to.clock())
        case c.Withdraw():
            to.keep(to.move("member::withdraw", *both, to.cap(call.owner_cap), to.clock()))
        case c.Retire():
            to.move("member::retire", *both, to.roster(), to.cap(call.owner_cap))
        case c.ClaimFees():
            to.keep(to.move("member::claim_fees", *both, to.cap(call.owner_cap)))
        case c.UpdateWeight():
            to.move("member::update_weight", *both, to.queue(), to.u64(call.slot), to.clock())
        case c.Unjail():
            to.move("member::unjail", *both, to.cap(call.operator_cap), to.clock())


def _of_attestation(to: Builder, call: c.OfAttestation) -> None:
    match call:
        case c.RequestChallenge():
            drawing = (to.clock(), to.random())
            to.move("attestation::request_challenge", to.pool(), to.network(), to.cap(call.operator_cap), *drawing)
        case c.PostEvidence():
            where = (to.octets(call.evidence_digest), to.text(call.uri))
            to.move("attestation::post_evidence", to.pool(), to.cap(call.operator_cap), *where, to.clock())
        case c.Attest():
            evidence = (to.u64(call.slot), to.octets(call.evidence_digest), to.u8(call.tee_kind))
            keys = map(to.octets, (call.measurement, call.hpke_pk, call.sign_pk))
            until = (to.u64(call.not_after), to.octets(call.policy))
            signed = to.signed(call.committee, call.signers, call.signatures)
            to.move("attestation::attest", to.pool(), to.network(), *evidence, *keys, *until, *signed, to.clock())
        case c.AttestNitro():
            document = to.framework("nitro_attestation::load_nitro_attestation", to.octets(call.document), to.clock())
            what = (to.u64(call.slot), document, to.octets(call.evidence_digest), to.octets(call.sign_pk))
            until = (to.u64(call.not_after), to.octets(call.policy))
            to.move("attestation::attest_nitro", to.pool(), to.network(), *what, *until, to.clock())
        case c.Revoke():
            whose = (to.u64(call.slot), to.u64(call.key_epoch), to.u8(call.reason))
            signed = to.signed(call.committee, call.signers, call.signatures)
            to.move("attestation::revoke", to.pool(), to.network(), *whose, *signed, to.clock())
