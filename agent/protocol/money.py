"""Who gets what: docs/spec/protocol.md §6, the same rules as the contract's `settlement`. Integer Mist; nothing comes from nowhere."""

from dataclasses import dataclass, field
from typing import Final

from agent.protocol.draw import ALWAYS
from agent.protocol.lifecycle import Mark, Outcome
from agent.protocol.records import Params, Round, TaskView
from agent.protocol.units import Mist, NodeId

BPS = 10_000
_NO: Final = Mist(0)
PAID = (Outcome.ACCEPTED, Outcome.UPHELD)
RESERVED = (Outcome.INVALID_INPUT, Outcome.VOID)


def share(amount: int, bps: int) -> Mist:
    """`amount · bps / 10,000`, rounded down."""
    return Mist(amount * bps // BPS)


def premium(params: Params, auditor_fee: Mist) -> Mist:
    """The expected cost of an audit, rounded up."""
    return Mist(-(-params.audit_probability * params.auditors * auditor_fee // ALWAYS))


def quote(params: Params, price: Mist, auditor_fee: Mist, reservation_fee: Mist) -> Mist:
    """What `open_task` costs."""
    return Mist(price + reservation_fee + premium(params, auditor_fee))


@dataclass(slots=True)
class Settlement:
    """What a settlement moves, in Mist. Sources: the escrow, slashed stake, the audit fund."""

    refunded: Mist = _NO
    """To the requester, compensation included."""
    slashed: dict[NodeId, Mist] = field(default_factory=dict)
    paid: dict[NodeId, Mist] = field(default_factory=dict)
    """To members' fees, from wherever."""
    owed: dict[NodeId, Mist] = field(default_factory=dict)
    treasury: Mist = _NO
    burnt: Mist = _NO
    fund: Mist = _NO
    """Change of the audit fund; negative where it paid more than it got."""

    def conserves(self, escrow: Mist) -> bool:
        """Whether what came is what went."""
        came = escrow + sum(self.slashed.values())
        return came == self.refunded + sum(self.paid.values()) + self.treasury + self.burnt + self.fund


def executor_loss(outcome: Outcome, lock: Mist, params: Params) -> Mist:
    """What the executor loses of its lock [C2]."""
    match outcome:
        case Outcome.GUILTY | Outcome.REFUSED:
            return lock
        case Outcome.ABSENT:
            return share(lock, params.absence_bps)
        case Outcome.UNDECIDED:
            return share(lock, params.undecided_bps)
        case _:
            return Mist(0)


def settlement(task: TaskView, audit_fund: Mist) -> Settlement:
    """What `settle` does with a decided task, as read before it."""
    params, outcome, executor = task.params, task.outcome, task.executor.node
    result = Settlement()
    escrow = int(task.escrow)
    if outcome in PAID:
        _add(result.paid, executor, task.price + task.reservation_fee)
        escrow -= task.price + task.reservation_fee
        result.fund = Mist(escrow)
        escrow = 0
    elif outcome in RESERVED:
        _add(result.paid, executor, task.reservation_fee)
        escrow -= task.reservation_fee
    elif outcome is Outcome.EXPIRED:
        result.treasury = task.reservation_fee
        escrow -= task.reservation_fee
    spoils, compensation = 0, 0
    if outcome is not Outcome.EXPIRED:
        loss = executor_loss(outcome, task.executor.lock, params)
        cap = 0 if outcome is Outcome.UNDECIDED else task.price
        compensation = min(share(loss, params.victim_bps), cap)
        if loss:
            _add(result.slashed, executor, loss)
        spoils += _divide(result, params, loss - compensation, loss)
    right: list[NodeId] = []
    for each in task.rounds:
        spoils += _panel(result, task, each, right)
    _pay_panel(result, right, spoils, task.auditor_fee, audit_fund)
    result.refunded = Mist(escrow + compensation)
    return result


def _panel(result: Settlement, task: TaskView, each: Round, right: list[NodeId]) -> int:
    """Take what a round's members lose, note who was right; returns the panel's share of it."""
    judged = task.outcome in (Outcome.UPHELD, Outcome.GUILTY)
    spoils = 0
    for seat in each.seats:
        agrees = seat.mark is Mark.AGREES
        wrong = judged and (seat.root != task.verdict_root or agrees != (task.outcome is Outcome.UPHELD))
        if not each.handed:
            continue
        if seat.mark is Mark.WAITING:
            loss = share(seat.lock, task.params.absence_bps)
        elif seat.mark is Mark.COMMITTED or wrong:
            loss = seat.lock
        else:
            if judged:
                right.append(seat.node)
            continue
        _add(result.slashed, seat.node, loss)
        spoils += _divide(result, task.params, loss, loss)
    return spoils


def _divide(result: Settlement, params: Params, rest: int, loss: int) -> int:
    """Split `rest` of a slash by shares of `loss`; returns the panel's."""
    panel = min(rest, share(loss, params.panel_bps))
    treasury = min(rest - panel, share(loss, params.treasury_bps))
    result.treasury = Mist(result.treasury + treasury)
    result.burnt = Mist(result.burnt + rest - panel - treasury)
    return panel


def _pay_panel(result: Settlement, right: list[NodeId], spoils: int, fee: Mist, audit_fund: Mist) -> None:
    part = spoils // len(right) if right else 0
    fund = audit_fund + result.fund
    for node in right:
        paid = min(fee, fund)
        fund -= paid
        _add(result.paid, node, part + paid)
        if paid < fee:
            _add(result.owed, node, fee - paid)
    result.fund = Mist(fund - audit_fund)
    result.treasury = Mist(result.treasury + spoils - part * len(right))


def _add(to: dict[NodeId, Mist], node: NodeId, amount: int) -> None:
    to[node] = Mist(to.get(node, 0) + amount)
