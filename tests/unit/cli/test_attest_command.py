"""`enclavia attest verify` as people run it: what is printed, and with which exit code."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from attest_world import (
    AUTHORITY,
    BINDING,
    CODE,
    HOSTILE_TEXT,
    HOUR,
    LOCALNET,
    NOW,
    POLICY,
    SIGNER,
    VECTORS,
    Desk,
    Node,
    moves_the_cursor,
    process,
    ran,
    said,
)
from synthetic_world import AT, KINDS, MILAN, policy_for, quote, verifiers

from agent.attestation.checks import OF_QUOTES
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.policy import Layer, Rejection, Rejects
from agent.attestation.raw import MAX_FILE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def own_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test PKI's roots in place of the vendors': the command itself takes no others."""
    monkeypatch.setattr("agent.attestation.verify.HARDWARE", verifiers()[:-1])


# verdicts


def test_evidence_that_the_policy_takes_is_accepted(desk: Desk) -> None:
    done = desk.verify("--policy", desk.policy)
    assert done.exit_code == 0
    assert done.output.startswith("SIMULATED, no hardware vouches for anything: ACCEPTED: Enclavia evidence")
    assert f"whose node 0x{BINDING.node_id.hex()}" in said(done)
    assert "FAIL" not in done.output


def test_refusal_names_the_check_and_what_was_found(desk: Desk) -> None:
    other = desk.policy_file("other.json", POLICY, vendor=Layer())
    done = desk.verify("--policy", other)
    assert done.exit_code == 1
    assert "REFUSED: Enclavia evidence" in done.output
    assert f"FAIL measurement no layer allows SIMULATED measurement {CODE.hex()} now: run a released image" in said(done)


def test_refusal_says_what_was_expected_and_what_was_found(desk: Desk) -> None:
    done = desk.verify("--policy", desk.policy, "--expect", f"node=0x{'99' * 32}")
    assert done.exit_code == 1
    assert f"FAIL binding-node is {'b0' * 16}, expected {'99' * 16}: attest again for what the chain wants now" in said(done)


def test_binding_that_is_what_was_expected_is_accepted(desk: Desk) -> None:
    wanted = [f"node=0x{'b0' * 32}", f"chain-id={LOCALNET}", f"key-epoch={BINDING.key_epoch}", f"challenge={'c0' * 32}", f"hpke-key={'d0' * 32}"]
    assert desk.verify("--policy", desk.policy, *(part for each in wanted for part in ("--expect", each))).exit_code == 0


def test_without_a_policy_nothing_is_accepted(desk: Desk) -> None:
    done = desk.verify()
    assert done.exit_code == 1
    assert "authentic, but judged by no policy" in done.output


def test_authenticity_alone_can_be_asked_for(desk: Desk) -> None:
    spoilt = bytearray(desk.evidence.read_bytes())
    spoilt[-200] ^= 1
    assert desk.verify("--authenticate-only").exit_code == 0
    assert desk.verify("--authenticate-only", file=desk.file("spoilt", bytes(spoilt))).exit_code == 1


def test_policy_decides_more_than_authenticity(desk: Desk) -> None:
    done = desk.verify("--authenticate-only", "--policy", desk.policy)
    assert done.exit_code == 2
    assert "give one of the two" in said(done)


@pytest.mark.parametrize(("at", "word"), [(NOW - 30 * 24 * HOUR, "before"), (NOW + 365 * 24 * HOUR, "after")])
def test_outside_the_time_of_its_certificates_evidence_is_refused(desk: Desk, at: int, word: str) -> None:
    done = desk.verify("--policy", desk.policy, "--json", at=at)
    found = json.loads(done.output)
    assert done.exit_code == 1, word
    assert (found["accepted"], found["authentic"], found["claims"], found["failed"]) == (False, False, None, ["certificates-valid"])
    assert found["at_ms"] == at
    assert "is valid" in found["checks"][-1]["detail"]


def test_times_are_read_as_people_write_them(desk: Desk) -> None:
    for text in ("2026-11-18T11:06:40Z", "2026-11-18T12:06:40+01:00", "2026-11-18T11:06:40"):
        found = json.loads(ran("attest", "verify", desk.evidence, "--at", text, "--json").output)
        assert (found["at_ms"], found["at"]) == (NOW, "2026-11-18 11:06:40 UTC")


