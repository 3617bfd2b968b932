"""Who gets what, case by case: docs/spec/protocol.md §6, "Settlement"."""

from dataclasses import replace

import pytest
from made_records import NOBODY, PARAMS, a_round, node, person, seat
from made_tasks import DIFFERS, FEE, NOTHING, PREMIUM, PRICE, RESERVATION, RIGHT, UPHELD, WRONG, decided

from agent.protocol import money
from agent.protocol.errors import Overdrawn, Undecided
from agent.protocol.records import Delivery, Verdict
from agent.protocol.statements import BAD_WRAP, FORGED, NO_INPUT
from agent.protocol.states import Mark, Outcome
from agent.protocol.transfers import Account
from agent.protocol.units import Mist

EXECUTOR, LOCK, BOUNTY = node(99), 10**9, PARAMS.bounty
ABSENCE = LOCK * 2_000 // 10_000
CRANKER = person(7)
FULL = PRICE + RESERVATION + PREMIUM
PLENTY = Mist(10**8)


def settled(outcome: Outcome, *rounds: object, fund: Mist = PLENTY, **known: object) -> money.Settlement:
    return money.settlement(decided(outcome, *rounds, **known), fund)  # type: ignore[arg-type]


# === 1: the escrow, and the executor ===


@pytest.mark.parametrize("outcome", list(Outcome)[1:])
def test_every_outcome_pays_as_the_table_says(outcome: Outcome) -> None:
    # to the requester, to the executor, of the executor's lock
    table = {
        Outcome.ACCEPTED: (0, PRICE + RESERVATION, 0),
        Outcome.UPHELD: (0, PRICE + RESERVATION, 0),
        Outcome.GUILTY: (FULL + PRICE, 0, LOCK),
        Outcome.REFUSED: (FULL + PRICE, 0, LOCK),
        Outcome.ABSENT: (FULL + PRICE, 0, ABSENCE),
        Outcome.INVALID_INPUT: (FULL - RESERVATION, RESERVATION, 0),
        Outcome.EXPIRED: (FULL - RESERVATION, 0, 0),
        Outcome.VOID: (FULL - RESERVATION, RESERVATION, 0),
        Outcome.UNDECIDED: (FULL, 0, LOCK * 1_000 // 10_000),
        Outcome.UNDELIVERED: (FULL + PRICE, 0, ABSENCE),
        Outcome.REVOKED: (FULL, 0, 0),
        Outcome.FORGED: (FULL + PRICE, 0, LOCK),
        Outcome.UNAVAILABLE: (FULL - RESERVATION, 0, 0),
    }
    found = settled(outcome)
    assert (found.refunded, found.paid.get(EXECUTOR, 0), found.slashed.get(EXECUTOR, 0)) == table[outcome]
    assert found.fund == (PREMIUM if outcome in (Outcome.ACCEPTED, Outcome.UPHELD) else 0)


def test_refusing_costs_as_much_as_lying() -> None:
    assert settled(Outcome.REFUSED).slashed == settled(Outcome.GUILTY).slashed == settled(Outcome.FORGED).slashed


def test_the_host_s_word_that_the_input_is_nowhere_earns_nothing() -> None:
    found = settled(Outcome.UNAVAILABLE)
    assert (found.paid, found.treasury) == ({}, RESERVATION)


def test_reservation_of_a_task_without_input_goes_to_the_treasury_less_the_crank_s_bounty() -> None:
    assert settled(Outcome.EXPIRED).treasury == RESERVATION
    cranked = settled(Outcome.EXPIRED, cranker=CRANKER, params=replace(PARAMS, bounty=Mist(30_000)))
    assert (cranked.treasury, cranked.bounties) == (RESERVATION - 30_000, {CRANKER: 30_000})
    assert settled(Outcome.EXPIRED, cranker=CRANKER).bounties == {CRANKER: RESERVATION}


# === 2: bonds ===


@pytest.mark.parametrize(
    ("outcome", "verdict", "lost"),
    [
        (Outcome.ACCEPTED, NOTHING, True),
        (Outcome.UPHELD, UPHELD, True),
        (Outcome.UNDELIVERED, UPHELD, True),
        (Outcome.FORGED, UPHELD, True),
        (Outcome.GUILTY, DIFFERS, False),
        (Outcome.REFUSED, NOTHING, False),
        (Outcome.UNDECIDED, NOTHING, False),
        (Outcome.VOID, NOTHING, False),
    ],
)
def test_a_challenge_is_lost_where_the_executor_was_right(outcome: Outcome, verdict: Verdict, lost: bool) -> None:
    bond = 2 * FEE + RESERVATION
    with_bond, without = (settled(outcome, verdict=verdict, bonds=(each, 0, 0)) for each in (bond, 0))
    gained = with_bond.paid.get(EXECUTOR, 0) - without.paid.get(EXECUTOR, 0)
    returned = with_bond.refunded - without.refunded
    assert (gained, with_bond.fund - without.fund, returned) == ((RESERVATION, 2 * FEE, 0) if lost else (0, 0, bond))


def test_a_challenge_s_bond_smaller_than_the_fee_goes_to_the_executor_whole() -> None:
    assert settled(Outcome.ACCEPTED, bonds=(7, 0, 0)).paid[EXECUTOR] == PRICE + RESERVATION + 7


@pytest.mark.parametrize(
    ("outcome", "published", "lost"),
    [
        (Outcome.ACCEPTED, True, True), (Outcome.UPHELD, True, True), (Outcome.ACCEPTED, False, False),
        (Outcome.UNDELIVERED, False, False), (Outcome.FORGED, True, False), (Outcome.UNDECIDED, True, False),
    ],
)  # fmt: skip
def test_a_claim_pays_the_executor_that_published_for_each_chunk(outcome: Outcome, published: bool, lost: bool) -> None:
    delivery, bond = Delivery(True, published, False, 3, (), NOTHING), 64 * BOUNTY
    with_bond, without = (settled(outcome, delivery=delivery, bonds=(0, each, 0)) for each in (bond, 0))
    gained = with_bond.paid.get(EXECUTOR, 0) - without.paid.get(EXECUTOR, 0)
    assert (gained, with_bond.refunded - without.refunded) == ((3 * BOUNTY, 61 * BOUNTY) if lost else (0, bond))


def test_publishing_never_pays_more_than_the_claim_s_bond() -> None:
    found = settled(Outcome.ACCEPTED, delivery=Delivery(True, True, False, 3, (), NOTHING), bonds=(0, 500, 0))
    assert found.paid[EXECUTOR] == PRICE + RESERVATION + 500


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.UPHELD, Outcome.FORGED, Outcome.UNDECIDED])
def test_a_dispute_of_the_delivery_that_failed_pays_for_its_arbiters(outcome: Outcome) -> None:
    with_bond, without = (settled(outcome, bonds=(0, 0, each)) for each in (500, 0))
    stood = outcome in (Outcome.ACCEPTED, Outcome.UPHELD)
    assert (with_bond.fund - without.fund, with_bond.refunded - without.refunded) == ((500, 0) if stood else (0, 500))


