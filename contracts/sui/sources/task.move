/// A Task, from `open_task` to `reap`: docs/spec/protocol.md §6. This module is the object and what requester and executor do;
/// `audit`, `delivery`, `crank` and `settlement` go on from there.
/// Calls bound by a deadline take the Task mutably and everything else by reference, so that nobody can outbid a node past its deadline.
module enclavia::task;

use enclavia::commitment;
use enclavia::draw;
use enclavia::network::{Self, Network};
use enclavia::params::{Self, Params};
use enclavia::pool::Pool;
use enclavia::request::{Self, Request};
use enclavia::roster::Roster;
use enclavia::round::{Self, Round, Seat, Verdict};
use enclavia::statement;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::event;
use sui::random::{Self, Random};
use sui::sui::SUI;

/// The Network, Pool or Roster is not this task's.
const EWrongObject: u64 = 1;
/// The task waits for something else now.
const EWrongState: u64 = 2;
/// The deadline has passed.
const ETooLate: u64 = 3;
/// The deadline and its grace have not passed.
const ETooEarly: u64 = 4;
/// Only the requester may do this.
const ENotRequester: u64 = 5;
/// The payment is not exactly what it costs: read `quote` again.
const EWrongPayment: u64 = 6;
/// No candidate is left that could take the task.
const ENoCandidate: u64 = 7;
/// Another node, or another key epoch, would take the task than the one sealed for: seal anew.
const EWrongExecutor: u64 = 8;
/// A digest, commitment or key is not 32 bytes.
const EBadDigest: u64 = 9;
/// A URI has at most 256 bytes.
const EUriTooLong: u64 = 10;
/// Too few operators to draw candidates and a panel from.
const ERosterTooSmall: u64 = 11;
/// Only a settled task, some time after its end, can be reaped.
const ENotSettled: u64 = 12;
/// The executor's record is not revoked.
const ENotRevoked: u64 = 13;
/// A task is challenged once, and only if it is not audited anyway.
const EAlreadyUsed: u64 = 14;
/// At most eight operators can be denied.
const ETooManyDenied: u64 = 15;
/// The task was made by another version of this package: call `migrate`, or the newer package.
const EWrongVersion: u64 = 16;

const OPEN: u8 = 0;
const RUNNING: u8 = 1;
const COMMITTED: u8 = 2;
const DECIDED: u8 = 9;
const SETTLED: u8 = 10;

const UNDETERMINED: u8 = 0;
const INVALID_INPUT: u8 = 6;
const REVOKED: u8 = 11;
const UNAVAILABLE: u8 = 13;

/// The reason of an invalid input that only the host can know.
const NOWHERE: u8 = 6;

const MAX_URI: u64 = 256;
const MAX_DENIED: u64 = 8;
const ALL_KINDS: u64 = 0xffff_ffff_ffff_ffff;
/// Bytes of an output's Merkle chunk: docs/spec/protocol.md §2.
const CHUNK: u64 = 1_024;

/// What was agreed when the task was opened.
public struct Terms has copy, drop, store {
    price: u64, auditor_fee: u64, reservation_fee: u64, value: u64, tee_mask: u64, audit_probability: u128,
}
public struct Input has copy, drop, store {
    uri: vector<u8>, digest: vector<u8>, key_commitment: vector<u8>, output_pk: vector<u8>, tee_mask: u64,
    denied: vector<address>,
}
public struct Output has copy, drop, store {
    commitment: vector<u8>, sealed_digest: vector<u8>, units: u64, signature: vector<u8>,
}
/// What chance decided after the commitment.
public struct Draw has copy, drop, store {
    seed: vector<u8>, drawn_at: u64, panel: vector<u64>, audited: bool, challenged: bool,
}
public struct Bonds has store { held: Balance<SUI>, challenge: u64, claim: u64, dispute: u64 }
public struct Delivery has copy, drop, store {
    claimed: bool, published: bool, disputed: bool, chunks: u64, leaves: vector<vector<u8>>, verdict: Verdict,
}