def test_json_is_one_object_with_every_documented_key(desk: Desk) -> None:
    done = desk.verify("--policy", desk.policy, "--json")
    found = json.loads(done.output)
    assert done.output.count("\n") == 1
    assert set(found) == {
        "accepted", "authentic", "simulated", "what", "who", "at", "at_ms", "evidence_digest", "policy", "failed", "checks", "claims", "binding",
        "devices",
    }  # fmt: skip
    assert (found["accepted"], found["authentic"], found["simulated"], found["failed"], found["devices"]) == (True, True, True, [], [])
    assert found["policy"] == POLICY.digest().hex()
    assert {each["name"] for each in found["checks"]} >= {name.value for name in OF_QUOTES}
    assert all(set(each) == {"name", "passed", "detail"} and each["passed"] for each in found["checks"])
    assert found["claims"]["measurement"] == CODE.hex()
    assert found["binding"]["node"] == "0x" + BINDING.node_id.hex()


def test_json_of_a_file_that_nobody_can_read_has_the_same_keys(desk: Desk) -> None:
    found = json.loads(desk.verify("--json", file=desk.file("nothing", b"")).output)
    assert set(found) == set(json.loads(desk.verify("--json").output))
    assert (found["accepted"], found["claims"], found["binding"], found["policy"], found["failed"]) == (False, None, None, None, ["kind"])
    assert found["who"] == "nobody's: no signature was found to hold"


@pytest.mark.usefixtures("own_roots")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "simulated"])
def test_every_kind_is_accepted_under_a_policy_that_names_it_and_no_other(desk: Desk, kind: str) -> None:
    evidence = desk.file("evidence", Evidence(BINDING.encode(), quote(kind)).encode())
    own, other = desk.policy_file("own.json", policy_for(kind)), desk.policy_file("other.json", policy_for("simulated"))
    assert ran("attest", "verify", evidence, "--at", AT, "-p", own).exit_code == 0
    done = ran("attest", "verify", evidence, "--at", AT, "-p", other, "--json")
    assert done.exit_code == 1
    assert "measurement" in json.loads(done.output)["failed"]


@pytest.mark.usefixtures("own_roots")
def test_vendors_own_file_is_judged_with_what_lies_beside_it(desk: Desk) -> None:
    from amd_pki import Report

    report = desk.file("report.bin", Report(report_data=b"\x0d" * 64).signed())
    chain = [part for index, der in enumerate(MILAN.chain()) for part in ("--collateral", desk.file(f"{index}.der", der))]
    policy = desk.policy_file("snp.json", policy_for("snp"))
    assert ran("attest", "verify", report, "--at", AT, "-p", policy, *chain, "--report-data", "0x" + "0d" * 64).exit_code == 0
    done = ran("attest", "verify", report, "--at", AT, "-p", policy, *chain, "--report-data", "0e" * 64)
    assert done.exit_code == 1
    assert f"FAIL report-data is {'0d' * 16}, expected {'0e' * 16}" in said(done)
    expecting = ran("attest", "verify", report, "--at", AT, "-p", policy, *chain, "--expect", "key-epoch=3")
    assert expecting.exit_code == 2
    assert "this file has no binding: use --report-data" in said(expecting)
    alone = ran("attest", "verify", report, "--at", AT, "-p", policy)
    assert alone.exit_code == 1
    assert "FAIL collateral a SEV-SNP report without certificates: give those of its VCEK or VLEK" in said(alone)


@pytest.mark.skipif(not VECTORS.is_dir(), reason=f"the real evidence is not here: {VECTORS}")
@pytest.mark.parametrize(
    ("at", "code", "failed"),
    [("2022-10-13T09:00:00Z", 0, []), ("2022-10-13T07:00:00Z", 1, ["certificates-valid"]), ("2022-10-13T13:00:00Z", 1, ["certificates-valid"])],
    ids=["at its time", "before", "after"],
)
def test_real_document_is_accepted_at_its_own_time_only(desk: Desk, at: str, code: int, failed: list[str]) -> None:
    document = VECTORS / "nitro-evervault" / "valid-attestation-doc-bytes"
    bare = json.loads(ran("attest", "verify", document, "--at", "2022-10-13T09:00:00Z", "--json").output)
    policy = desk.folder / "nitro.json"
    assert ran("policy", "new", policy, "--allow", f"nitro:{bare['claims']['measurement']}").exit_code == 0
    done = ran("attest", "verify", document, "--at", at, "-p", policy, "--json")
    assert (done.exit_code, json.loads(done.output)["failed"]) == (code, failed)