# === 3: losses ===


def test_compensation_is_capped_at_the_price() -> None:
    assert settled(Outcome.GUILTY).refunded == FULL + PRICE


def test_without_a_cap_the_victim_gets_its_share() -> None:
    dear = replace(decided(Outcome.GUILTY).terms, price=Mist(10**12))
    assert settled(Outcome.GUILTY, terms=dear, escrow=Mist(2 * 10**12)).refunded == 2 * 10**12 + LOCK // 10


def test_an_undecided_task_compensates_nobody() -> None:
    assert settled(Outcome.UNDECIDED).refunded == FULL


def test_a_slash_is_split_by_shares_of_the_whole_and_the_rest_burns() -> None:
    found = settled(Outcome.GUILTY, a_round(1, seat(1, Mark.DIFFERS, WRONG)))
    assert found.paid[node(1)] == LOCK * 4 // 10
    assert found.treasury == LOCK // 10
    assert found.burnt == LOCK - PRICE - LOCK * 4 // 10 - LOCK // 10


@pytest.mark.parametrize(
    ("outcome", "loss"), [(Outcome.ABSENT, ABSENCE), (Outcome.REFUSED, LOCK), (Outcome.UNDELIVERED, ABSENCE)]
)
def test_who_cranks_the_executor_s_absence_gets_his_bounty_off_the_top(outcome: Outcome, loss: int) -> None:
    found = settled(outcome, cranker=CRANKER)
    assert found.bounties == {CRANKER: BOUNTY}
    assert found.slashed == {EXECUTOR: loss}
    rest = loss - BOUNTY
    assert found.treasury == money.share(rest, 1_000) + money.share(rest, 4_000)


@pytest.mark.parametrize("outcome", [Outcome.GUILTY, Outcome.FORGED, Outcome.UNDECIDED, Outcome.UPHELD])
def test_nobody_earns_a_bounty_where_nobody_was_absent(outcome: Outcome) -> None:
    assert settled(outcome, cranker=CRANKER).bounties == {}


