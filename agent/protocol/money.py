"""Who gets what: docs/spec/protocol.md §6, the same rules as the contract's `settlement`.

Integer Mist; shares are rounded down. A settlement is a list of transfers, so nothing comes from nowhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agent.protocol.draw import ALWAYS
from agent.protocol.errors import Undecided
from agent.protocol.records import Params, Round, Seat, TaskView
from agent.protocol.states import Mark, Outcome
from agent.protocol.transfers import Account, Books, Transfer
from agent.protocol.units import Mist, NodeId

BPS: Final = 10_000
"""Basis points of one."""
PAID: Final = (Outcome.ACCEPTED, Outcome.UPHELD)
"""The executor gets price and reservation fee."""
RESERVED: Final = (Outcome.INVALID_INPUT, Outcome.VOID)
"""The executor gets the reservation fee."""
JUDGED: Final = (Outcome.UPHELD, Outcome.GUILTY)
"""There is a verdict's root, which makes panel members right or wrong."""
_NO: Final = Mist(0)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What `settle` moves, in order, and what it leaves owed."""

    transfers: tuple[Transfer, ...]
    owed: Mapping[NodeId, Mist]
    """Fees that the audit fund could not pay."""
    strikes: tuple[NodeId, ...]
    """Who did not do its part in time."""

    @property
    def refunded(self) -> Mist:
        """To the requester, compensation included."""
        return self._into(Account.REQUESTER)

    @property
    def slashed(self) -> Mapping[NodeId, Mist]:
        """What each node lost of its stake; who lost nothing is not in it."""
        return _by_node(each for each in self.transfers if each.source is Account.STAKE)

    @property
    def paid(self) -> Mapping[NodeId, Mist]:
        """What each node earned, from wherever; who earned nothing is not in it."""
        return _by_node(each for each in self.transfers if each.to is Account.FEES)

    @property
    def treasury(self) -> Mist:
        """To the treasury."""
        return self._into(Account.TREASURY)

    @property
    def burnt(self) -> Mist:
        """To nobody."""
        return self._into(Account.BURNT)

    @property
    def fund(self) -> Mist:
        """Change of the audit fund; negative where it paid more than it got."""
        out = sum(each.amount for each in self.transfers if each.source is Account.AUDIT_FUND)
        return Mist(self._into(Account.AUDIT_FUND) - out)

    def conserves(self, escrow: Mist) -> bool:
        """Whether escrow and slashed stake went somewhere: all of them, and no more."""
        came = escrow + sum(self.slashed.values())
        return came == self.refunded + sum(self.paid.values()) + self.treasury + self.burnt + self.fund

    def _into(self, account: Account) -> Mist:
        return Mist(sum(each.amount for each in self.transfers if each.to is account))


def share(amount: int, bps: int) -> Mist:
    """`amount · bps / 10,000`, rounded down."""
    return Mist(amount * bps // BPS)


def premium(params: Params, auditor_fee: Mist) -> Mist:
    """The expected cost of an audit, rounded up."""
    return Mist(-(-params.audit_probability * params.auditors * auditor_fee // ALWAYS))


def quote(params: Params, price: Mist, auditor_fee: Mist, reservation_fee: Mist) -> Mist:
    """What `open_task` costs."""
    return Mist(price + reservation_fee + premium(params, auditor_fee))


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
            return _NO


def panel_loss(task: TaskView, each: Round, seat: Seat) -> Mist:
    """What a member of a round loses of its lock [C2]; nothing in a round that was never handed off."""
    if not each.handed:
        return _NO
    match seat.mark:
        case Mark.WAITING:
            return share(seat.lock, task.params.absence_bps)
        case Mark.COMMITTED:
            return seat.lock
        case _:
            return seat.lock if task.outcome in JUDGED and not _has_the_verdict(task, seat) else _NO


def settlement(task: TaskView, audit_fund: Mist) -> Settlement:
    """What `settle` does with a decided task, as read before it, when the Pool's audit fund holds `audit_fund`.

    Raises:
        Undecided: the task has no outcome yet.
        Overdrawn: its escrow is empty already.
    """
    if task.outcome is Outcome.NONE:
        raise Undecided("the task has no outcome yet: it can be settled once its state is DECIDED")
    executor = task.executor
    seated = [(each, seat) for each in task.rounds for seat in each.seats]
    stake = executor.lock + sum(seat.lock for _, seat in seated)
    books = Books({Account.ESCROW: task.escrow, Account.STAKE: stake, Account.AUDIT_FUND: audit_fund})
    _pay_executor(books, task)
    # capped near the fee: nobody profits from a conviction that he can provoke [H3, H4]
    cap = _NO if task.outcome is Outcome.UNDECIDED else task.price
    _slash(books, task.params, executor.node, executor_loss(task.outcome, executor.lock, task.params), cap)
    for each, seat in seated:
        _slash(books, task.params, seat.node, panel_loss(task, each, seat), _NO)
    right = [seat.node for each, seat in seated if each.handed and _is_right(task, seat)]
    owed = _pay_panel(books, right, task.auditor_fee)
    books.move(Account.ESCROW, Account.REQUESTER, books.left(Account.ESCROW))
    late = [executor.node] if task.outcome is Outcome.ABSENT else []
    late += [seat.node for each, seat in seated if each.handed and seat.mark is Mark.WAITING]
    return Settlement(books.transfers(), MappingProxyType(owed), tuple(late))


def _is_right(task: TaskView, seat: Seat) -> bool:
    return task.outcome in JUDGED and seat.mark >= Mark.AGREES and _has_the_verdict(task, seat)


def _has_the_verdict(task: TaskView, seat: Seat) -> bool:
    """The verdict's root is not enough: a seat agrees with the executor if and only if the executor is upheld."""
    return seat.root == task.verdict_root and (seat.mark is Mark.AGREES) == (task.outcome is Outcome.UPHELD)