@pytest.mark.skipif(not VECTORS.is_dir(), reason=f"the real evidence is not here: {VECTORS}")
def test_real_gpus_without_a_cpu_are_never_accepted(desk: Desk) -> None:
    done = ran("attest", "verify", VECTORS / "nvidia-attestation-sdk" / "hopper_evidence.json", "--at", "2026-01-01", "-p", desk.policy, "--json")
    assert done.exit_code == 1
    assert "gpu-cpu-evidence" in json.loads(done.output)["failed"]


# wrong usage

USAGE = {
    "no such file": (["{folder}/none"], "cannot be read: No such file or directory"),
    "directory": (["{folder}"], "is a directory: name a file"),
    "fifo": (["{folder}/fifo"], "is no regular file (a pipe or a device): name a file, or copy it into one"),
    "endless device": (["/dev/zero"], "is no regular file"),
    "empty device": (["/dev/null"], "is no regular file"),
    "policy that is a fifo": (["{evidence}", "-p", "{folder}/fifo"], "is no regular file"),
    "collateral that is a fifo": (["{evidence}", "--collateral", "{folder}/fifo"], "is no regular file"),
    "root that is a fifo": (["{evidence}", "--simulated-root", "{folder}/fifo"], "is no regular file"),
    "key that is a fifo": (["{evidence}", "--sign-with", "{folder}/fifo", "--result", "{folder}/r"], "is no regular file"),
    "result that is a fifo": (["{evidence}", "--sign-with", "{key}", "--result", "{folder}/fifo"], "cannot be written"),
    "result without a key": (["{evidence}", "--result", "{folder}/r"], "needs both a key and a file"),
    "key without a result": (["{evidence}", "--sign-with", "{key}"], "needs both a key and a file"),
    "key that others read": (["{evidence}", "--sign-with", "{open}", "--result", "{folder}/r"], "run `chmod 600"),
    "no key": (["{evidence}", "--sign-with", "{folder}/none", "--result", "{folder}/r"], "run `enclavia verifier init`"),
    "time that is none": (["{evidence}", "--at", "noon"], "write 2026-01-31T12:00:00Z, or milliseconds"),
    "time beyond numbers": (["{evidence}", "--at", "9" * 20], "write 2026-01-31T12:00:00Z, or milliseconds"),
    "time before computers": (["{evidence}", "--at", "1969-12-31"], "lies before 1970"),
    "report data that are no hex": (["{evidence}", "--report-data", "xyz"], "is not hexadecimal"),
    "report data of what brings a binding": (["{evidence}", "--report-data", "00"], "use --expect"),
    "expectation of nothing known": (["{evidence}", "--expect", "nod=0x00"], "wants one of chain-id, network, node, key-epoch"),
    "expectation of another size": (["{evidence}", "--expect", "node=0x00"], "1 bytes, wants 32"),
    "epoch that is none": (["{evidence}", "--expect", "key-epoch=-1"], "wants one of chain-id"),
    "policy that is none": (["{evidence}", "-p", "{evidence}"], "wants exactly the fields"),
    "policy that nobody signed": (["{evidence}", "-p", "{policy}", "--signer", SIGNER], "give the signed document, or no signers"),
    "signer of no policy": (["{evidence}", "--signer", SIGNER], "give --policy too"),
    "signer that is no key": (["{evidence}", "-p", "{policy}", "--signer", "ab"], "1 bytes, wants 32"),
    "root that is none": (["{evidence}", "--simulated-root", "{policy}"], "certificate cannot be read"),
    "unknown option": (["{evidence}", "--polcy", "x"], "--polic"),
    "nothing": ([], "Missing argument"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_says_what_to_do(desk: Desk, name: str) -> None:
    os.mkfifo(desk.folder / "fifo")
    opened = desk.file("open.key", desk.key.read_bytes())
    opened.chmod(0o644)
    arguments, words = USAGE[name]
    places = {"folder": desk.folder, "evidence": desk.evidence, "policy": desk.policy, "key": desk.key, "open": opened}
    filled = [each.format_map(places) for each in arguments]
    rooted = [] if "--simulated-root" in filled else ["--simulated-root", desk.root]
    timed = [] if "--at" in filled else ["--at", NOW]
    done = ran("attest", "verify", *filled, *rooted, *timed)
    assert done.exit_code == 2
    # a path may be broken into lines anywhere
    assert words.replace(" ", "") in said(done).replace(" ", "")
    assert "Traceback" not in done.output
    assert not (desk.folder / "r").exists(), "nothing is signed that was not judged"


# hostile files


def test_truncated_and_padded_evidence_is_refused_by_name(desk: Desk) -> None:
    whole = desk.evidence.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], whole[:1], whole + b"\0", whole + bytes(4096)):
        found = json.loads(desk.verify("-p", desk.policy, "--json", file=desk.file("hostile", content)).output)
        assert not found["accepted"]
        assert found["failed"] == ["format"]


