"""The vendors' services, played by a server on this machine: real HTTP, and the test PKI's word in place of the vendors'."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote as escape
from urllib.parse import urlsplit

import httpx
import nvidia_pki
from amd_pki import CHIP, Line, Report
from cryptography.x509 import ocsp
from intel_pki import ROOT, Guest, collateral, tdx_quote
from nvidia_pki import Device, ocsp_response
from simulated_world import BINDING
from synthetic_world import KIND_QUOTES

from agent.attestation.amd import Product
from agent.attestation.amd.report import SigningKey
from agent.attestation.binding import report_data
from agent.attestation.collection.amd import AmdService
from agent.attestation.collection.collector import Collector, Services
from agent.attestation.collection.fetcher import Fetcher, Patience
from agent.attestation.collection.intel import IntelService
from agent.attestation.collection.nvidia import NvidiaService
from agent.attestation.collection.store import Store
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.evidence import TDX_TYPE, IntelEvidence
from agent.attestation.intel.quote import Quote as IntelQuote
from agent.attestation.intel.quote import pem
from agent.protocol.units import Millis

MILAN = Line(Product.MILAN)
VCEK = MILAN.endorsement()
"""Made once: signatures have a random part."""

CPU = report_data(BINDING.encode())
BARE_TDX = tdx_quote(Guest(report_data=CPU))
BARE_SNP = Report(report_data=CPU).signed()
BOARD = {17: b"G520\0", 18: b"0200\0", 15: b"895\0"}
"""As GH100s call their board, project and chip."""
GPU = Device()
OWN = Evidence(BINDING.encode(), Quote(TDX_TYPE, IntelEvidence(IntelQuote.decode(BARE_TDX), None).encode())).encode()
"""A node's evidence, its collateral left out."""


@dataclass
class Asked:
    """One question."""

    method: str
    path: str
    """With the query."""
    body: bytes


@dataclass
class Answer:
    """What is sent."""

    body: bytes = b""
    type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    """The body never ends."""


Serves = Callable[[Asked], Answer | None]


