"""`enclavia economics`: does honesty pay under these parameters?"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from agent.economics.defaults import DEFAULT, PRICES
from agent.economics.deterrence import Game, game_of
from agent.economics.errors import BadGame, EconomicsError, ExtraMissing
from agent.economics.params_file import load_params
from agent.economics.plot import plot_region
from agent.protocol.errors import ProtocolError
from agent.protocol.records import Params
from agent.protocol.shares import BPS
from agent.protocol.units import Mist

if TYPE_CHECKING:
    from agent.economics.simulate import Result
    from agent.economics.world import Setup

NOT_DETERRED: Final = 1
"""Done, and the answer is no."""
USAGE: Final = 2

_CHAIN: Final = "A network's parameters (Mist, basis points)"
_GAME: Final = "The game (any unit of money, that of --cost; 1/3 and 0.33 are numbers)"
_PLAY: Final = "Simulation"


def economics(
    params: Annotated[Path | None, typer.Option(help="JSON with a Network's parameters; without it, our defaults.", rich_help_panel=_CHAIN)] = None,
    price: Annotated[int | None, typer.Option(min=1, help="Of a task; the Network's max_price without it.", rich_help_panel=_CHAIN)] = None,
    value: Annotated[int, typer.Option(min=0, help="At risk beyond the price.", rich_help_panel=_CHAIN)] = 0,
    executor_lock: Annotated[int | None, typer.Option(min=0, rich_help_panel=_CHAIN)] = None,
    bounty: Annotated[int | None, typer.Option(min=0, rich_help_panel=_CHAIN)] = None,
    cost_bps: Annotated[int | None, typer.Option(min=0, max=BPS, rich_help_panel=_CHAIN)] = None,
    controlled_bps: Annotated[int | None, typer.Option(min=0, max=BPS - 1, rich_help_panel=_CHAIN)] = None,
    undecided_bps: Annotated[int | None, typer.Option(min=0, max=BPS, rich_help_panel=_CHAIN)] = None,
    victim_bps: Annotated[int | None, typer.Option(min=0, max=BPS, rich_help_panel=_CHAIN)] = None,
    panel_bps: Annotated[int | None, typer.Option(min=0, max=BPS, rich_help_panel=_CHAIN)] = None,
    reward: Annotated[str | None, typer.Option(help="R: what honest work is paid.", rich_help_panel=_GAME)] = None,
    cost: Annotated[str | None, typer.Option(help="C: what it costs; 1 without it.", rich_help_panel=_GAME)] = None,
    stake: Annotated[str | None, typer.Option(help="S: what a caught liar loses for good.", rich_help_panel=_GAME)] = None,
    controlled: Annotated[str | None, typer.Option(help="r: the adversary's share of the stake.", rich_help_panel=_GAME)] = None,
    auditors: Annotated[int | None, typer.Option(help="N: how many auditors have to be his; 1 without it.", rich_help_panel=_GAME)] = None,
    w1: Annotated[str | None, typer.Option("--w1", help="W1: what an unchecked lie brings; R + value without it.", rich_help_panel=_GAME)] = None,
    w2: Annotated[str | None, typer.Option("--w2", help="W2: what it brings with all N his; W1 + R without it.", rich_help_panel=_GAME)] = None,
    audit_probability: Annotated[str | None, typer.Option(help="p: how likely a task is audited.", rich_help_panel=_GAME)] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Play every strategy.", rich_help_panel=_PLAY)] = False,
    strategy: Annotated[list[str] | None, typer.Option(help="Play only these, and honesty; repeat the flag.", rich_help_panel=_PLAY)] = None,
    tasks: Annotated[int, typer.Option(min=1, help="Of each strategy.", rich_help_panel=_PLAY)] = 1_000_000,
    nodes: Annotated[int, typer.Option(min=20, rich_help_panel=_PLAY)] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same result.", rich_help_panel=_PLAY)] = 0,
    threads: Annotated[int, typer.Option(min=1, max=64, rich_help_panel=_PLAY)] = 2,
    plot: Annotated[Path | None, typer.Option(help="Draw where honesty pays, into this PNG.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> None:
    """Say whether honesty pays: p_min, s_min (in units of C), deterred; --simulate adds what every strategy earns.

    Exit code 0: deterred; 1: not; 2: wrong usage.
    """
    chain = {
        "executor_lock": executor_lock, "bounty": bounty, "cost_bps": cost_bps, "controlled_bps": controlled_bps,
        "undecided_bps": undecided_bps, "victim_bps": victim_bps, "panel_bps": panel_bps,
    }  # fmt: skip
    played = {
        "reward": reward, "cost": cost, "stake": stake, "controlled": controlled, "w1": w1, "w2": w2, "p": audit_probability,
    }  # fmt: skip
    try:
        given = {name: fraction(name, text) for name, text in played.items() if text is not None}
        found = load_params(params) if params else DEFAULT
        overrides: dict[str, Any] = {name: amount for name, amount in chain.items() if amount is not None}
        found = replace(found, **overrides)
        paid = Mist(price or found.max_price)
        game = adjusted(game_of(found, paid, Mist(value)), given, auditors)
        if plot:
            plot_region(game, plot)
        how = _How(nodes, tasks, seed, threads, tuple(strategy or ()))
        results = _results(found, paid, value, given, auditors, how) if simulate else ()
    except (EconomicsError, ProtocolError) as error:
        typer.secho(f"enclavia economics: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(USAGE) from None
    if json_:
        typer.echo(json.dumps(summary(game, results if simulate else None)))
    else:
        _show(game, results)
    raise typer.Exit(0 if game.deterred else NOT_DETERRED)


def fraction(name: str, text: str) -> Fraction:
    """A number from the command line, exactly.

    Raises:
        BadGame: it is none.
    """
    wanted = BadGame(f'--{name} {text[:50]!r}: a number such as "1.2" or "1/3" is wanted')
    if len(text) > 40 or "e" in text.lower():  # an exponent could make a number of gigabytes
        raise wanted
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise wanted from None


def adjusted(game: Game, given: dict[str, Fraction], auditors: int | None) -> Game:
    """`game`, which is in units of C, with what was said on the command line in the place of what the chain would have.

    Raises:
        BadGame: the numbers describe no game.
    """
    unit = given.get("cost", Fraction(1))
    reward = given.get("reward", game.reward * unit)
    outside = (game.unchecked - game.reward) * unit
    w1 = given.get("w1", reward + outside)
    return Game(
        reward=reward, cost=unit, slash=given.get("stake", game.slash * unit), controlled=given.get("controlled", game.controlled),
        auditors=game.auditors if auditors is None else auditors, unchecked=w1, colluded=given.get("w2", w1 + reward),
        probability=given.get("p", game.probability),
    )  # fmt: skip


def summary(game: Game, results: "tuple[Result, ...] | None") -> dict[str, Any]:
    """What --json prints; p_min is null where not even a certain audit deters, s_min where no slash does. Money in units of C."""
    c = game.cost
    found: dict[str, Any] = {
        "p_min": None if game.p_min is None else float(game.p_min),
        "s_min": None if game.s_min is None else float(game.s_min / c),
        "deterred": game.deterred,
        "audit_probability": float(game.probability), "reward": float(game.reward / c), "cost": 1.0, "slash": float(game.slash / c),
        "controlled": float(game.controlled), "auditors": game.auditors, "w1": float(game.unchecked / c), "w2": float(game.colluded / c),
    }  # fmt: skip
    if results is not None:
        found["strategies"] = [
            {
                "strategy": each.strategy, "profit_per_task": each.profit_per_task, "honest_slash_rate": each.honest_slash_rate,
                "victim_loss_per_task": each.victim_loss_per_task, "tasks": each.tasks,
            }
            for each in results
        ]  # fmt: skip
    return found


def setup_of(params: Params, price: Mist, value: int, given: dict[str, Fraction], auditors: int | None, nodes: int) -> "Setup":
    """What to simulate: the Network's parameters, with the game's numbers turned into Mist. --stake is the executor's lock then.

    Raises:
        BadGame: they cannot be turned.
    """
    from agent.economics.world import Setup  # noqa: PLC0415  needs numpy

    run = Fraction(price * params.cost_bps, BPS)
    unit = run / given.get("cost", Fraction(1))
    reward = given.get("reward", Fraction(price) / unit)
    scaled = Mist(round(reward * unit))
    if scaled <= 0 or run > scaled:
        raise BadGame("--simulate wants a reward that is at least the cost")
    if "reward" in given:
        params = replace(params, cost_bps=round(run / scaled * BPS), max_price=Mist(max(params.max_price, scaled)))
    if "stake" in given:
        params = replace(params, executor_lock=Mist(round(given["stake"] * unit)))
    if auditors is not None:
        params = replace(params, auditors=auditors)
    if "w1" in given:
        value = max(0, round((given["w1"] - reward) * unit))
    ratio = Fraction(scaled, PRICES.price)
    prices = replace(
        PRICES, price=scaled, auditor_fee=Mist(round(PRICES.auditor_fee * ratio)), reservation_fee=Mist(round(PRICES.reservation_fee * ratio))
    )
    share = given.get("controlled", Fraction(params.controlled_bps, BPS))
    return Setup(params, prices, Mist(value), nodes, controlled=float(share), audited=given.get("p"))


class _How(NamedTuple):
    nodes: int
    tasks: int
    seed: int
    threads: int
    strategies: tuple[str, ...]


def _results(
    params: Params, price: Mist, value: int, given: dict[str, Fraction], auditors: int | None, how: _How
) -> "tuple[Result, ...]":
    try:
        from agent.economics.simulate import find, simulate  # noqa: PLC0415  needs numpy
    except ImportError as missing:
        raise ExtraMissing(missing.name or "numpy") from None
    setup = setup_of(params, price, value, given, auditors, how.nodes)
    strategies = find(how.strategies)
    with _bar(how.tasks * len(strategies)) as advance:
        return simulate(setup, how.tasks, how.seed, strategies=strategies, threads=how.threads, progress=advance)


@contextmanager
def _bar(tasks: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("simulating", total=tasks)
        yield lambda done: bar.advance(line, done)


def _show(game: Game, results: "tuple[Result, ...]") -> None:
    console = Console()
    found = summary(game, None)
    table = Table(title="Does honesty pay? (money in units of C)", show_header=False)
    for name, text in (
        ("p_min", "the least audit probability that deters"), ("audit_probability", "p"),
        ("s_min", "the least effective slash that deters"), ("slash", "S, effective"),
        ("reward", "R"), ("controlled", "r"), ("auditors", "N"), ("w1", "W1"), ("w2", "W2"),
    ):  # fmt: skip
        amount = found[name]
        table.add_row(text, "none" if amount is None else f"{amount:.6g}")
    table.add_row("deterred", "[green]yes[/]" if game.deterred else "[red]no[/]")
    console.print(table)
    if not results:
        return
    table = Table("strategy", "profit per task", "victims lose", "honest stake slashed", title="Strategies (units of C)")
    for each in results:
        pays = each is not results[0] and each.profit_per_task >= results[0].profit_per_task
        profit = f"{each.profit_per_task:.3f}"
        shown = f"[red]{profit} pays[/]" if pays else profit
        table.add_row(each.strategy, shown, f"{each.victim_loss_per_task:.3f}", f"{each.honest_slash_rate:.1e}")
    console.print(table)