@pytest.mark.parametrize(("content", "check"), [(b"", "kind"), (b"\x1b[2J\x1b[H" * 1000, "kind"), (b"\xd2" * (MAX_FILE + 1), "size"), (b"[" * 90_000, "format")])
def test_file_that_is_no_evidence_is_refused_by_name(desk: Desk, content: bytes, check: str) -> None:
    done = desk.verify("-p", desk.policy, file=desk.file("hostile", content))
    assert done.exit_code == 1
    assert f"FAIL {check}" in said(done)
    assert len(done.output) < 2000, "a huge file makes no huge answer"


def test_sparse_gigabyte_is_refused_without_reading_it(desk: Desk) -> None:
    huge = desk.file("huge", b"")
    os.truncate(huge, 1 << 30)
    done = desk.verify("-p", desk.policy, file=huge)
    assert done.exit_code == 1
    assert "FAIL size" in said(done)
    for option in ("--policy", "--simulated-root"):
        refused = ran("attest", "verify", desk.evidence, option, huge)
        assert refused.exit_code == 2
        size = re.search(r"of ([0-9]+) bytes, at most", said(refused))
        assert size is not None
        assert int(size[1]) < 1 << 22, "no more was read than could be of use"


def test_nothing_that_a_file_says_moves_the_cursor(desk: Desk) -> None:
    binding = replace(BINDING, chain_id=HOSTILE_TEXT)
    bound = desk.file("bound", Node(binding=binding).evidence())
    typed = desk.file("typed", Evidence(BINDING.encode(), Quote(HOSTILE_TEXT, b"\x1b")).encode())
    rejecting = Layer(reject=frozenset({Rejection(Rejects.MEASUREMENT, CODE.hex(), HOSTILE_TEXT)}))
    policy = desk.policy_file("hostile.json", POLICY, community=rejecting)
    for file in (bound, typed, desk.file("text", HOSTILE_TEXT.encode() * 99)):
        for done in (desk.verify("-p", policy, file=file), ran("policy", "explain", file, "-p", policy, "--simulated-root", desk.root, "--at", NOW)):
            assert done.exit_code == 1
            assert not moves_the_cursor(done.output), done.output
        as_json = desk.verify("-p", policy, "--json", file=file).output
        assert not moves_the_cursor(as_json)
        assert isinstance(json.loads(as_json), dict)
    assert "evil" in desk.verify("-p", policy, file=bound).output, "the words themselves are shown"
    assert not moves_the_cursor(ran("policy", "show", policy).output)
    assert not moves_the_cursor(ran("attest", "verify", desk.folder / HOSTILE_TEXT.replace("/", "")).output)


# as processes of their own


def test_process_accepts_refuses_and_blocks_on_nothing(desk: Desk) -> None:
    os.mkfifo(desk.folder / "fifo")
    common = ("--simulated-root", desk.root, "--at", NOW, "-p", desk.policy)
    accepted = process("attest", "verify", desk.evidence, *common, "--json")
    assert (accepted.returncode, json.loads(accepted.stdout)["accepted"], accepted.stderr) == (0, True, "")
    refused = process("attest", "verify", desk.evidence, *common, "--expect", "chain-id=another")
    assert (refused.returncode, "FAIL  binding-chain" in refused.stdout, refused.stderr) == (1, True, "")
    blocked = process("attest", "verify", desk.folder / "fifo", *common)
    assert (blocked.returncode, blocked.stdout) == (2, "")
    assert "isnoregularfile" in "".join(blocked.stderr.replace("│", "").split())


def test_simulated_root_is_never_a_vendors(desk: Desk) -> None:
    without = ran("attest", "verify", desk.evidence, "-p", desk.policy, "--at", NOW, "--json")
    assert without.exit_code == 1
    assert json.loads(without.output)["failed"] == ["kind"]
    assert AUTHORITY.root == desk.root.read_bytes()
