"""`enclavia policy` as people run it: every field can be written, read, signed, merged and explained."""

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest
from attest_world import BINDING, CODE, HOUR, KEY, NOW, POLICY, SIGNER, Desk, Node, process, ran, said
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.amd import Product, Tcb, TcbStatus
from agent.attestation.intel import levels
from agent.attestation.policy import (
    ALWAYS,
    FOREVER,
    Allowance,
    GpuRules,
    Layer,
    Machine,
    Policy,
    Rejection,
    Rejects,
    SnpFloor,
)
from agent.attestation.policy_document import load_policy, sign_policy
from agent.attestation.policy_rules import NEVER_ACCEPTED
from agent.cli.policy_new import LEVELS
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

A, B = "ab" * 48, "cd" * 48
CHIP = "0f" * 16
JANUARY, JULY = Millis(1_767_225_600_000), Millis(1_782_864_000_000)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def written(folder: Path, *options: object) -> Policy:
    """What `policy new` writes with these options."""
    file = folder / f"new-{len(list(folder.iterdir()))}.json"
    done = ran("policy", "new", file, *options)
    assert done.exit_code == 0, done.output
    policy = load_policy(file.read_bytes())
    assert f"hash {policy.digest().hex()}" in said(done)
    return policy


EVERY_OPTION = (
    "--version", 7, "--max-age-hours", 12, "--active-from", "2026-01-01", "--sunset", "2026-07-01", "--clock-skew-seconds", 30, "--allow-simulated",
    "--layer", "network", "--allow", f"tdx:{A}@2026-01-01/2026-07-01", "--allow", f"sev-snp:0x{B}", "--allow", f"nitro:{B}@/2026-07-01",
    "--reject", f"hardware:{CHIP}:key leaked: see list", "--reject", "advisory:INTEL-SA-00615:MMIO", "--machine", f"tdx:{CHIP}@2026-01-01/",
    "--accept-tcb", "UpToDate", "--accept-tcb", "SWHardeningNeeded", "--accept-advisory", "INTEL-SA-00614", "--intel-evaluation", 17,
    "--snp-floor", "Milan:0,4,0,24,219", "--snp-floor", "Turin:1,2,3,4,5", "--accept-vlek", "--accept-missing-crl",
    "--gpus", 8, "--gpu-model", "GH100", "--gpu-model", "LS10", "--gpu-driver", "550.144.03", "--gpu-vbios", "96.00.5E.00.01", "--require-ocsp",
)  # fmt: skip
SAID = Policy(
    version=7,
    max_age=Millis(12 * HOUR),
    allow_simulated=True,
    active_from=JANUARY,
    sunset=JULY,
    clock_skew=Millis(30_000),
    accepted_tcb=frozenset({"UpToDate", "SWHardeningNeeded"}),
    network=Layer(
        allow=frozenset(
            {
                Allowance(TeeKind.TDX, bytes.fromhex(A), JANUARY, JULY),
                Allowance(TeeKind.SEV_SNP, bytes.fromhex(B), ALWAYS, FOREVER),
                Allowance(TeeKind.NITRO, bytes.fromhex(B), ALWAYS, JULY),
            }
        ),
        reject=frozenset({Rejection(Rejects.HARDWARE, CHIP, "key leaked: see list"), Rejection(Rejects.ADVISORY, "INTEL-SA-00615", "MMIO")}),
        machines=frozenset({Machine(TeeKind.TDX, bytes.fromhex(CHIP), JANUARY, FOREVER)}),
    ),
    snp_floors=frozenset(
        {SnpFloor(Product.MILAN, Tcb(bootloader=4, snp=24, microcode=219)), SnpFloor(Product.TURIN, Tcb(fmc=1, bootloader=2, tee=3, snp=4, microcode=5))}
    ),
    accepted_advisories=frozenset({"INTEL-SA-00614"}),
    intel_evaluation=17,
    accept_vlek=True,
    accept_missing_crl=True,
    gpus=GpuRules(
        count=8,
        models=frozenset({"GH100", "LS10"}),
        drivers=frozenset({"550.144.03"}),
        vbios=frozenset({"96.00.5E.00.01"}),
        require_ocsp=True,
    ),
)


