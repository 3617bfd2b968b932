"""`enclavia node`: a node's own life. What moves its money is in `stake_command`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from agent.cli import stake_command
from agent.cli.printing import answer

DIRECTORY: Final = typer.Option("--config", "-c", help="The node's directory: node.toml, wallet, journal, identity.")
JSON: Final = typer.Option("--json", help="Print one JSON object.")

app = typer.Typer(name="node", help="Run a node: serve tasks from an attested enclave, earn fees, keep your stake.", no_args_is_help=True)
stake_command.add_to(app)


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
def check(directory: Annotated[Path, DIRECTORY], as_json: Annotated[bool, JSON] = False) -> None:
    """Check configuration, wallet, deployment and platform without sending anything."""
    from agent.chain.deployment import Deployment  # noqa: PLC0415
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415
    from agent.cli.platform import open_platform  # noqa: PLC0415
    from agent.node.config import NodeConfig  # noqa: PLC0415

    config = NodeConfig.load(directory)
    wallet = Wallet.load(config.path(config.wallet.file))
    deployment = Deployment.load(config.path(config.chain.deployment))

    async def look() -> dict[str, object]:
        async with open_platform(config) as found:
            return {
                "platform": found.platform.value,
                "tee": found.provider.kind.name,
                "measurement": found.provider.measurement.hex(),
                "gpus": found.devices is not None,
                "keys_survive_restart": found.survives,
            }

    told = {"wallet": "0x" + wallet.address.hex(), "network": "0x" + deployment.network.id.hex(), "chain": deployment.chain_id}
    answer({**told, **asyncio.run(look())}, as_json=as_json)


@app.command()
def register(
    directory: Annotated[Path, DIRECTORY],
    replace: Annotated[int | None, typer.Option(help="In a full pool: take this slot, which weighs least, by staking a tenth more.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Stake what node.toml says and become a member; the wallet is owner and operator. Asked again, nothing is staked twice."""
    from agent.cli.owner import owning  # noqa: PLC0415
    from agent.protocol.units import Slot  # noqa: PLC0415

    async def act() -> dict[str, object]:
        async with owning(directory, None) as (config, registrar):
            me = await registrar.register(config.stake.amount, replace=None if replace is None else Slot(replace))
            return {"node": "0x" + me.node.hex(), "slot": me.slot, "next": "`enclavia node run`: it attests the enclave and joins the draws"}

    answer(asyncio.run(act()), as_json=as_json)


@app.command()
def adopt(
    directory: Annotated[Path, DIRECTORY],
    owner_cap: Annotated[str, typer.Option(help="Object id of the NodeOwnerCap: also the node's id.")],
    operator_cap: Annotated[str, typer.Option(help="Object id of the NodeOperatorCap.")],
    slot: Annotated[int, typer.Option(min=0, help="The slot, out of the event NodeRegistered.")],
) -> None:
    """Write identity.json anew for a node that is a member already; both ids are among the objects of its wallet."""
    from agent.cli.owner import owning  # noqa: PLC0415
    from agent.protocol.units import Slot, parse_address  # noqa: PLC0415

    async def act() -> None:
        async with owning(directory, None) as (_, registrar):
            await registrar.adopt(parse_address(owner_cap), parse_address(operator_cap), Slot(slot))

    asyncio.run(act())
    typer.echo("wrote identity.json; next: `enclavia node run`")


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
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """What the chain says of this node: stake, locks, jail, record, fees, what hinders it; and its next duty. Exit code 1: it would not be drawn."""
    from agent.cli.node_status import read_status  # noqa: PLC0415

    found = asyncio.run(read_status(directory))
    answer(found, as_json=as_json)
    if found["hindrances"]:
        raise typer.Exit(1)


@app.command()
def tasks(
    directory: Annotated[Path, DIRECTORY],
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, the newest first.")] = 20,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """The duties that changed last, with the reason where one failed; out of the journal, also while the node runs."""
    from agent.cli.node_status import recent_duties  # noqa: PLC0415

    rows = asyncio.run(recent_duties(directory, limit))
    if as_json:
        typer.echo(json.dumps({"duties": rows}))
        return
    table = Table("duty", "state", "failures", "reason")
    for row in rows:
        table.add_row(str(row["duty"]), str(row["state"]), str(row["failures"] or ""), str(row["reason"] or ""))
    Console().print(table)