def _pay_executor(books: Books, task: TaskView) -> None:
    if task.outcome in PAID:
        books.move(Account.ESCROW, Account.FEES, task.price + task.reservation_fee, task.executor.node)
        books.move(Account.ESCROW, Account.AUDIT_FUND, books.left(Account.ESCROW))
    elif task.outcome in RESERVED:
        books.move(Account.ESCROW, Account.FEES, task.reservation_fee, task.executor.node)
    elif task.outcome is Outcome.EXPIRED:
        books.move(Account.ESCROW, Account.TREASURY, task.reservation_fee)


def _slash(books: Books, params: Params, node: NodeId, loss: Mist, cap: Mist) -> None:
    """Take `loss` of a stake: the requester's part first, at most `cap`; shares are of the loss, what is left burns."""
    left = int(loss)
    for to, wanted in (
        (Account.REQUESTER, min(share(loss, params.victim_bps), cap)),
        (Account.SPOILS, share(loss, params.panel_bps)),
        (Account.TREASURY, share(loss, params.treasury_bps)),
        (Account.BURNT, loss),
    ):
        amount = min(wanted, left)
        books.move(Account.STAKE, to, amount, node)
        left -= amount


def _pay_panel(books: Books, right: list[NodeId], fee: Mist) -> dict[NodeId, Mist]:
    """Pay who was right an equal part of the spoils and `fee`; returns what the fund could not pay [M1]."""
    owed: Counter[NodeId] = Counter()
    part = books.left(Account.SPOILS) // len(right) if right else 0
    for node in right:
        books.move(Account.SPOILS, Account.FEES, part, node)
        paid = min(fee, books.left(Account.AUDIT_FUND))
        books.move(Account.AUDIT_FUND, Account.FEES, paid, node)
        owed[node] += fee - paid
    # nobody was right, or the rest of the division
    books.move(Account.SPOILS, Account.TREASURY, books.left(Account.SPOILS))
    return {node: Mist(amount) for node, amount in owed.items() if amount}


def _by_node(transfers: Iterable[Transfer]) -> Mapping[NodeId, Mist]:
    sums: Counter[NodeId] = Counter()
    for each in transfers:
        assert each.node is not None, "stake and fees are always somebody's"
        sums[each.node] += each.amount
    return MappingProxyType({node: Mist(amount) for node, amount in sums.items()})