public struct Task has key {
    id: UID,
    version: u64,
    network: address,
    pool: address,
    roster: address,
    requester: address,
    origin: address,
    manifest: vector<u8>,
    params: Params,
    terms: Terms,
    escrow: Balance<SUI>,
    bonds: Bonds,
    state: u8,
    outcome: u8,
    opened_at: u64,
    deadline: u64,
    candidates: vector<u64>,
    candidate: u64,
    executor: Seat,
    input: Input,
    output: Output,
    draw: Draw,
    rounds: vector<Round>,
    verdict: Verdict,
    delivery: Delivery,
    cranker: address,
}

/// An executor without an input: must be consumed by `post_input` in the same transaction, so no stake is locked for nothing.
public struct Assignment { task: address, seat: Seat }

public struct TaskOpened has copy, drop {
    task: address, network: address, pool: address, requester: address, origin: address, request: address,
    candidates: vector<u64>, value: u64, audit_probability: u128, escrow: u64, deadline: u64,
}
public struct ExecutorRejected has copy, drop { task: address, pool: address, slot: u64 }
public struct InputPosted has copy, drop {
    task: address, pool: address, node: address, slot: u64, key_epoch: u64, input_digest: vector<u8>, deadline: u64,
}
public struct Committed has copy, drop {
    task: address, pool: address, node: address, commitment: vector<u8>, sealed_output_digest: vector<u8>, seed: vector<u8>,
    panel: vector<u64>, audited: bool, deadline: u64,
}
public struct Challenged has copy, drop { task: address, pool: address, seed: vector<u8>, panel: vector<u64>, bond: u64 }
public struct Decided has copy, drop { task: address, pool: address, outcome: u8 }
public struct Reaped has copy, drop { task: address }

// === Request ===

/// Opens a task and draws its candidates, with the same work for every seed. `value` is what is at risk beyond the price, in Mist: the
/// audit gets as likely as deterrence wants. `payment` is exactly the Pool's `quote` for it.
entry fun open_task(
    network: &Network, pool: &Pool, roster: &Roster, value: u64, payment: Coin<SUI>, r: &Random, clock: &Clock,
    ctx: &mut TxContext,
) {
    assert!(payment.value() == pool.quote(network, value), EWrongPayment);
    let sender = ctx.sender();
    open(network, pool, roster, value, payment.into_balance(), sender, @0x0, @0x0, r, clock, ctx);
}

/// Opens the task that a Request asks for; anybody may. What exceeds the `quote` goes back to the requester.
entry fun open_request(
    request: Request, network: &Network, pool: &Pool, roster: &Roster, r: &Random, clock: &Clock, ctx: &mut TxContext,
) {
    let (at, requester, origin, value, mut payment) = request::open(request, network, pool, clock);
    let change = payment.value() - pool.quote(network, value);
    // always a coin, even an empty one: the draw comes after, and must not depend on it
    transfer::public_transfer(coin::from_balance(payment.split(change), ctx), requester);
    open(network, pool, roster, value, payment, requester, origin, at, r, clock, ctx);
}

