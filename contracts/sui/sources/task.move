/// A Task, from `open_task` to `reap`: docs/spec/protocol.md §6.
/// Calls bound by a deadline take the Task mutably and everything else by reference, so that nobody can outbid a node past its deadline.
module enclavia::task;

use enclavia::commitment;
use enclavia::draw;
use enclavia::network::{Self, Network};
use enclavia::params::{Self, Params};
use enclavia::pool::Pool;
use enclavia::roster::Roster;
use enclavia::round::{Self, Round, Seat};
use enclavia::settlement;
use enclavia::statement;
use sui::balance::Balance;
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
/// The round has no such seat.
const EBadSeat: u64 = 11;
/// This seat has already posted that.
const EAlreadyActed: u64 = 12;
/// Root and salt do not open the seat's commitment.
const EBadReveal: u64 = 13;
/// One wrap of 80 bytes for each seat.
const EBadWraps: u64 = 14;
/// Too few operators to draw candidates and a panel from.
const ERosterTooSmall: u64 = 15;
/// The draw ticket is from another time.
const EStaleTicket: u64 = 16;
/// Only a settled task, some time after its end, can be reaped.
const ENotSettled: u64 = 17;

const OPEN: u8 = 0;
const RUNNING: u8 = 1;
const COMMITTED: u8 = 2;
const TICKET: u8 = 3;
const HANDOFF: u8 = 4;
const AUDITING: u8 = 5;
const REVEALING: u8 = 6;
const DISPUTED: u8 = 7;
const DRAWN: u8 = 8;
const DECIDED: u8 = 9;
const SETTLED: u8 = 10;

const ACCEPTED: u8 = 1;
const UPHELD: u8 = 2;
const GUILTY: u8 = 3;
const REFUSED: u8 = 4;
const ABSENT: u8 = 5;
const INVALID_INPUT: u8 = 6;
const EXPIRED: u8 = 7;
const VOID: u8 = 8;
const UNDECIDED: u8 = 9;

/// Rounds: an audit, a dispute, and one more with twice the seats.
const MAX_ROUNDS: u64 = 3;
const MAX_SEATS: u64 = 32;
const MAX_URI: u64 = 256;
const WRAP_BYTES: u64 = 80;

public struct Task has key {
    id: UID,
    version: u64,
    network: address,
    pool: address,
    roster: address,
    requester: address,
    manifest: vector<u8>,
    params: Params,
    price: u64,
    auditor_fee: u64,
    reservation_fee: u64,
    escrow: Balance<SUI>,
    state: u8,
    outcome: u8,
    opened_at: u64,
    deadline: u64,
    candidates: vector<u64>,
    candidate: u64,
    executor: Seat,
    input_uri: vector<u8>,
    input_digest: vector<u8>,
    key_commitment: vector<u8>,
    output_pk: vector<u8>,
    tee_mask: u64,
    commitment: vector<u8>,
    sealed_output_digest: vector<u8>,
    units: u64,
    signature: vector<u8>,
    seed: vector<u8>,
    panel: vector<u64>,
    audited: bool,
    rounds: vector<Round>,
    verdict_root: vector<u8>,
}

/// An executor without an input: must be consumed by `post_input` in the same transaction, so no stake is locked for nothing.
public struct Assignment { task: address, seat: Seat }

public struct TaskOpened has copy, drop {
    task: address, network: address, pool: address, requester: address, candidates: vector<u64>, escrow: u64, deadline: u64,
}
public struct ExecutorRejected has copy, drop { task: address, pool: address, slot: u64 }
public struct InputPosted has copy, drop {
    task: address, pool: address, node: address, slot: u64, key_epoch: u64, input_digest: vector<u8>, deadline: u64,
}
public struct Committed has copy, drop {
    task: address, pool: address, node: address, commitment: vector<u8>, sealed_output_digest: vector<u8>, seed: vector<u8>,
    panel: vector<u64>, audited: bool, deadline: u64,
}
public struct RoundBegun has copy, drop { task: address, pool: address, round: u8, nodes: vector<address>, deadline: u64 }
public struct TicketIssued has copy, drop { task: address, pool: address, round: u8, deadline: u64 }
public struct HandedOff has copy, drop { task: address, pool: address, round: u8, deadline: u64 }
public struct AuditCommitted has copy, drop { task: address, pool: address, node: address, round: u8, seat: u64 }
public struct RevealsOpen has copy, drop { task: address, pool: address, round: u8, deadline: u64 }
public struct Revealed has copy, drop { task: address, pool: address, node: address, round: u8, seat: u64, agrees: bool }
public struct Disputed has copy, drop { task: address, pool: address }
public struct DisputeDrawn has copy, drop { task: address, pool: address, slots: vector<u64> }
public struct Decided has copy, drop { task: address, pool: address, outcome: u8 }
public struct Settled has copy, drop {
    task: address, pool: address, requester: address, node: address, outcome: u8, paid: u64, refunded: u64, slashed: u64,
}
public struct Reaped has copy, drop { task: address }

