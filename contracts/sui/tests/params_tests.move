#[test_only]
module enclavia::params_tests;

use enclavia::fixtures;
use enclavia::params::{Self, Params};

const ALWAYS: u128 = 0x1_0000_0000_0000_0000;
const YEAR: u64 = 31_536_000_000;

// places in `fixtures::numbers`
const MIN_STAKE: u64 = 0;
const EXECUTOR_LOCK: u64 = 1;
const AUDITOR_LOCK: u64 = 2;
const AUDIT_RESERVE: u64 = 3;
const BOUNTY: u64 = 4;
const SEATS: u64 = 7;
const STRIKES: u64 = 8;
const INPUT: u64 = 9;
const REVEAL: u64 = 15;
const GRACE: u64 = 16;
const PERIOD: u64 = 17;
const UNBONDING: u64 = 18;
const HEARTBEAT: u64 = 20;
const TIMELOCK: u64 = 23;
const ABSENCE: u64 = 24;
const UNDECIDED: u64 = 25;
const VICTIM: u64 = 26;
const PANEL: u64 = 27;
const TREASURY: u64 = 28;
const COST: u64 = 29;
const CONTROLLED: u64 = 30;

fun with(place: u64, value: u64): Params {
    let mut numbers = fixtures::numbers();
    *(&mut numbers[place]) = value;
    fixtures::params_of(numbers, 2, ALWAYS)
}

#[test]
fun parameters_are_what_they_were_made_of() {
    let n = fixtures::numbers();
    let p = fixtures::params_of(n, 2, 7);
    let read = vector[
        p.min_stake(), p.executor_lock(), p.auditor_lock(), p.audit_reserve(), p.bounty(), p.delivery_bond(), p.max_price(),
        p.dispute_seats(), p.jail_strikes(), p.input_ms(), p.commit_ms(), p.delivery_ms(), p.ticket_ms(), p.handoff_ms(),
        p.audit_ms(), p.reveal_ms(), p.grace_ms(), p.period_ms(), p.unbonding_ms(), p.challenge_ms(), p.heartbeat_ms(),
        p.jail_ms(), p.rotation_ms(), p.timelock_ms(), p.absence_bps(), p.undecided_bps(), p.victim_bps(), p.panel_bps(),
        p.treasury_bps(), p.cost_bps(), p.controlled_bps(),
    ];
    assert!(read == n);
    assert!(p.auditors() == 2 && p.audit_probability() == 7);
}

#[test]
fun the_span_is_every_window_that_a_task_can_pass() {
    let p = fixtures::params(2, 0);
    let four_rounds_of_windows = 5 * (p.ticket_ms() + p.handoff_ms() + p.audit_ms() + p.reveal_ms());
    assert!(
        p.span() == p.input_ms() + p.commit_ms() + 4 * p.delivery_ms() + four_rounds_of_windows + 2 * p.audit_ms()
            + 28 * p.grace_ms(),
    );
}

#[test]
fun shares_are_rounded_down() {
    assert!(params::share(10_001, 5_000) == 5_000);
    assert!(params::share(18_446_744_073_709_551_615, 10_000) == 18_446_744_073_709_551_615);
}

#[test]
fun limits_are_the_specified_ones() {
    assert!(params::spares() == 2 && params::candidates() == 4 && params::max_seats() == 32);
    assert!(params::always() == ALWAYS);
}

#[test]
fun the_extremes_are_allowed() {
    fixtures::params_of(fixtures::numbers(), 1, 0);
    fixtures::params_of(fixtures::numbers(), 16, ALWAYS);
    with(SEATS, 3);
    with(SEATS, 32);
    with(STRIKES, 1);
    with(PERIOD, 60_000 + 30_000 + 1);
    with(HEARTBEAT, 20_000);
    with(AUDIT_RESERVE, fixtures::lock() / 2);
    with(MIN_STAKE, fixtures::lock() * 3);
    with(BOUNTY, fixtures::lock() / 2 / 5);
    with(CONTROLLED, 9_999);
    let p = fixtures::params(2, 0);
    with(UNBONDING, p.span() + p.period_ms());
    with(VICTIM, 5_000);
}

