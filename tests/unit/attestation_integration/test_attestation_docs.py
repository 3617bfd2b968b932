"""What docs/attestation.md and docs/spec/evidence.md say, held against the code: names, numbers, commands and the examples."""

import hashlib
import importlib
import json
import pkgutil
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cbor2
import click
import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from simulated_world import AUTHORITY, BINDING, CODE, COMMITTEE, NOW, POLICY, SIMULATED, Node, judged
from typer.testing import CliRunner

import agent.attestation
from agent.attestation import policy_document, result
from agent.attestation.amd import Product, SnpCheck, Tcb
from agent.attestation.binding import Binding, gpu_nonce
from agent.attestation.checks import AUTHENTICATION, OF_QUOTES, OPTIONAL, CheckName
from agent.attestation.dstack import application
from agent.attestation.evidence import Evidence, evidence_digest
from agent.attestation.intel import report
from agent.attestation.intel.collateral import Collateral as IntelCollateral
from agent.attestation.nvidia import GpuCheck
from agent.attestation.policy import Allowance, GpuRules, Layer, Machine, Rejection, Rejects, SnpFloor
from agent.attestation.policy_document import dump_policy, load_policy
from agent.attestation.policy_rules import NEVER_ACCEPTED
from agent.attestation.raw import verify_file
from agent.attestation.result import AttestationResult
from agent.attestation.vtpm import verifier as vtpm
from agent.attestation.vtpm.evidence import VtpmEvidence
from agent.cli.attest_command import document
from agent.cli.attest_result import document as result_document
from agent.cli.main import app
from agent.cli.policy_new import LEVELS
from agent.cli.policy_words import gaps
from agent.protocol.blob import blob_digest
from agent.protocol.statements import TeeKind
from agent.protocol.tags import ATTEST, GPU
from agent.protocol.units import Millis

DOCS = Path(__file__).parents[3] / "docs"
GUIDE, FORMATS = DOCS / "attestation.md", DOCS / "spec" / "evidence.md"
GUIDE_TEXT, FORMATS_TEXT = GUIDE.read_text(), FORMATS.read_text()
EXAMPLE = DOCS / "examples" / "policy.json"
ELSEWHERE = (".providers", ".collection")
"""Packages whose limits are those of interfaces and services, not of formats."""

FULL = replace(
    POLICY,
    vendor=Layer(
        frozenset({Allowance(TeeKind.TDX, b"\x01" * 48)}),
        frozenset({Rejection(Rejects.ADVISORY, "X", "y")}),
        frozenset({Machine(TeeKind.TDX, b"\x02" * 16)}),
    ),
    snp_floors=frozenset(SnpFloor(product, Tcb(microcode=1)) for product in Product),
    accepted_advisories=frozenset({"X"}),
    intel_evaluation=17,
    accept_vlek=True,
    accept_missing_crl=True,
    gpus=GpuRules(count=1, vbios=frozenset({"X"})),
)
"""A policy that uses every field."""


def sources() -> Iterator[tuple[str, Any, str]]:
    """Every module of the package with its source; `name` without the package's own."""
    for module in pkgutil.walk_packages(agent.attestation.__path__, "agent.attestation."):
        if not any(each in module.name for each in ELSEWHERE):
            loaded = importlib.import_module(module.name)
            if loaded.__file__ is not None:
                yield module.name.removeprefix("agent.attestation."), loaded, Path(loaded.__file__).read_text()


