"""When does a lie not pay? The inequality of sampling consensus, for N auditors and outside gains.

Source: Atoma's whitepaper, appendix A (which restates PoSP, arXiv 2405.00295), theorem A.3 without its bracket, which is never
negative: the condition here is sufficient. With N = 1, W1 = R + V and W2 = 2R + V it is the one that a Network enforces
(docs/spec/protocol.md §6, `required`). All numbers are exact fractions, so that the two agree to the last bit.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from agent.economics.errors import BadGame
from agent.protocol.deterrence import cost, effective_slash, task_probability
from agent.protocol.draw import ALWAYS
from agent.protocol.errors import ValueTooHigh
from agent.protocol.records import Params
from agent.protocol.shares import BPS
from agent.protocol.units import Mist

MAX_AUDITORS: Final = 64


@dataclass(frozen=True, slots=True)
class Game:
    """What an executor can win and lose by one task; money in any unit, the same for all."""

    reward: Fraction
    """R: what honest work is paid."""
    cost: Fraction
    """C: what it costs."""
    slash: Fraction
    """S: what a caught liar loses after all that comes back to him."""
    controlled: Fraction
    """r: the share of the stake in the liar's hands, so of the auditors."""
    auditors: int
    """N: all of them have to be his for a lie to pass."""
    unchecked: Fraction
    """W1: what a lie brings that nobody checks; the reward, and whatever else."""
    colluded: Fraction
    """W2: what it brings when it is checked and all N auditors are his."""
    probability: Fraction
    """p: how likely a task is audited."""

    def __post_init__(self) -> None:
        if not 0 <= self.controlled < 1:
            raise BadGame(f"controlled {self.controlled}: a share of the stake from 0 to below 1")
        if not 0 <= self.probability <= 1:
            raise BadGame(f"audit probability {self.probability}: a number from 0 to 1")
        if not 1 <= self.auditors <= MAX_AUDITORS:
            raise BadGame(f"{self.auditors} auditors: from 1 to {MAX_AUDITORS}")
        if self.cost <= 0 or min(self.reward, self.slash, self.unchecked, self.colluded) < 0:
            raise BadGame("cost must be above 0, and reward, stake, w1 and w2 must not be negative")

    @property
    def temptation(self) -> Fraction:
        """What a lie gains where there is no audit: W1 - (R - C)."""
        return self.unchecked + self.cost - self.reward

    @property
    def p_min(self) -> Fraction | None:
        """The audit probability from which on honesty pays; None if not even a certain audit is enough."""
        if self.temptation <= 0:
            return Fraction(0)
        risk = self.slash + self.unchecked - self._escape * (self.colluded + self.slash - self.reward)
        if risk <= 0 or self.temptation > risk:
            return None
        return self.temptation / risk

    @property
    def s_min(self) -> Fraction | None:
        """The effective slash from which on honesty pays at this audit probability; None if p = 0 and a lie gains."""
        if self.temptation <= 0 and self.probability == 0:
            return Fraction(0)
        if self.probability == 0:
            return None
        wanted = self.temptation / self.probability - self.unchecked + self._escape * (self.colluded - self.reward)
        return max(Fraction(0), wanted / (1 - self._escape))

    @property
    def deterred(self) -> bool:
        """Whether honesty pays at least as much as a lie."""
        return self.p_min is not None and self.probability >= self.p_min

    @property
    def _escape(self) -> Fraction:
        return self.controlled**self.auditors


def game_of(params: Params, price: Mist, value: Mist) -> Game:
    """The game that `params` make of a task at `price` with `value` at risk beyond it, in units of C; one auditor seated, as in `required`.

    Its probability is the Network's, or, where there is a value, the one that the chain would make of it.

    Raises:
        BadGame: an honest run costs nothing.
    """
    run = cost(params, price)
    if run == 0:
        raise BadGame("an honest run costs nothing (price or cost_bps is 0): there is nothing to save by a lie")
    reward = Fraction(price, run)
    outside = Fraction(value, run)
    probability = Fraction(params.audit_probability, ALWAYS)
    if value:
        try:
            probability = Fraction(task_probability(params, price, value), ALWAYS)
        except ValueTooHigh:  # such a task cannot be opened; a certain audit would be the most
            probability = Fraction(1)
    return Game(
        reward=reward, cost=Fraction(1), slash=Fraction(effective_slash(params, price), run), controlled=Fraction(params.controlled_bps, BPS),
        auditors=1, unchecked=reward + outside, colluded=2 * reward + outside, probability=probability,
    )  # fmt: skip