#[test]
fun more_value_at_risk_needs_more_audits() {
    let mut numbers = fixtures::numbers();
    *(&mut numbers[COST]) = 8_000;
    let p = fixtures::params_of(numbers, 2, ALWAYS / 4);
    let mut before = 0;
    10u64.do!(|i| {
        let probability = params::required_probability(&p, 10_000_000, i * 15_000_000);
        assert!(probability > before && probability <= ALWAYS);
        before = probability;
    });
    assert!(params::audit_probability_of(&p, 10_000_000, 0) == ALWAYS / 4);
    assert!(params::audit_probability_of(&p, 10_000_000, 135_000_000) == before);
    assert!(params::required_probability(&p, 10_000_000, 300_000_000) > ALWAYS);
}

#[test]
fun nothing_to_gain_needs_no_audit_and_nothing_to_lose_deters_nobody() {
    let p = fixtures::params(2, 0);
    assert!(params::required_probability(&p, 10_000_000, 0) == 0);
    assert!(params::effective_slash(&p, 10_000_000) == params::share(fixtures::lock(), 1_000));
    assert!(params::required_probability(&p, 10_000_000, 0xffff_ffff_ffff_ffff) > ALWAYS);
}

#[test, expected_failure(abort_code = params::EDoesNotDeter)]
fun parameters_under_which_a_lie_pays_are_refused() {
    let mut numbers = fixtures::numbers();
    *(&mut numbers[COST]) = 8_000;
    fixtures::params_of(numbers, 2, 0);
}

#[test, expected_failure(abort_code = params::EBadParams)]
fun an_audit_without_auditors_is_refused() { fixtures::params(0, ALWAYS); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_sixteen_auditors_are_refused() { fixtures::params(17, ALWAYS); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_dispute_of_two_is_refused() { with(SEATS, 2); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_thirty_two_seats_are_refused() { with(SEATS, 33); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_jail_without_strikes_is_refused() { with(STRIKES, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_probability_above_one_is_refused() { fixtures::params(2, ALWAYS + 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun an_executor_without_a_lock_is_refused() { with(EXECUTOR_LOCK, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun an_auditor_without_a_lock_is_refused() { with(AUDITOR_LOCK, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_reserve_below_one_audit_is_refused() { with(AUDIT_RESERVE, fixtures::lock() / 2 - 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_stake_below_the_lock_is_refused() { with(MIN_STAKE, fixtures::lock() - 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_stake_below_lock_and_reserve_is_refused() { with(MIN_STAKE, fixtures::lock() * 3 - 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_bounty_above_what_an_absent_auditor_pays_is_refused() { with(BOUNTY, fixtures::lock() / 2 / 5 + 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_bounty_above_what_an_absent_executor_pays_is_refused() {
    let mut numbers = fixtures::numbers();
    *(&mut numbers[EXECUTOR_LOCK]) = fixtures::lock() / 4;
    *(&mut numbers[BOUNTY]) = fixtures::lock() / 4 / 5 + 1;
    fixtures::params_of(numbers, 2, ALWAYS);
}

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_window_of_nothing_is_refused() { with(INPUT, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun no_grace_is_refused() { with(GRACE, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun no_timelock_is_refused() { with(TIMELOCK, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_window_of_more_than_a_year_is_refused() { with(TIMELOCK, YEAR + 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_period_of_more_than_a_year_is_refused() { with(PERIOD, YEAR + 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun unbonding_that_could_overflow_is_refused() { with(UNBONDING, 60 * YEAR + 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_period_shorter_than_a_task_is_refused() { with(PERIOD, 60_000 + 30_000); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_heartbeat_longer_than_a_window_is_refused() { with(REVEAL, fixtures::heartbeat() - 1); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun stake_that_leaves_before_its_tasks_end_is_refused() {
    let p = fixtures::params(2, 0);
    with(UNBONDING, p.span() + p.period_ms() - 1);
}

#[test, expected_failure(abort_code = params::EBadParams)]
fun absence_for_nothing_is_refused() { with(ABSENCE, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun dawdling_for_nothing_is_refused() { with(UNDECIDED, 0); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_all_for_absence_is_refused() { with(ABSENCE, 10_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_all_for_no_decision_is_refused() { with(UNDECIDED, 10_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun a_cost_above_the_price_is_refused() { with(COST, 10_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_all_for_the_victim_is_refused() { with(VICTIM, 10_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_all_for_the_panel_is_refused() { with(PANEL, 10_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun more_than_all_for_the_treasury_is_refused() { with(TREASURY, 10_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun shares_of_more_than_the_whole_are_refused() { with(VICTIM, 5_001); }

#[test, expected_failure(abort_code = params::EBadParams)]
fun an_adversary_that_controls_all_is_refused() { with(CONTROLLED, 10_000); }