def keys(value: Any) -> Iterator[str]:
    """All keys of a document, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from keys(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from keys(inner)


def unnamed(names: Iterable[str], text: str) -> set[str]:
    """Those of `names` that no code span of `text` has; lines pair their backticks by themselves."""
    spans = [span for line in text.splitlines() if not line.startswith("```") for span in re.findall(r"`([^`]+)`", line)]
    return set(names) - {word for span in spans for word in re.findall(r"[\w-]+", span)}


def test_every_check_is_named_in_the_guide_and_no_other() -> None:
    known = {name.value for kind in (CheckName, SnpCheck, GpuCheck) for name in kind}
    assert {name for name in known if f"`{name}`" not in GUIDE_TEXT} == set()
    # whatever looks like one of theirs is one
    spelt = set(re.findall(r"`((?:binding|gpu|snp)-[a-z-]+)`", GUIDE_TEXT))
    assert spelt <= known


def test_formats_say_which_checks_an_accepting_verdict_shows() -> None:
    paragraph = FORMATS_TEXT.partition("A verdict that accepts has to show")[2].partition("## 9")[0]
    named = set(re.findall(r"`([a-z-]+)`", paragraph))
    assert {name.value for name in OPTIONAL} <= named
    assert {name.value for name in OF_QUOTES - frozenset(AUTHENTICATION)} | {"size", "attributes"} <= named


def test_every_media_type_is_in_the_formats_and_no_other() -> None:
    pattern = re.compile(r"application/vnd\.enclavia\.[a-z0-9+.-]+")
    known = {name for _, _, source in sources() for name in pattern.findall(source)}
    assert len(known) >= 14
    assert set(pattern.findall(FORMATS_TEXT)) == known


def test_every_limit_is_in_the_formats_with_its_number() -> None:
    known = {
        f"{name}.{limit}": getattr(module, limit)
        for name, module, source in sources()
        for limit in re.findall(r"^(MAX_\w+): Final", source, re.MULTILINE)
    }
    told = {name: int(number.replace(",", "")) for name, number in re.findall(r"^\| `([a-z_.]+\.MAX_\w+)` \| ([0-9,]+) \|$", FORMATS_TEXT, re.MULTILINE)}
    assert told == known


def test_every_field_of_a_policy_is_in_the_formats() -> None:
    named = set(keys(FULL.to_document()))
    assert named >= policy_document._FIELDS | policy_document._OPTIONAL | {"count", "vbios", "machines", "fmc"}
    assert unnamed(named, FORMATS_TEXT.partition("## 9")[2].partition("## 10")[0]) == set()
    assert unnamed({*LEVELS, *NEVER_ACCEPTED, *(kind.name.lower() for kind in TeeKind), *Rejects}, FORMATS_TEXT) == set()


def test_every_field_that_travels_is_in_the_formats() -> None:
    for kind in (Binding, IntelCollateral, VtpmEvidence, Evidence):
        named = {each.name for each in fields(kind)} - {"devices"}
        assert unnamed(named, FORMATS_TEXT) == set(), kind
    verdict = AttestationResult.of(judged(Node().evidence()))
    claims = agent.attestation.cbor.decode(verdict.encode())
    rows = FORMATS_TEXT.partition("## 8")[2].partition("## 9")[0]
    assert {re.match(r"\| `?(\w+)", row)[1] for row in rows.splitlines() if re.match(r"\| `?\w+`? ?(\(|\|)", row)} - {"key"} == {str(key) for key in claims}
    assert result.PROFILE in FORMATS_TEXT


def test_every_tag_is_in_the_formats() -> None:
    for tag in (ATTEST, GPU, report.TDX_TAG, report.SGX_TAG, application.TAG, vtpm.TAG):
        assert f'"{tag.decode()}"' in FORMATS_TEXT
    registers = ", ".join(map(str, vtpm.MEASURED))
    assert f"PCRs {registers})" in FORMATS_TEXT
    assert f"PCRs {registers}." in GUIDE_TEXT


def test_every_key_of_the_verdict_for_programs_is_in_the_guide() -> None:
    verdict = verify_file(Node().evidence(), NOW, POLICY, verifiers=SIMULATED)
    assert verdict.ok
    devices = {"model", "hardware_id", "driver", "vbios"}
    shown = set(keys(document(verdict))) | set(keys(result_document(AttestationResult.of(verdict)))) | devices
    assert unnamed(shown | {"signed", "otherwise", "error"}, GUIDE_TEXT) == set()


def test_example_policy_is_one_and_says_nothing_in_vain() -> None:
    policy = load_policy(EXAMPLE.read_bytes())
    assert json.loads(dump_policy(policy)) == json.loads(EXAMPLE.read_bytes())
    assert policy.digest().hex() in GUIDE_TEXT
    assert policy.digest().hex() in FORMATS_TEXT
    assert list(gaps(policy)) == []
    assert not policy.allow_simulated


def enclavia_lines(text: str) -> list[list[str]]:
    """The commands in fenced blocks, as a shell would split them."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True)[1:] for block in blocks for line in block.splitlines() if line.startswith("enclavia ")]


def test_commands_of_the_guide_write_the_example_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in enclavia_lines(GUIDE_TEXT):
        if line[:2] in (["policy", "new"], ["policy", "merge"], ["policy", "show"], ["policy", "hash"]):
            done = CliRunner().invoke(app, line)
            assert done.exit_code == 0, done.output
    assert load_policy((tmp_path / "policy.json").read_bytes()) == load_policy(EXAMPLE.read_bytes())
    assert done.output.strip() == load_policy(EXAMPLE.read_bytes()).digest().hex()


