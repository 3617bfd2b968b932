/// Parameters of a Network. A Task keeps the copy that was in force when it was opened.
/// Money is Mist, time is milliseconds, shares are basis points (1/10,000). Three groups, for Sui allows 32 fields in a struct.
module enclavia::params;

/// The parameters contradict each other; `check` names every rule.
const EBadParams: u64 = 1;
/// With these parameters a lie would pay at `max_price`: docs/spec/protocol.md §6, "what a task costs".
const EDoesNotDeter: u64 = 2;

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
/// What a task, its disputes and its delivery can take together is the sum of many windows.
const MAX_SPAN_WINDOWS: u64 = 60;

public struct Amounts has copy, drop, store {
    min_stake: u64,
    executor_lock: u64,
    auditor_lock: u64,
    /// Stake that executions never lock, so that nobody can use up by opening tasks what audits need.
    audit_reserve: u64,
    /// What the crank of somebody's absence earns, at most.
    bounty: u64,
    delivery_bond: u64,
    max_price: u64,
    auditors: u64,
    dispute_seats: u64,
    jail_strikes: u64,
    audit_probability: u128,
}

public struct Windows has copy, drop, store {
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
    jail_ms: u64,
    rotation_ms: u64,
    timelock_ms: u64,
}

public struct Shares has copy, drop, store {
    absence_bps: u64,
    undecided_bps: u64,
    victim_bps: u64,
    panel_bps: u64,
    treasury_bps: u64,
    /// What an execution costs the executor, as a share of the price.
    cost_bps: u64,
    /// The share of all stake that one adversary is taken to control.
    controlled_bps: u64,
}

public struct Params has copy, drop, store { amounts: Amounts, windows: Windows, shares: Shares }

/// All parameters in the order of the structs. Aborts with EBadParams where they contradict each other, with EDoesNotDeter
/// where a lie would pay.
public fun new(
    min_stake: u64,
    executor_lock: u64,
    auditor_lock: u64,
    audit_reserve: u64,
    bounty: u64,
    delivery_bond: u64,
    max_price: u64,
    auditors: u64,
    dispute_seats: u64,
    jail_strikes: u64,
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
    jail_ms: u64,
    rotation_ms: u64,
    timelock_ms: u64,
    absence_bps: u64,
    undecided_bps: u64,
    victim_bps: u64,
    panel_bps: u64,
    treasury_bps: u64,
    cost_bps: u64,
    controlled_bps: u64,
): Params {
    let amounts = Amounts {
        min_stake, executor_lock, auditor_lock, audit_reserve, bounty, delivery_bond, max_price, auditors, dispute_seats,
        jail_strikes, audit_probability,
    };
    let windows = Windows {
        input_ms, commit_ms, delivery_ms, ticket_ms, handoff_ms, audit_ms, reveal_ms, grace_ms, period_ms, unbonding_ms,
        challenge_ms, heartbeat_ms, jail_ms, rotation_ms, timelock_ms,
    };
    let shares = Shares {
        absence_bps, undecided_bps, victim_bps, panel_bps, treasury_bps, cost_bps, controlled_bps,
    };
    let params = Params { amounts, windows, shares };
    check(&params);
    params
}

fun check(p: &Params) {
    check_amounts(&p.amounts);
    check_windows(&p.windows);
    check_shares(&p.shares);
    // stake stays slashable for everything that it ever backed
    assert!(p.windows.unbonding_ms >= span(p) + p.windows.period_ms, EBadParams);
    // who is absent pays the bounty, and no lock is too small for it
    assert!(p.amounts.bounty <= share(p.amounts.executor_lock, p.shares.absence_bps), EBadParams);
    assert!(p.amounts.bounty <= share(p.amounts.auditor_lock, p.shares.absence_bps), EBadParams);
    assert!(required_probability(p, p.amounts.max_price, 0) <= p.amounts.audit_probability, EDoesNotDeter);
}

