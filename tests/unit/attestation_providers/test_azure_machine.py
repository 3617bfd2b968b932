"""A confidential machine of Azure's: tpm2-tools as real processes, the metadata service as a real server."""

import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from amd_pki import Report
from intel_pki import Guest, tdx_quote
from kernel_reports import CHAIN
from provider_world import ASKED, REPORT_DATA, TestEndorser, judged
from vendor_services import Answer, Asked, Vendors
from vtpm_pki import PCRS, RUNTIME, bound, hcl_report, signed, tpm_quote

from agent.attestation.errors import ProviderError
from agent.attestation.intel.quote import pem
from agent.attestation.providers.azure_metadata import MAX_ANSWER, AzureMetadata
from agent.attestation.providers.tpm_tools import ATTESTATION_KEY, HCL_REPORT, TpmTools
from agent.attestation.providers.vtpm import VtpmProvider
from agent.attestation.vtpm.evidence import extra_data
from agent.attestation.vtpm.verifier import MEASURED
from agent.protocol.statements import TeeKind

SNP = hcl_report(Report(report_data=bound(RUNTIME)).signed())
TDX = hcl_report(b"\x0a" * 1024, kind=4)
QUOTE = tdx_quote(Guest(report_data=bound(RUNTIME)))
TOOL = """#!{python} -IS
import os, sys
here, arguments = {here!r}, sys.argv[1:]
tool = os.path.basename(sys.argv[0])
with open(here + "/asked", "a") as log:
    log.write(tool + " " + " ".join(arguments) + " " + os.environ.get("TPM2TOOLS_TCTI", "") + "\\n")
def given(flag):
    return arguments[arguments.index(flag) + 1]
def content(name):
    with open(here + "/" + name, "rb") as file:
        return file.read()
def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
if os.path.exists(here + "/fails-" + tool):
    sys.stderr.write(content("fails-" + tool).decode())
    sys.exit(1)
if os.path.exists(here + "/hangs-" + tool):
    import time
    time.sleep(600)
if tool == "tpm2_nvread":
    sys.stdout.buffer.write(content("nv"))
elif tool == "tpm2_pcrread":
    write(given("-o"), content("pcrs"))
elif tool == "tpm2_quote":
    if given("-q") != content("nonce").decode():
        sys.exit("a test knows one nonce")
    write(given("-m"), content("message"))
    write(given("-s"), content("signature"))
"""


def values(registers: tuple[bytes, ...]) -> bytes:
    """What tpm2_pcrread writes of those asked for."""
    return b"".join(registers[index] for index in MEASURED)


@dataclass
class Tpm:
    """A TPM behind real processes; its files are what it answers."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        for name in ("tpm2_nvread", "tpm2_pcrread", "tpm2_quote"):
            file = self.folder / name
            file.write_text(TOOL.format(python=sys.executable, here=str(self.folder)))
            file.chmod(0o755)
        message = tpm_quote(extra_data(REPORT_DATA), MEASURED)
        self.set(nv=SNP, pcrs=values(PCRS), nonce=extra_data(REPORT_DATA).hex().encode(), message=message, signature=signed(message))

    def set(self, **files: bytes) -> None:
        for name, content in files.items():
            (self.folder / name.replace("__", "-")).write_bytes(content)

    def tools(self, seconds: float = 30.0) -> TpmTools:
        return TpmTools(self.folder, "/dev/tpmrm9", seconds)

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()


def metadata(asked: Asked) -> Answer | None:
    """The host's answers."""
    match urlsplit(asked.path).path:
        case "/metadata/THIM/amd/certification":
            # as Azure sends them: the leaf alone, the others together
            return Answer(json.dumps({"vcekCert": pem(CHAIN[:1]), "certificateChain": pem(tuple(reversed(CHAIN[1:]))), "tcbm": "00"}).encode())
        case "/acc/tdquote":
            assert base64.urlsafe_b64decode(json.loads(asked.body)["report"] + "==") == b"\x0a" * 1024
            return Answer(json.dumps({"quote": base64.urlsafe_b64encode(QUOTE).rstrip(b"=").decode()}).encode())
    return None


@asynccontextmanager
async def machine(tmp_path: Path, tpm: Tpm | None = None, answer: Answer | None = None, seconds: float = 30.0) -> AsyncIterator[VtpmProvider]:
    vendors = Vendors()
    vendors.put(metadata)
    if answer is not None:
        vendors.put(lambda _: answer)
    async with vendors.serving(), httpx.AsyncClient(base_url=vendors.url, trust_env=False) as client:
        tools = (tpm or Tpm(tmp_path / "tpm")).tools(seconds)
        yield await VtpmProvider.open(tools, AzureMetadata(client, seconds), TestEndorser())


@pytest.mark.parametrize(("nv", "kind"), [(SNP, TeeKind.SEV_SNP), (TDX, TeeKind.TDX)])
async def test_azures_evidence_is_accepted_under_the_test_roots(tmp_path: Path, nv: bytes, kind: TeeKind) -> None:
    tpm = Tpm(tmp_path / "tpm")
    tpm.set(nv=nv)
    async with machine(tmp_path, tpm) as provider:
        assert provider.kind is kind
        verdict = await judged(provider)
    assert verdict.ok, verdict.failed


