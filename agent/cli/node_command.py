"""`enclavia node`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

DIRECTORY: Final = typer.Option("--config", "-c", help="The node's directory: node.toml, wallet, journal, identity.")

app = typer.Typer(name="node", help="Run a node: serve tasks from an attested enclave, earn fees, keep your stake.", no_args_is_help=True)


@app.command()
def init(
    directory: Annotated[Path, DIRECTORY],
) -> None:
    """Write a commented node.toml and a new wallet into a directory. Nothing that exists is overwritten."""
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415
    from agent.node.config import CONFIG_FILE, sample  # noqa: PLC0415

    directory.mkdir(parents=True, exist_ok=True)
    config, wallet_file = directory / CONFIG_FILE, directory / "wallet.json"
    if config.exists() or wallet_file.exists():
        raise typer.BadParameter(f"{directory} holds a node already: choose another directory", param_hint="--config")
    config.write_text(sample())
    wallet = Wallet.generate()
    wallet.save(wallet_file)
    typer.echo(f"wrote {config} and {wallet_file}; address 0x{wallet.address.hex()}")
    typer.echo("next: put deployment.json there, correct node.toml, send SUI to the address, then `enclavia node check`")


@app.command()
def check(directory: Annotated[Path, DIRECTORY]) -> None:
    """Check configuration, wallet, deployment and platform without sending anything."""
    from agent.chain.deployment import Deployment  # noqa: PLC0415
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415
    from agent.cli.runner import provider_of  # noqa: PLC0415
    from agent.node.config import NodeConfig  # noqa: PLC0415

    config = NodeConfig.load(directory)
    wallet = Wallet.load(config.path(config.wallet.file))
    deployment = Deployment.load(config.path(config.chain.deployment))
    provider = provider_of(config)
    typer.echo(f"wallet      0x{wallet.address.hex()}")
    typer.echo(f"network     0x{deployment.network.id.hex()} on chain {deployment.chain_id}")
    typer.echo(f"TEE         {provider.kind.name}, measurement {provider.measurement.hex()[:32]}…")


@app.command()
def run(
    directory: Annotated[Path, DIRECTORY],
    log_level: Annotated[str, typer.Option(help="debug, info, warning, error")] = "info",
) -> None:
    """Serve until SIGTERM; registers and stakes first if node.toml's node is not registered. Logs JSON lines to stderr."""
    from agent.cli.runner import run_node  # noqa: PLC0415
    from agent.telemetry.logs import configure_logs  # noqa: PLC0415

    configure_logs(level=log_level, node=directory.name)
    asyncio.run(run_node(directory))


@app.command()
def status(
    directory: Annotated[Path, DIRECTORY],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """What the chain says of this node: stake, locks, fees, strikes, attestation."""
    from agent.chain.deployment import Deployment  # noqa: PLC0415
    from agent.chain.port import MemoryTransactionLog  # noqa: PLC0415
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415
    from agent.cli.connect import open_chain  # noqa: PLC0415
    from agent.node.config import NodeConfig  # noqa: PLC0415
    from agent.node.identity import NodeIdentity  # noqa: PLC0415

    async def read() -> dict[str, object]:
        config = NodeConfig.load(directory)
        me = NodeIdentity.load(directory)
        wallet = Wallet.load(config.path(config.wallet.file))
        deployment = Deployment.load(config.path(config.chain.deployment))
        async with open_chain(config, deployment, wallet, MemoryTransactionLog()) as chain:
            member = await chain.member(me.slot)
            assert member is not None, "the identity names a slot of this pool"
            return {
                "node": "0x" + me.node.hex(),
                "slot": me.slot,
                "wallet_mist": await chain.balance(),
                "stake_mist": member.stake,
                "locked_mist": member.locked,
                "weight_mist": member.weight,
                "fees_mist": member.fees,
                "fees_owed_mist": member.fees_owed,
                "strikes": member.strikes,
                "leaving": bool(member.leaving_at),
                "key_epoch": member.key_epoch,
                "attested_until_ms": member.attestation.not_after,
                "tee": member.attestation.tee_kind.name,
            }

    found = asyncio.run(read())
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("what", "value")
    for name, value in found.items():
        table.add_row(name, str(value))
    Console().print(table)
