"""`enclavia attest collateral` and `attest verify --collateral DIR --at T`, run as a person would run them."""

import asyncio
import json
import os
import re
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from intel_pki import DAY, NOW, ROOT, collateral, level, qe_identity, rfc3339, tcb_info
from synthetic_world import policy_for, verifiers
from typer.testing import CliRunner
from vendor_services import BARE_TDX, MILAN, OWN, Answer, Vendors, amd, intel

from agent.attestation.collection.amd import AmdService
from agent.attestation.collection.collector import Services
from agent.attestation.collection.fetcher import Fetcher, Patience
from agent.attestation.collection.intel import IntelService
from agent.attestation.collection.nvidia import NvidiaService
from agent.attestation.evidence import evidence_digest
from agent.attestation.policy_document import dump_policy
from agent.cli.main import app

_FRAME = re.compile(r"[\s│╭╮╰╯─]+")


def ran(*arguments: object) -> Result:
    done = CliRunner().invoke(app, ["attest", *(str(each) for each in arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def said(done: Result) -> str:
    """On one line: messages are wrapped and framed for people."""
    return _FRAME.sub(" ", done.output)


class Desk:
    """A folder, and the vendors that are asked from it."""

    def __init__(self, folder: Path, vendors: Vendors) -> None:
        self.vendors = vendors
        self.folder = folder
        self.store = folder / "store"
        self.evidence = self.file("evidence.cbor", OWN)
        self.policy = self.file("policy.json", dump_policy(policy_for("tdx")))

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    async def collect(self, *more: object, file: Path | None = None) -> Result:
        url = self.vendors.url
        addresses = ("--intel-pccs", url, "--amd-kds", url, "--nvidia-rim", url, "--nvidia-ocsp", f"{url}/ocsp")
        # it runs a loop of its own, and the vendors run in this one
        return await asyncio.to_thread(ran, "collateral", file or self.evidence, "--store", self.store, *addresses, *more)

    def verify(self, *more: object, at: int = NOW, file: Path | None = None) -> dict[str, object]:
        found: dict[str, object] = json.loads(ran("verify", file or self.evidence, "--at", at, "--policy", self.policy, "--json", *more).stdout)
        return found


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """The test PKIs' roots in place of the vendors', and a time within their windows."""

    def services(through, pccs, kds, rim, ocsp) -> Services:
        fetcher = Fetcher(through, Patience(attempts=1))
        return Services(intel=IntelService(fetcher, pccs, root=ROOT), amd=AmdService(fetcher, kds, MILAN.roots), nvidia=NvidiaService(fetcher, rim, ocsp))

    monkeypatch.setattr("agent.cli.attest_collect.services", services)
    monkeypatch.setattr("agent.attestation.verify.HARDWARE", verifiers())
    monkeypatch.setattr("agent.cli.attest_collect._now", lambda: NOW)
    async with Vendors().serving() as vendors:
        vendors.put(intel())
        vendors.put(amd())
        yield Desk(tmp_path, vendors)


async def test_what_was_collected_is_printed_with_its_time_and_source(desk: Desk) -> None:
    done = await desk.collect()
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["kept", "intel-tcb-info"], ["kept", "intel-qe-identity"], ["kept", "intel-pck-crl"], ["kept", "intel-root-crl"],
    ]  # fmt: skip
    assert all(" to " in line and "UTC" in line and desk.vendors.url in line for line in lines[:4])
    assert f"to {rfc3339(29)[:10]}" in lines[0], "until when it counts"
    assert done.stderr == "", "who does not look at a terminal is told the outcome only"


async def test_progress_is_told_to_a_terminal_and_not_to_programs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("agent.cli.attest_collect.sys", SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("agent.cli.attest_collect.typer.echo", lambda line, err=False: told.append(line) if err else None)
    await desk.collect()
    assert [line.split()[0] for line in told] == ["proved"] * 4
    told.clear()
    await desk.collect("--json")
    assert told == []


async def test_a_program_reads_one_object(desk: Desk) -> None:
    found = json.loads((await desk.collect("--json")).stdout)
    assert found["collected_at"] == NOW
    assert found["missing"] == []
    assert {item["role"] for item in found["items"]} == {"intel-tcb-info", "intel-qe-identity", "intel-pck-crl", "intel-root-crl"}
    assert all((desk.store / "blobs" / item["digest"]).stat().st_size == item["size"] for item in found["items"])


async def test_what_is_missing_is_named_and_the_rest_is_kept(desk: Desk) -> None:
    desk.vendors.spoil("/qe/identity", Answer(status=404))
    done = await desk.collect()
    assert done.exit_code == 1
    assert "MISSING QE identity" in said(done)
    assert "knows nothing of this platform" in said(done)
    assert done.stdout.count("kept ") == 3
    assert "collateral" in desk.verify("--collateral", desk.store)["failed"]


async def test_evidence_is_accepted_with_the_archive_while_it_counts_and_refused_by_name_after(desk: Desk) -> None:
    assert desk.verify()["failed"] == ["collateral"]
    await desk.collect()
    assert desk.verify("--collateral", desk.store)["accepted"]
    late = desk.verify("--collateral", desk.store, at=NOW + 30 * DAY)
    assert not late["accepted"]
    assert set(late["failed"]) & {"collateral", "certificates-valid"}
    early = desk.verify("--collateral", desk.store, at=NOW - 2 * DAY)
    assert set(early["failed"]) & {"collateral", "certificates-valid"}


async def test_a_blob_changed_on_disk_is_not_believed(desk: Desk) -> None:
    await desk.collect()
    for file in (desk.store / "blobs").iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(bytes(content))
    done = await asyncio.to_thread(ran, "verify", desk.evidence, "--at", NOW, "--policy", desk.policy, "--collateral", desk.store)
    assert done.exit_code == 2
    assert "is spoilt, its content has another digest" in said(done)
    assert "ACCEPTED" not in said(done)


async def test_of_two_collections_the_one_that_counted_then_is_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.collect()
    # ten days on Intel finds a fault: the same level is out of date from then
    begins, ends = rfc3339(10), rfc3339(40)
    fault = tcb_info(issueDate=begins, nextUpdate=ends, tcbEvaluationDataNumber=21, tcbLevels=[level("OutOfDate", advisories=("INTEL-SA-99999",))])
    desk.vendors.put(intel(collateral(tcb_info=fault, qe_identity=qe_identity(issueDate=begins, nextUpdate=ends))))
    later = NOW + 11 * DAY
    monkeypatch.setattr("agent.cli.attest_collect._now", lambda: later)
    await desk.collect()
    assert desk.verify("--collateral", desk.store)["accepted"]
    before, after = (desk.verify("--collateral", desk.store, at=at) for at in (NOW + 5 * DAY, later))
    assert (before["claims"]["tcb_status"], before["claims"]["advisories"]) == ("UpToDate", [])
    assert (after["claims"]["tcb_status"], after["claims"]["advisories"]) == ("OutOfDate", ["INTEL-SA-99999"])
    assert set(after["failed"]) - set(before["failed"]) == {"tcb"}


async def test_a_vendors_own_file_is_replayed_too(desk: Desk) -> None:
    bare = desk.file("quote.bin", BARE_TDX)
    assert (await desk.collect(file=bare)).exit_code == 0
    found = ran("verify", bare, "--at", NOW, "--authenticate-only", "--collateral", desk.store)
    assert found.exit_code == 0, found.output
    assert ran("verify", bare, "--at", NOW + 40 * DAY, "--authenticate-only", "--collateral", desk.store).exit_code == 1


async def test_out_is_our_evidence_with_the_collateral_inside(desk: Desk) -> None:
    whole = desk.folder / "whole.cbor"
    assert (await desk.collect("--out", whole)).exit_code == 0
    assert desk.verify(file=whole)["accepted"]


async def test_out_is_refused_for_a_vendors_file_before_anybody_is_asked(desk: Desk) -> None:
    done = await desk.collect("--out", desk.folder / "whole.cbor", file=desk.file("quote.bin", BARE_TDX))
    assert done.exit_code == 2
    assert "has no room for collateral" in said(done)
    assert desk.vendors.asked == []


async def test_an_archive_of_other_evidence_says_what_to_run(desk: Desk) -> None:
    await desk.collect()
    done = ran("verify", desk.file("quote.bin", BARE_TDX), "--at", NOW, "--collateral", desk.store)
    assert done.exit_code == 2
    assert "nothing was collected for evidence" in said(done)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 4000, OWN[:-1]])
async def test_a_file_that_is_no_evidence_is_refused_before_anybody_is_asked(desk: Desk, content: bytes) -> None:
    done = await desk.collect(file=desk.file("nonsense", content))
    assert done.exit_code == 2
    assert "FILE" in done.output
    assert desk.vendors.asked == []
    assert not desk.store.exists()


@pytest.mark.parametrize("what", ["fifo", "device", "directory", "nothing", "endless"])
async def test_what_is_no_regular_file_is_refused_and_never_waited_for(desk: Desk, what: str) -> None:
    fifo = desk.folder / "fifo"
    os.mkfifo(fifo)
    paths = {"fifo": fifo, "device": Path("/dev/null"), "directory": desk.folder, "nothing": desk.folder / "absent", "endless": Path("/dev/zero")}
    done = await desk.collect(file=paths[what])
    assert done.exit_code == 2
    assert desk.vendors.asked == []


async def test_out_is_never_a_pipe(desk: Desk) -> None:
    fifo = desk.folder / "fifo"
    os.mkfifo(fifo)
    done = await desk.collect("--out", fifo)
    assert done.exit_code == 2
    assert "--out" in done.output


async def test_a_pipe_in_a_store_from_elsewhere_is_refused(desk: Desk) -> None:
    await desk.collect()
    for file in (desk.store / "blobs").iterdir():
        file.unlink()
        os.mkfifo(file)
    done = ran("verify", desk.evidence, "--at", NOW, "--collateral", desk.store)
    assert done.exit_code == 2
    assert "not a file" in said(done)


async def test_a_store_that_cannot_be_written_is_a_wrong_usage(desk: Desk) -> None:
    desk.store.write_bytes(b"a file")
    done = await desk.collect()
    assert done.exit_code == 2
    assert "--store" in done.output


@pytest.mark.parametrize("option", ["--intel-pccs", "--amd-kds", "--nvidia-rim", "--nvidia-ocsp"])
@pytest.mark.parametrize("url", ["http://pccs.example", "ftp://x", "nonsense", ""])
async def test_an_address_that_cannot_be_used_is_named_before_anybody_is_asked(desk: Desk, option: str, url: str) -> None:
    done = await asyncio.to_thread(ran, "collateral", desk.evidence, "--store", desk.store, option, url)
    assert done.exit_code == 2
    assert option in done.output
    assert not desk.store.exists()


async def test_a_proxy_of_the_environment_is_not_told_what_is_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await desk.collect()).exit_code == 0


def tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Of a cache whose certificate a company issued to itself, and that certificate."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a company's cache")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key()).serial_number(1)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    certificate, own = folder / "cache.pem", folder / "cache.key"
    certificate.write_bytes(builder.sign(secret, hashes.SHA256()).public_bytes(Encoding.PEM))
    own.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, own)
    return context, certificate


async def test_a_companys_own_cache_is_asked_once_its_authority_is_trusted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    context, certificate = tls(desk.folder)
    async with Vendors().serving(context) as desk.vendors:
        desk.vendors.put(intel())
        done = await desk.collect()
        assert (done.exit_code, desk.vendors.asked) == (1, [])
        assert "CERTIFICATE_VERIFY_FAILED" in said(done)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        done = await desk.collect()
        assert done.exit_code == 0, done.output


async def test_evidence_that_is_broken_inside_gets_a_verdict_whatever_lies_in_the_archive(desk: Desk) -> None:
    await desk.collect()
    broken = OWN.replace(b"-----BEGIN", b"-----BEGUN")
    assert broken != OWN
    folder = desk.store / "index"
    (known,) = folder.iterdir()
    (index,) = known.iterdir()
    text = index.read_bytes().replace(evidence_digest(OWN).hex().encode(), evidence_digest(broken).hex().encode())
    other = folder / evidence_digest(broken).hex()
    other.mkdir()
    (other / f"{NOW}-{sha256(text).hexdigest()}.json").write_bytes(text)
    found = desk.verify("--collateral", desk.store, file=desk.file("broken.cbor", broken))
    assert not found["accepted"]
    assert found["failed"]