async def test_tools_are_asked_for_azures_key_and_index_on_the_device(tmp_path: Path) -> None:
    tpm = Tpm(tmp_path / "tpm")
    async with machine(tmp_path, tpm) as provider:
        await provider.attest(*ASKED)
    said = "\n".join(tpm.asked)
    assert f"tpm2_nvread -C o {HCL_REPORT} device:/dev/tpmrm9" in said
    assert f"tpm2_quote -c {ATTESTATION_KEY} -l sha256:{','.join(map(str, MEASURED))}" in said


async def test_machine_without_the_tools_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="install tpm2-tools"):
        await TpmTools(tmp_path).hcl_report()


async def test_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    tpm = Tpm(tmp_path / "tpm")
    tpm.set(fails__tpm2_nvread=b"handle not present")
    with pytest.raises(ProviderError, match="handle not present"):
        await tpm.tools().hcl_report()


async def test_tool_that_hangs_is_killed(tmp_path: Path) -> None:
    tpm = Tpm(tmp_path / "tpm")
    tpm.set(hangs__tpm2_nvread=b"")
    with pytest.raises(ProviderError, match=r"longer than 0\.5 s"):
        await tpm.tools(0.5).hcl_report()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"nv": b""}, "no report of Azure's paravisor"),
        ({"nv": b"\0" * 20_000}, "more than"),
        ({"nv": hcl_report(Report(report_data=bytes(64)).signed())}, "other runtime data"),
        ({"pcrs": b"\0" * 40}, "bank of SHA-256"),
        ({"pcrs": b"\0" * 4000}, "more than"),
    ],
)
async def test_tpm_of_another_machine_is_refused_at_the_start(tmp_path: Path, files: dict[str, bytes], why: str) -> None:
    tpm = Tpm(tmp_path / "tpm")
    tpm.set(**files)
    with pytest.raises(ProviderError, match=why):
        async with machine(tmp_path, tpm):
            pass


@pytest.mark.parametrize(
    ("message", "signature", "why"),
    [
        (tpm_quote(b"\x01" * 32, MEASURED), None, "another nonce"),
        (tpm_quote(extra_data(REPORT_DATA), selected=(0, 1)), None, "signed the PCRs"),
        (tpm_quote(extra_data(REPORT_DATA), MEASURED), signed(b"other"), "cannot be used"),
        (b"", b"", "cannot be used"),
        (tpm_quote(extra_data(REPORT_DATA), MEASURED, tuple(reversed(PCRS))), None, "changed in each of 3 attempts"),
    ],
)
async def test_quote_over_something_else_is_not_handed_on(tmp_path: Path, message: bytes, signature: bytes | None, why: str) -> None:
    tpm = Tpm(tmp_path / "tpm")
    tpm.set(message=message, signature=signed(message) if signature is None else signature)
    async with machine(tmp_path, tpm) as provider:
        with pytest.raises(ProviderError, match=why):
            await provider.attest(*ASKED)


async def test_register_extended_since_the_start_is_noticed(tmp_path: Path) -> None:
    tpm = Tpm(tmp_path / "tpm")
    async with machine(tmp_path, tpm) as provider:
        extended = (b"\xee" * 32, *PCRS[1:])
        message = tpm_quote(extra_data(REPORT_DATA), MEASURED, extended)
        tpm.set(pcrs=values(extended), message=message, signature=signed(message))
        with pytest.raises(ProviderError, match="extended since the enclave started"):
            await provider.attest(*ASKED)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(status=429), "refuses"),
        (Answer(b"[]"), "something else than a JSON object"),
        (Answer(b"{}"), "without a VCEK"),
        (Answer(json.dumps({"vcekCert": "x", "certificateChain": "y"}).encode()), "cannot be read"),
        (Answer(b"x" * (MAX_ANSWER + 1)), "more than"),
        (Answer(b"{", drips=True), "takes longer"),
    ],
)
async def test_what_the_host_tells_is_not_believed(tmp_path: Path, answer: Answer, why: str) -> None:
    with pytest.raises(ProviderError, match=why):
        async with machine(tmp_path, answer=answer, seconds=1.0):
            pass


@pytest.mark.parametrize(("body", "why"), [(b"{}", "without a quote"), (b'{"quote":"%"}', "cannot be read|not base64url"), (b'{"quote":"AAAA"}', "cannot be read")])
async def test_hosts_td_quote_of_another_shape_is_refused(tmp_path: Path, body: bytes, why: str) -> None:
    tpm = Tpm(tmp_path / "tpm")
    tpm.set(nv=TDX)
    with pytest.raises(ProviderError, match=why):
        async with machine(tmp_path, tpm, Answer(body)):
            pass


async def test_tpm_derives_no_key_and_says_what_does(tmp_path: Path) -> None:
    async with machine(tmp_path) as provider:
        with pytest.raises(ProviderError, match="secure key release"):
            provider.sealing_key(provider.measurement)