// === Request ===

/// Opens a task and draws its candidates, with the same work for every seed. `payment` is exactly the Pool's `quote`.
entry fun open_task(
    network: &Network, pool: &Pool, roster: &Roster, payment: Coin<SUI>, r: &Random, clock: &Clock, ctx: &mut TxContext,
) {
    pool.check_network(network);
    network.check_open();
    assert!(pool.roster() == roster.address_of(), EWrongObject);
    let p = *network.params();
    assert!(payment.value() == pool.quote(network), EWrongPayment);
    let wanted = p.auditors() + params::spares() + 1;
    assert!(roster.positive() >= wanted && roster.positive() >= params::candidates(), ERosterTooSmall);
    let now = network.now(clock);
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let candidates = roster.draw_without(&seed, params::candidates(), vector[]);
    let task = Task {
        id: object::new(ctx),
        version: network::version(),
        network: network.address_of(),
        pool: pool.address_of(),
        roster: roster.address_of(),
        requester: ctx.sender(),
        manifest: pool.manifest(),
        params: p,
        price: pool.price(),
        auditor_fee: pool.auditor_fee(),
        reservation_fee: pool.reservation_fee(),
        escrow: payment.into_balance(),
        state: OPEN,
        outcome: 0,
        opened_at: now,
        deadline: now + p.input_ms(),
        candidates,
        candidate: 0,
        executor: round::nobody(),
        input_uri: vector[],
        input_digest: vector[],
        key_commitment: vector[],
        output_pk: vector[],
        tee_mask: 0,
        commitment: vector[],
        sealed_output_digest: vector[],
        units: 0,
        signature: vector[],
        seed: vector[],
        panel: vector[],
        audited: false,
        rounds: vector[],
        verdict_root: vector[],
    };
    event::emit(TaskOpened {
        task: address_of(&task), network: task.network, pool: task.pool, requester: task.requester, candidates,
        escrow: task.escrow.value(), deadline: task.deadline,
    });
    transfer::share_object(task);
}

/// The requester does not trust the evidence of the candidate whose turn it is: the next one's turn, for a reservation fee.
public fun reject_executor(
    task: &mut Task, pool: &mut Pool, fee: Coin<SUI>, network: &Network, clock: &Clock, ctx: &TxContext,
) {
    check_pool(task, pool);
    act(task, network, clock, OPEN);
    assert!(ctx.sender() == task.requester, ENotRequester);
    assert!(fee.value() == task.reservation_fee, EWrongPayment);
    let slot = next_candidate(task, pool, clock);
    pool.pay(address_of(task), slot, fee.into_balance());
    event::emit(ExecutorRejected { task: address_of(task), pool: task.pool, slot });
}

/// Seats the first candidate that can take the task and locks its stake.
public fun assign(task: &mut Task, pool: &mut Pool, network: &Network, clock: &Clock, ctx: &TxContext): Assignment {
    check_pool(task, pool);
    act(task, network, clock, OPEN);
    assert!(ctx.sender() == task.requester, ENotRequester);
    let slot = next_candidate(task, pool, clock);
    Assignment { task: address_of(task), seat: round::seat(pool, slot, task.params.executor_lock()) }
}