def test_every_field_of_a_policy_has_an_option(tmp_path: Path) -> None:
    assert written(tmp_path, *EVERY_OPTION) == SAID
    # nothing above is what a policy has anyway, so that a new field fails here until it has an option
    usual = Policy(version=1, max_age=Millis(24 * HOUR), allow_simulated=False)
    same = {each.name for each in fields(Policy) if getattr(SAID, each.name) == getattr(usual, each.name)}
    assert same == {"vendor", "community"}, "one layer a call"
    for part in (GpuRules, Layer):
        said_part = SAID.gpus if part is GpuRules else SAID.network
        assert all(getattr(said_part, each.name) != getattr(part(), each.name) for each in fields(part))


def test_policy_without_options_is_as_strict_as_the_code(tmp_path: Path) -> None:
    assert written(tmp_path) == Policy(version=1, max_age=Millis(24 * HOUR), allow_simulated=False)


@pytest.mark.parametrize("layer", ["vendor", "network", "community"])
def test_each_layer_can_be_written(tmp_path: Path, layer: str) -> None:
    policy = written(tmp_path, "--layer", layer, "--allow", f"nitro:{A}")
    assert {name for name, each in policy.layers if each.allow} == {layer}


def test_no_advisory_is_another_thing_than_any(tmp_path: Path) -> None:
    assert written(tmp_path).accepted_advisories is None
    assert written(tmp_path, "--no-advisories").accepted_advisories == frozenset()


def test_rules_for_gpus_need_no_number_of_them(tmp_path: Path) -> None:
    assert written(tmp_path).gpus is None
    assert written(tmp_path, "--gpus", 0).gpus == GpuRules()
    assert written(tmp_path, "--require-ocsp").gpus == GpuRules(require_ocsp=True)


def test_levels_that_can_be_accepted_are_those_that_vendors_have() -> None:
    known = {*levels._ORDER, *TcbStatus}
    assert set(LEVELS) == known - NEVER_ACCEPTED


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--allow", "tdx"], "a measurement of 0 bytes; every kind's has 48"),
        (["--allow", "tdx:abcd"], "a measurement of 2 bytes; every kind's has 48"),
        (["--allow", f"tdx:{A}00"], "a measurement of 49 bytes"),
        (["--allow", f"tdx:{'00' * 48}"], "is what debug enclaves have"),
        (["--allow", f"sgx:{A}"], "'sgx' is none of simulated, nitro, tdx, sev_snp"),
        (["--allow", "tdx:xyz"], "'xyz' is not hexadecimal"),
        (["--allow", f"tdx:{A}@noon"], "'noon' is no time: write 2026-01-31T12:00:00Z"),
        (["--allow", f"tdx:{A}@2026-07-01/2026-01-01"], "its sunset is not after its activation"),
        (["--layer", "mine"], "'mine' is none of vendor, network, community"),
        (["--reject", f"measurement:{A}"], "then : its value : and the reason"),
        (["--reject", "chip:00:x"], "wants one of measurement, hardware, advisory"),
        (["--reject", f"measurement:{A.upper()}:x"], "write it as lower-case hex without 0x"),
        (["--reject", "measurement:abcd:x"], "it would reject nothing"),
        (["--reject", "advisory: :x"], "write its name, such as INTEL-SA-00615"),
        (["--machine", f"tdx:{'00' * 16}"], "a hardware id has 1 to 64 bytes, not all zero"),
        (["--accept-tcb", "UptoDate"], "no vendor has such a patch level; there are UpToDate, SWHardeningNeeded"),
        (["--accept-tcb", "Revoked"], "must never count"),
        (["--accept-advisory", " "], "it would match nothing"),
        (["--no-advisories", "--accept-advisory", "X"], "leave out --accept-advisory"),
        (["--intel-evaluation", "-1"], "--intel-evaluation"),
        (["--intel-evaluation", "4294967296"], "--intel-evaluation"),
        (["--snp-floor", "Milan:1,2,3"], "wants one of Milan, Genoa, Turin, then : and five levels of 0 to 255"),
        (["--snp-floor", "Milan:1,2,3,4,256"], "five levels of 0 to 255"),
        (["--snp-floor", "Rome:1,2,3,4,5"], "wants one of Milan, Genoa, Turin"),
        (["--snp-floor", "Milan:0,0,0,0,1", "--snp-floor", "Milan:0,0,0,0,2"], "a product line has two floors"),
        (["--gpus", "17"], "--gpus"),
        (["--gpu-model", " GH100"], "it would match nothing"),
        (["--gpu-driver", ""], "it would match nothing"),
        (["--sunset", "2026-01-01", "--active-from", "2026-07-01"], "can never be in force"),
        (["--max-age-hours", "0"], "--max-age-hours"),
    ],
)
def test_option_that_would_match_nothing_is_refused(tmp_path: Path, options: list[str], words: str) -> None:
    done = ran("policy", "new", tmp_path / "new.json", *options)
    assert done.exit_code == 2
    assert words.replace(" ", "") in said(done).replace(" ", "")
    assert not (tmp_path / "new.json").exists()


