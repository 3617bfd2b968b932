"""Who gets what: docs/spec/protocol.md §6, "Settlement", the same rules in the same order as the contract's `settlement`.

Integer Mist; shares are rounded down. A settlement is a list of transfers, so nothing comes from nowhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agent.protocol.errors import Undecided
from agent.protocol.records import Params, Round, Seat, TaskView
from agent.protocol.shares import BPS, share
from agent.protocol.standing import Standing, standing
from agent.protocol.states import Mark, Outcome
from agent.protocol.transfers import Account, Books, Transfer
from agent.protocol.units import Address, Mist, NodeId

__all__ = ["BPS", "Settlement", "executor_loss", "panel_loss", "settlement", "share"]

PAID: Final = (Outcome.ACCEPTED, Outcome.UPHELD)
"""The executor gets price and reservation fee."""
RESERVED: Final = (Outcome.INVALID_INPUT, Outcome.VOID)
"""The executor gets the reservation fee."""
CRANKED: Final = (Outcome.ABSENT, Outcome.REFUSED, Outcome.UNDELIVERED)
"""The executor's absence ended the task: who cranked it earns the bounty."""
LATE: Final = (Outcome.ABSENT, Outcome.UNDELIVERED)
"""The executor gets a strike."""
FORFEITED: Final = (Outcome.EXPIRED, Outcome.UNAVAILABLE)
"""Nobody earned the reservation fee: it goes to the treasury."""
_NO: Final = Mist(0)
_NOBODY: Final = Address(bytes(32))


@dataclass(frozen=True, slots=True)
class Settlement:
    """What `settle` moves, in order, and what it leaves owed."""

    transfers: tuple[Transfer, ...]
    owed: Mapping[NodeId, Mist]
    """Fees that the audit fund could not pay."""
    strikes: tuple[NodeId, ...]
    """Who did not do its part, once for each time."""
    forgiven: tuple[NodeId, ...]
    """Who did right work, once for each time: it takes a strike back."""

    @property
    def refunded(self) -> Mist:
        """To the requester, compensation and returned bonds included."""
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
    def bounties(self) -> Mapping[Address, Mist]:
        """What each cranker of an absence earned."""
        sums: Counter[Address] = Counter()
        for each in self.transfers:
            if each.cranker is not None:
                sums[each.cranker] += each.amount
        return MappingProxyType({cranker: Mist(amount) for cranker, amount in sums.items()})

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

    def conserves(self, escrow: Mist, bonds: Mist = _NO) -> bool:
        """Whether escrow, bonds and slashed stake went somewhere: all of them, and no more."""
        came = escrow + bonds + sum(self.slashed.values())
        to_people = self.refunded + sum(self.paid.values()) + sum(self.bounties.values())
        return came == to_people + self.treasury + self.burnt + self.fund

    def _into(self, account: Account) -> Mist:
        return Mist(sum(each.amount for each in self.transfers if each.to is account))


def executor_loss(outcome: Outcome, lock: Mist, params: Params) -> Mist:
    """What the executor loses of its lock [C2]."""
    match outcome:
        case Outcome.GUILTY | Outcome.REFUSED | Outcome.FORGED:
            return lock
        case Outcome.ABSENT | Outcome.UNDELIVERED:
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
        case Mark.COMMITTED | Mark.FALSE_HANDOFF:
            return seat.lock
        case _:
            return seat.lock if standing(task, each, seat) is Standing.WRONG else _NO


def settlement(task: TaskView, audit_fund: Mist) -> Settlement:
    """What `settle` does to a DECIDED task when the Pool's audit fund holds `audit_fund`.

    Raises:
        Undecided: the task has no outcome.
        Overdrawn: its escrow or bonds hold less than the rules pay out of them: it was settled before.
    """
    if task.outcome is Outcome.NONE:
        raise Undecided(f"task {task.id.hex()} has no outcome yet: wait until its state is DECIDED")
    executor = task.executor
    seated = [(each, seat) for each in task.rounds for seat in each.seats]
    stake = executor.lock + sum(seat.lock for _, seat in seated)
    books = Books(
        {Account.ESCROW: task.escrow, Account.BONDS: task.bonds.held, Account.STAKE: stake, Account.AUDIT_FUND: audit_fund}
    )
    _pay_out_escrow(books, task)
    _pay_out_bonds(books, task)
    cranker = task.cranker if task.outcome in CRANKED else _NOBODY
    # capped near the fee: nobody profits from a conviction that he can provoke [H3, H4]
    cap = _NO if task.outcome is Outcome.UNDECIDED else task.price
    _slash(books, task.params, executor.node, executor_loss(task.outcome, executor.lock, task.params), cap, cranker)
    for each, seat in seated:
        cranker = _NOBODY if seat.mark.revealed else each.cranker
        _slash(books, task.params, seat.node, panel_loss(task, each, seat), _NO, cranker)
    stands = [(seat.node, standing(task, each, seat)) for each, seat in seated]
    right = [node for node, vote in stands if vote is Standing.RIGHT]
    owed = _pay_panel(books, right, task.auditor_fee)
    books.move(Account.ESCROW, Account.REQUESTER, books.left(Account.ESCROW))
    late = [executor.node] if task.outcome in LATE else []
    late += [seat.node for each, seat in seated if each.handed and seat.mark is Mark.WAITING]
    late += [node for node, vote in stands if vote is Standing.EXCUSED]
    good = [executor.node, *right] if task.outcome in PAID else right
    return Settlement(books.transfers(), MappingProxyType(owed), tuple(late), tuple(good))