fun check_amounts(a: &Amounts) {
    assert!(a.auditors >= 1 && a.auditors <= MAX_AUDITORS, EBadParams);
    assert!(a.dispute_seats >= 3 && a.dispute_seats <= MAX_SEATS, EBadParams);
    assert!(a.jail_strikes > 0, EBadParams);
    assert!(a.audit_probability <= ALWAYS, EBadParams);
    assert!(a.executor_lock > 0 && a.auditor_lock > 0, EBadParams);
    assert!(a.audit_reserve >= a.auditor_lock, EBadParams);
    assert!(a.min_stake >= a.executor_lock && a.min_stake - a.executor_lock >= a.audit_reserve, EBadParams);
}

fun check_windows(w: &Windows) {
    let all = vector[
        w.input_ms, w.commit_ms, w.delivery_ms, w.ticket_ms, w.handoff_ms, w.audit_ms, w.reveal_ms, w.grace_ms,
        w.challenge_ms, w.heartbeat_ms, w.jail_ms, w.rotation_ms, w.timelock_ms,
    ];
    let mut i = 0;
    while (i < all.length()) {
        assert!(all[i] > 0 && all[i] <= MAX_WINDOW, EBadParams);
        i = i + 1;
    };
    assert!(w.period_ms <= MAX_WINDOW && w.unbonding_ms <= MAX_SPAN_WINDOWS * MAX_WINDOW, EBadParams);
    // nobody who knows a task may still change who audits it
    assert!(w.period_ms > w.input_ms + w.commit_ms, EBadParams);
    // a halt shorter than the heartbeat goes unnoticed: it must not outlast a window
    let shortest = vector[w.input_ms, w.commit_ms, w.delivery_ms, w.ticket_ms, w.handoff_ms, w.audit_ms, w.reveal_ms];
    let mut i = 0;
    while (i < shortest.length()) {
        assert!(w.heartbeat_ms <= shortest[i], EBadParams);
        i = i + 1;
    };
}

fun check_shares(s: &Shares) {
    assert!(s.absence_bps <= BPS && s.undecided_bps <= BPS && s.cost_bps <= BPS, EBadParams);
    assert!(s.victim_bps <= BPS && s.panel_bps <= BPS && s.treasury_bps <= BPS, EBadParams);
    assert!(s.victim_bps + s.panel_bps + s.treasury_bps <= BPS, EBadParams);
    // refusing must never be free, nor dawdling
    assert!(s.absence_bps > 0 && s.undecided_bps > 0, EBadParams);
    assert!(s.controlled_bps < BPS, EBadParams);
}

/// The longest a task can take from `open_task` to its end, every dispute and ruling included.
public fun span(p: &Params): u64 {
    let w = &p.windows;
    w.input_ms + w.commit_ms + 4 * w.delivery_ms + 5 * (w.ticket_ms + w.handoff_ms + w.audit_ms + w.reveal_ms)
        + 2 * w.audit_ms + 28 * w.grace_ms
}

/// Stake that a task and its audit lock.
public fun task_locks(p: &Params): u64 { p.amounts.executor_lock + p.amounts.auditors * p.amounts.auditor_lock }

/// `amount * bps / 10,000`, rounded down.
public fun share(amount: u64, bps: u64): u64 {
    (((amount as u128) * (bps as u128)) / (BPS as u128)) as u64
}

/// What an executor that controls `controlled_bps` of the panel's pay loses by a conviction, at the least.
public fun effective_slash(p: &Params, price: u64): u64 {
    let lock = p.amounts.executor_lock;
    let bounty = if (p.amounts.bounty < lock) p.amounts.bounty else lock;
    let rest = lock - bounty;
    let wanted = share(rest, p.shares.victim_bps);
    let victim = if (wanted < price) wanted else price;
    let panel = share(share(rest, p.shares.panel_bps), p.shares.controlled_bps);
    let guilty = rest - victim - panel;
    let undecided = share(lock, p.shares.undecided_bps);
    if (guilty < undecided) guilty else undecided
}