class Vendors:
    """A server; the first of `serves` that knows an answer gives it, the newest first."""

    def __init__(self) -> None:
        self.serves: list[Serves] = []
        self.asked: list[Asked] = []
        self.url = ""
        self._writers: set[asyncio.StreamWriter] = set()

    def put(self, serves: Serves) -> None:
        """Answer so from now on, before what was put before."""
        self.serves.insert(0, serves)

    def spoil(self, part: str, *answers: Answer) -> None:
        """Give `answers`, one after the other and the last for ever, where `part` is in the path."""
        left = list(answers)
        self.put(lambda asked: (left.pop(0) if len(left) > 1 else left[0]) if part in asked.path else None)

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Vendors"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
            asked = Asked(method, path, await reader.readexactly(length))
            self.asked.append(asked)
            answer = next((found for serves in self.serves if (found := serves(asked)) is not None), Answer(status=404))
            await self._send(answer, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _send(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        headers = {"Content-Type": answer.type, "Connection": "close"} | answer.headers
        headers |= {} if answer.drips else {"Content-Length": str(len(answer.body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} Said\r\n{lines}\r\n".encode() + answer.body)
        await writer.drain()
        if answer.drips:
            await asyncio.Event().wait()


def intel(tdx: Collateral | None = None, sgx: Collateral | None = None, root: bytes = ROOT) -> Serves:
    """Intel's PCS, as a cache has it: the root's list too."""
    known = {True: tdx or collateral(), False: sgx or collateral(tdx=False)}

    def serves(asked: Asked) -> Answer | None:
        path = urlsplit(asked.path)
        found = known[path.path.startswith("/tdx/")]
        match path.path.removeprefix("/tdx/").removeprefix("/sgx/"):
            case "certification/v4/tcb":
                body = b'{"tcbInfo":%s,"signature":"%s"}' % (found.tcb_info, found.tcb_info_signature.hex().encode())
                return Answer(body, headers={"TCB-Info-Issuer-Chain": escape(pem((root, found.tcb_signer)))})
            case "certification/v4/qe/identity":
                body = b'{"enclaveIdentity":%s,"signature":"%s"}' % (found.qe_identity, found.qe_identity_signature.hex().encode())
                return Answer(body, headers={"SGX-Enclave-Identity-Issuer-Chain": escape(pem((root, found.qe_signer)))})
            # lists are asked for below /sgx/, whatever the platform
            case "certification/v4/pckcrl":
                return Answer((tdx or sgx or found).pck_crl, "application/pkix-crl")
            case "certification/v4/rootcacrl":
                return Answer((tdx or sgx or found).root_crl.hex().encode(), "text/plain")
        return None

    return serves


def amd(line: Line = MILAN, vcek: bytes = VCEK, crl: bytes | None = None) -> Serves:
    """AMD's KDS."""
    listed = crl or line.crl()
    chain = pem((line.root, line.intermediate(SigningKey.VCEK))).encode()

    def serves(asked: Asked) -> Answer | None:
        path = urlsplit(asked.path).path
        if path == f"/vcek/v1/{line.product}/cert_chain":
            return Answer(chain, "application/x-pem-file")
        if path == f"/vcek/v1/{line.product}/crl":
            return Answer(listed, "application/pkix-crl")
        chip = CHIP[:8] if line.product is Product.TURIN else CHIP
        if path == f"/vcek/v1/{line.product}/{chip.hex()}":
            return Answer(vcek, "application/x-x509-ca-cert")
        return None

    return serves


def nvidia(device: Device, *, revoked: frozenset[int] = frozenset()) -> Serves:
    """NVIDIA's RIM service and its OCSP responder; `revoked` are numbers of certificates."""
    manifests = dict(zip(("VBIOS", "DRIVER"), nvidia_pki.manifests(device.model), strict=False))
    chains = [device.chain, nvidia_pki.Manifest().chain]
    known = {int.from_bytes(_serial(der), "big"): (der, chain[place + 1]) for chain in chains for place, der in enumerate(chain[:-1])}

    def serves(asked: Asked) -> Answer | None:
        path = urlsplit(asked.path).path
        if path.startswith("/v1/rim/"):
            found = next((rim for sort, rim in manifests.items() if f"_{sort}_" in path), None)
            if found is None:
                return None
            return Answer(json.dumps({"id": path, "rim": base64.b64encode(found).decode(), "sha256": sha256(found).hexdigest()}).encode())
        if asked.method == "POST" and path == "/ocsp":
            number = ocsp.load_der_ocsp_request(asked.body).serial_number
            subject, issuer = known[number]
            body = ocsp_response(subject, issuer, _holder(issuer), revoked=number in revoked)
            return Answer(body, "application/ocsp-response")
        return None

    return serves


def _serial(der: bytes) -> bytes:
    from cryptography import x509

    number = x509.load_der_x509_certificate(der).serial_number
    return number.to_bytes(32, "big")


def _holder(der: bytes) -> str:
    from cryptography import x509

    (name,) = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


class Pauses:
    """How long was waited: nobody does."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Clock:
    """It stands where it is put."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def fetching(patience: Patience | None = None, clock: Clock | None = None) -> AsyncIterator[tuple[Fetcher, Pauses]]:
    pauses = Pauses()
    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
        yield Fetcher(client, patience, pauses, clock or Clock()), pauses


@asynccontextmanager
async def collecting(
    vendors: Vendors, folder: Path, now: Millis, *, patience: Patience | None = None, line: Line = MILAN
) -> AsyncIterator[tuple[Collector, Store, Pauses]]:
    """A collector that asks `vendors`, its roots the test PKI's."""
    async with fetching(patience) as (fetcher, pauses):
        services = Services(
            intel=IntelService(fetcher, vendors.url, root=ROOT),
            amd=AmdService(fetcher, vendors.url, line.roots),
            nvidia=NvidiaService(fetcher, vendors.url, f"{vendors.url}/ocsp", nvidia_pki.ROOTS),
        )
        store = Store(folder)
        yield Collector(services, store, lambda: now), store, pauses


def gpu_evidence() -> bytes:
    (cpu,) = (KIND_QUOTES["snp"](BINDING, CPU),)
    return Evidence(BINDING.encode(), cpu, devices=(GPU.item(0, CPU, opaque=BOARD),)).encode()
