/// Who gets what when a task ends: docs/spec/protocol.md §6, the same rules in the same order as `agent.protocol.money`.
module enclavia::settlement;

use enclavia::network::Network;
use enclavia::params::{Self, Params};
use enclavia::pool::Pool;
use enclavia::round::{Self, Round, Seat};
use enclavia::task::Task;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin;
use sui::event;
use sui::sui::SUI;

const DECIDED: u8 = 9;

const ACCEPTED: u8 = 1;
const UPHELD: u8 = 2;
const GUILTY: u8 = 3;
const REFUSED: u8 = 4;
const ABSENT: u8 = 5;
const INVALID_INPUT: u8 = 6;
const EXPIRED: u8 = 7;
const VOID: u8 = 8;
const UNDECIDED: u8 = 9;
const UNDELIVERED: u8 = 10;
const UNAVAILABLE: u8 = 13;
const FORGED: u8 = 12;

/// Reasons of a panel member's slash; those of an executor are the outcome.
const AWAY: u8 = 20;
const WITHHELD: u8 = 21;
const WRONG: u8 = 22;
const FALSE_HANDOFF: u8 = 23;

/// What a revealed vote was.
const RIGHT: u8 = 0;
const NEUTRAL: u8 = 1;
const EXCUSED: u8 = 2;
const MISTAKEN: u8 = 3;

public struct BountyPaid has copy, drop { task: address, to: address, amount: u64 }
public struct Settled has copy, drop {
    task: address, pool: address, requester: address, node: address, outcome: u8, paid: u64, refunded: u64, slashed: u64,
}

/// What slashes add up to for those who were right, before they are paid.
public struct Spoils { panel: Balance<SUI>, right: vector<u64> }

/// Pays, refunds, releases and slashes as the outcome says; anybody may call. It never aborts for want of money.
public fun settle(task: &mut Task, pool: &mut Pool, network: &Network, clock: &Clock, ctx: &mut TxContext) {
    task.check_pool(pool);
    let now = task.check(network, clock, DECIDED);
    task.set_settled();
    let at = task.address_of();
    let mut refund = task.take_escrow();
    let paid = pay_executor(task, pool, &mut refund, ctx);
    refund.join(return_bonds(task, pool));
    let mut spoils = Spoils { panel: balance::zero(), right: vector[] };
    let slashed = slash_executor(task, pool, &mut spoils, &mut refund, now, ctx);
    let mut i = 0;
    while (i < task.rounds().length()) {
        slash_round(task, pool, &mut spoils, i, now, ctx);
        i = i + 1;
    };
    pay_panel(spoils, pool, at, task.auditor_fee());
    let refunded = refund.value();
    if (refunded > 0) transfer::public_transfer(coin::from_balance(refund, ctx), task.requester())
    else refund.destroy_zero();
    event::emit(Settled {
        task: at, pool: task.pool(), requester: task.requester(), node: task.executor().node(), outcome: task.outcome(), paid,
        refunded, slashed,
    });
}

/// 1: what of the escrow is not the requester's any more; returns what the executor got.
fun pay_executor(task: &Task, pool: &mut Pool, escrow: &mut Balance<SUI>, ctx: &mut TxContext): u64 {
    let at = task.address_of();
    let outcome = task.outcome();
    let slot = task.executor().slot();
    let reservation = task.reservation_fee();
    if (is_answered(outcome)) {
        let paid = task.price() + reservation;
        pool.pay(at, slot, escrow.split(paid));
        pool.add_audit_fund(escrow.withdraw_all());
        pool.forgive(slot);
        return paid
    };
    if (outcome == INVALID_INPUT || outcome == VOID) {
        pool.pay(at, slot, escrow.split(reservation));
        return reservation
    };
    if (outcome == EXPIRED || outcome == UNAVAILABLE) {
        let mut fee = escrow.split(reservation);
        pay_bounty(task, &mut fee, task.cranker(), ctx);
        pool.add_treasury(fee);
    };
    0
}

/// 2: bonds, to whom they turned out to belong; returns what goes back.
fun return_bonds(task: &mut Task, pool: &mut Pool): Balance<SUI> {
    let at = task.address_of();
    let slot = task.executor().slot();
    let outcome = task.outcome();
    let answered = is_answered(outcome);
    let (challenge, claim, dispute) = task.bonds_by_kind();
    let mut held = task.take_bonds();
    if (challenge > 0 && (outcome == ACCEPTED || task.verdict().upholds())) {
        let fee = task.reservation_fee();
        let handling = if (fee < challenge) fee else challenge;
        pool.pay(at, slot, held.split(handling));
        pool.add_audit_fund(held.split(challenge - handling));
    };
    // what publishing costs, and no more: else it would pay to deliver nothing
    let gas = least(claim, task.chunks() * task.params().bounty());
    if (gas > 0 && task.published() && answered) pool.pay(at, slot, held.split(gas));
    if (dispute > 0 && answered) pool.add_audit_fund(held.split(dispute));
    held
}