/// The audit probability (Q64) at which a lie does not pay who gains `value` beyond the price by it, rounded up.
/// More than 2^64: no audit deters it.
public fun required_probability(p: &Params, price: u64, value: u64): u128 {
    let cost = ((price as u256) * (p.shares.cost_bps as u256) + (BPS as u256) - 1) / (BPS as u256);
    let gain = (cost + (value as u256)) * (ALWAYS as u256) * (BPS as u256);
    let at_stake = (price as u256) + (value as u256) + (effective_slash(p, price) as u256);
    let risk = ((BPS - p.shares.controlled_bps) as u256) * at_stake;
    // nothing is at stake only where nothing is to be gained
    if (risk == 0) return 0;
    ((gain + risk - 1) / risk) as u128
}

/// The audit probability of a task: the Network's, or more where more is at risk.
public fun audit_probability_of(p: &Params, price: u64, value: u64): u128 {
    let required = required_probability(p, price, value);
    if (required > p.amounts.audit_probability) required else p.amounts.audit_probability
}

public fun min_stake(p: &Params): u64 { p.amounts.min_stake }
public fun executor_lock(p: &Params): u64 { p.amounts.executor_lock }
public fun auditor_lock(p: &Params): u64 { p.amounts.auditor_lock }
public fun audit_reserve(p: &Params): u64 { p.amounts.audit_reserve }
public fun bounty(p: &Params): u64 { p.amounts.bounty }
public fun delivery_bond(p: &Params): u64 { p.amounts.delivery_bond }
public fun max_price(p: &Params): u64 { p.amounts.max_price }
public fun auditors(p: &Params): u64 { p.amounts.auditors }
public fun dispute_seats(p: &Params): u64 { p.amounts.dispute_seats }
public fun jail_strikes(p: &Params): u64 { p.amounts.jail_strikes }
public fun audit_probability(p: &Params): u128 { p.amounts.audit_probability }
public fun input_ms(p: &Params): u64 { p.windows.input_ms }
public fun commit_ms(p: &Params): u64 { p.windows.commit_ms }
public fun delivery_ms(p: &Params): u64 { p.windows.delivery_ms }
public fun ticket_ms(p: &Params): u64 { p.windows.ticket_ms }
public fun handoff_ms(p: &Params): u64 { p.windows.handoff_ms }
public fun audit_ms(p: &Params): u64 { p.windows.audit_ms }
public fun reveal_ms(p: &Params): u64 { p.windows.reveal_ms }
public fun grace_ms(p: &Params): u64 { p.windows.grace_ms }
public fun period_ms(p: &Params): u64 { p.windows.period_ms }
public fun unbonding_ms(p: &Params): u64 { p.windows.unbonding_ms }
public fun challenge_ms(p: &Params): u64 { p.windows.challenge_ms }
public fun heartbeat_ms(p: &Params): u64 { p.windows.heartbeat_ms }
public fun jail_ms(p: &Params): u64 { p.windows.jail_ms }
public fun rotation_ms(p: &Params): u64 { p.windows.rotation_ms }
public fun timelock_ms(p: &Params): u64 { p.windows.timelock_ms }
public fun absence_bps(p: &Params): u64 { p.shares.absence_bps }
public fun undecided_bps(p: &Params): u64 { p.shares.undecided_bps }
public fun victim_bps(p: &Params): u64 { p.shares.victim_bps }
public fun panel_bps(p: &Params): u64 { p.shares.panel_bps }
public fun treasury_bps(p: &Params): u64 { p.shares.treasury_bps }
public fun cost_bps(p: &Params): u64 { p.shares.cost_bps }
public fun controlled_bps(p: &Params): u64 { p.shares.controlled_bps }
public fun spares(): u64 { SPARES }
public fun candidates(): u64 { CANDIDATES }
public fun max_seats(): u64 { MAX_SEATS }
public fun always(): u128 { ALWAYS }
