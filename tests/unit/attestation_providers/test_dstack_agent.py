"""dstack's guest agent, played on a real Unix socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dstack_guest import Started
from intel_pki import Guest
from provider_world import ASKED, REPORT_DATA, TestEndorser, judged

from agent.attestation.errors import ProviderError
from agent.attestation.providers.dstack import MAX_ANSWER, DstackAgent, DstackProvider
from agent.protocol.statements import TeeKind

Answers = Callable[[str, dict[str, Any]], Any]
"""Of a method and its question: an object, bytes as they are, or a status."""


def guest_agent(started: Started | None = None, **changes: Any) -> Answers:
    """As dstack 0.5 answers; `changes` by method."""
    guest = started or Started()

    def answer(method: str, question: dict[str, Any]) -> Any:
        if method in changes:
            return changes[method]
        match method:
            case "GetQuote":
                report_data = bytes.fromhex(question["report_data"])
                made = replace(guest, guest=replace(guest.guest, report_data=report_data))
                return {"quote": made.quote().hex(), "event_log": json_of(made), "report_data": report_data.hex()}
            case "GetKey":
                return {"key": (question["path"].encode() * 32)[:32].hex(), "signature_chain": []}
            case "Info":
                return {"app_id": "ab" * 20, "app_name": "enclavia", "tcb_info": "{}", "device_id": 7}
        return 404

    return answer


def json_of(started: Started) -> str:
    """The log as the agent writes it."""
    log = started.log
    boot = [
        {"imr": register, "event_type": 1, "digest": digest.hex(), "event": "", "event_payload": ""}
        for register, digests in enumerate(log.boot)
        for digest in digests
    ]
    runtime = [
        {"imr": 3, "event_type": 134217729, "digest": event.digest.hex(), "event": event.name, "event_payload": event.payload.hex()}
        for event in log.runtime
    ]
    return json.dumps(boot + runtime)


@asynccontextmanager
async def listening(tmp_path: Path, answers: Answers) -> AsyncIterator[Path]:
    path = tmp_path / "dstack.sock"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
            found = answers(head.split(" ")[1].lstrip("/"), json.loads(await reader.readexactly(length)))
            if found == "silence":
                await asyncio.Event().wait()
            status = found if isinstance(found, int) else 200
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            writer.write(b"HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield path
    finally:
        server.close()


@asynccontextmanager
async def provider(tmp_path: Path, answers: Answers | None = None, seconds: float = 20.0) -> AsyncIterator[DstackProvider]:
    async with listening(tmp_path, answers or guest_agent()) as path, DstackAgent.at(path, seconds) as agent:
        yield await DstackProvider.open(agent, TestEndorser())


async def test_dstack_evidence_is_accepted_under_the_test_root(tmp_path: Path) -> None:
    async with provider(tmp_path) as found:
        assert found.kind is TeeKind.TDX
        verdict = await judged(found)
    assert verdict.ok, verdict.failed


async def test_sealing_key_is_the_key_services_for_what_was_measured(tmp_path: Path) -> None:
    async with provider(tmp_path) as found:
        assert found.sealing_key(found.measurement) == found.sealing_key(found.measurement)
        with pytest.raises(ProviderError, match="measured only"):
            found.sealing_key(b"\x01" * 48)


async def test_deployment_without_a_key_service_attests_all_the_same(tmp_path: Path) -> None:
    async with provider(tmp_path, guest_agent(GetKey=500)) as found:
        assert (await judged(found)).ok
        with pytest.raises(ProviderError, match="no sealing key"):
            found.sealing_key(found.measurement)


async def test_the_agent_tells_of_itself_what_is_text(tmp_path: Path) -> None:
    async with listening(tmp_path, guest_agent()) as path, DstackAgent.at(path) as agent:
        assert await agent.info() == {"app_id": "ab" * 20, "app_name": "enclavia"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (500, "refuses GetQuote"),
        (b"", "something else than a JSON object"),
        (b"[" * 50_000, "something else than a JSON object"),
        ([], "something else than a JSON object"),
        ({}, "without an event log"),
        ({"event_log": "[]"}, "without 'quote'"),
        ({"event_log": "[]", "quote": "zz"}, "without 'quote'"),
        ({"event_log": "[]", "quote": "00"}, "cannot be read"),
        ({"event_log": "{", "quote": Started().quote().hex()}, "cannot be read"),
        ({"event_log": "[]", "quote": Started(guest=Guest(report_data=bytes(64))).quote().hex()}, "does not replay"),
        (b"x" * (MAX_ANSWER + 1), "more than"),
        ("silence", "takes longer"),
    ],
)
async def test_answers_of_another_shape_are_refused(tmp_path: Path, answer: Any, why: str) -> None:
    with pytest.raises(ProviderError, match=why):
        async with provider(tmp_path, guest_agent(GetQuote=answer), seconds=0.5):
            pass


async def test_simulators_quote_over_other_data_is_not_handed_on(tmp_path: Path) -> None:
    answers = guest_agent()
    canned: list[Any] = []

    def replaying(method: str, question: dict[str, Any]) -> Any:
        canned.append(answers(method, question))
        return canned[0] if method == "GetQuote" else canned[-1]

    async with provider(tmp_path, replaying) as found:
        with pytest.raises(ProviderError, match="other report data"):
            await found.attest(*ASKED)


async def test_guest_that_measures_otherwise_later_is_refused(tmp_path: Path) -> None:
    before, after = guest_agent(), guest_agent(Started(guest=Guest(mr_td=b"\x77" * 48)))
    asked = []

    def answers(method: str, question: dict[str, Any]) -> Any:
        asked.append(method)
        return (before if asked.count("GetQuote") <= 1 else after)(method, question)

    async with provider(tmp_path, answers) as found:
        with pytest.raises(ProviderError, match="measures otherwise"):
            await found.attest(*ASKED)


async def test_socket_that_nobody_serves_says_what_to_mount(tmp_path: Path) -> None:
    async with DstackAgent.at(tmp_path / "nothing.sock") as agent:
        with pytest.raises(ProviderError, match="is its socket mounted"):
            await agent.quote(REPORT_DATA)