def test_commands_and_options_of_the_guide_exist() -> None:
    lines = enclavia_lines(GUIDE_TEXT)
    assert len(lines) >= 8
    for line in lines:
        command: Any = typer.main.get_command(app)
        context = click.Context(command)
        words = list(line)
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.get_params(context) for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def blake2b(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def test_somebody_else_can_sign_a_policy_by_the_formats_alone() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\x11" * 32)
    own = key.public_key().public_bytes_raw()
    # §9 and §7, written from the document with a general library
    payload = cbor2.dumps(json.loads(EXAMPLE.read_bytes()), canonical=True)
    header = cbor2.dumps({1: -8, 3: "application/vnd.enclavia.policy+cbor", 4: own}, canonical=True)
    signature = key.sign(cbor2.dumps(["Signature1", header, b"", payload]))
    policy = load_policy(cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature])), [own])
    assert policy == load_policy(EXAMPLE.read_bytes())
    assert blake2b(payload) == policy.digest()


def test_somebody_else_can_read_a_verdict_by_the_formats_alone() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\x11" * 32)
    verdict = judged(Node().evidence())
    # §7 and §8
    header, unprotected, payload, signature = cbor2.loads(AttestationResult.of(verdict).sign(key)).value
    assert (cbor2.loads(header), unprotected) == ({1: -8, 3: "application/vnd.enclavia.verdict+cbor", 4: key.public_key().public_bytes_raw()}, {})
    key.public_key().verify(signature, cbor2.dumps(["Signature1", header, b"", payload]))
    claims = cbor2.loads(payload)
    assert (claims[6], claims[263], claims[265]) == (int(NOW) // 1000, 1, "tag:enclavia,2026:verdict/1")
    assert (claims["ok"], claims["at"], claims["node"], claims["until"]) == (True, int(NOW), BINDING.node_id, int(BINDING.not_after))
    assert claims["evidence"] == blob_digest(Node().evidence())
    assert claims["tee"] == [0, CODE, hashlib.sha512(b"enclavia-attest/1:" + BINDING.encode()).digest(), None, None, []]
    assert claims["checks"] == [[check.name.value, True, check.detail] for check in verdict.checks]


def test_somebody_else_can_make_evidence_by_the_formats_alone() -> None:
    # §2 and §3, around the quote of a simulated node
    binding = cbor2.dumps({"v": 1, **{each.name: getattr(BINDING, each.name) for each in fields(Binding)}}, canonical=True)
    items = {
        "__cmwc_t": "tag:enclavia,2026:evidence/1",
        "binding": ["application/vnd.enclavia.binding+cbor", binding],
        "cpu": ["application/vnd.enclavia.simulated+cose", Node().quote(), 4],
    }
    assert judged(cbor2.dumps(items, canonical=True)).ok
    report = hashlib.sha512(b"enclavia-attest/1:" + binding).digest()
    assert gpu_nonce(report, 3) == hashlib.sha256(b"enclavia-gpu/1:" + report + b"\x03\0\0\0").digest()
    keys_in_order = [bytes(each) for each in COMMITTEE.verifiers]
    assert BINDING.committee_hash == hashlib.sha256(cbor2.dumps([COMMITTEE.threshold, keys_in_order])).digest()


def test_links_lead_somewhere() -> None:
    for file, text in ((GUIDE, GUIDE_TEXT), (FORMATS, FORMATS_TEXT)):
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (file.parent / target).exists(), target


def test_example_evidence_is_read_written_and_accepted_as_told() -> None:
    whole = FORMATS_TEXT.partition("## 11")[2]
    data = bytes.fromhex("".join(re.findall(r"```hex\n(.*?)```", whole, re.DOTALL)))
    evidence = Evidence.decode(data)
    assert evidence.encode() == data
    assert Binding.decode(evidence.binding) == BINDING
    assert Binding.decode(evidence.binding).encode() == evidence.binding
    assert evidence_digest(data).hex() in whole
    assert f"{len(data):,} bytes" in whole
    assert CODE.hex() in whole
    assert str(int(NOW)) in whole
    assert judged(data).ok
    assert AUTHORITY.root in evidence.cpu.content
    assert not judged(data, at=Millis(BINDING.not_after)).ok
