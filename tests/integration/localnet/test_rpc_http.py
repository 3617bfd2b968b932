"""Faucet, clock and status over HTTP; gRPC-web over the real services; the command."""

import asyncio
import json
import signal
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from rpc_world import ALICE, BOB, SUI, Player, World

from agent.attestation.simulated_platform import SimulatedAuthority
from agent.protocol.units import Millis
from localnet.__main__ import certificate_in
from localnet.ledger.framework import Framework
from localnet.movevm.natives.aws_root import AWS_NITRO_ROOT
from localnet.rpc.localnet import Localnet, NotRunning
from localnet.rpc.stubs import v2
from localnet.rpc.transport.frames import frame

NOBODY = Player(b"\x0e" * 32)
GAS = "/v2/gas"


def client(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=world.localnet.url)


def coins(world: World) -> list[int]:
    return [int.from_bytes(coin.contents[32:], "little") for coin in world.localnet.ledger.owned_by(NOBODY.raw_address)]


async def test_the_faucet_gives_what_suis_does(world: World) -> None:
    async with client(world) as http:
        answer = (await http.post(GAS, json={"FixedAmountRequest": {"recipient": NOBODY.address}})).json()
    assert answer["status"] == "Success"
    assert [coin["amount"] for coin in answer["coins_sent"]] == coins(world) == [200 * SUI] * 5
    found = {"0x" + coin.id.hex() for coin in world.localnet.ledger.owned_by(NOBODY.raw_address)}
    assert {coin["id"] for coin in answer["coins_sent"]} == found


async def test_the_faucet_gives_an_amount_if_asked(world: World) -> None:
    async with client(world) as http:
        answer = await http.post(GAS, json={"FixedAmountRequest": {"recipient": NOBODY.address, "amount": 123}})
    assert answer.status_code == 200
    assert coins(world) == [123]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"FixedAmountRequest": {"recipient": 5}},
        {"FixedAmountRequest": {"recipient": "Alice"}},
        *({"FixedAmountRequest": {"recipient": "0x1", "amount": amount}} for amount in (0, -1, True, "5", 1.5, 10**19)),
    ],
)
async def test_the_faucet_refuses_what_it_does_not_understand(world: World, body: object) -> None:
    async with client(world) as http:
        answer = await http.post(GAS, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_faucet_runs_dry_at_all_the_sui_there_is(world: World) -> None:
    async with client(world) as http:
        asked = {"FixedAmountRequest": {"recipient": NOBODY.address, "amount": 10**18}}
        answers = [(await http.post(GAS, json=asked)).status_code for _ in range(10)]
    assert answers == [200] * 9 + [409]


async def test_the_books_of_the_status_balance(world: World) -> None:
    async with client(world) as http, world.wire() as wire:
        await wire.publish(ALICE)
        status = (await http.get("/localnet/status")).json()
    assert status["minted"] == status["held"] + status["gas_burnt"] + status["storage_fund"]
    assert status["minted"] >= 110 * SUI
    assert status["gas_burnt"] > 0
    assert status["chain_identifier"] == world.localnet.chain_id
    assert status["checkpoint"] == world.localnet.ledger.checkpoint().sequence


async def test_a_manual_clock_moves_when_told(world: World) -> None:
    before = world.localnet.ledger.checkpoint()
    async with client(world) as http:
        answer = (await http.post("/localnet/clock/advance", json={"ms": 5_000})).json()
    after = world.localnet.ledger.checkpoint()
    assert after.timestamp - before.timestamp == 5_000
    assert answer == {"timestamp_ms": after.timestamp, "checkpoint": before.sequence + 1}


@pytest.mark.parametrize("body", [None, {}, {"ms": -1}, {"ms": True}, {"ms": "5"}, {"ms": 10**15}])
async def test_a_clock_does_not_move_by_nonsense(world: World, body: object) -> None:
    async with client(world) as http:
        answer = await http.post("/localnet/clock/advance", json=body)
    assert answer.status_code == 400


async def test_the_machines_clock_cannot_be_moved_but_ticks(framework: Framework) -> None:
    async with Localnet(framework=framework, tick=0.001) as localnet, client(World(localnet)) as http:
        answer = await http.post("/localnet/clock/advance", json={"ms": 1})
        start = localnet.ledger.checkpoint().sequence
        async with asyncio.timeout(10):
            while localnet.ledger.checkpoint().sequence < start + 3:
                await asyncio.sleep(0.001)
    assert answer.status_code == 409


async def test_grpc_web_text_reads_the_same_object(world: World) -> None:
    request = v2.BatchGetObjectsRequest(requests=[v2.GetObjectRequest(object_id="0x6")])
    headers = {"content-type": "application/grpc-web-text"}
    async with client(world) as http:
        answer = await http.post("/sui.rpc.v2.LedgerService/BatchGetObjects", content=b64encode(frame(bytes(request))), headers=headers)
    raw = b64decode(answer.content)
    message = v2.BatchGetObjectsResponse.parse(raw[5 : 5 + int.from_bytes(raw[1:5], "big")])
    assert message.objects[0].object.object_id.endswith("06")


async def test_equal_seeds_and_clocks_give_equal_chains(framework: Framework) -> None:
    async with world_of(framework, b"one") as first, world_of(framework, b"one") as second, world_of(framework, b"two") as third:
        assert first.chain_id == second.chain_id != third.chain_id


def world_of(framework: Framework, seed: bytes) -> Localnet:
    from localnet.ledger.clock import ManualClock

    return Localnet(clock=ManualClock(), seed=seed, framework=framework)


async def test_a_localnet_that_does_not_run_has_no_address(framework: Framework) -> None:
    localnet = world_of(framework, b"")
    with pytest.raises(NotRunning):
        _ = localnet.url


async def test_certificates_are_gone_with_the_localnet(framework: Framework) -> None:
    async with world_of(framework, b"") as localnet:
        ca_file = localnet.ca_file
        assert ca_file.exists()
    assert not ca_file.exists()


async def test_the_command_refuses_a_nitro_root_that_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("-----BEGIN CERTIFICATE-----")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "localnet", "--nitro-root", str(tmp_path / "root.pem"), stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        _, complaint = await process.communicate()
    assert process.returncode == 1
    assert b"no certificate in PEM or DER" in complaint


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_nitro_root_is_read_in_either_encoding(tmp_path: Path, encoding: Encoding) -> None:
    (tmp_path / "root").write_bytes(load_der_x509_certificate(AWS_NITRO_ROOT).public_bytes(encoding))
    assert certificate_in(tmp_path / "root") == AWS_NITRO_ROOT


async def test_a_localnet_trusts_the_nitro_root_that_it_is_given(framework: Framework) -> None:
    assert Localnet(framework=framework).ledger.vm.nitro_root == AWS_NITRO_ROOT
    root = SimulatedAuthority.create("test", Millis(1_800_000_000_000), lambda size: b"r" * size).root
    assert Localnet(framework=framework, nitro_root=root).ledger.vm.nitro_root == root


async def test_the_command_serves_until_it_is_told_to_stop() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "localnet", "--seed", "x", "--manual-clock", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        ready = json.loads(await process.stdout.readline())
        async with httpx.AsyncClient() as http:
            status = (await http.get(f"{ready['url']}/localnet/status")).json()
            given = await http.post(ready["faucet"], json={"FixedAmountRequest": {"recipient": BOB.address}})
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert set(ready) == {"url", "tls_url", "ca_file", "chain_id", "faucet"}
    assert status["chain_identifier"] == ready["chain_id"]
    assert given.json()["status"] == "Success"
