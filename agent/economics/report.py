"""`python -m agent.economics.report`: writes the tables and plots of docs/economics.md.

The tables stand between markers in the text; a test holds that they are what this command gives.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from agent.economics.defaults import DEFAULT, PRICES
from agent.economics.deterrence import game_of
from agent.economics.plot import plot_lines, plot_region, plot_strategies
from agent.economics.simulate import Result, find, simulate
from agent.economics.strategies import STRATEGIES
from agent.economics.world import Setup
from agent.protocol.records import Params
from agent.protocol.units import Mist

DOCS: Final = Path("docs")
SETUP: Final = Setup(nodes=20_000)
TASKS: Final = 100_000
"""Of each strategy: seconds, so that the test can afford it; `enclavia economics --simulate` plays more."""
SEED: Final = 1
SWEPT: Final = 20_000
"""Of each strategy, where something is varied."""
VALUES: Final = (0, 1, 3, 10, 30, 100)
"""At risk beyond the price, in units of C."""
BUSY: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_LYING: Final = ("lazy", "colluding fraction", "refusing handoff", "sybil split", "forged delivery", "electorate-locking")


def strategies_table(results: Sequence[Result]) -> str:
    """Every strategy under the default parameters."""
    texts = {each.name: each for each in STRATEGIES}
    rows = (
        (
            each.strategy, texts[each.strategy].controls, texts[each.strategy].gains, texts[each.strategy].pays,
            f"{each.profit_per_task:.2f}", f"{each.victim_loss_per_task:.2f}", _rate(each.honest_slash_rate),
        )
        for each in results
    )  # fmt: skip
    return _table(("strategy", "the adversary controls", "gains", "pays", "profit per task", "victims lose", "honest locks slashed"), rows)


def values_table() -> str:
    """What lies earn where they are worth something outside."""
    columns = [{each.strategy: each for each in _play(replace(SETUP, value=_units(value)), _LYING)} for value in VALUES]
    rows = [(name, *(f"{column[name].profit_per_task:.2f}" for column in columns)) for name in ("honest", *_LYING)]
    first = ("audit probability", *(f"{replace(SETUP, value=_units(value)).probability:.3f}" for value in VALUES))
    return _table(("value at risk (C)", *map(str, VALUES)), [first, *rows])


def busy_lines() -> list[tuple[str, list[float], list[float]]]:
    """What electorate-locking earns, by the share of the honest stake that it keeps busy, a line for each value."""
    lines = []
    for value in VALUES:
        setups = [replace(SETUP, value=_units(value), locked=share) for share in BUSY]
        lines.append((f"value {value} C", list(BUSY), [_play_one(each, "electorate-locking") for each in setups]))
    return lines


def busy_table(lines: Sequence[tuple[str, Sequence[float], Sequence[float]]]) -> str:
    """The same as text."""
    rows = [(label, *(f"{y:.2f}" for y in ys)) for label, _, ys in lines]
    return _table(("honest stake kept busy", *(f"{share:.0%}" for share in BUSY)), rows)


def parameters_table(params: Params) -> str:
    """The defaults, and money in units of C."""
    run = SETUP.run_cost
    amounts = ("min_stake", "executor_lock", "auditor_lock", "audit_reserve", "bounty", "delivery_bond", "max_price")
    rows = [(f"`{name}`", f"{getattr(params, name):,} Mist", f"{getattr(params, name) / run:.2f} C") for name in amounts]
    asked = (("price", PRICES.price), ("auditor_fee", PRICES.auditor_fee), ("reservation_fee", PRICES.reservation_fee))
    rows += [(f"`{name}`", f"{amount:,} Mist", f"{amount / run:.2f} C") for name, amount in asked]
    rows += [(f"`{name}`", str(getattr(params, name)), "") for name in ("auditors", "dispute_seats", "jail_strikes")]
    rows.append(("`audit_probability`", f"{params.audit_probability} (Q64)", f"{SETUP.probability:.3g}"))
    times = [name for name in params.__slots__ if name.endswith("_ms")]
    rows += [(f"`{name}`", f"{getattr(params, name):,} ms", _duration(getattr(params, name))) for name in times]
    shares = [name for name in params.__slots__ if name.endswith("_bps")]
    rows += [(f"`{name}`", str(getattr(params, name)), f"{getattr(params, name) / 100:.4g} %") for name in shares]
    rows.append(("span of a task", f"{params.span():,} ms", _duration(params.span())))
    return _table(("parameter", "value", ""), rows)


def tables() -> dict[str, str]:
    """Every table by the name of its markers."""
    return {
        "parameters": parameters_table(DEFAULT), "strategies": strategies_table(_play(SETUP, ())), "values": values_table(),
        "busy": busy_table(busy_lines()),
    }  # fmt: skip


def insert(text: str, found: dict[str, str]) -> str:
    """`text` with each table between its markers."""
    for name, table in found.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, marker, after = rest.partition(end)
        if not marker:
            raise SystemExit(f"docs/economics.md has no {begin.strip()} … {end}: put them where the table belongs")
        text = f"{before}{begin}{table}\n{end}{after}"
    return text


def plots(folder: Path) -> None:
    """All PNGs into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    game = game_of(DEFAULT, PRICES.price, Mist(0))
    plot_region(game, folder / "deterrence.png")
    plot_strategies(_play(SETUP, ()), folder / "strategies.png")
    plot_lines(
        busy_lines(), folder / "electorate.png", x="share of the honest stake kept busy", y="profit per lie (units of C)",
        title="electorate-locking, by what a lie is worth outside",
    )  # fmt: skip
    shares = [step / 20 for step in range(1, 19)]
    lines = []
    for auditors in (1, 2, 3):
        params = replace(DEFAULT, auditors=auditors)
        found = [_play(replace(SETUP, params=params, controlled=share), ("colluding fraction",)) for share in shares]
        lines.append((f"N = {auditors}", shares, [lie.profit_per_task - honest.profit_per_task for honest, lie in found]))
    plot_lines(
        lines, folder / "collusion.png", x="the adversary's share of the stake", y="profit of lying less that of honesty (units of C)",
        title="colluding fraction, by the number of auditors",
    )  # fmt: skip


def main() -> None:
    """Write tables and plots."""
    parser = argparse.ArgumentParser(prog="python -m agent.economics.report", description=__doc__)
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of economics.md")
    docs: Path = parser.parse_args().docs
    file = docs / "economics.md"
    file.write_text(insert(file.read_text("utf-8"), tables()), "utf-8")
    plots(docs / "economics")


def _play(setup: Setup, names: Sequence[str]) -> tuple[Result, ...]:
    return simulate(setup, SWEPT if names else TASKS, SEED, strategies=find(names))


def _play_one(setup: Setup, name: str) -> float:
    return simulate(setup, SWEPT, SEED, strategies=find([name])[1:])[0].profit_per_task


def _units(value: int) -> Mist:
    return Mist(value * SETUP.run_cost)


def _rate(rate: float) -> str:
    return f"{rate:.1e}" if rate else "0"


def _duration(ms: int) -> str:
    seconds = Fraction(ms, 1000)
    for size, name in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{float(seconds / size):.4g} {name}"
    return f"{float(seconds):.4g} s"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
