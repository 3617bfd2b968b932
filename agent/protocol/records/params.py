"""Parameters of a Network: docs/spec/protocol.md §5."""

from dataclasses import dataclass, fields

from agent.protocol.bcs import U64, U128
from agent.protocol.records.record import Record
from agent.protocol.units import Millis, Mist


@dataclass(frozen=True, slots=True)
class Params(Record):
    """Parameters of a Network; a Task keeps its own copy. Flat here, three groups in Move: the bytes are the same."""

    min_stake: Mist
    executor_lock: Mist
    auditor_lock: Mist
    audit_reserve: Mist
    """Stake that executions never lock, so that opened tasks cannot use up what audits need."""
    bounty: Mist
    """What the crank of somebody's absence earns, at most."""
    delivery_bond: Mist
    max_price: Mist
    auditors: U64
    dispute_seats: U64
    jail_strikes: U64
    audit_probability: U128
    """Q64: 2^64 is one."""

    input_ms: Millis
    commit_ms: Millis
    delivery_ms: Millis
    ticket_ms: Millis
    handoff_ms: Millis
    audit_ms: Millis
    reveal_ms: Millis
    grace_ms: Millis
    period_ms: Millis
    unbonding_ms: Millis
    challenge_ms: Millis
    heartbeat_ms: Millis
    jail_ms: Millis
    rotation_ms: Millis
    timelock_ms: Millis

    absence_bps: U64
    undecided_bps: U64
    victim_bps: U64
    panel_bps: U64
    treasury_bps: U64
    cost_bps: U64
    """What an honest run costs, of the price."""
    controlled_bps: U64
    """The share of the stake in one hand that an audit still deters."""

    def in_order(self) -> tuple[int, ...]:
        """The arguments of `params::new`."""
        return tuple(getattr(self, each.name) for each in fields(self))

    def span(self) -> Millis:
        """The longest a task can take from `open_task` to its end, every dispute and ruling included."""
        rounds = self.ticket_ms + self.handoff_ms + self.audit_ms + self.reveal_ms
        windows = self.input_ms + self.commit_ms + 4 * self.delivery_ms + 5 * rounds + 2 * self.audit_ms
        return Millis(windows + 28 * self.grace_ms)
