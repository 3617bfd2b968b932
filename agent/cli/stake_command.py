"""`enclavia node`: what moves stake and fees. Every command says what comes next, and with `--json` prints one object."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.printing import done

if TYPE_CHECKING:
    from agent.chain.port import Receipt
    from agent.node.register import Registrar
    from agent.protocol.units import Mist

PANEL: Final = "Stake and fees"

DIRECTORY = Annotated[Path, typer.Option("--config", "-c", help="The node's directory.")]
WALLET = Annotated[
    Path | None,
    typer.Option("--wallet", help="The owner's wallet, if the NodeOwnerCap is not the node's; without it the node has to be stopped."),
]
AMOUNT = Annotated[str, typer.Argument(help='With its unit: "10 SUI" or "250000 Mist".')]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `enclavia node`."""
    for command in (deposit, unbond, withdraw_unbonded, leave, withdraw, retire, unjail, claim_fees):
        app.command(command.__name__.replace("_", "-"), rich_help_panel=PANEL)(command)


def deposit(amount: AMOUNT, directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Stake more. It counts in draws from the next period on."""
    mist = _mist(amount)
    _act(directory, wallet, "deposit", lambda owner: owner.add_stake(mist), "nothing; the next period draws with it", as_json)


def unbond(amount: AMOUNT, directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Take part of the stake out of the draws; at least min_stake has to stay."""
    mist = _mist(amount)
    then = "`enclavia node withdraw-unbonded` once unbonding is over (`enclavia node status`); until then it can be slashed"
    _act(directory, wallet, "unbond", lambda owner: owner.unbond(mist), then, as_json)


def withdraw_unbonded(directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Take what was unbonded."""
    _act(directory, wallet, "withdraw-unbonded", lambda owner: owner.withdraw_unbonded(), "nothing", as_json)


def leave(directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Take no new tasks, and begin to unbond everything. The node has to run on until its last task has ended."""
    then = "`enclavia node run` until nothing is locked, then `enclavia node withdraw` once unbonding is over"
    _act(directory, wallet, "leave", lambda owner: owner.leave(), then, as_json)


def withdraw(directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Take the whole stake of a node that has left and unbonded, or was replaced."""
    _act(directory, wallet, "withdraw", lambda owner: owner.withdraw(), "`enclavia node claim-fees`, then `enclavia node retire`", as_json)


def retire(directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Give the slot of an empty node back, for good. Its owner cap is destroyed."""
    _act(directory, wallet, "retire", lambda owner: owner.retire(), "nothing; the directory can be deleted, but keep the wallet", as_json)


def unjail(directory: DIRECTORY, as_json: JSON = False) -> None:
    """Be drawn again once the time in jail is over. A running node does it by itself unless `[duties] auto_unjail` is false."""
    _act(directory, None, "unjail", lambda owner: owner.unjail(), "`enclavia node run`; the next period draws the node", as_json)


def claim_fees(directory: DIRECTORY, wallet: WALLET = None, as_json: JSON = False) -> None:
    """Take what the node has earned; what the audit fund owes comes when it can pay."""
    _act(directory, wallet, "claim-fees", lambda owner: owner.claim_fees(), "nothing", as_json)


def _act(
    directory: Path, wallet: Path | None, what: str, act: "Callable[[Registrar], Awaitable[Receipt]]", then: str, as_json: bool
) -> None:
    from agent.cli.owner import owning  # noqa: PLC0415  pysui loads only where it is needed

    async def run() -> "Receipt":
        async with owning(directory, wallet) as (_, registrar):
            return await act(registrar)

    done(what, asyncio.run(run()), then, as_json=as_json)


def _mist(text: str) -> "Mist":
    from agent.node.config import parse_mist  # noqa: PLC0415

    try:
        return parse_mist(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="AMOUNT") from None
