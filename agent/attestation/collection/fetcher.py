"""Asking vendors' services, politely and with distrust: bounded answers, no redirects, patience with the busy."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

import httpx

from agent.attestation.collection.errors import BadAddress, HostileAnswer, ServiceRefused, ServiceUnreachable

MAX_HEADER: Final = 32 * 1024
"""Bytes of one header; Intel's issuer chains have about 2 KiB."""

_BUSY: Final = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a busy service is asked, with pauses in seconds: `first`, twice that, and so on, or what it asks for."""

    attempts: int = 4
    first: float = 2.0
    ceiling: float = 60.0
    """A service that asks for more is given up."""
    total: float = 300.0
    """Pauses of one host together: one that is always busy at first is given up as well."""
    answer: float = 60.0
    """For one whole answer: one that drips without end is given up."""
    memory: float = 600.0
    """After so long a host gets patience anew: nodes ask for as long as they run."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One question to a service."""

    url: str
    limit: int
    """Bytes that the answer may have."""
    types: tuple[str, ...]
    """Media types that the answer may be of; services are known to differ in them."""
    content: bytes | None = None
    """What is posted; None to get."""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; not trusted."""

    url: str
    content: bytes
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass(slots=True)
class _Remembered:
    """Of one host."""

    since: float
    waited: float = 0.0
    given_up: str = ""
    """Why it is not asked again."""


class Fetcher:
    """Asks through `client`, which is the caller's to configure and close. Who failed is not asked again for a while."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client: Final = client
        self._patience: Final = patience or Patience()
        self._sleep: Final = sleep
        self._clock: Final = clock
        self._hosts: Final[dict[str, _Remembered]] = {}

    async def fetch(self, wanted: Wanted, first: float | None = None) -> Fetched:
        """The answer to `wanted`; `first` is the first pause, where a service is known to want another than most.

        Raises:
            BadAddress, ServiceUnreachable, ServiceRefused, HostileAnswer
        """
        host = self._remembered(host_of(wanted.url))
        if host.given_up:
            raise ServiceUnreachable(f"{wanted.url} was not asked, for {host.given_up}")
        try:
            return await self._patiently(wanted, host, self._patience.first if first is None else first)
        except ServiceUnreachable as error:
            host.given_up = str(error)
            raise

    def _remembered(self, name: str) -> _Remembered:
        now = self._clock()
        known = self._hosts.get(name)
        if known is None or now - known.since > self._patience.memory:
            known = self._hosts[name] = _Remembered(now)
        return known

    async def _patiently(self, wanted: Wanted, host: _Remembered, pause: float) -> Fetched:
        for _ in range(self._patience.attempts - 1):
            try:
                return await self._once(wanted)
            except _Later as error:
                await self._wait(host, pause if error.seconds is None else error.seconds, error)
                pause *= 2
        try:
            return await self._once(wanted)
        except _Later as error:
            raise ServiceUnreachable(f"{error}, {self._patience.attempts} times: collect again later") from error

    async def _wait(self, host: _Remembered, seconds: float, why: "_Later") -> None:
        if seconds > self._patience.ceiling:
            raise ServiceUnreachable(f"{why}, and it would take a pause of {seconds:g} s: collect again after that") from why
        if host.waited + seconds > self._patience.total:
            raise ServiceUnreachable(f"{why}, after pauses of {self._patience.total:g} s together: collect again later") from why
        host.waited += seconds
        await self._sleep(seconds)

    async def _once(self, wanted: Wanted) -> Fetched:
        try:
            async with asyncio.timeout(self._patience.answer):
                return await self._answer(wanted)
        except TimeoutError:
            raise ServiceUnreachable(f"{wanted.url} did not finish its answer within {self._patience.answer:g} s: collect again later") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise BadAddress(f"{wanted.url!r} is no address of a service: correct it") from error
        except httpx.HTTPError as error:
            raise _Later(f"{wanted.url} gives no answer ({type(error).__name__}{f': {error}' if str(error) else ''})", None) from error

    async def _answer(self, wanted: Wanted) -> Fetched:
        # unpacking would let a small answer grow without limit
        headers = {"Accept-Encoding": "identity"} | ({"Content-Type": wanted.content_type} if wanted.content_type else {})
        method = "GET" if wanted.content is None else "POST"
        content = bytearray()
        async with self._client.stream(method, wanted.url, content=wanted.content, headers=headers, follow_redirects=False) as answer:
            _check_head(wanted, answer)
            async for part in answer.aiter_raw():
                content += part
                if len(content) > wanted.limit:
                    raise HostileAnswer(f"{wanted.url} answers with more than {wanted.limit} bytes: is this the vendor's service?")
        return Fetched(wanted.url, bytes(content), dict(answer.headers.items()))


class _Later(Exception):
    """Worth another attempt, after `seconds` if the service named some."""

    def __init__(self, text: str, seconds: float | None) -> None:
        super().__init__(text)
        self.seconds: Final = seconds


def host_of(url: str) -> str:
    """Whom `url` asks, with the port.

    Raises:
        BadAddress: no address, or one that would tell the network between which platform asks.
    """
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        raise BadAddress(f"{url!r} is no address of a service: correct it") from None
    if not found.host:
        raise BadAddress(f"{url!r} names no host: write https://…")
    if found.scheme != "https" and not (found.scheme == "http" and _is_here(found.host)):
        raise BadAddress(f"{url!r} is not asked: use https, or http for a cache on this very machine")
    return found.netloc.decode("ascii")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_head(wanted: Wanted, answer: httpx.Response) -> None:
    if answer.status_code in _BUSY:
        raise _Later(f"{wanted.url} is busy ({answer.status_code})", _seconds(answer.headers.get("retry-after", "")))
    if answer.is_redirect:
        raise HostileAnswer(f"{wanted.url} points elsewhere ({answer.status_code}): name the service's own address")
    if answer.status_code != HTTPStatus.OK:
        raise ServiceRefused(wanted.url, answer.status_code)
    if any(len(value) > MAX_HEADER for value in answer.headers.values()):
        raise HostileAnswer(f"{wanted.url} answers with a header of more than {MAX_HEADER} bytes")
    found = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in wanted.types:
        raise HostileAnswer(f"{wanted.url} answers with {found[:60]!r}, expected {' or '.join(filter(None, wanted.types))}")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise HostileAnswer(f"{wanted.url} answers in an encoding that was not asked for")


def _seconds(value: str) -> float | None:
    """Of a Retry-After; None for a date, or nonsense: then it is tried as if nothing was said."""
    text = value.strip()
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
