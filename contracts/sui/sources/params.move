/// Parameters of a Network. A Task keeps the copy that was in force when it was opened.
/// Money is Mist, time is milliseconds, shares are basis points (1/10,000).
module enclavia::params;

/// The parameters contradict each other; `check` names every rule.
const EBadParams: u64 = 1;

const BPS: u64 = 10_000;
/// Q64: an audit probability of one.
const ALWAYS: u128 = 0x1_0000_0000_0000_0000;
/// Auditors of one audit, and seats of one dispute: bounds the size of a Task and the work of a draw.
const MAX_AUDITORS: u64 = 16;
const MAX_SEATS: u64 = 32;
/// Auditors drawn beyond those wanted, for drawn ones that cannot serve.
const SPARES: u64 = 2;
/// Executors drawn for a task, tried in this order.
const CANDIDATES: u64 = 4;
/// No window is longer than a year: sums of windows cannot overflow.
const MAX_WINDOW: u64 = 31_536_000_000;

public struct Params has copy, drop, store {
    min_stake: u64,
    executor_lock: u64,
    auditor_lock: u64,
    auditors: u64,
    dispute_seats: u64,
    audit_probability: u128,
    input_ms: u64,
    commit_ms: u64,
    delivery_ms: u64,
    ticket_ms: u64,
    handoff_ms: u64,
    audit_ms: u64,
    reveal_ms: u64,
    grace_ms: u64,
    period_ms: u64,
    unbonding_ms: u64,
    challenge_ms: u64,
    heartbeat_ms: u64,
    absence_bps: u64,
    undecided_bps: u64,
    victim_bps: u64,
    panel_bps: u64,
    treasury_bps: u64,
}

/// All parameters in the order of the struct. Aborts with EBadParams where they contradict each other.
public fun new(
    min_stake: u64,
    executor_lock: u64,
    auditor_lock: u64,
    auditors: u64,
    dispute_seats: u64,
    audit_probability: u128,
    input_ms: u64,
    commit_ms: u64,
    delivery_ms: u64,
    ticket_ms: u64,
    handoff_ms: u64,
    audit_ms: u64,
    reveal_ms: u64,
    grace_ms: u64,
    period_ms: u64,
    unbonding_ms: u64,
    challenge_ms: u64,
    heartbeat_ms: u64,
    absence_bps: u64,
    undecided_bps: u64,
    victim_bps: u64,
    panel_bps: u64,
    treasury_bps: u64,
): Params {
    let params = Params {
        min_stake, executor_lock, auditor_lock, auditors, dispute_seats, audit_probability,
        input_ms, commit_ms, delivery_ms, ticket_ms, handoff_ms, audit_ms, reveal_ms, grace_ms,
        period_ms, unbonding_ms, challenge_ms, heartbeat_ms,
        absence_bps, undecided_bps, victim_bps, panel_bps, treasury_bps,
    };
    check(&params);
    params
}

fun check(p: &Params) {
    assert!(p.auditors >= 1 && p.auditors <= MAX_AUDITORS, EBadParams);
    assert!(p.dispute_seats >= 3 && p.dispute_seats <= MAX_SEATS, EBadParams);
    assert!(p.audit_probability <= ALWAYS, EBadParams);
    assert!(p.executor_lock > 0 && p.auditor_lock > 0, EBadParams);
    assert!(p.min_stake >= p.executor_lock && p.min_stake >= p.auditor_lock, EBadParams);
    let windows = vector[
        p.input_ms, p.commit_ms, p.delivery_ms, p.ticket_ms, p.handoff_ms, p.audit_ms, p.reveal_ms, p.grace_ms,
        p.period_ms, p.unbonding_ms, p.challenge_ms, p.heartbeat_ms,
    ];
    let mut i = 0;
    while (i < windows.length()) {
        assert!(windows[i] > 0 && windows[i] <= 20 * MAX_WINDOW, EBadParams);
        i = i + 1;
    };
    // nobody who knows a task may still change who audits it
    assert!(p.period_ms > p.input_ms + p.commit_ms, EBadParams);
    // stake stays slashable for everything it ever backed
    assert!(p.unbonding_ms >= span(p) + p.period_ms, EBadParams);
    assert!(p.absence_bps <= BPS && p.undecided_bps <= BPS, EBadParams);
    assert!(p.victim_bps + p.panel_bps + p.treasury_bps <= BPS, EBadParams);
    // refusing must never be cheaper than lying, nor dawdling dearer
    assert!(p.absence_bps > 0 && p.undecided_bps > 0, EBadParams);
}

/// The longest a task can take from `assign` to its verdict.
public fun span(p: &Params): u64 {
    p.input_ms + p.commit_ms + p.delivery_ms + 2 * (p.ticket_ms + p.handoff_ms + p.audit_ms + p.reveal_ms) + 12 * p.grace_ms
}

/// `amount * bps / 10,000`, rounded down.
public fun share(amount: u64, bps: u64): u64 {
    (((amount as u128) * (bps as u128)) / (BPS as u128)) as u64
}

public fun min_stake(p: &Params): u64 { p.min_stake }
public fun executor_lock(p: &Params): u64 { p.executor_lock }
public fun auditor_lock(p: &Params): u64 { p.auditor_lock }
public fun auditors(p: &Params): u64 { p.auditors }
public fun dispute_seats(p: &Params): u64 { p.dispute_seats }
public fun audit_probability(p: &Params): u128 { p.audit_probability }
public fun input_ms(p: &Params): u64 { p.input_ms }
public fun commit_ms(p: &Params): u64 { p.commit_ms }
public fun delivery_ms(p: &Params): u64 { p.delivery_ms }
public fun ticket_ms(p: &Params): u64 { p.ticket_ms }
public fun handoff_ms(p: &Params): u64 { p.handoff_ms }
public fun audit_ms(p: &Params): u64 { p.audit_ms }
public fun reveal_ms(p: &Params): u64 { p.reveal_ms }
public fun grace_ms(p: &Params): u64 { p.grace_ms }
public fun period_ms(p: &Params): u64 { p.period_ms }
public fun unbonding_ms(p: &Params): u64 { p.unbonding_ms }
public fun challenge_ms(p: &Params): u64 { p.challenge_ms }
public fun heartbeat_ms(p: &Params): u64 { p.heartbeat_ms }
public fun absence_bps(p: &Params): u64 { p.absence_bps }
public fun undecided_bps(p: &Params): u64 { p.undecided_bps }
public fun victim_bps(p: &Params): u64 { p.victim_bps }
public fun panel_bps(p: &Params): u64 { p.panel_bps }
public fun treasury_bps(p: &Params): u64 { p.treasury_bps }
public fun spares(): u64 { SPARES }
public fun candidates(): u64 { CANDIDATES }