fun open(
    network: &Network,
    pool: &Pool,
    roster: &Roster,
    value: u64,
    payment: Balance<SUI>,
    requester: address,
    origin: address,
    request: address,
    r: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    pool.check_network(network);
    network.check_open();
    roster.check_version();
    assert!(pool.roster() == roster.address_of(), EWrongObject);
    let p = *network.params();
    let wanted = p.auditors() + params::spares() + 1;
    assert!(roster.positive() >= wanted && roster.positive() >= params::candidates(), ERosterTooSmall);
    let now = network.now(clock);
    let audit_probability = pool.audit_probability(&p, value);
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let candidates = roster.draw_without(&seed, params::candidates(), vector[]);
    let task = Task {
        id: object::new(ctx),
        version: network::version(),
        network: network.address_of(),
        pool: pool.address_of(),
        roster: roster.address_of(),
        requester,
        origin,
        manifest: pool.manifest(),
        params: p,
        terms: Terms {
            price: pool.price(), auditor_fee: pool.auditor_fee(), reservation_fee: pool.reservation_fee(), value,
            tee_mask: pool.tee_mask(), audit_probability,
        },
        escrow: payment,
        bonds: Bonds { held: balance::zero(), challenge: 0, claim: 0, dispute: 0 },
        state: OPEN,
        outcome: UNDETERMINED,
        opened_at: now,
        deadline: now + p.input_ms(),
        candidates,
        candidate: 0,
        executor: round::nobody(),
        input: Input {
            uri: vector[], digest: vector[], key_commitment: vector[], output_pk: vector[], tee_mask: 0, denied: vector[],
        },
        output: Output { commitment: vector[], sealed_digest: vector[], units: 0, signature: vector[] },
        draw: Draw { seed: vector[], drawn_at: 0, panel: vector[], audited: false, challenged: false },
        rounds: vector[],
        verdict: round::no_verdict(),
        delivery: Delivery {
            claimed: false, published: false, disputed: false, chunks: 0, leaves: vector[], verdict: round::no_verdict(),
        },
        cranker: @0x0,
    };
    event::emit(TaskOpened {
        task: address_of(&task), network: task.network, pool: task.pool, requester, origin, request, candidates, value,
        audit_probability, escrow: task.escrow.value(), deadline: task.deadline,
    });
    transfer::share_object(task);
}

/// The requester does not trust the evidence of `node`, the candidate whose turn it is: the next one's turn, for a reservation
/// fee. He names it, so that what he read a moment ago cannot make him pay for another. A candidate whose record the committee has revoked is passed over for nothing.
public fun reject_executor(
    task: &mut Task, pool: &mut Pool, node: address, fee: Coin<SUI>, network: &Network, clock: &Clock, ctx: &TxContext,
) {
    check_pool(task, pool);
    act(task, network, clock, OPEN);
    assert!(ctx.sender() == task.requester, ENotRequester);
    assert!(fee.value() == task.terms.reservation_fee, EWrongPayment);
    let slot = next_candidate(task, pool, network, clock);
    assert!(pool.member(slot).node() == node, EWrongExecutor);
    pool.pay(address_of(task), slot, fee.into_balance());
    event::emit(ExecutorRejected { task: address_of(task), pool: task.pool, slot });
}

/// Seats the first candidate that can take the task and locks its stake, by its record of `key_epoch`: the present one, or the one
/// before in its grace.
public fun assign(
    task: &mut Task, pool: &mut Pool, network: &Network, key_epoch: u64, clock: &Clock, ctx: &TxContext,
): Assignment {
    check_pool(task, pool);
    let now = act(task, network, clock, OPEN);
    assert!(ctx.sender() == task.requester, ENotRequester);
    let slot = next_candidate(task, pool, network, clock);
    let record = pool.member(slot).usable(key_epoch, now);
    let until = clock.timestamp_ms() + params::span(&task.params);
    let good = record.epoch() > 0 && record.not_after() >= until && network.is_in_force(record.policy(), clock);
    assert!(good, EWrongExecutor);
    pool.speak_for(&task.params);
    Assignment { task: address_of(task), seat: round::seat(pool, slot, &record, task.params.executor_lock(), true) }
}

