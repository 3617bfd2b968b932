"""Parameters for a network like a testnet, in the order of docs/spec/protocol.md §5; docs/economics.md says why these.

Every strategy of `agent.economics.strategies` earns less than honesty under them: a test holds them to it.
"""

from typing import Final

from agent.protocol.draw import probability
from agent.protocol.records import Params, Prices
from agent.protocol.units import Millis, Mist

SUI: Final = 1_000_000_000
"""Mist."""
MILLI: Final = SUI // 1_000
SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

DEFAULT: Final = Params(
    min_stake=Mist(20 * SUI),  # two executions and the reserve
    executor_lock=Mist(5 * SUI),  # 60 C: what makes an audit probability of 3 % enough
    auditor_lock=Mist(4_500 * MILLI),  # more than both disputes that a false accusation can cost: 3 · 16 · 0.09
    audit_reserve=Mist(9 * SUI),  # two audits at a time, whatever executions are under way
    bounty=Mist(1_200_000),  # the gas of a crank, at most that of publishing a chunk; below the reservation fee
    delivery_bond=Mist(4_500 * MILLI),  # pays both disputes of a delivery
    max_price=Mist(100 * MILLI),
    auditors=3,
    dispute_seats=16,  # a third of the stake finds two thirds of them with probability 0.004
    jail_strikes=3,
    audit_probability=probability("0.03"),
    input_ms=Millis(5 * MINUTE),
    commit_ms=Millis(15 * MINUTE),
    delivery_ms=Millis(30 * MINUTE),  # a requester that restarts still finds time to complain
    ticket_ms=Millis(5 * MINUTE),
    handoff_ms=Millis(5 * MINUTE),
    audit_ms=Millis(15 * MINUTE),  # as long as the run that is repeated
    reveal_ms=Millis(5 * MINUTE),
    grace_ms=Millis(15 * SECOND),
    period_ms=Millis(1 * HOUR),
    unbonding_ms=Millis(24 * HOUR),
    challenge_ms=Millis(1 * HOUR),
    heartbeat_ms=Millis(2 * MINUTE),  # a halt that goes unnoticed leaves more than half of the shortest window
    jail_ms=Millis(6 * HOUR),
    rotation_ms=Millis(24 * HOUR),  # longer than a task can take: its tickets stay valid
    timelock_ms=Millis(48 * HOUR),  # longer than unbonding: who dislikes what is proposed can be gone before
    absence_bps=500,  # 3 C: dear enough against withholding, bearable for a crash
    undecided_bps=8_500,  # keeping the panel undecided must not be the cheap way out
    victim_bps=1_000,  # capped at the price, which is far less
    panel_bps=3_000,
    treasury_bps=2_000,
    cost_bps=8_334,  # R = 1.2 C, as in the paper
    controlled_bps=3_333,
)

PRICES: Final = Prices(price=Mist(100 * MILLI), auditor_fee=Mist(90 * MILLI), reservation_fee=Mist(10 * MILLI))
"""An audit repeats the run: its fee is above the cost of one, C = 83.34 milli-SUI."""