def test_a_bounty_is_never_more_than_the_loss() -> None:
    found = settled(Outcome.ABSENT, cranker=CRANKER, params=replace(PARAMS, bounty=Mist(10**12)))
    assert (found.bounties, found.refunded, found.burnt) == ({CRANKER: ABSENCE}, FULL, 0)


@pytest.mark.parametrize(("mark", "loss", "paid"), [(Mark.WAITING, 10**8 * 2 // 10, True), (Mark.COMMITTED, 10**8, True)])
def test_who_cranks_a_member_s_absence_gets_his_bounty(mark: Mark, loss: int, paid: bool) -> None:
    panel = a_round(1, seat(1, mark, lock=10**8), seat(2, Mark.AGREES, RIGHT), cranker=CRANKER)
    found = settled(Outcome.UPHELD, panel)
    assert found.slashed == {node(1): loss}
    assert found.bounties == {CRANKER: BOUNTY}


def test_who_is_wrong_pays_no_bounty() -> None:
    panel = a_round(1, seat(1, Mark.DIFFERS, WRONG, lock=10**8), seat(2, Mark.AGREES, RIGHT), cranker=CRANKER)
    assert settled(Outcome.UPHELD, panel).bounties == {}


def test_slashes_of_the_panel_compensate_nobody() -> None:
    panel = a_round(1, seat(1, Mark.COMMITTED, lock=10**8), seat(2, Mark.AGREES, RIGHT, lock=10**8))
    assert settled(Outcome.UPHELD, panel).refunded == 0


def test_an_auditor_that_handed_off_falsely_loses_its_lock() -> None:
    audit = a_round(1, seat(1, Mark.FALSE_HANDOFF, RIGHT, lock=10**8), seat(2, Mark.AGREES, RIGHT))
    dispute = a_round(2, seat(3, Mark.DIFFERS, BAD_WRAP), by=1)
    found = settled(Outcome.UPHELD, audit, dispute, a_round(3, seat(4, Mark.AGREES, RIGHT)))
    assert found.slashed == {node(1): 10**8}
    assert set(found.paid) == {EXECUTOR, node(2), node(3), node(4)}


def test_nobody_loses_anything_in_a_round_that_was_never_handed_off() -> None:
    assert settled(Outcome.REFUSED, a_round(1, seat(1, lock=10**8, handed=False))).slashed == {EXECUTOR: LOCK}


@pytest.mark.parametrize("outcome", [Outcome.VOID, Outcome.REFUSED, Outcome.UNDECIDED])
def test_who_revealed_loses_and_gets_nothing_where_there_is_no_verdict(outcome: Outcome) -> None:
    found = settled(outcome, a_round(1, seat(1, Mark.AGREES, RIGHT), seat(2, Mark.DIFFERS, WRONG)))
    assert not {node(1), node(2)} & {*found.slashed, *found.paid, *found.owed}


def test_the_auditors_of_an_upheld_task_are_paid_however_its_delivery_ends() -> None:
    delivery = Delivery(False, True, True, 3, (), Verdict(FORGED, agrees=False))
    audit, arbiters = a_round(1, seat(1, Mark.AGREES, RIGHT)), a_round(4, seat(2, Mark.DIFFERS, FORGED))
    found = settled(Outcome.FORGED, audit, arbiters, verdict=UPHELD, delivery=delivery)
    part = money.share(LOCK, 4_000) // 2
    assert found.paid == {node(1): part, node(2): part}


def test_strikes_are_for_the_absent_and_for_who_could_not_read_the_input() -> None:
    panel = a_round(1, seat(1), seat(2, Mark.COMMITTED), seat(3, Mark.DIFFERS, NO_INPUT), seat(4, Mark.AGREES, RIGHT))
    found = settled(Outcome.UPHELD, panel)
    assert found.strikes == (node(1), node(3))
    assert set(found.slashed) == {node(1), node(2)}
    assert found.forgiven == (EXECUTOR, node(4))


@pytest.mark.parametrize(("outcome", "struck"), [(Outcome.ABSENT, True), (Outcome.UNDELIVERED, True), (Outcome.REFUSED, False)])
def test_an_absent_executor_gets_a_strike(outcome: Outcome, struck: bool) -> None:
    assert settled(outcome).strikes == ((EXECUTOR,) if struck else ())


# === 4: the panel ===


def test_who_agreed_gets_a_fee_and_who_convicted_at_least_as_much() -> None:
    agreeing = settled(Outcome.UPHELD, a_round(1, seat(1, Mark.AGREES, RIGHT)))
    differing = settled(Outcome.GUILTY, a_round(1, seat(1, Mark.DIFFERS, WRONG)))
    assert agreeing.paid[node(1)] == FEE
    assert differing.paid[node(1)] == money.share(LOCK, 4_000)
    assert (agreeing.fund, differing.fund) == (PREMIUM - FEE, 0)


def test_the_fund_adds_what_a_small_part_lacks_to_a_fee() -> None:
    small = seat(99, lock=100_000)
    found = settled(Outcome.GUILTY, a_round(1, seat(1, Mark.DIFFERS, WRONG)), executor=small)
    assert found.paid[node(1)] == FEE
    assert found.fund == -(FEE - 40_000)


def test_what_cannot_be_divided_goes_to_the_treasury() -> None:
    three = a_round(1, *(seat(i, Mark.DIFFERS, WRONG) for i in range(3)))
    found = settled(Outcome.GUILTY, three, executor=seat(99, lock=LOCK + 1))
    part, rest = divmod(money.share(LOCK + 1, 4_000), 3)
    assert rest
    assert {found.paid[node(i)] for i in range(3)} == {part}
    assert found.treasury == money.share(LOCK + 1, 1_000) + rest


def test_the_panel_s_share_goes_to_the_treasury_where_nobody_was_right() -> None:
    assert settled(Outcome.REFUSED).treasury == money.share(LOCK, 4_000) + money.share(LOCK, 1_000)


def test_an_empty_fund_delays_and_does_not_fail() -> None:
    found = settled(Outcome.FORGED, a_round(1, seat(1, Mark.AGREES, RIGHT)), verdict=UPHELD, fund=Mist(0), executor=seat(99, lock=0))
    assert (found.owed, found.paid) == ({node(1): FEE}, {})


def test_a_short_fund_pays_in_the_order_of_seats_and_owes_the_rest() -> None:
    two = a_round(1, *(seat(i, Mark.DIFFERS, WRONG) for i in range(2)))
    found = settled(Outcome.GUILTY, two, fund=Mist(400_000), executor=seat(99, lock=100_000))
    part = 20_000
    assert found.paid == {node(0): 300_000, node(1): part + 120_000}
    assert (found.owed, found.fund) == ({node(1): 300_000 - part - 120_000}, -400_000)


def test_an_upheld_task_s_own_premium_pays_its_auditors() -> None:
    found = settled(Outcome.UPHELD, a_round(1, seat(1, Mark.AGREES, RIGHT)), fund=Mist(0))
    assert (found.owed, found.fund) == ({}, PREMIUM - FEE)


def test_who_was_right_in_two_disputes_is_paid_for_both() -> None:
    again = seat(1, Mark.AGREES, RIGHT)
    found = settled(Outcome.UPHELD, a_round(2, again), a_round(3, again))
    assert found.paid[node(1)] == 2 * FEE
    assert found.forgiven == (EXECUTOR, node(1), node(1))


# === what cannot be settled ===


def test_a_task_under_way_cannot_be_settled() -> None:
    with pytest.raises(Undecided, match="DECIDED"):
        settled(Outcome.NONE)


def test_a_task_whose_escrow_is_gone_cannot_be_settled_again() -> None:
    with pytest.raises(Overdrawn, match="before it is settled"):
        settled(Outcome.UPHELD, escrow=Mist(0))


def test_bonds_that_are_gone_cannot_be_paid_out_again() -> None:
    spent = replace(decided(Outcome.ACCEPTED, bonds=(500, 0, 0)).bonds, held=Mist(0))
    with pytest.raises(Overdrawn, match="bonds"):
        money.settlement(replace(decided(Outcome.ACCEPTED), bonds=spent), Mist(0))


def test_transfers_come_in_the_order_of_the_contract() -> None:
    panel = a_round(1, seat(1, lock=10**8), seat(2, Mark.DIFFERS, WRONG), cranker=CRANKER)
    dear = replace(decided(Outcome.GUILTY).terms, auditor_fee=Mist(LOCK))
    made = settled(Outcome.GUILTY, panel, bonds=(500, 0, 0), cranker=NOBODY, terms=dear).transfers
    sources = [each.source for each in made]
    steps = [Account.BONDS, Account.STAKE, Account.SPOILS, Account.AUDIT_FUND, Account.ESCROW]
    assert sorted(set(sources), key=sources.index) == steps
    stakes = [each.node for each in made if each.source is Account.STAKE]
    assert sorted(set(stakes), key=stakes.index) == [EXECUTOR, node(1)]