/// Where the sealed input lies. It is also the requester's public word that he accepts the executor's attestation:
/// `node` and `key_epoch` are those he checked and sealed for. No audit reaches a kind outside `tee_mask` or an operator in `denied`.
public fun post_input(
    task: &mut Task,
    assignment: Assignment,
    node: address,
    key_epoch: u64,
    input_uri: vector<u8>,
    input_digest: vector<u8>,
    key_commitment: vector<u8>,
    output_pk: vector<u8>,
    tee_mask: u64,
    denied: vector<address>,
    network: &Network,
    clock: &Clock,
) {
    let now = act(task, network, clock, OPEN);
    let Assignment { task: assigned, seat } = assignment;
    assert!(assigned == address_of(task), EWrongObject);
    assert!(seat.node() == node && seat.epoch() == key_epoch, EWrongExecutor);
    assert!(input_uri.length() <= MAX_URI, EUriTooLong);
    assert!(denied.length() <= MAX_DENIED, ETooManyDenied);
    assert!(is_digest(&input_digest) && is_digest(&key_commitment) && is_digest(&output_pk), EBadDigest);
    task.executor = seat;
    task.input = Input { uri: input_uri, digest: input_digest, key_commitment, output_pk, tee_mask, denied };
    let deadline = now + task.params.commit_ms();
    wait(task, RUNNING, deadline);
    event::emit(InputPosted {
        task: address_of(task), pool: task.pool, node, slot: task.executor.slot(), key_epoch, input_digest,
        deadline: task.deadline,
    });
}

/// The requester wants an audit although chance did not: once, in the first delivery window, for a bond that pays it if the executor was
/// right. The panel is drawn now: nobody could know it before.
entry fun challenge(
    task: &mut Task, network: &Network, roster: &Roster, bond: Coin<SUI>, r: &Random, clock: &Clock, ctx: &mut TxContext,
) {
    let now = act(task, network, clock, COMMITTED);
    check_roster(task, roster);
    assert!(ctx.sender() == task.requester, ENotRequester);
    assert!(!task.draw.audited && !task.delivery.claimed && !task.delivery.disputed, EAlreadyUsed);
    assert!(bond.value() == challenge_bond(task), EWrongPayment);
    task.bonds.challenge = bond.value();
    task.bonds.held.join(bond.into_balance());
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let panel = draw_panel(task, roster, &seed);
    task.draw = Draw { seed, drawn_at: now, panel, audited: true, challenged: true };
    event::emit(Challenged { task: address_of(task), pool: task.pool, seed, panel, bond: task.bonds.challenge });
}

/// What `challenge` costs: the panel's fees, and the executor's handling.
public fun challenge_bond(task: &Task): u64 {
    task.params.auditors() * task.terms.auditor_fee + task.terms.reservation_fee
}

// === Execution ===

/// The executor's enclave says, signed, that the input cannot be run: nobody is slashed. That it is nowhere to be had (reason 6) is the
/// host's word alone, which earns nothing.
public fun report_invalid_input(task: &mut Task, network: &Network, reason: u8, signature: vector<u8>, clock: &Clock) {
    let now = act(task, network, clock, RUNNING);
    let input = &task.input;
    let facts = statement::input_facts(
        input.key_commitment, input.output_pk, input.tee_mask, input.denied, task.opened_at,
    );
    let message = statement::invalid_bytes(
        task.network, address_of(task), task.executor.node(), task.executor.epoch(), input.digest, facts, reason,
    );
    statement::verify(task.executor.sign_pk(), &message, &signature);
    decide(task, if (reason == NOWHERE) UNAVAILABLE else INVALID_INPUT, now);
}

/// Ends a task whose executor's record was revoked before it committed: nobody is slashed, nobody paid. Anybody may.
public fun cancel_revoked(task: &mut Task, pool: &Pool, network: &Network, clock: &Clock) {
    check_pool(task, pool);
    let now = check(task, network, clock, RUNNING);
    assert!(task.executor.epoch() <= pool.member(task.executor.slot()).revoked_through(), ENotRevoked);
    decide(task, REVOKED, now);
}