/// Where the sealed input lies. It is also the requester's public word that he accepts the executor's attestation:
/// `node` and `key_epoch` are those he checked and sealed for.
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
    network: &Network,
    clock: &Clock,
) {
    let now = act(task, network, clock, OPEN);
    let Assignment { task: assigned, seat } = assignment;
    assert!(assigned == address_of(task), EWrongObject);
    assert!(seat.node() == node && seat.epoch() == key_epoch, EWrongExecutor);
    assert!(input_uri.length() <= MAX_URI, EUriTooLong);
    assert!(is_digest(&input_digest) && is_digest(&key_commitment) && is_digest(&output_pk), EBadDigest);
    task.executor = seat;
    task.input_uri = input_uri;
    task.input_digest = input_digest;
    task.key_commitment = key_commitment;
    task.output_pk = output_pk;
    task.tee_mask = tee_mask;
    task.state = RUNNING;
    task.deadline = now + task.params.commit_ms();
    event::emit(InputPosted {
        task: address_of(task), pool: task.pool, node, slot: task.executor.slot(), key_epoch, input_digest,
        deadline: task.deadline,
    });
}

// === Execution ===

/// The executor's enclave says, signed, that the input cannot be run: nobody is slashed.
public fun report_invalid_input(task: &mut Task, network: &Network, reason: u8, signature: vector<u8>, clock: &Clock) {
    let now = act(task, network, clock, RUNNING);
    let message = statement::invalid_bytes(
        task.network, address_of(task), task.executor.node(), task.executor.epoch(), task.input_digest, reason,
    );
    statement::verify(task.executor.sign_pk(), &message, &signature);
    decide(task, INVALID_INPUT, now);
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
    assert!(task.roster == roster.address_of(), EWrongObject);
    assert!(is_digest(&commitment) && is_digest(&sealed_output_digest), EBadDigest);
    let message = statement::commit_bytes(
        task.network, address_of(task), task.executor.node(), task.executor.epoch(), task.input_digest, commitment,
        sealed_output_digest, units,
    );
    statement::verify(task.executor.sign_pk(), &message, &signature);
    task.commitment = commitment;
    task.sealed_output_digest = sealed_output_digest;
    task.units = units;
    // the requester's receipt: he need not believe us that it was verified
    task.signature = signature;
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let size = task.params.auditors() + params::spares();
    task.panel = roster.draw_without(&seed, size, vector[task.executor.slot()]);
    task.audited = draw::is_audited(&seed, task.params.audit_probability());
    task.seed = seed;
    task.state = COMMITTED;
    task.deadline = now + task.params.delivery_ms();
    event::emit(Committed {
        task: address_of(task), pool: task.pool, node: task.executor.node(), commitment, sealed_output_digest, seed,
        panel: task.panel, audited: task.audited, deadline: task.deadline,
    });
}

// === Audit and dispute ===

/// Seats the auditors that were drawn; anybody may call.
public fun begin_audit(task: &mut Task, pool: &mut Pool, network: &Network, clock: &Clock) {
    check_pool(task, pool);
    let now = check(task, network, clock, COMMITTED);
    assert!(task.audited, EWrongState);
    let round = round::drawn(1, task.panel);
    let want = task.params.auditors();
    begin(task, pool, round, now, clock, want);
}

/// Draws the seats of a dispute, with replacement: one seat, one vote. Anybody may call.
entry fun draw_dispute(
    task: &mut Task, network: &Network, roster: &Roster, r: &Random, clock: &Clock, ctx: &mut TxContext,
) {
    check(task, network, clock, DISPUTED);
    assert!(task.roster == roster.address_of(), EWrongObject);
    // judges are neither the executor, nor its accusers, nor who fell silent in the dispute before
    let mut excluded = vector[task.executor.slot()];
    let mut i = 0;
    while (i < task.rounds.length()) {
        task.rounds[i].exclude(i > 0, &mut excluded);
        i = i + 1;
    };
    let kind = (task.rounds.length() + 1) as u8;
    let mut seats = task.params.dispute_seats();
    if (kind > 2) seats = if (2 * seats < MAX_SEATS) 2 * seats else MAX_SEATS;
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let slots = roster.draw_with(&seed, seats, excluded);
    task.rounds.push_back(round::drawn(kind, slots));
    task.state = DRAWN;
    event::emit(DisputeDrawn { task: address_of(task), pool: task.pool, slots });
}

/// Seats the arbiters that were drawn; anybody may call.
public fun begin_dispute(task: &mut Task, pool: &mut Pool, network: &Network, clock: &Clock) {
    check_pool(task, pool);
    let now = check(task, network, clock, DRAWN);
    let round = task.rounds.pop_back();
    begin(task, pool, round, now, clock, MAX_SEATS);
}

