"""Signed results: nobody writes one that says other than its checks, and nobody changes one."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from synthetic_world import AT, judged, policy_for, quote

from agent.attestation import cbor, signed
from agent.attestation.checks import OF_QUOTES, CheckName
from agent.attestation.errors import BadSignature, EvidenceError, Malformed, UntrustedSigner
from agent.attestation.raw import verify_file
from agent.attestation.result import CONTENT_TYPE, MAX_RESULT, AttestationResult
from agent.attestation.verdict import Check, QuoteVerdict

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
SIGNER = KEY.public_key().public_bytes_raw()
RESULT = AttestationResult.of(judged("snp"))
SIGNED = RESULT.sign(KEY)


def test_result_says_what_the_verdict_does() -> None:
    verdict = judged("snp")
    assert (RESULT.ok, RESULT.node, RESULT.policy) == (True, verdict.node, policy_for("snp").digest())
    assert RESULT.valid_until == verdict.binding.not_after
    refused = AttestationResult.of(judged("snp", policy_for("nitro")))
    assert not refused.ok
    assert [check.name for check in refused.checks if not check.passed] == [CheckName.MEASUREMENT]


@pytest.mark.parametrize("name", [check.name for check in RESULT.checks], ids=str)
def test_result_that_accepts_cannot_leave_a_check_out(name: CheckName) -> None:
    with pytest.raises(ValueError, match=name.value):
        replace(RESULT, checks=tuple(check for check in RESULT.checks if check.name is not name))


def test_result_with_a_failed_check_is_never_ok() -> None:
    worse = replace(RESULT, checks=(*RESULT.checks[:-1], replace(RESULT.checks[-1], passed=False)))
    assert not worse.ok
    claims = cbor.decode(worse.encode())
    claims["ok"] = True
    with pytest.raises(Malformed, match="contradict"):
        AttestationResult.decode(cbor.encode(claims))


def test_result_without_a_policy_is_never_ok() -> None:
    assert not replace(RESULT, policy=None).ok


def test_check_cannot_stand_twice() -> None:
    with pytest.raises(ValueError, match="once"):
        replace(RESULT, checks=(*RESULT.checks, RESULT.checks[0]))


@pytest.mark.parametrize(
    "change",
    [
        {265: "tag:other"}, {6: 0}, {263: 0}, {"at": -1}, {"at": "now"}, {"evidence": b""}, {"policy": b"\1"}, {"tee": None}, {"tee": [9]},
        {"checks": []}, {"checks": [["no-such-check", True, ""]]}, {"checks": [["size", 1, ""]]}, {"devices": [["GH100"]]}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_claims_that_no_verdict_makes_are_malformed(change: dict[object, object]) -> None:
    with pytest.raises(Malformed):
        AttestationResult.decode(cbor.encode(cbor.decode(RESULT.encode()) | change))


def test_no_changed_or_cut_byte_of_a_signed_result_is_accepted() -> None:
    for place in range(len(SIGNED)):
        spoilt = bytearray(SIGNED)
        spoilt[place] ^= 1
        with pytest.raises(EvidenceError):
            AttestationResult.open_signed(bytes(spoilt), [SIGNER])
    for cut in (b"", SIGNED[:-1], SIGNED + b"\0", SIGNED[1:]):
        with pytest.raises(Malformed):
            AttestationResult.open_signed(cut, [SIGNER])


def test_result_counts_only_under_keys_that_count() -> None:
    with pytest.raises(UntrustedSigner):
        AttestationResult.open_signed(SIGNED, [])
    other = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    forged = signed.seal(RESULT.encode(), other, CONTENT_TYPE).replace(other.public_key().public_bytes_raw(), SIGNER)
    with pytest.raises(BadSignature):
        AttestationResult.open_signed(forged, [SIGNER])


def test_other_documents_of_the_signer_are_no_results() -> None:
    with pytest.raises(Malformed, match="where"):
        AttestationResult.open_signed(signed.seal(RESULT.encode(), KEY, "application/vnd.enclavia.policy+cbor"), [SIGNER])


def test_oversized_result_is_malformed() -> None:
    with pytest.raises(Malformed, match="at most"):
        AttestationResult.open_signed(SIGNED + bytes(MAX_RESULT), [SIGNER])


def test_verdict_on_a_quote_alone_cannot_leave_a_check_out_or_accept_without_a_policy() -> None:
    checks = tuple(Check(name, passed=True, detail="") for name in OF_QUOTES)
    verdict = QuoteVerdict(at=AT, what="", evidence_digest=RESULT.evidence_digest, policy=None, checks=checks)
    assert not verdict.ok
    with pytest.raises(ValueError, match="accepts"):
        replace(verdict, policy=RESULT.policy)
    refused = verify_file(quote("snp").content, AT)
    assert not refused.ok
    with pytest.raises(ValueError, match="once"):
        replace(refused, checks=refused.checks * 2)