/// The executor's commitment; then, and only then, chance decides whether it is audited, and by whom.
/// Every seed costs the same: one event and one write of fixed size, no dynamic field, no branch on the seed.
entry fun commit(
    task: &mut Task,
    network: &Network,
    roster: &Roster,
    commitment: vector<u8>,
    sealed_output_digest: vector<u8>,
    units: u64,
    signature: vector<u8>,
    r: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let now = act(task, network, clock, RUNNING);
    check_roster(task, roster);
    assert!(is_digest(&commitment) && is_digest(&sealed_output_digest), EBadDigest);
    let message = statement::commit_bytes(
        task.network, address_of(task), task.executor.node(), task.executor.epoch(), task.input.digest, commitment,
        sealed_output_digest, units,
    );
    statement::verify(task.executor.sign_pk(), &message, &signature);
    task.output = Output { commitment, sealed_digest: sealed_output_digest, units, signature };
    let deadline = now + task.params.delivery_ms();
    wait(task, COMMITTED, deadline);
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let panel = draw_panel(task, roster, &seed);
    let audited = draw::is_audited(&seed, task.terms.audit_probability);
    task.draw = Draw { seed, drawn_at: now, panel, audited, challenged: false };
    event::emit(Committed {
        task: address_of(task), pool: task.pool, node: task.executor.node(), commitment, sealed_output_digest, seed, panel,
        audited, deadline: task.deadline,
    });
}

/// Auditors and spares, the executor excluded; the same work for every seed.
public(package) fun draw_panel(task: &Task, roster: &Roster, seed: &vector<u8>): vector<u64> {
    let size = task.params.auditors() + params::spares();
    roster.draw_without(seed, size, vector[task.executor.slot()])
}

/// Deletes a task that ended long ago; the caller gets the storage rebate.
public fun reap(task: Task, network: &Network, clock: &Clock) {
    check_network(&task, network);
    assert!(task.state == SETTLED && network.now(clock) >= task.deadline, ENotSettled);
    event::emit(Reaped { task: address_of(&task) });
    let Task { id, escrow, bonds, .. } = task;
    let Bonds { held, .. } = bonds;
    escrow.destroy_zero();
    held.destroy_zero();
    id.delete();
}

/// Raises a task to this package's version; anybody may, once the Network is.
public fun migrate(task: &mut Task, network: &Network) {
    network.check_version();
    assert!(task.network == network.address_of(), EWrongObject);
    assert!(task.version < network::version(), EWrongVersion);
    task.version = network::version();
    network::migrated(address_of(task));
}

// === For `audit`, `delivery`, `crank` and `settlement` ===

/// Waits for something else, until `deadline`.
public(package) fun wait(task: &mut Task, state: u8, deadline: u64) {
    task.state = state;
    task.deadline = deadline;
}

/// The task has an outcome; from `deadline` on, once settled, it may be reaped.
public(package) fun decide(task: &mut Task, outcome: u8, now: u64) {
    task.outcome = outcome;
    let deadline = now + task.params.unbonding_ms();
    wait(task, DECIDED, deadline);
    event::emit(Decided { task: address_of(task), pool: task.pool, outcome });
}

/// The computation is upheld, or found not to be.
public(package) fun set_verdict(task: &mut Task, verdict: Verdict) { task.verdict = verdict; }
public(package) fun set_outcome(task: &mut Task, outcome: u8) { task.outcome = outcome; }
public(package) fun set_settled(task: &mut Task) { task.state = SETTLED; }
public(package) fun set_cranker(task: &mut Task, cranker: address) { task.cranker = cranker; }
public(package) fun set_panel(task: &mut Task, seed: vector<u8>, drawn_at: u64, panel: vector<u64>) {
    task.draw.seed = seed;
    task.draw.drawn_at = drawn_at;
    task.draw.panel = panel;
}
public(package) fun push_round(task: &mut Task, round: Round) { task.rounds.push_back(round); }
public(package) fun pop_round(task: &mut Task): Round { task.rounds.pop_back() }
public(package) fun round_mut(task: &mut Task, index: u64): &mut Round { &mut task.rounds[index] }
public(package) fun current_mut(task: &mut Task): &mut Round {
    let last = task.rounds.length() - 1;
    &mut task.rounds[last]
}
public(package) fun take_escrow(task: &mut Task): Balance<SUI> { task.escrow.withdraw_all() }
public(package) fun take_bonds(task: &mut Task): Balance<SUI> { task.bonds.held.withdraw_all() }
public(package) fun hold_claim(task: &mut Task, bond: Coin<SUI>) {
    task.bonds.claim = bond.value();
    task.bonds.held.join(bond.into_balance());
    task.delivery.claimed = true;
}
public(package) fun hold_dispute(task: &mut Task, bond: Coin<SUI>) {
    task.bonds.dispute = bond.value();
    task.bonds.held.join(bond.into_balance());
    task.delivery.disputed = true;
}
public(package) fun leaves_mut(task: &mut Task): &mut vector<vector<u8>> { &mut task.delivery.leaves }
public(package) fun set_published(task: &mut Task) {
    // the digest is in the Task already; the leaves have served
    task.delivery.chunks = task.delivery.leaves.length();
    task.delivery.leaves = vector[];
    task.delivery.published = true;
}
public(package) fun set_delivery_verdict(task: &mut Task, verdict: Verdict) { task.delivery.verdict = verdict; }

