"""Evidence of guests that dstack started: its guest agent answers JSON over HTTP on a Unix socket (Dstack-TEE/dstack, guest-agent).

Untested on hardware.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import httpx

from agent.attestation.dstack.application import Application
from agent.attestation.dstack.events import MAX_LOG, EventLog
from agent.attestation.dstack.evidence import MEDIA_TYPE, DstackEvidence
from agent.attestation.errors import EvidenceError, ProviderError
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import MAX_QUOTE, Quote, without_padding
from agent.attestation.intel.report import TdReport
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.endorser import Endorser, HostEndorser
from agent.attestation.providers.tsm import report_data_of
from agent.protocol.statements import TeeKind

SOCKETS: Final = tuple(map(Path, ("/var/run/dstack.sock", "/run/dstack.sock", "/var/run/dstack/dstack.sock")))
SIMULATOR: Final = "DSTACK_SIMULATOR_ENDPOINT"
"""Environment variable that names dstack's simulator: nothing it says is hardware's word."""

MAX_ANSWER: Final = 2 * MAX_LOG + 4 * MAX_QUOTE + 64 * 1024
"""Bytes; the log is JSON within JSON."""

SEALING_PATH: Final = "enclavia/sealing/1/"
KEY_BYTES: Final = 32
_SECONDS: Final = 60.0
"""For a whole answer: one byte a minute is none."""
_HEX: Final = re.compile(r"(0x)?([0-9a-f]*)")


class DstackAgent:
    """The guest agent behind `client`, whose base URL and transport lead to its socket."""

    def __init__(self, client: httpx.AsyncClient, seconds: float = _SECONDS) -> None:
        self._client: Final = client
        self._seconds: Final = seconds

    @classmethod
    @asynccontextmanager
    async def at(cls, socket: Path, seconds: float = _SECONDS) -> AsyncIterator[Self]:
        """The agent that listens on `socket`."""
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://dstack", timeout=seconds, trust_env=False) as client:
            yield cls(client, seconds)

    async def quote(self, report_data: bytes) -> tuple[Quote, EventLog]:
        """A fresh quote that carries `report_data`, and the guest's event log.

        Raises:
            ProviderError: the agent gives none, or one with other report data.
        """
        answer = await self._ask("GetQuote", {"report_data": report_data.hex()})
        log = answer.get("event_log")
        if type(log) is not str:
            raise ProviderError("dstack's guest agent answers GetQuote without an event log: update dstack to 0.5 or later")
        try:
            quote = Quote.decode(without_padding(_bytes(answer, "quote")))
            events = EventLog.from_json(log.encode())
        except (EvidenceError, UnicodeEncodeError) as error:
            raise ProviderError(f"what dstack's guest agent answers cannot be read: {error}") from error
        if quote.report.report_data != report_data:
            raise ProviderError("dstack's quote carries other report data than asked for: its simulator, or a stranger, answers on this socket")
        return quote, events

    async def key(self, path: str) -> bytes:
        """32 bytes that dstack's key service derives for this application and `path`.

        Raises:
            ProviderError: it derives none.
        """
        key = _bytes(await self._ask("GetKey", {"path": path, "purpose": "sealing"}), "key")
        if len(key) != KEY_BYTES or not any(key):
            raise ProviderError(f"dstack's key service answers {len(key)} bytes, wants a key of {KEY_BYTES}")
        return key

    async def info(self) -> dict[str, str]:
        """What the agent says of itself, for reports: names and ids, unverified."""
        answer = await self._ask("Info", {})
        known = ("app_id", "instance_id", "app_name", "device_id", "os_image_hash", "compose_hash", "key_provider_info")
        return {name: answer[name][:512] for name in known if type(answer.get(name)) is str}

    async def _ask(self, method: str, question: Mapping[str, str]) -> dict[str, Any]:
        content = bytearray()
        # unpacking would let a small answer grow without limit
        headers = {"Accept-Encoding": "identity"}
        try:
            async with asyncio.timeout(self._seconds), self._client.stream("POST", f"/{method}", json=dict(question), headers=headers) as answer:
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > MAX_ANSWER:
                        raise ProviderError(f"dstack's guest agent answers {method} with more than {MAX_ANSWER} bytes")
        except (TimeoutError, httpx.TimeoutException):
            raise ProviderError(f"dstack's guest agent takes longer than {self._seconds:g} s to answer {method}: look at its log") from None
        except httpx.HTTPError as error:
            raise ProviderError(f"dstack's guest agent gives no answer ({type(error).__name__}): is its socket mounted?") from error
        if answer.status_code != HTTPStatus.OK:
            said = bytes(content[:200]).decode(errors="replace")
            raise ProviderError(f"dstack's guest agent refuses {method} ({answer.status_code}): {said}")
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if type(found) is not dict:
            raise ProviderError(f"dstack's guest agent answers {method} with something else than a JSON object")
        return found


class DstackProvider(EvidenceProvider):
    """A guest that dstack started on TDX."""

    def __init__(self, agent: DstackAgent, endorser: Endorser, measurement: bytes, key: bytes | ProviderError) -> None:
        self._agent = agent
        self._endorser = endorser
        self._measurement = measurement
        self._key = key

    @classmethod
    async def open(cls, agent: DstackAgent, endorser: Endorser | None = None) -> Self:
        """The provider of the guest that `agent` serves; asks for a first quote and for the sealing key.

        Raises:
            ProviderError: this is no such guest.
        """
        measurement = _measurement(*await agent.quote(bytes(64)))
        key: bytes | ProviderError
        try:
            # another image of the same application could name this path too: dstack's rules of upgrade decide which may run
            key = await agent.key(SEALING_PATH + measurement.hex())
        except ProviderError as error:
            # not every deployment has a key service; evidence needs none
            key = error
        return cls(agent, endorser or HostEndorser(), measurement, key)

    @property
    def kind(self) -> TeeKind:
        return TeeKind.TDX

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    @property
    def measurement(self) -> bytes:
        return self._measurement

    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:  # noqa: ARG002  bound by the report data
        wanted = report_data_of(user_data)
        quote, log = await self._agent.quote(wanted)
        if _measurement(quote, log) != self._measurement:
            raise ProviderError("the guest measures otherwise than when the enclave started: start it anew")
        return DstackEvidence(IntelEvidence(quote, await self._endorser.intel(quote)), log).encode()

    def sealing_key(self, measurement: bytes) -> bytes:
        if measurement != self._measurement:
            raise ProviderError("dstack's key service is asked for the code that was measured only")
        if isinstance(self._key, ProviderError):
            raise ProviderError(f"no sealing key: {self._key}") from self._key
        return self._key


def _measurement(quote: Quote, log: EventLog) -> bytes:
    if not isinstance(quote.report, TdReport):
        raise ProviderError("dstack's guest agent answers with the quote of an SGX enclave: wants a TDX guest")
    if log.registers() != quote.report.rtmr:
        raise ProviderError("dstack's event log does not replay to the registers in its quote: ask again, or update dstack")
    try:
        return Application.of(log.runtime).measurement(quote.report)
    except EvidenceError as error:
        raise ProviderError(f"dstack's event log tells of no application: {error}") from error


def _bytes(answer: Mapping[str, Any], name: str) -> bytes:
    value = answer.get(name)
    found = _HEX.fullmatch(value) if type(value) is str else None
    if found is None or len(found[2]) % 2:
        raise ProviderError(f"dstack's guest agent answers without {name!r} in hex")
    return bytes.fromhex(found[2])
