"""`enclavia attest verify --sign-with` and `attest result`: a verdict that travels, and who may believe it."""

import json
from dataclasses import replace
from hashlib import sha384
from pathlib import Path

import pytest
from attest_world import CODE, HOSTILE_TEXT, KEY, NOW, POLICY, SIGNER, VECTORS, Desk, Node, moves_the_cursor, ran, said
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.result import MAX_RESULT, AttestationResult


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def signed(desk: Desk, *more: object) -> Path:
    """The result that a member signs, in a file."""
    file = desk.folder / "result.cose"
    desk.verify("--sign-with", desk.key, "--result", file, *more)
    return file


def test_signed_result_is_read_by_whoever_trusts_the_signer(desk: Desk) -> None:
    file = signed(desk, "-p", desk.policy)
    done = ran("attest", "result", file, "--signer", SIGNER, "--evidence", desk.evidence, "--policy-hash", POLICY.digest().hex())
    assert done.exit_code == 0
    assert done.output.startswith("SIMULATED, no hardware vouches for anything: signed as you asked; it says ACCEPTED")
    assert f"measurement {CODE.hex()}" in said(done)
    found = json.loads(ran("attest", "result", file, "--signer", SIGNER, "--json").output)
    assert (found["accepted"], found["signed"], found["judged_accepted"], found["simulated"], found["at_ms"]) == (True, True, True, True, NOW)
    assert set(found) == {
        "accepted", "signed", "otherwise", "judged_accepted", "simulated", "at_ms", "evidence_digest", "policy", "node", "valid_until_ms",
        "failed", "checks", "claims", "devices",
    }  # fmt: skip


def test_result_of_a_refusal_is_signed_too_and_is_no_acceptance(desk: Desk) -> None:
    for more, words in ((["-p", desk.policy, "--expect", f"node={'99' * 32}"], "it says REFUSED"), ([], "it says judged by no policy")):
        done = ran("attest", "result", signed(desk, *more), "--signer", SIGNER)
        assert done.exit_code == 1
        assert words in done.output


def test_result_of_another_signer_is_nobodys_word(desk: Desk) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32).public_key().public_bytes_raw().hex()
    file = signed(desk, "-p", desk.policy)
    done = ran("attest", "result", file, "--signer", other)
    assert done.exit_code == 1
    assert f"NOT SIGNED by whom you named: root: signed by {SIGNER}" in said(done)
    assert ran("attest", "result", file, "--signer", other, "--signer", SIGNER).exit_code == 0


def test_result_with_any_byte_changed_is_refused(desk: Desk) -> None:
    whole = signed(desk, "-p", desk.policy).read_bytes()
    for place in range(0, len(whole), len(whole) // 40):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1
        done = ran("attest", "result", desk.file("spoilt", bytes(spoilt)), "--signer", SIGNER, "--json")
        found = json.loads(done.output)
        assert (done.exit_code, found["accepted"], found["signed"]) == (1, False, False), place
        assert set(found["error"]) == {"check", "detail"}


def test_result_about_another_file_or_policy_does_not_count(desk: Desk) -> None:
    file = signed(desk, "-p", desk.policy)
    other = desk.file("other", Node(code=sha384(b"other").digest()).evidence())
    done = ran("attest", "result", file, "--signer", SIGNER, "--evidence", other)
    assert done.exit_code == 1
    assert "it is about another file" in said(done)
    done = ran("attest", "result", file, "--signer", SIGNER, "--policy-hash", "00" * 32, "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["accepted"], found["judged_accepted"], len(found["otherwise"])) == (1, False, True, 1)


def test_policy_cannot_be_read_as_a_result(desk: Desk) -> None:
    policy = desk.folder / "policy.cose"
    assert ran("policy", "sign", desk.policy, "--key", desk.key, "--out", policy).exit_code == 0
    done = ran("attest", "result", policy, "--signer", SIGNER)
    assert done.exit_code == 1
    assert "vnd.enclavia.verdict+cbor' is expected" in said(done)


@pytest.mark.parametrize("content", [b"", b"\xd2", b"\xd2" * (MAX_RESULT + 1), b"\x1b[2J", b"\xd2\x84" + b"\x9f" * 500])
def test_file_that_is_no_result_is_refused(desk: Desk, content: bytes) -> None:
    done = ran("attest", "result", desk.file("hostile", content), "--signer", SIGNER)
    assert done.exit_code == 1
    assert done.output.startswith("NOT SIGNED by whom you named: format: ")
    assert not moves_the_cursor(done.output)


def test_hostile_words_in_a_signed_result_move_no_cursor(desk: Desk) -> None:
    honest = AttestationResult.open_signed(signed(desk, "-p", desk.policy).read_bytes(), [bytes.fromhex(SIGNER)])
    checks = (replace(honest.checks[0], passed=False, detail=HOSTILE_TEXT), *honest.checks[1:])
    done = ran("attest", "result", desk.file("hostile", replace(honest, checks=checks).sign(KEY)), "--signer", SIGNER)
    assert done.exit_code == 1
    assert not moves_the_cursor(done.output)
    assert "evil" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{file}"], "Missing option '--signer'"),
        (["{file}", "--signer", "ab"], "1 bytes, wants 32"),
        (["{file}", "--signer", SIGNER, "--policy-hash", "zz"], "is not hexadecimal"),
        (["/dev/zero", "--signer", SIGNER], "is no regular file"),
        (["{file}", "--signer", SIGNER, "--evidence", "/dev/zero"], "is no regular file"),
    ],
)
def test_wrong_usage_of_the_reader_says_what_to_do(desk: Desk, arguments: list[str], words: str) -> None:
    done = ran("attest", "result", *(each.format(file=desk.evidence) for each in arguments))
    assert done.exit_code == 2
    assert words in said(done)


def test_result_that_nobody_could_read_is_not_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.attestation.result.MAX_RESULT", 100)
    file = desk.folder / "result.cose"
    done = desk.verify("--sign-with", desk.key, "--result", file)
    assert done.exit_code == 2
    assert "nobody reads more than 100" in said(done)
    assert not file.exists()


@pytest.mark.skipif(not VECTORS.is_dir(), reason=f"the real evidence is not here: {VECTORS}")
def test_refusal_of_real_gpus_can_be_signed_and_read(desk: Desk) -> None:
    file, gpus = desk.folder / "result.cose", VECTORS / "nvidia-attestation-sdk" / "multi_gpu_hopper.json"
    assert ran("attest", "verify", gpus, "--at", "2026-01-01", "-p", desk.policy, "--sign-with", desk.key, "--result", file).exit_code == 1
    found = json.loads(ran("attest", "result", file, "--signer", SIGNER, "--evidence", gpus, "--json").output)
    assert (found["signed"], found["accepted"], found["otherwise"], found["claims"]) == (True, False, [], None)
    assert [each["model"] for each in found["devices"]] == ["GH100"] * 4