def test_nothing_that_exists_is_overwritten(desk: Desk) -> None:
    before = desk.policy.read_bytes()
    assert ran("policy", "new", desk.policy).exit_code == 2
    assert ran("policy", "merge", desk.policy, "--out", desk.policy).exit_code == 2
    assert desk.policy.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "no layer allows any measurement"),
        (["--allow", f"tdx:{A}"], "name it with --intel-evaluation"),
        (["--allow", f"sev_snp:{A}"], "name it with --snp-floor"),
        (["--allow", f"simulated:{A}"], "it needs --allow-simulated"),
        (["--allow", f"nitro:{A}", "--machine", "nitro:abcd"], "quotes of that kind name no chip"),
        (["--allow", f"nitro:{A}", "--reject", f"measurement:{A}:old"], "is allowed and rejected"),
        (["--allow", f"nitro:{A}", "--accept-vlek", "--machine", f"sev_snp:{CHIP}"], "a provider's key is no registered chip's"),
    ],
)
def test_policy_that_says_something_in_vain_is_noted(tmp_path: Path, options: list[str], words: str) -> None:
    file = tmp_path / "new.json"
    assert words in said(ran("policy", "new", file, *options))
    assert words in said(ran("policy", "show", file))


def test_policy_without_gaps_has_no_notes(tmp_path: Path) -> None:
    assert "note" not in ran("policy", "new", tmp_path / "p.json", "--allow", f"tdx:{A}", "--intel-evaluation", 17).output
    assert "note" not in ran("policy", "new", tmp_path / "q.json", "--allow", f"sev_snp:{A}", "--snp-floor", "Milan:0,4,0,24,219").output


def test_policy_is_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    ran("policy", "new", file, *EVERY_OPTION)
    shown = said(ran("policy", "show", file))
    for words in (
        f"Policy version 7, hash {SAID.digest().hex()}",
        "from 2026-01-01 00:00:00 UTC until 2026-07-01 00:00:00 UTC",
        "at most 12 hours",
        "30 s apart",
        "SIMULATED evidence counts, which proves nothing",
        "SWHardeningNeeded, UpToDate",
        "may concern a platform: INTEL-SA-00614.",
        "evaluation 17 or later",
        "AMD Milan: at least fmc 0, bootloader 4, tee 0, snp 24, microcode 219",
        "(VLEK), which one leak makes everybody's, count too",
        "revocation list counts too",
        "GPUs: at least 8",
        "chips GH100, LS10; drivers 550.144.03; firmware 96.00.5E.00.01",
        "OCSP response is needed",
        "The layer vendor says nothing.",
        f"allows TDX measurement {A}",
        f"REJECTS hardware {CHIP}: key leaked: see list",
        f"registers TDX chip {CHIP}",
        "a reject wins, whoever wrote it",
    ):
        assert words in shown, words
    assert load_policy(ran("policy", "show", file, "--json").output.encode()) == SAID


def test_hash_is_that_of_the_policy_however_it_is_written(desk: Desk) -> None:
    signed, encoded = desk.file("signed", sign_policy(POLICY, KEY)), desk.file("cbor", POLICY.encode())
    for done in (ran("policy", "hash", desk.policy), ran("policy", "hash", encoded), ran("policy", "hash", signed, "--signer", SIGNER)):
        assert (done.exit_code, done.output) == (0, POLICY.digest().hex() + "\n")


