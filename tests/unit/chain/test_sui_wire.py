import asyncio
import datetime as dt
import ssl
import struct
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fake_full_node import FakeFullNode
from grpclib.const import Status
from grpclib.encoding.proto import ProtoCodec
from grpclib.exceptions import GRPCError
from grpclib.server import Server
from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2

from agent.chain.errors import Malformed, NotFound, Refused, Unreachable, Unsupported
from agent.chain.sui.wire import Endpoint, Wire

INFO = ("LedgerService/GetServiceInfo", v2.GetServiceInfoRequest(), v2.GetServiceInfoResponse)


@pytest.fixture
async def wire(endpoint: Endpoint):
    wire = Wire(endpoint)
    yield wire
    wire.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (Status.NOT_FOUND, NotFound),
        (Status.UNIMPLEMENTED, Unsupported),
        (Status.INVALID_ARGUMENT, Refused),
        (Status.FAILED_PRECONDITION, Refused),
        (Status.UNAVAILABLE, Unreachable),
        (Status.INTERNAL, Unreachable),
        (Status.RESOURCE_EXHAUSTED, Unreachable),
    ],
)
async def test_status_becomes_an_error_that_names_endpoint_and_method(
    node: FakeFullNode, wire: Wire, status: Status, error: type
):
    def fail(*_: object) -> None:
        raise GRPCError(status, "because")

    node.before = fail
    with pytest.raises(error) as raised:
        await wire.call(*INFO)
    assert wire.endpoint.url in str(raised.value)
    assert "GetServiceInfo" in str(raised.value)
    assert "because" in str(raised.value)


async def test_nobody_there_is_unreachable():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    wire = Wire(Endpoint(f"http://127.0.0.1:{port}"))
    with pytest.raises(Unreachable):
        await wire.call(*INFO)
    wire.close()


@pytest.mark.parametrize("url", ["127.0.0.1:9000", "ftp://host", "http://", "http://host:port", ""])
async def test_what_is_no_url_says_what_to_write(url: str):
    with pytest.raises(Unreachable, match=r"no endpoint|cannot be used"):
        await Wire(Endpoint(url)).call(*INFO)


async def test_answer_that_does_not_come_is_unreachable_and_the_connection_is_replaced(node: FakeFullNode, wire: Wire):
    forever = asyncio.Event()

    async def silent(request):
        await forever.wait()

    await wire.call(*INFO)
    before = wire._channel
    answering, node.get_service_info = node.get_service_info, silent
    with pytest.raises(Unreachable, match="in time"):
        await wire.call(*INFO, seconds=0.05)
    node.get_service_info = answering
    assert (await wire.call(*INFO)).chain_id
    assert wire._channel is not before
    forever.set()


async def test_stream_that_falls_silent_is_unreachable(wire: Wire):
    request = v2.SubscribeCheckpointsRequest()
    method = "SubscriptionService/SubscribeCheckpoints"
    with pytest.raises(Unreachable):
        async for _ in wire.stream(method, request, v2.SubscribeCheckpointsResponse, idle_s=0.05):
            pass


async def test_server_that_hangs_up_is_unreachable():
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        wire = Wire(Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), answer_s=5)
        with pytest.raises(Unreachable):
            await wire.call(*INFO)
        wire.close()


async def test_closed_wire_is_unreachable(endpoint: Endpoint):
    wire = Wire(endpoint)
    await wire.call(*INFO)
    wire.close()
    with pytest.raises(Unreachable, match="closed"):
        await wire.call(*INFO)


async def test_message_over_the_limit_is_refused_before_it_is_read(node: FakeFullNode, wire: Wire, monkeypatch):
    monkeypatch.setattr("agent.chain.sui.wire.MAX_ANSWER", 1_000)

    async def large(request):
        return v2.GetServiceInfoResponse(chain_id="x" * 2_000)

    node.get_service_info = large
    with pytest.raises(Malformed, match="an answer of 20"):
        await wire.call(*INFO)


async def test_bytes_that_are_no_message_are_malformed(wire: Wire, monkeypatch):
    encode = ProtoCodec.encode

    def spoil(codec: ProtoCodec, message: object, kind: type) -> bytes:
        return b"\xff" * 40 if kind is v2.GetServiceInfoResponse else encode(codec, message, kind)

    monkeypatch.setattr(ProtoCodec, "encode", spoil)
    with pytest.raises(Malformed, match="cannot be read"):
        await wire.call(*INFO)


async def test_server_that_does_not_speak_grpc_is_unreachable():
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + struct.pack(">I", 7) * 20)
        await writer.drain()
        await reader.read(1 << 16)
        writer.close()

    async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
        wire = Wire(Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), answer_s=5)
        with pytest.raises(Unreachable):
            await wire.call(*INFO)
        wire.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "ca.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file


async def test_tls_trusts_the_given_authority_and_no_stranger(node: FakeFullNode, tmp_path: Path):
    cert_file, key_file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    context.set_alpn_protocols(["h2"])
    server = Server([node])
    await server.start("127.0.0.1", 0, ssl=context)
    port = server._server.sockets[0].getsockname()[1]
    trusting = Wire(Endpoint(f"https://localhost:{port}", ca=cert_file))
    strict = Wire(Endpoint(f"https://localhost:{port}"))
    try:
        assert (await trusting.call(*INFO)).chain_id
        with pytest.raises(Unreachable, match="certificate"):
            await strict.call(*INFO)
    finally:
        trusting.close()
        strict.close()
        server.close()
        await server.wait_closed()


async def test_missing_authority_file_is_named(tmp_path: Path):
    with pytest.raises(Unreachable, match="cannot be used"):
        await Wire(Endpoint("https://localhost:1", ca=tmp_path / "none.pem")).call(*INFO)
