"""Where a member finds what the others signed: their boards over HTTP, or, in one process, the boards themselves."""

from abc import ABC, abstractmethod
from http import HTTPStatus

import httpx

from agent.node.errors import NodeError
from agent.node.verifier.board import OFFER_BYTES, PATH, SignatureBoard
from agent.protocol.units import Digest


class PeerUnreachable(NodeError):
    """Another member's board does not answer, or not as a board does."""


class Peer(ABC):
    """Another member's board."""

    @abstractmethod
    async def offer(self, name: Digest) -> bytes | None:
        """Key and signature under `name`, 96 bytes, unchecked; None if that member has not signed it.

        Raises:
            PeerUnreachable: it cannot be asked now.
        """


class BoardPeer(Peer):
    """The twin: a board in this process."""

    def __init__(self, board: SignatureBoard) -> None:
        self._board = board

    async def offer(self, name: Digest) -> bytes | None:
        return self._board.offer(name)


class HttpPeer(Peer):
    """A board at `url`. The client is the caller's to configure and to close; it must not follow redirects."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url.rstrip("/")
        self._client = client

    def __repr__(self) -> str:
        return f"HttpPeer({self._url})"

    async def offer(self, name: Digest) -> bytes | None:
        found = bytearray()
        try:
            async with self._client.stream("GET", f"{self._url}{PATH}{name.hex()}", headers={"Accept-Encoding": "identity"}) as answer:
                if answer.status_code == HTTPStatus.NOT_FOUND:
                    return None
                if answer.status_code != HTTPStatus.OK:
                    raise PeerUnreachable(f"{self._url} answered {answer.status_code}")
                async for part in answer.aiter_raw():
                    found += part
                    if len(found) > OFFER_BYTES:
                        break
        except httpx.HTTPError as error:
            raise PeerUnreachable(f"{self._url} gives no answer ({type(error).__name__})") from error
        if len(found) != OFFER_BYTES:
            raise PeerUnreachable(f"{self._url} answers with something else than a key and a signature")
        return bytes(found)