def test_signed_policy_counts_by_its_signer_alone(desk: Desk) -> None:
    signed = desk.folder / "signed.cose"
    done = ran("policy", "sign", desk.policy, "--key", desk.key, "--out", signed)
    assert done.exit_code == 0
    assert f"hash {POLICY.digest().hex()}, signed by {SIGNER}" in said(done)
    other = OTHER.public_key().public_bytes_raw().hex()
    assert desk.verify("-p", signed, "--signer", SIGNER).exit_code == 0
    assert desk.verify("-p", signed, "--signer", other, "--signer", SIGNER).exit_code == 0
    for signers in ([], ["--signer", other]):
        refused = desk.verify("-p", signed, *signers)
        assert refused.exit_code == 2
        assert f"signed by {SIGNER}" in said(refused)


def test_signature_and_hash_of_a_policy_can_be_asked_for(desk: Desk) -> None:
    signed, digest = desk.file("signed", sign_policy(POLICY, KEY)), POLICY.digest().hex()
    other = OTHER.public_key().public_bytes_raw().hex()
    assert ran("policy", "verify", signed, "--signer", SIGNER, "--hash", "0x" + digest).exit_code == 0
    for file, signer, more, words in (
        (signed, other, [], f"signed by {SIGNER}"),
        (desk.policy, SIGNER, [], "is not signed"),
        (signed, SIGNER, ["--hash", "00" * 32], f"its hash is {digest}"),
        (desk.file("spoilt", signed.read_bytes()[:-1] + b"\0"), SIGNER, [], "not signed by"),
        (desk.evidence, SIGNER, [], "not signed"),
    ):
        done = ran("policy", "verify", file, "--signer", signer, *more)
        assert done.exit_code == 1, words
        assert words in said(done)
    found = json.loads(ran("policy", "verify", signed, "--signer", SIGNER, "--json").output)
    assert found == {"verified": True, "version": 1, "hash": digest, "otherwise": None}


def layer_file(desk: Desk, name: str, signer: Ed25519PrivateKey | None = None, **layers: Layer) -> Path:
    policy = Policy(version=1, max_age=Millis(1), allow_simulated=False, **layers)  # type: ignore[arg-type]
    return desk.policy_file(name, policy) if signer is None else desk.file(name, sign_policy(policy, signer))


def test_merged_policy_allows_what_any_layer_does_and_a_reject_wins(desk: Desk) -> None:
    allowing = Layer(allow=frozenset({Allowance(TeeKind.NITRO, bytes.fromhex(A))}))
    rejecting = Layer(reject=frozenset({Rejection(Rejects.MEASUREMENT, CODE.hex(), "a shell was left in it")}))
    network, community = layer_file(desk, "n", network=allowing), layer_file(desk, "c", community=rejecting)
    merged = desk.folder / "merged.json"
    done = ran("policy", "merge", desk.policy, "--network", network, "--community", community, "--version", 2, "--out", merged)
    assert done.exit_code == 0
    assert load_policy(merged.read_bytes()) == replace(POLICY, version=2, network=allowing, community=rejecting)
    assert desk.verify("-p", desk.policy).exit_code == 0
    refused = desk.verify("-p", merged)
    assert refused.exit_code == 1
    assert "FAIL not-rejected rejected by community: measurement" in said(refused)
    assert "(a shell was left in it)" in said(refused)
    assert "is allowed and rejected" in said(done)


def test_merge_adds_to_a_layer_and_takes_nothing_from_it(desk: Desk) -> None:
    added = layer_file(desk, "v", vendor=Layer(allow=frozenset({Allowance(TeeKind.NITRO, bytes.fromhex(A))})))
    merged = desk.folder / "merged.json"
    assert ran("policy", "merge", desk.policy, "--vendor", added, "--out", merged).exit_code == 0
    assert load_policy(merged.read_bytes()).vendor.allow == POLICY.vendor.allow | {Allowance(TeeKind.NITRO, bytes.fromhex(A))}


def test_others_layers_have_to_be_signed_once_a_signer_is_named(desk: Desk) -> None:
    layer = Layer(reject=frozenset({Rejection(Rejects.ADVISORY, "X", "y")}))
    signed, bare = layer_file(desk, "s", KEY, community=layer), layer_file(desk, "b", community=layer)
    out = desk.folder / "out.json"
    assert ran("policy", "merge", desk.policy, "--community", bare, "--signer", SIGNER, "--out", out).exit_code == 2
    assert ran("policy", "merge", desk.policy, "--community", signed, "--out", out).exit_code == 2
    assert not out.exists()
    assert ran("policy", "merge", desk.policy, "--community", signed, "--signer", SIGNER, "--out", out).exit_code == 0
    assert load_policy(out.read_bytes()).community == layer