fun begin(task: &mut Task, pool: &mut Pool, drawn: Round, now: u64, clock: &Clock, want: u64) {
    let mut round = drawn;
    let p = &task.params;
    let until = clock.timestamp_ms() + params::span(p);
    round.fill(pool, want, p.min_stake(), p.auditor_lock(), task.tee_mask, until);
    let empty = round.seats().is_empty();
    let nodes = round.nodes();
    let kind = round.kind();
    task.rounds.push_back(round);
    // a requester who allows no auditor that there is cannot have the result for the reservation fee
    let restricted = task.tee_mask & pool.tee_mask() != pool.tee_mask();
    if (empty) return decide(task, if (kind == 1 && restricted) ACCEPTED else VOID, now);
    task.state = TICKET;
    task.deadline = now + task.params.ticket_ms();
    event::emit(RoundBegun { task: address_of(task), pool: task.pool, round: kind, nodes, deadline: task.deadline });
}

/// The committee confirms to the executor's enclave, which cannot see the chain, who was drawn.
public fun issue_ticket(
    task: &mut Task, network: &Network, issued_at: u64, signers: vector<u64>, signatures: vector<vector<u8>>, clock: &Clock,
) {
    let now = act(task, network, clock, TICKET);
    let at = clock.timestamp_ms();
    let p = &task.params;
    assert!(issued_at <= at + p.grace_ms() && at <= issued_at + p.ticket_ms(), EStaleTicket);
    let round = current(task);
    let message = statement::ticket_bytes(
        task.network, address_of(task), round.kind(), task.input_digest, round.ticket_seats(), issued_at,
    );
    statement::verify_committee(network.verifiers(), network.threshold(), &message, &signers, &signatures);
    current_mut(task).set_ticket(issued_at, signers, signatures);
    task.state = HANDOFF;
    task.deadline = now + task.params.handoff_ms();
    event::emit(TicketIssued {
        task: address_of(task), pool: task.pool, round: current(task).kind(), deadline: task.deadline,
    });
}

/// The data key, wrapped for each seat by the executor's enclave. That it came, and what came, is a fact of the chain.
public fun handoff(task: &mut Task, network: &Network, wraps: vector<vector<u8>>, signature: vector<u8>, clock: &Clock) {
    let now = act(task, network, clock, HANDOFF);
    let round = current(task);
    let kind = round.kind();
    assert!(wraps.length() == round.seats().length(), EBadWraps);
    let mut i = 0;
    while (i < wraps.length()) {
        assert!(wraps[i].length() == WRAP_BYTES, EBadWraps);
        i = i + 1;
    };
    let message = statement::handoff_bytes(
        task.network, address_of(task), task.executor.node(), task.executor.epoch(), kind, wraps,
    );
    statement::verify(task.executor.sign_pk(), &message, &signature);
    current_mut(task).set_wraps(wraps);
    task.state = AUDITING;
    task.deadline = now + task.params.audit_ms();
    event::emit(HandedOff { task: address_of(task), pool: task.pool, round: kind, deadline: task.deadline });
}

/// A panel member's blinded commitment, signed by its enclave.
public fun audit_commit(
    task: &mut Task, network: &Network, seat: u64, commitment: vector<u8>, signature: vector<u8>, clock: &Clock,
) {
    let now = act(task, network, clock, AUDITING);
    assert!(is_digest(&commitment), EBadDigest);
    let round = current(task);
    assert!(seat < round.seats().length(), EBadSeat);
    let kind = round.kind();
    let member = &round.seats()[seat];
    assert!(member.is_waiting(), EAlreadyActed);
    let node = member.node();
    let message = statement::audit_bytes(
        task.network, address_of(task), node, member.epoch(), kind, task.input_digest, commitment,
    );
    statement::verify(member.sign_pk(), &message, &signature);
    current_mut(task).set_commitment(seat, commitment);
    event::emit(AuditCommitted { task: address_of(task), pool: task.pool, node, round: kind, seat });
    if (current(task).committed() == current(task).seats().length()) open_reveals(task, now);
}

