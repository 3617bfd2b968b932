"""Answers changed anywhere: no collection breaks off, and nothing is kept that the vendor did not say."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import nvidia_pki
import vendor_services
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intel_pki import ROOT
from synthetic_world import AT
from vendor_services import BARE_SNP, BARE_TDX, GPU, MILAN, OWN, Answer, Asked, Pauses, Serves, gpu_evidence

from agent.attestation.collection.amd import AmdService
from agent.attestation.collection.collector import Collector, Services
from agent.attestation.collection.fetcher import Fetcher, Patience
from agent.attestation.collection.index import Index, Role
from agent.attestation.collection.intel import IntelService
from agent.attestation.collection.nvidia import NvidiaService
from agent.attestation.collection.store import Store
from agent.attestation.nvidia.rim import check_rim

GPUS = gpu_evidence()
EVIDENCE = {"our own": OWN, "a quote": BARE_TDX, "a report": BARE_SNP, "with a GPU": GPUS}
VENDORS: tuple[Serves, ...] = (vendor_services.intel(), vendor_services.amd(), vendor_services.nvidia(GPU))
BASE = "https://vendor.example"
REMEMBERED: dict[tuple[str, bytes], Answer] = {}
"""OCSP signatures have a random part; here a question has one answer."""


def genuine(asked: Asked) -> Answer:
    key = asked.path, asked.body
    if key not in REMEMBERED:
        REMEMBERED[key] = next((found for serves in VENDORS if (found := serves(asked)) is not None), Answer(status=404))
    return REMEMBERED[key]


@st.composite
def changes(draw: st.DrawFn) -> tuple[int, str, float, bytes]:
    """Which answer, what happens to it, where, and with what."""
    what = st.sampled_from(["flip", "cut", "insert", "overwrite", "double", "header", "header cut", "nothing"])
    return draw(st.integers(0, 8)), draw(what), draw(st.floats(0, 1, exclude_max=True)), draw(st.binary(min_size=1, max_size=6))


def changed(answer: Answer, what: str, where: float, with_: bytes) -> Answer:
    body, place = bytearray(answer.body), int(len(answer.body) * where)
    headers = dict(answer.headers)
    match what:
        case "flip" if body:
            body[place] ^= with_[0] or 1
        case "cut":
            del body[place:]
        case "insert":
            body[place:place] = with_
        case "overwrite":
            body[place : place + len(with_)] = with_
        case "double":
            body *= 2
        case "header":
            headers = {name: value[: int(len(value) * where)] + with_.hex() + value[int(len(value) * where) :] for name, value in headers.items()}
        case "header cut":
            headers = {name: value[: int(len(value) * where)] for name, value in headers.items()}
    return Answer(bytes(body), answer.type, answer.status, headers)


class Sent(httpx.AsyncByteStream):
    """A body that is read once, as from a network."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


async def collected(data: bytes, folder: Path, change: tuple[int, str, float, bytes] | None) -> tuple[Index, dict[str, bytes]]:
    count = 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal count
        found = genuine(Asked(request.method, request.url.raw_path.decode(), request.content))
        if change is not None and count == change[0]:
            found = changed(found, *change[1:])
        count += 1
        return httpx.Response(found.status, headers={"content-type": found.type} | found.headers, stream=Sent(found.body))

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
        fetcher = Fetcher(client, Patience(attempts=1), Pauses())
        services = Services(
            intel=IntelService(fetcher, BASE, root=ROOT),
            amd=AmdService(fetcher, BASE, MILAN.roots),
            nvidia=NvidiaService(fetcher, BASE, f"{BASE}/ocsp", nvidia_pki.ROOTS),
        )
        store = Store(folder)
        index = await Collector(services, store, lambda: AT).collect(data)
        return index, {item.digest: store.archive.get(item.blob, 1 << 20) for item in index.items}


def good(data: bytes) -> tuple[set[str], dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        index, blobs = asyncio.run(collected(data, Path(folder), None))
    assert index.missing == ()
    return {item.digest for item in index.items}, blobs


GOOD = {name: good(data) for name, data in EVIDENCE.items()}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(EVIDENCE)), change=changes())
def test_whatever_is_changed_in_an_answer_no_other_word_than_the_vendors_is_kept(name: str, change: tuple[int, str, float, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index, blobs = asyncio.run(collected(EVIDENCE[name], Path(folder), change))
    known, contents = GOOD[name]
    for item in index.items:
        if item.digest in known:
            continue
        assert item.role is Role.NVIDIA_RIM, f"{item.role} {item.subject}: other bytes than the vendor's were kept"
        # how XML is spelt is not signed; what it says is
        said = check_rim(blobs[item.digest], nvidia_pki.RIM_ROOT, AT)
        assert said.golden in [check_rim(each, nvidia_pki.RIM_ROOT, AT).golden for each in contents.values() if b"SoftwareIdentity" in each[:64]]
    assert len(index.items) == len(known) or index.missing, "what is not there is named"