def test_layer_that_a_merge_would_lose_is_refused(desk: Desk) -> None:
    layer = Layer(reject=frozenset({Rejection(Rejects.ADVISORY, "X", "y")}))
    done = ran("policy", "merge", desk.policy, "--community", layer_file(desk, "b", network=layer), "--out", desk.folder / "out.json")
    assert done.exit_code == 2
    assert "says something in the layer network too" in said(done)


def explained(desk: Desk, *more: object, file: Path | None = None, at: int = NOW) -> tuple[int, str]:
    done = ran("policy", "explain", file or desk.evidence, "--simulated-root", desk.root, "--at", at, *more)
    return done.exit_code, said(done)


def test_acceptance_is_explained_by_what_the_policy_decided(desk: Desk) -> None:
    code, words = explained(desk, "-p", desk.policy)
    assert code == 0
    assert f"Judged as of 2026-11-18 11:06:40 UTC by policy version 1, hash {POLICY.digest().hex()}." in words
    assert "Every check passed." in words
    assert "- measurement: a layer of the policy has to allow the measured code, at that time. allowed by vendor." in words
    assert f"Whose: node 0x{BINDING.node_id.hex()}" in words


def test_refusal_is_explained_by_what_was_asked_and_found(desk: Desk) -> None:
    late = desk.policy_file("late.json", POLICY, max_age=Millis(HOUR), vendor=Layer())
    code, words = explained(desk, "-p", late, at=NOW + 2 * HOUR)
    assert code == 1
    assert "checks failed:" in words
    assert f"- measurement: a layer of the policy has to allow the measured code, at that time. no layer allows SIMULATED measurement {CODE.hex()}" in words
    assert "- age: the evidence has to be no older than the policy's max_age, and not from the future. signed 7200 s before, wants 0 to 3600 s" in words


def test_forgery_is_explained_and_nothing_behind_it(desk: Desk) -> None:
    spoilt = bytearray(Node().evidence())
    spoilt[-200] ^= 1
    code, words = explained(desk, "-p", desk.policy, file=desk.file("spoilt", bytes(spoilt)))
    assert code == 1
    assert "What follows authentication was not looked at: nobody vouches for it." in words


def test_explanation_for_programs_is_the_verdict_with_reasons(desk: Desk) -> None:
    late = desk.policy_file("late.json", POLICY, vendor=Layer())
    done = ran("policy", "explain", desk.evidence, "-p", late, "--simulated-root", desk.root, "--at", NOW, "--json")
    found = json.loads(done.output)
    assert done.exit_code == 1
    assert [set(each) for each in found["reasons"]] == [{"name", "asks", "found"}]
    assert {key for key in found if key != "reasons"} == set(json.loads(desk.verify("--json").output))


@pytest.mark.parametrize("command", ["show", "hash", "sign", "verify", "merge", "explain"])
def test_policy_that_is_no_file_is_refused_and_blocks_nothing(desk: Desk, command: str) -> None:
    os.mkfifo(desk.folder / "fifo")
    more = {
        "sign": ["--key", desk.key, "--out", desk.folder / "o"],
        "verify": ["--signer", SIGNER],
        "merge": ["--out", desk.folder / "o"],
        "explain": ["-p", desk.folder / "fifo"],
    }.get(command, [])
    for place in ("/dev/zero", desk.folder / "fifo", desk.folder, desk.folder / "none"):
        assert ran("policy", command, place, *more).exit_code == 2


def test_process_writes_shows_and_explains(desk: Desk) -> None:
    file = desk.folder / "new.json"
    new = process("policy", "new", file, "--allow", f"simulated:{CODE.hex()}", "--allow-simulated")
    assert (new.returncode, new.stderr) == (0, "")
    explained = process("policy", "explain", desk.evidence, "-p", file, "--simulated-root", desk.root, "--at", NOW)
    assert (explained.returncode, "ACCEPTED" in explained.stdout, explained.stderr) == (0, True, "")
