"""A committee member's own signatures, for the other members to fetch.

    GET /v1/signatures/<64 hex digits>   200 the member's key and its signature, 96 bytes; 404 it has not signed that

A signature is found under the digest of exactly what was signed. Members fetch from each other and send each other
nothing: there is nothing to flood, and a member that was away finds everything when it is back. What lies here is
public: it goes on chain as soon as enough members agree.
"""

from collections import OrderedDict
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from agent.protocol.statements import Statement
from agent.protocol.units import Digest
from agent.telemetry.http import Answer, HttpRefusal, HttpServer, Limits, Request

PATH: Final = "/v1/signatures/"
OCTETS: Final = "application/octet-stream"
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
OFFER_BYTES: Final = KEY_BYTES + SIGNATURE_BYTES
_HEX_DIGITS: Final = 64

CAPACITY: Final = 4_096
"""Signatures kept; the oldest make room. A duty under way signs again whenever it looks, with the same bytes."""


def name_of(statement: Statement) -> Digest:
    """Where the signatures under `statement` are found: BLAKE2b-256 of its signing bytes."""
    return Digest(blake2b(statement.signing_bytes(), digest_size=32).digest())


class SignatureBoard:
    """What one member signed."""

    def __init__(self, public_key: bytes, *, capacity: int = CAPACITY) -> None:
        self.public_key: Final = public_key
        self._capacity = capacity
        self._signatures: OrderedDict[Digest, bytes] = OrderedDict()

    def post(self, name: Digest, signature: bytes) -> None:
        """Offer `signature` under `name` to the other members."""
        self._signatures[name] = signature
        self._signatures.move_to_end(name)
        while len(self._signatures) > self._capacity:
            self._signatures.popitem(last=False)

    def offer(self, name: Digest) -> bytes | None:
        """Key and signature under `name`, 96 bytes; None if this member has not signed it."""
        signature = self._signatures.get(name)
        return None if signature is None else self.public_key + signature

    def serving(self, host: str, port: int, limits: Limits | None = None) -> HttpServer:
        """An HTTP server for this board; serves inside its `async with`."""
        return HttpServer(self.answer, host, port, limits or Limits(connections=16))

    async def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        if request.path == "/health":
            return Answer(HTTPStatus.OK, b"ok\n")
        if request.method != "GET":
            raise HttpRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "GET only: members fetch, nobody sends")
        offered = self.offer(_name_in(request.path))
        if offered is None:
            raise HttpRefusal(HTTPStatus.NOT_FOUND, "not signed here")
        return Answer(HTTPStatus.OK, offered, OCTETS)


def _name_in(path: str) -> Digest:
    text = path.removeprefix(PATH)
    if text == path or len(text) != _HEX_DIGITS or text.strip("0123456789abcdef"):
        raise HttpRefusal(HTTPStatus.NOT_FOUND, f"wants {PATH}<64 lower-case hex digits>")
    return Digest(bytes.fromhex(text))
