"""PNGs: where honesty pays, and what strategies earn. matplotlib is loaded here only, and only when something is drawn."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.economics.deterrence import Game
from agent.economics.errors import ExtraMissing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from agent.economics.simulate import Result

SHARES: Final = (Fraction(1, 10), Fraction(1, 3), Fraction(1, 2))
_STEPS: Final = 80
_LEAST: Final = Fraction(1, 1000)
_NEAR: Final = Fraction(1, 100)


def plot_region(game: Game, file: Path) -> None:
    """Draw at which slash and audit probability honesty pays, for `game`'s share of the stake and for three others, with `game` as a point.

    Raises:
        ExtraMissing: matplotlib is not installed.
    """
    figure, axes = _figure()
    top = max(400.0, 2.0 * float(game.slash))
    slashes = [Fraction(top).limit_denominator(1000) * step / _STEPS for step in range(1, _STEPS + 1)]
    others = {share for share in SHARES if abs(share - game.controlled) > _NEAR}
    for share in sorted({*others, game.controlled}):
        mine = share == game.controlled
        line = [replace(game, slash=slash, controlled=share).p_min for slash in slashes]
        drawn = [(float(s), float(p)) for s, p in zip(slashes, line, strict=True) if p is not None]
        if not drawn:
            continue
        x, y = [s for s, _ in drawn], [p for _, p in drawn]
        label = f"r = {float(share):.3g}" + (" (yours)" if mine else "")
        axes.plot(x, y, label=label, linewidth=2.5 if mine else 1.2)
        if mine:
            axes.fill_between(x, y, 1, alpha=0.12)
    axes.plot([float(game.slash)], [max(float(game.probability), float(_LEAST))], "o", color="black", label="these parameters")
    axes.set(xlabel="effective slash S (units of C)", ylabel="audit probability p", yscale="log", ylim=(float(_LEAST), 1.05), xlim=(0, top))
    sizes = f"N = {game.auditors}, R = {float(game.reward):.3g}, W1 = {float(game.unchecked):.3g}, C = {float(game.cost):.3g}"
    axes.set_title(f"Above a line honesty pays: {sizes}")
    axes.legend(loc="upper right")
    axes.grid(visible=True, alpha=0.3, which="both")
    figure.savefig(file, dpi=120, metadata={"Software": None})


def plot_strategies(results: Sequence["Result"], file: Path) -> None:
    """Draw what each strategy earns a task, honesty first; the axis is linear near 0 and logarithmic beyond.

    Raises:
        ExtraMissing: matplotlib is not installed.
    """
    figure, axes = _figure(height=0.32 * len(results) + 1.5)
    names, profits = [each.strategy for each in results], [each.profit_per_task for each in results]
    honest = profits[0]
    colours = ["tab:green" if index == 0 else "tab:red" if profit >= honest else "tab:blue" for index, profit in enumerate(profits)]
    axes.barh(names, profits, color=colours)
    axes.axvline(honest, color="tab:green", linestyle="--", linewidth=1)
    axes.invert_yaxis()
    axes.set(xscale="symlog", xlabel="profit per task (units of C); green: honesty; red: pays at least as much")
    axes.grid(visible=True, alpha=0.3, axis="x")
    figure.savefig(file, dpi=120, metadata={"Software": None})


def plot_lines(lines: Sequence[tuple[str, Sequence[float], Sequence[float]]], file: Path, *, x: str, y: str, title: str) -> None:
    """Draw lines of (label, xs, ys) and the level of zero.

    Raises:
        ExtraMissing: matplotlib is not installed.
    """
    figure, axes = _figure()
    for label, xs, ys in lines:
        axes.plot(xs, ys, marker=".", label=label)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.legend()
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(file, dpi=120, metadata={"Software": None})


def _figure(height: float = 5.0) -> tuple["Figure", "Axes"]:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  half a second and an optional package
    except ImportError:
        raise ExtraMissing("matplotlib") from None
    figure = Figure(figsize=(9, height), layout="constrained")
    return figure, figure.subplots()
