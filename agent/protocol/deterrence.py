"""What a task costs, and how likely its audit has to be: docs/spec/protocol.md §6, "what a task costs".

The inequality is p (1 - r) (R + V + S) >= C + V: whoever holds the share r of the stake, gains V beyond the price R by a
lie and saves the cost C of an honest run, loses at least as much by it as it gains. All integers are exact.
"""

from typing import Final

from agent.protocol.blob import MAX_PUBLISHED_CHUNKS
from agent.protocol.draw import ALWAYS
from agent.protocol.errors import ValueTooHigh
from agent.protocol.records import Params, Prices
from agent.protocol.shares import BPS, share
from agent.protocol.units import Mist

MAX_U64: Final = 2**64 - 1


def cost(params: Params, price: Mist) -> Mist:
    """What an honest run costs: `cost_bps` of the price, rounded up."""
    return Mist(_ceil(price * params.cost_bps, BPS))


def effective_slash(params: Params, price: Mist) -> Mist:
    """What a lie costs at the least: the executor's lock less all that a conviction can bring back into the liar's hands.

    The liar may crank his own conviction (the bounty), be the requester (the compensation), and sit on the panel (his
    share of its part); or he may keep the panel undecided.
    """
    left = params.executor_lock - min(params.bounty, params.executor_lock)
    rebate = share(share(left, params.panel_bps), params.controlled_bps)
    guilty = left - min(share(left, params.victim_bps), price) - rebate
    return Mist(min(guilty, share(params.executor_lock, params.undecided_bps)))


def required_probability(params: Params, price: Mist, value: Mist) -> int:
    """The audit probability (Q64) at which a lie does not pay who gains `value` beyond the price by it, rounded up.

    Above 2^64: no audit deters it.
    """
    gain = (cost(params, price) + value) * ALWAYS * BPS
    risk = (BPS - params.controlled_bps) * (price + value + effective_slash(params, price))
    # nothing is at stake only where nothing is to be gained
    return _ceil(gain, risk) if risk else 0


def deters(params: Params) -> bool:
    """Whether `audit_probability` is enough for the dearest task without a value: else `params::new` aborts."""
    return required_probability(params, params.max_price, Mist(0)) <= params.audit_probability


def task_probability(params: Params, price: Mist, value: Mist) -> int:
    """How likely a task is audited (Q64): the Network's probability, or more where more is at risk.

    Raises:
        ValueTooHigh: no probability deters a lie worth `value`.
    """
    found = max(params.audit_probability, required_probability(params, price, value))
    if found > ALWAYS:
        raise ValueTooHigh(value, max_value(params, price))
    return found


def max_value(params: Params, price: Mist) -> Mist | None:
    """The largest value that a certain audit deters, at most a u64; None if not even 0."""
    spare = (BPS - params.controlled_bps) * (price + effective_slash(params, price)) - BPS * cost(params, price)
    if spare < 0:
        return None
    return Mist(min(MAX_U64, spare // params.controlled_bps if params.controlled_bps else MAX_U64))


def premium(probability: int, auditors: int, auditor_fee: Mist) -> Mist:
    """The expected cost of an audit of `probability` (Q64), rounded up."""
    return Mist(_ceil(probability * auditors * auditor_fee, ALWAYS))


def quote(params: Params, prices: Prices, value: Mist) -> Mist:
    """What `open_task` costs where `value` is at risk beyond the price.

    Raises:
        ValueTooHigh: no probability deters a lie worth `value`.
    """
    probability = task_probability(params, prices.price, value)
    return Mist(prices.price + prices.reservation_fee + premium(probability, params.auditors, prices.auditor_fee))


def challenge_bond(params: Params, prices: Prices) -> Mist:
    """What `challenge` costs: the panel's fees, and the executor's handling."""
    return Mist(params.auditors * prices.auditor_fee + prices.reservation_fee)


def claim_bond(params: Params) -> Mist:
    """What `claim_undelivered` costs: the gas of the largest publication. What it does not take comes back."""
    return Mist(MAX_PUBLISHED_CHUNKS * params.bounty)


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