/// 3: releases the executor's lock less its loss; returns the loss.
fun slash_executor(
    task: &Task, pool: &mut Pool, spoils: &mut Spoils, refund: &mut Balance<SUI>, now: u64, ctx: &mut TxContext,
): u64 {
    let outcome = task.outcome();
    if (outcome == EXPIRED) return 0;
    let p = *task.params();
    pool.unspeak(&p);
    let seat = *task.executor();
    let lock = seat.lock();
    let loss = if (outcome == GUILTY || outcome == REFUSED || outcome == FORGED) lock
        else if (outcome == ABSENT || outcome == UNDELIVERED) params::share(lock, p.absence_bps())
        else if (outcome == UNDECIDED) params::share(lock, p.undecided_bps())
        else 0;
    let mut lost = pool.unlock(task.address_of(), seat.slot(), lock, true, loss, outcome);
    // nobody is the cranker of an outcome that no absence made
    pay_bounty(task, &mut lost, task.cranker(), ctx);
    // capped near the fee: nobody profits from a conviction that he can provoke
    let cap = if (outcome == UNDECIDED) 0 else task.price();
    refund.join(divide(pool, spoils, lost, &p, cap));
    if (outcome == ABSENT || outcome == UNDELIVERED) pool.strike(seat.slot(), &p, now);
    loss
}

/// 3: releases the locks of a round's members less their losses, and notes who was right.
fun slash_round(task: &Task, pool: &mut Pool, spoils: &mut Spoils, index: u64, now: u64, ctx: &mut TxContext) {
    let p = *task.params();
    let round = &task.rounds()[index];
    let handed = round.handed();
    let voluntary = task.is_voluntary(round.kind());
    let mut i = 0;
    while (i < round.seats().length()) {
        let seat = &round.seats()[i];
        let vote = vote_of(task, round, seat);
        let (loss, reason) = if (!handed) (0, 0)
            else if (seat.is_waiting()) (params::share(seat.lock(), p.absence_bps()), AWAY)
            else if (seat.is_committed()) (seat.lock(), WITHHELD)
            else if (seat.is_false_handoff()) (seat.lock(), FALSE_HANDOFF)
            else if (vote == MISTAKEN) (seat.lock(), WRONG)
            else (0, 0);
        let mut lost = pool.unlock(task.address_of(), seat.slot(), seat.lock(), voluntary, loss, reason);
        if (reason == AWAY || reason == WITHHELD) pay_bounty(task, &mut lost, round.cranker(), ctx);
        divide(pool, spoils, lost, &p, 0).destroy_zero();
        if (reason == AWAY || (handed && vote == EXCUSED)) pool.strike(seat.slot(), &p, now);
        if (handed && vote == RIGHT) spoils.right.push_back(seat.slot());
        i = i + 1;
    };
}

/// How a revealed vote stands to the verdict of its matter: docs/spec/protocol.md §6, 1 to 5.
fun vote_of(task: &Task, round: &Round, seat: &Seat): u8 {
    let delivery = round.is_of_delivery();
    let verdict = if (delivery) task.delivery_verdict() else task.verdict();
    if (!seat.is_revealed() || !verdict.exists()) return NEUTRAL;
    let root = seat.revealed_root();
    let by_executor = round.handed_by() == task.executor().slot();
    if (!delivery && !by_executor && round::blames_handoff(round.two_thirds().verdict_root())) {
        return if (round::blames_handoff(root)) RIGHT else NEUTRAL
    };
    if (root == verdict.verdict_root() && seat.agrees() == verdict.upholds()) return RIGHT;
    if (round::blames(verdict.verdict_root())) return NEUTRAL;
    if (round::is_no_input(root) || round::is_bad_key(root) || (round::blames_handoff(root) && !by_executor)) return EXCUSED;
    MISTAKEN
}

/// 4: everybody who was right: an equal part of the panel's share of all slashes, and from the audit fund what that lacks to a fee.
fun pay_panel(spoils: Spoils, pool: &mut Pool, task: address, auditor_fee: u64) {
    let Spoils { mut panel, right } = spoils;
    let count = right.length();
    let part = if (count == 0) 0 else panel.value() / count;
    let mut i = 0;
    while (i < count) {
        if (part > 0) pool.pay(task, right[i], panel.split(part));
        if (part < auditor_fee) pool.pay_from_fund(task, right[i], auditor_fee - part);
        pool.forgive(right[i]);
        i = i + 1;
    };
    // nobody was right, or the rest of the division
    pool.add_treasury(panel);
}

/// The crank's part of what an absence cost.
fun pay_bounty(task: &Task, lost: &mut Balance<SUI>, cranker: address, ctx: &mut TxContext) {
    let amount = least(task.params().bounty(), lost.value());
    if (cranker == @0x0 || amount == 0) return;
    transfer::public_transfer(coin::from_balance(lost.split(amount), ctx), cranker);
    event::emit(BountyPaid { task: task.address_of(), to: cranker, amount });
}

/// Divides a loss; returns the requester's compensation, at most `cap`.
fun divide(
    pool: &mut Pool, spoils: &mut Spoils, lost: Balance<SUI>, p: &Params, cap: u64,
): Balance<SUI> {
    let mut rest = lost;
    let loss = rest.value();
    let compensation = rest.split(least(params::share(loss, p.victim_bps()), cap));
    spoils.panel.join(rest.split(params::share(loss, p.panel_bps())));
    pool.add_treasury(rest.split(params::share(loss, p.treasury_bps())));
    pool.burn(rest);
    compensation
}

fun is_answered(outcome: u8): bool { outcome == ACCEPTED || outcome == UPHELD }

fun least(a: u64, b: u64): u64 { if (a < b) a else b }