// === Checks ===

/// The first candidate from the cursor on that can take the task; the cursor moves behind it.
fun next_candidate(task: &mut Task, pool: &Pool, network: &Network, clock: &Clock): u64 {
    let p = &task.params;
    let until = clock.timestamp_ms() + params::span(p);
    let mut i = task.candidate;
    while (i < task.candidates.length()) {
        let slot = task.candidates[i];
        i = i + 1;
        if (pool.is_eligible(network, slot, p, p.executor_lock(), true, ALL_KINDS, task.opened_at, until, clock)) {
            task.candidate = i;
            return slot
        };
    };
    abort ENoCandidate
}

/// Checks that `task` is in `state` and its deadline has not passed; returns now.
public(package) fun act(task: &Task, network: &Network, clock: &Clock, state: u8): u64 {
    let now = check(task, network, clock, state);
    assert!(now < task.deadline, ETooLate);
    now
}

public(package) fun check(task: &Task, network: &Network, clock: &Clock, state: u8): u64 {
    check_network(task, network);
    assert!(task.state == state, EWrongState);
    network.now(clock)
}

public(package) fun check_late(task: &Task, now: u64) {
    assert!(now >= task.deadline + task.params.grace_ms(), ETooEarly);
}

public(package) fun check_that(right_state: bool) { assert!(right_state, EWrongState); }

public(package) fun check_network(task: &Task, network: &Network) {
    assert!(task.version == network::version(), EWrongVersion);
    network.check_version();
    assert!(task.network == network.address_of(), EWrongObject);
}

public(package) fun check_pool(task: &Task, pool: &Pool) {
    pool.check_version();
    assert!(task.pool == pool.address_of(), EWrongObject);
}

public(package) fun check_roster(task: &Task, roster: &Roster) {
    roster.check_version();
    assert!(task.roster == roster.address_of(), EWrongObject);
}

public(package) fun check_requester(task: &Task, sender: address) { assert!(sender == task.requester, ENotRequester); }

public(package) fun check_payment(payment: &Coin<SUI>, amount: u64) { assert!(payment.value() == amount, EWrongPayment); }

public(package) fun check_digest(bytes: &vector<u8>) { assert!(is_digest(bytes), EBadDigest); }

fun is_digest(bytes: &vector<u8>): bool { bytes.length() == 32 }

// === Reading ===

/// Whether `output` is what the executor committed to; `leaf_key` and `salt` came sealed with it. For contracts that want an answer.
public fun opens(task: &Task, output: vector<u8>, leaf_key: vector<u8>, salt: vector<u8>): bool {
    let root = commitment::output_root(leaf_key, address_of(task), output, CHUNK);
    commitment::commitment(address_of(task), task.executor.node(), root, salt) == task.output.commitment
}