def _pay_out_escrow(books: Books, task: TaskView) -> None:
    reservation = task.reservation_fee
    if task.outcome in PAID:
        books.move(Account.ESCROW, Account.FEES, task.price + reservation, task.executor.node)
        books.move(Account.ESCROW, Account.AUDIT_FUND, books.left(Account.ESCROW))
    elif task.outcome in RESERVED:
        books.move(Account.ESCROW, Account.FEES, reservation, task.executor.node)
    elif task.outcome in FORFEITED:
        bounty = min(task.params.bounty, reservation) if task.cranker != _NOBODY else _NO
        books.move(Account.ESCROW, Account.BOUNTY, bounty, cranker=task.cranker)
        books.move(Account.ESCROW, Account.TREASURY, reservation - bounty)


def _pay_out_bonds(books: Books, task: TaskView) -> None:
    """A bond is lost where what it was put up for turned out to be wrong; else it goes back."""
    bonds, node, stood = task.bonds, task.executor.node, task.outcome in PAID
    if task.outcome is Outcome.ACCEPTED or task.upheld:
        handling = min(task.reservation_fee, bonds.challenge)
        books.move(Account.BONDS, Account.FEES, handling, node)
        books.move(Account.BONDS, Account.AUDIT_FUND, bonds.challenge - handling)
    if stood and task.delivery.published:
        # what publishing costs, and no more: else it would pay to deliver nothing
        books.move(Account.BONDS, Account.FEES, min(task.delivery.chunks * task.params.bounty, bonds.claim), node)
    if stood:
        books.move(Account.BONDS, Account.AUDIT_FUND, bonds.dispute)
    books.move(Account.BONDS, Account.REQUESTER, books.left(Account.BONDS))


def _slash(books: Books, params: Params, node: NodeId, loss: Mist, cap: Mist, cranker: Address) -> None:
    """Divide `loss` of a stake: the bounty off the top, then shares of what remains, of which the rest burns."""
    bounty = min(params.bounty, loss) if cranker != _NOBODY else _NO
    books.move(Account.STAKE, Account.BOUNTY, bounty, node, cranker)
    remaining = left = loss - bounty
    for to, wanted in (
        (Account.REQUESTER, min(share(remaining, params.victim_bps), cap)),
        (Account.SPOILS, share(remaining, params.panel_bps)),
        (Account.TREASURY, share(remaining, params.treasury_bps)),
        (Account.BURNT, remaining),
    ):
        amount = min(wanted, left)
        books.move(Account.STAKE, to, amount, node)
        left -= amount


def _pay_panel(books: Books, right: list[NodeId], fee: Mist) -> dict[NodeId, Mist]:
    """Pay who was right an equal part of the spoils, and what that lacks to `fee`; returns what the fund could not pay [M1]."""
    owed: Counter[NodeId] = Counter()
    part = books.left(Account.SPOILS) // len(right) if right else 0
    for node in right:
        books.move(Account.SPOILS, Account.FEES, part, node)
        due = max(0, fee - part)
        paid = min(due, books.left(Account.AUDIT_FUND))
        books.move(Account.AUDIT_FUND, Account.FEES, paid, node)
        owed[node] += due - paid
    # nobody was right, or the rest of the division
    books.move(Account.SPOILS, Account.TREASURY, books.left(Account.SPOILS))
    return {node: Mist(amount) for node, amount in owed.items() if amount}


def _by_node(transfers: Iterable[Transfer]) -> Mapping[NodeId, Mist]:
    sums: Counter[NodeId] = Counter()
    for each in transfers:
        assert each.node is not None, "stake and fees are always somebody's"
        sums[each.node] += each.amount
    return MappingProxyType({node: Mist(amount) for node, amount in sums.items()})