/// Opens a seat's commitment, which binds `executor_salt` too, so that nobody can make an honest member seem to differ.
/// With the same root, `executor_salt` opens the executor's commitment: then the seat agrees.
public fun reveal(
    task: &mut Task, network: &Network, seat: u64, root: vector<u8>, salt: vector<u8>, executor_salt: vector<u8>, clock: &Clock,
) {
    let now = act(task, network, clock, REVEALING);
    let at = address_of(task);
    let round = current(task);
    assert!(seat < round.seats().length(), EBadSeat);
    let member = &round.seats()[seat];
    assert!(member.is_committed(), EAlreadyActed);
    assert!(is_digest(&root) && is_digest(&salt) && is_digest(&executor_salt), EBadDigest);
    let node = member.node();
    let mut salts = salt;
    salts.append(executor_salt);
    assert!(commitment::commitment(at, node, root, salts) == *member.posted(), EBadReveal);
    let agrees = commitment::commitment(at, task.executor.node(), root, executor_salt) == task.commitment;
    let kind = round.kind();
    current_mut(task).set_root(seat, root, agrees);
    event::emit(Revealed { task: at, pool: task.pool, node, round: kind, seat, agrees });
    if (current(task).revealed() == current(task).committed()) judge(task, now);
}

fun open_reveals(task: &mut Task, now: u64) {
    task.state = REVEALING;
    task.deadline = now + task.params.reveal_ms();
    event::emit(RevealsOpen {
        task: address_of(task), pool: task.pool, round: current(task).kind(), deadline: task.deadline,
    });
}

fun judge(task: &mut Task, now: u64) {
    let round = current(task);
    if (round.kind() == 1) {
        if (!round.is_unanimous()) return dispute(task);
        task.verdict_root = round.agreed_root();
        return decide(task, UPHELD, now)
    };
    let root = round.two_thirds();
    if (!root.is_empty()) {
        let upheld = root == round.agreed_root();
        task.verdict_root = root;
        return decide(task, if (upheld) UPHELD else GUILTY, now)
    };
    if (task.rounds.length() < MAX_ROUNDS) dispute(task) else decide(task, UNDECIDED, now)
}

fun dispute(task: &mut Task) {
    task.state = DISPUTED;
    event::emit(Disputed { task: address_of(task), pool: task.pool });
}

// === The end ===

/// Moves a task on whose deadline, with its grace, has passed; anybody may call.
public fun advance(task: &mut Task, network: &Network, clock: &Clock) {
    check_network(task, network);
    network.check_alive(clock);
    let now = network.now(clock);
    let state = task.state;
    let waits = state == OPEN || state == RUNNING || (state == COMMITTED && !task.audited) || state == TICKET
        || state == HANDOFF || state == AUDITING || state == REVEALING;
    assert!(waits, EWrongState);
    assert!(now >= task.deadline + task.params.grace_ms(), ETooEarly);
    if (state == OPEN) decide(task, EXPIRED, now)
    else if (state == RUNNING) decide(task, ABSENT, now)
    else if (state == COMMITTED) decide(task, ACCEPTED, now)
    else if (state == TICKET) decide(task, VOID, now)
    else if (state == HANDOFF) decide(task, REFUSED, now)
    else if (state == AUDITING && current(task).committed() > 0) open_reveals(task, now)
    else judge(task, now)
}

fun decide(task: &mut Task, outcome: u8, now: u64) {
    task.state = DECIDED;
    task.outcome = outcome;
    // from then on a settled task may be reaped
    task.deadline = now + task.params.unbonding_ms();
    event::emit(Decided { task: address_of(task), pool: task.pool, outcome });
}

