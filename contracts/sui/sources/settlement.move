/// Who gets what when a task ends: docs/spec/protocol.md §6, the same rules as `agent.protocol.money`.
module enclavia::settlement;

use enclavia::params::{Self, Params};
use enclavia::pool::Pool;
use enclavia::round::{Round, Seat};
use sui::balance::{Self, Balance};
use sui::sui::SUI;

/// Reasons of a panel member's slash; those of an executor are the outcome.
const ABSENT: u8 = 20;
const WITHHELD: u8 = 21;
const WRONG: u8 = 22;

/// What slashes add up to, before the panel is paid.
public struct Spoils { panel: Balance<SUI>, right: vector<u64> }

public(package) fun start(): Spoils { Spoils { panel: balance::zero(), right: vector[] } }

/// Releases the executor's lock less `loss`; returns the requester's compensation, at most `cap`.
public(package) fun executor(
    spoils: &mut Spoils, pool: &mut Pool, p: &Params, task: address, seat: &Seat, loss: u64, cap: u64, outcome: u8,
): Balance<SUI> {
    let mut lost = pool.unlock(task, seat.slot(), seat.lock(), loss, outcome);
    let wanted = params::share(loss, p.victim_bps());
    let compensation = lost.split(if (wanted < cap) wanted else cap);
    divide(spoils, pool, p, lost, loss);
    compensation
}

/// Releases the locks of a round's members, takes what the silent and (when `judged`) the wrong lose, and notes who was right.
public(package) fun panel(
    spoils: &mut Spoils, pool: &mut Pool, p: &Params, task: address, round: &Round, judged: bool, upheld: bool,
    root: &vector<u8>,
) {
    let handed = round.handed();
    let mut i = 0;
    while (i < round.seats().length()) {
        let seat = &round.seats()[i];
        let (loss, reason) = if (!handed) (0, 0)
            else if (seat.is_waiting()) (params::share(seat.lock(), p.absence_bps()), ABSENT)
            else if (seat.is_committed()) (seat.lock(), WITHHELD)
            else if (judged && (seat.revealed_root() != root || seat.agrees() != upheld)) (seat.lock(), WRONG)
            else (0, 0);
        let lost = pool.unlock(task, seat.slot(), seat.lock(), loss, reason);
        divide(spoils, pool, p, lost, loss);
        if (reason == ABSENT) pool.strike(seat.slot());
        if (judged && handed && seat.is_revealed() && loss == 0) spoils.right.push_back(seat.slot());
        i = i + 1;
    };
}

/// Pays everybody who was right: a fee from the audit fund and an equal part of the panel's share of all slashes.
public(package) fun finish(spoils: Spoils, pool: &mut Pool, task: address, auditor_fee: u64) {
    let Spoils { mut panel, right } = spoils;
    let count = right.length();
    let part = if (count == 0) 0 else panel.value() / count;
    let mut i = 0;
    while (i < count) {
        if (part > 0) pool.pay(task, right[i], panel.split(part));
        pool.pay_from_fund(task, right[i], auditor_fee);
        i = i + 1;
    };
    // nobody was right, or the rest of the division
    pool.add_treasury(panel);
}

/// `loss` is what the shares are of; `lost` is what is left of it.
fun divide(spoils: &mut Spoils, pool: &mut Pool, p: &Params, lost: Balance<SUI>, loss: u64) {
    let mut rest = lost;
    spoils.panel.join(take(&mut rest, params::share(loss, p.panel_bps())));
    pool.add_treasury(take(&mut rest, params::share(loss, p.treasury_bps())));
    pool.burn(rest);
}

fun take(from: &mut Balance<SUI>, amount: u64): Balance<SUI> {
    let available = from.value();
    from.split(if (amount < available) amount else available)
}
