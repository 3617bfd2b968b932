"""An agent over an upgrade of the contracts: its old deployment file is refused by name, the new one goes on where it stood."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from test_sui_adapter_on_localnet import BYTECODE, NETWORK, SUI, TERMS, Stage, registered
from typer.testing import CliRunner

from agent.chain.calls import Deposit, Heartbeat, RequestChallenge
from agent.chain.deployment import Deployment
from agent.chain.errors import DeploymentError, WrongVersion
from agent.chain.sui import Deployer, Endpoint, PackageCode, Wallet
from agent.cli.main import app
from agent.protocol.events import ChallengeIssued, NodeRegistered
from agent.protocol.units import Mist
from localnet.ledger.clock import ManualClock
from localnet.rpc.localnet import Localnet
from localnet.toolchain.compiling import CompiledPackage, compile_package, write_bytecode
from localnet.toolchain.package import MovePackage, read_package

pytestmark = pytest.mark.node


@cache
def second_version() -> tuple[MovePackage, CompiledPackage]:
    package = read_package(BYTECODE.parent)
    path = "sources/network.move"
    text = package.sources[path].replace("const VERSION: u64 = 1;", "const VERSION: u64 = 2;")
    assert text != package.sources[path]
    second = replace(package, sources={**package.sources, path: text})
    return second, compile_package(second)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The directory that a developer of the next version hands to the administrator."""
    package, compiled = second_version()
    return write_bytecode(replace(package, root=tmp_path), compiled)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        localnet = await stack.enter_async_context(Localnet(clock=ManualClock(), seed=b"upgrade"))
        endpoint, admin = Endpoint(localnet.url), Wallet(b"\x01" * 32)
        localnet.faucet(admin.address, 100 * SUI)
        async with Deployer(endpoint, admin) as deployer:
            deployment = await deployer.deploy(PackageCode.load(BYTECODE), NETWORK, TERMS)
        yield Stage(localnet, endpoint, admin, deployment, stack)


async def admin(stage: Stage, folder: Path, *command: str) -> str:
    """What `enclavia admin` prints."""
    if not (folder / "wallet.json").exists():
        stage.admin.save(folder / "wallet.json")
    stage.deployment.save(folder / "deployment.json")
    options = ["--endpoint", stage.endpoint.url, "--deployment", str(folder / "deployment.json"), "--wallet", str(folder / "wallet.json")]
    result = await asyncio.to_thread(CliRunner().invoke, app, ["admin", *options, *command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    stage.deployment = Deployment.load(folder / "deployment.json")
    return result.stdout


async def test_an_agent_goes_on_with_the_new_deployment_file(stage: Stage, code: Path, tmp_path: Path) -> None:
    node = Wallet(b"\x02" * 32)
    before = await stage.chain(node, funds=1_000 * SUI)
    _, owner_cap, operator_cap = await registered(before)

    said = json.loads(await admin(stage, tmp_path, "upgrade", "--code", str(code), "--json"))
    assert said["code"] != said["package"]
    assert stage.deployment.package == before.deployment.package

    await admin(stage, tmp_path, "migrate", "--json")
    with pytest.raises(WrongVersion, match="deployment file"):
        await before.submit(RequestChallenge(operator_cap), purpose="with the old file")

    after = await stage.chain(node)
    receipt = await after.submit(RequestChallenge(operator_cap), purpose="with the new file")
    issued = receipt.event(ChallengeIssued)
    member = await after.member(issued.slot)
    assert member is not None
    assert (member.challenge, [cap.id for cap in await after.caps("NodeOwnerCap")]) == (issued.challenge, [owner_cap])
    with pytest.raises(WrongVersion):
        # an abort of the second version is told by its name too
        await before.submit(Deposit(issued.slot, Mist(1)), purpose="with the old file")


async def test_events_of_both_versions_are_one_stream(stage: Stage, code: Path, tmp_path: Path) -> None:
    node = Wallet(b"\x02" * 32)
    before = await stage.chain(node, funds=1_000 * SUI)
    _, _, operator_cap = await registered(before)
    await admin(stage, tmp_path, "upgrade", "--code", str(code))
    await admin(stage, tmp_path, "migrate")
    after = await stage.chain(node)
    await after.submit(Heartbeat(), purpose="with the new file")
    await after.submit(RequestChallenge(operator_cap), purpose="with the new file")
    kinds: list[type] = []
    async with asyncio.timeout(30), aclosing(after.events(None)) as pages:
        async for page in pages:
            kinds += [type(each.event) for each in page.events]
            if ChallengeIssued in kinds:
                break
    assert kinds.index(NodeRegistered) < kinds.index(ChallengeIssued)


async def test_a_deployment_without_the_cap_cannot_be_upgraded(stage: Stage, code: Path) -> None:
    async with Deployer(stage.endpoint, stage.admin) as deployer:
        with pytest.raises(DeploymentError, match="UpgradeCap"):
            await deployer.upgrade(replace(stage.deployment, upgrade_cap=None), PackageCode.load(code))


async def test_upgraded_deployment_survives_its_file(stage: Stage, tmp_path: Path) -> None:
    upgraded = replace(stage.deployment, code=stage.deployment.network.id)
    upgraded.save(tmp_path / "deployment.json")
    assert Deployment.load(tmp_path / "deployment.json") == upgraded
    assert upgraded.packages == {upgraded.package, upgraded.code}