/// Pays, refunds, releases and slashes as the outcome says; anybody may call.
public fun settle(task: &mut Task, pool: &mut Pool, network: &Network, ctx: &mut TxContext) {
    check_pool(task, pool);
    check_network(task, network);
    assert!(task.state == DECIDED, EWrongState);
    task.state = SETTLED;
    let at = address_of(task);
    let outcome = task.outcome;
    let p = task.params;
    let mut escrow = task.escrow.withdraw_all();
    let mut paid = 0;
    if (outcome == ACCEPTED || outcome == UPHELD) {
        paid = task.price + task.reservation_fee;
        pool.pay(at, task.executor.slot(), escrow.split(paid));
        pool.add_audit_fund(escrow.withdraw_all());
    } else if (outcome == INVALID_INPUT || outcome == VOID) {
        paid = task.reservation_fee;
        pool.pay(at, task.executor.slot(), escrow.split(paid));
    } else if (outcome == EXPIRED) {
        pool.add_treasury(escrow.split(task.reservation_fee));
    };
    let mut slashed = 0;
    let mut spoils = settlement::start();
    if (outcome != EXPIRED) {
        let lock = task.executor.lock();
        slashed = if (outcome == GUILTY || outcome == REFUSED) lock
            else if (outcome == ABSENT) params::share(lock, p.absence_bps())
            else if (outcome == UNDECIDED) params::share(lock, p.undecided_bps())
            else 0;
        // capped near the fee: nobody profits from a conviction that he can provoke
        let cap = if (outcome == UNDECIDED) 0 else task.price;
        escrow.join(settlement::executor(&mut spoils, pool, &p, at, &task.executor, slashed, cap, outcome));
        if (outcome == ABSENT) pool.strike(task.executor.slot());
    };
    let judged = outcome == UPHELD || outcome == GUILTY;
    let mut i = 0;
    while (i < task.rounds.length()) {
        settlement::panel(&mut spoils, pool, &p, at, &task.rounds[i], judged, outcome == UPHELD, &task.verdict_root);
        i = i + 1;
    };
    settlement::finish(spoils, pool, at, task.auditor_fee);
    let refunded = escrow.value();
    if (refunded > 0) transfer::public_transfer(coin::from_balance(escrow, ctx), task.requester)
    else escrow.destroy_zero();
    event::emit(Settled {
        task: at, pool: task.pool, requester: task.requester, node: task.executor.node(), outcome, paid, refunded, slashed,
    });
}

/// Deletes a task that ended long ago; the caller gets the storage rebate.
public fun reap(task: Task, network: &Network, clock: &Clock) {
    check_network(&task, network);
    assert!(task.state == SETTLED && network.now(clock) >= task.deadline, ENotSettled);
    event::emit(Reaped { task: address_of(&task) });
    let Task { id, escrow, .. } = task;
    escrow.destroy_zero();
    id.delete();
}

// === Checks ===

/// The first candidate from the cursor on that can take the task; the cursor moves behind it.
fun next_candidate(task: &mut Task, pool: &Pool, clock: &Clock): u64 {
    let p = &task.params;
    let until = clock.timestamp_ms() + params::span(p);
    let mut i = task.candidate;
    while (i < task.candidates.length()) {
        let slot = task.candidates[i];
        i = i + 1;
        if (pool.is_eligible(slot, p.min_stake(), p.executor_lock(), 0xffff_ffff_ffff_ffff, until)) {
            task.candidate = i;
            return slot
        };
    };
    abort ENoCandidate
}

/// Checks that `task` is in `state` and its deadline has not passed; returns now.
fun act(task: &Task, network: &Network, clock: &Clock, state: u8): u64 {
    let now = check(task, network, clock, state);
    assert!(now < task.deadline, ETooLate);
    now
}

fun check(task: &Task, network: &Network, clock: &Clock, state: u8): u64 {
    check_network(task, network);
    assert!(task.state == state, EWrongState);
    network.now(clock)
}

fun check_network(task: &Task, network: &Network) {
    assert!(task.version == network::version() && task.network == network.address_of(), EWrongObject);
}

fun check_pool(task: &Task, pool: &Pool) { assert!(task.pool == pool.address_of(), EWrongObject); }

fun is_digest(bytes: &vector<u8>): bool { bytes.length() == 32 }
fun current(task: &Task): &Round { &task.rounds[task.rounds.length() - 1] }
fun current_mut(task: &mut Task): &mut Round {
    let last = task.rounds.length() - 1;
    &mut task.rounds[last]
}

public fun address_of(task: &Task): address { object::uid_to_address(&task.id) }
public fun state(task: &Task): u8 { task.state }
public fun outcome(task: &Task): u8 { task.outcome }
public fun audited(task: &Task): bool { task.audited }
public fun requester(task: &Task): address { task.requester }
public fun executor(task: &Task): &Seat { &task.executor }
public fun deadline(task: &Task): u64 { task.deadline }
public fun candidates(task: &Task): vector<u64> { task.candidates }
public fun panel(task: &Task): vector<u64> { task.panel }
public fun rounds(task: &Task): &vector<Round> { &task.rounds }
public fun input_digest(task: &Task): vector<u8> { task.input_digest }
public fun task_commitment(task: &Task): vector<u8> { task.commitment }
public fun sealed_output_digest(task: &Task): vector<u8> { task.sealed_output_digest }
