"""Members fetch each other's signatures over HTTP; what does not verify counts for nothing."""

from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation.binding import Committee
from agent.node.verifier.board import SignatureBoard, name_of
from agent.node.verifier.peers import HttpPeer, Peer, PeerUnreachable
from agent.node.verifier.signatures import Bench, SignatureCollector
from agent.protocol.statements import RulingStatement
from agent.protocol.units import Address, Digest, TaskId
from agent.telemetry.http import Answer, HttpServer

KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32) for number in range(3)]
PUBLIC = tuple(key.public_key().public_bytes_raw() for key in KEYS)
STATEMENT = RulingStatement(Address(b"\x01" * 32), TaskId(b"\x02" * 32), 3, Digest(b"\x03" * 32), agrees=True)
OTHER = RulingStatement(Address(b"\x01" * 32), TaskId(b"\x02" * 32), 3, Digest(b"\x03" * 32), agrees=False)
SIGNATURES = [key.sign(STATEMENT.signing_bytes()) for key in KEYS]


def bench(place: int, threshold: int = 2) -> Bench:
    return Bench(4, Committee(verifiers=PUBLIC, threshold=threshold), place)


class Says(Peer):
    """A peer that offers what it is told to."""

    def __init__(self, offered: bytes | Exception | None) -> None:
        self._offered = offered

    async def offer(self, name: Digest) -> bytes | None:
        if isinstance(self._offered, Exception):
            raise self._offered
        return self._offered


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        yield client


async def test_a_signature_travels_from_board_to_member(http: httpx.AsyncClient) -> None:
    board = SignatureBoard(PUBLIC[2])
    board.post(name_of(STATEMENT), SIGNATURES[2])
    async with board.serving("127.0.0.1", 0) as server:
        collector = SignatureCollector(SignatureBoard(PUBLIC[0]), [HttpPeer(server.url, http)])
        found, complaints = await collector.collect(STATEMENT, SIGNATURES[0], bench(0))
    assert (found.enough, found.epoch, found.signers) == (True, 4, (0, 2))
    assert found.signatures == (SIGNATURES[0], SIGNATURES[2])
    assert complaints == ()


async def test_what_a_member_has_not_signed_is_not_there(http: httpx.AsyncClient) -> None:
    async with SignatureBoard(PUBLIC[1]).serving("127.0.0.1", 0) as server:
        assert await HttpPeer(server.url, http).offer(name_of(STATEMENT)) is None


@pytest.mark.parametrize("path", ["/v1/signatures/", "/v1/signatures/00", f"/v1/signatures/{'G' * 64}", "/", f"/v1/signatures/{'00' * 33}"])
async def test_a_board_answers_nothing_but_names(http: httpx.AsyncClient, path: str) -> None:
    async with SignatureBoard(PUBLIC[1]).serving("127.0.0.1", 0) as server:
        assert (await http.get(f"{server.url}{path}")).status_code == 404


async def test_nobody_can_put_anything_on_a_board(http: httpx.AsyncClient) -> None:
    board = SignatureBoard(PUBLIC[1])
    async with board.serving("127.0.0.1", 0) as server:
        answer = await http.put(f"{server.url}/v1/signatures/{name_of(STATEMENT).hex()}", content=b"\x00" * 96)
    assert answer.status_code == 405
    assert board.offer(name_of(STATEMENT)) is None


@pytest.mark.parametrize("body", [b"", b"\x00" * 95, b"\x00" * 97, b"\x00" * 10**6])
async def test_a_peer_that_answers_with_something_else_is_named(http: httpx.AsyncClient, body: bytes) -> None:
    async def answer(_: object) -> Answer:
        from http import HTTPStatus

        return Answer(HTTPStatus.OK, body)

    async with HttpServer(answer, "127.0.0.1", 0) as server:
        with pytest.raises(PeerUnreachable, match="something else"):
            await HttpPeer(server.url, http).offer(name_of(STATEMENT))


async def test_a_peer_that_is_away_is_named(http: httpx.AsyncClient) -> None:
    with pytest.raises(PeerUnreachable, match="gives no answer"):
        await HttpPeer("http://127.0.0.1:9", http).offer(name_of(STATEMENT))


@pytest.mark.parametrize(
    "offered",
    [
        None,
        PeerUnreachable("away"),
        PUBLIC[1] + bytes(64),
        PUBLIC[1] + SIGNATURES[2],
        PUBLIC[1] + KEYS[1].sign(OTHER.signing_bytes()),
        bytes(32) + SIGNATURES[1],
        PUBLIC[0] + SIGNATURES[0],
        b"",
    ],
)
async def test_what_is_no_other_members_signature_does_not_count(offered: bytes | Exception | None) -> None:
    collector = SignatureCollector(SignatureBoard(PUBLIC[0]), [Says(offered)])
    found, _ = await collector.collect(STATEMENT, SIGNATURES[0], bench(0))
    assert (found.enough, found.missing) == (False, 1)


async def test_one_bad_peer_hides_no_good_one() -> None:
    peers = [Says(PeerUnreachable("away")), Says(PUBLIC[2] + SIGNATURES[2]), Says(PUBLIC[2] + bytes(64))]
    found, complaints = await SignatureCollector(SignatureBoard(PUBLIC[0]), peers).collect(STATEMENT, SIGNATURES[0], bench(0))
    assert found.enough
    assert "away" in complaints
    assert len(complaints) == 2


async def test_no_more_signatures_are_sent_than_are_asked_for() -> None:
    peers = [Says(PUBLIC[1] + SIGNATURES[1]), Says(PUBLIC[0] + SIGNATURES[0])]
    found, _ = await SignatureCollector(SignatureBoard(PUBLIC[2]), peers).collect(STATEMENT, SIGNATURES[2], bench(2))
    assert found.signers == (0, 1)


async def test_a_committee_of_one_asks_nobody() -> None:
    found, _ = await SignatureCollector(SignatureBoard(PUBLIC[1]), [Says(AssertionError("asked"))]).collect(STATEMENT, SIGNATURES[1], bench(1, 1))
    assert found.signers == (1,)


def test_a_board_forgets_the_oldest() -> None:
    board = SignatureBoard(PUBLIC[0], capacity=2)
    names = [Digest(bytes([number]) * 32) for number in range(3)]
    for name in names:
        board.post(name, bytes(64))
    assert [board.offer(name) is None for name in names] == [True, False, False]