/// Whether the executor was paid: its answer stands.
public fun is_answered(task: &Task): bool { task.state == SETTLED && (task.outcome == 1 || task.outcome == 2) }

public fun address_of(task: &Task): address { object::uid_to_address(&task.id) }
public fun network(task: &Task): address { task.network }
public fun pool(task: &Task): address { task.pool }
public fun requester(task: &Task): address { task.requester }
public fun origin(task: &Task): address { task.origin }
public fun manifest(task: &Task): vector<u8> { task.manifest }
public fun params(task: &Task): &Params { &task.params }
public fun price(task: &Task): u64 { task.terms.price }
public fun auditor_fee(task: &Task): u64 { task.terms.auditor_fee }
public fun reservation_fee(task: &Task): u64 { task.terms.reservation_fee }
public fun value(task: &Task): u64 { task.terms.value }
public fun audit_probability(task: &Task): u128 { task.terms.audit_probability }
public fun escrow(task: &Task): u64 { task.escrow.value() }
public fun bonds(task: &Task): u64 { task.bonds.held.value() }
public fun bonds_by_kind(task: &Task): (u64, u64, u64) { (task.bonds.challenge, task.bonds.claim, task.bonds.dispute) }
public fun state(task: &Task): u8 { task.state }
public fun outcome(task: &Task): u8 { task.outcome }
public fun opened_at(task: &Task): u64 { task.opened_at }
public fun deadline(task: &Task): u64 { task.deadline }
public fun candidates(task: &Task): vector<u64> { task.candidates }
public fun candidate(task: &Task): u64 { task.candidate }
public fun executor(task: &Task): &Seat { &task.executor }
public fun input_uri(task: &Task): vector<u8> { task.input.uri }
public fun input_digest(task: &Task): vector<u8> { task.input.digest }
public fun key_commitment(task: &Task): vector<u8> { task.input.key_commitment }
public fun output_pk(task: &Task): vector<u8> { task.input.output_pk }
public fun tee_mask(task: &Task): u64 { task.input.tee_mask }
/// Whether the requester keeps some audits away that the Pool would allow.
public fun restricts(task: &Task): bool {
    task.input.tee_mask & task.terms.tee_mask != task.terms.tee_mask || !task.input.denied.is_empty()
}
public fun denied(task: &Task): &vector<address> { &task.input.denied }
public fun task_commitment(task: &Task): vector<u8> { task.output.commitment }
public fun sealed_output_digest(task: &Task): vector<u8> { task.output.sealed_digest }
public fun units(task: &Task): u64 { task.output.units }
public fun signature(task: &Task): vector<u8> { task.output.signature }
public fun seed(task: &Task): vector<u8> { task.draw.seed }
public fun drawn_at(task: &Task): u64 { task.draw.drawn_at }
public fun panel(task: &Task): vector<u64> { task.draw.panel }
/// Whether a round is of the requester's making, not of chance nor of a disagreement: such rounds leave the audit reserve alone.
public fun is_voluntary(task: &Task, kind: u8): bool { (kind == 1 && task.draw.challenged) || kind > 3 }
public fun audited(task: &Task): bool { task.draw.audited }
public fun challenged(task: &Task): bool { task.draw.challenged }
public fun rounds(task: &Task): &vector<Round> { &task.rounds }
public fun current(task: &Task): &Round { &task.rounds[task.rounds.length() - 1] }
public fun verdict(task: &Task): &Verdict { &task.verdict }
public fun claimed(task: &Task): bool { task.delivery.claimed }
/// Chunks of the sealed output that are on chain.
public fun chunks(task: &Task): u64 { task.delivery.chunks }
public fun published(task: &Task): bool { task.delivery.published }
public fun disputed(task: &Task): bool { task.delivery.disputed }
public fun leaves(task: &Task): &vector<vector<u8>> { &task.delivery.leaves }
public fun delivery_verdict(task: &Task): &Verdict { &task.delivery.verdict }
public fun cranker(task: &Task): address { task.cranker }
