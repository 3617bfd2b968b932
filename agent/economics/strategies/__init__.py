"""Every way to behave that we know of, honesty first."""

from typing import Final

from agent.economics.strategies import auditors, deliveries, executors, requesters
from agent.economics.strategies.strategy import ONE, Strategy

__all__ = ["STRATEGIES", "Strategy"]

_WHALE: Final = (0.9, *(0.1 / 20,) * 20)
_SYBILS: Final = (1.0,) * 5_000

STRATEGIES: Final = (
    Strategy(
        "honest", "a share r of the stake", "price and fees", "the run, and every audit it is drawn for", executors.honest,
    ),
    Strategy(
        "lazy", "one executor with a broken TEE", "the cost of the run; what it says is at random", "its lock, where it is audited",
        executors.lie, ONE, alone=True,
    ),
    Strategy(
        "copycat", "auditors", "the cost of repeating a run: it posts the executor's commitment as its own",
        "its lock: the commitment names another node, and cannot be opened", auditors.copy,
    ),
    Strategy(
        "colluding fraction", "executors and auditors with r of the stake", "the cost of the run, and audit fees for agreeing with itself",
        "the lock, where an honest auditor is seated and a dispute is lost; its own auditors then vote truly, for their part of the spoils",
        executors.lie,
    ),
    Strategy(
        "concurrent cheats", "one executor, lying in every task that its stake can back at a time",
        "as lazy, many times before the first verdict",
        "one lock each: each task has its own", executors.lie_at_once, ONE, alone=True,
    ),
    Strategy(
        "refusing handoff", "as colluding", "as colluding; refuses the data key to a panel that is not its own, and cranks the refusal itself",
        "the lock, less the bounty", executors.refuse,
    ),
    Strategy(
        "false invalid input", "one executor with a broken TEE",
        "the reservation fee without a run: signs that the input is invalid",
        "the price, which it does not get", executors.cry_wolf, ONE, alone=True,
    ),
    Strategy(
        "withholding delivery", "executors", "a bounty for each chunk it publishes once it is claimed",
        "the gas of the publication", deliveries.withhold,
    ),
    Strategy(
        "forged delivery", "executors, and arbiters with r of the stake", "what a believed forgery is worth outside",
        "the lock, where the requester's library checks what it opens", deliveries.forge,
    ),
    Strategy(
        "griefing requester: opens and abandons", "money", "nothing; a few candidates are drawn for nothing",
        "the reservation fee, less the bounty for its own expiry", requesters.abandon,
    ),
    Strategy(
        "griefing requester: poisoned input", "money", "nothing; a lock is held until the enclave has refused", "the reservation fee",
        requesters.poison,
    ),
    Strategy(
        "griefing requester: boundary input", "money, and auditors with r of the stake",
        "refund, compensation and spoils, where it makes honest machines differ", "price and bond, where it does not", requesters.aim_at_boundary,
    ),
    Strategy(
        "griefing requester: claims in vain", "money", "nothing; the executor has to publish what it had delivered",
        "a bounty for each chunk",
        deliveries.claim_in_vain,
    ),
    Strategy(
        "griefing auditor", "auditors and arbiters with r of the stake", "fees and spoils of its other members in the dispute that it provokes",
        "the accuser's lock", auditors.accuse,
    ),
    Strategy(
        "electorate-locking", "as colluding, and money to buy 95 % of the honest stake's time",
        "panels on which its own members are the majority",
        "the price of the tasks that keep the others busy; some declare so much value that they are surely audited", auditors.lock_electorate,
    ),
    Strategy(
        "whale in disputes", "r of the stake, nine tenths of it in one slot",
        "spoils of an honest executor and of its auditors, if two thirds of the seats are its own",
        "the accuser's lock, if not", auditors.frame, _WHALE,
    ),
    Strategy(
        "sybil split", "as colluding, in up to 5,000 slots instead of 100",
        "as colluding: an operator is excluded from auditing itself, its other slots are not",
        "as colluding, and a reserve for audits in each slot", executors.lie, _SYBILS,
    ),
    Strategy(
        "self-slash rebate", "executor, requester and panel members with r of the stake", "compensation and spoils of its own conviction",
        "the lock, of which they are a part", requesters.convict_oneself,
    ),
)  # fmt: skip
"""Names are stable: they are what `enclavia economics --simulate --json` prints."""
