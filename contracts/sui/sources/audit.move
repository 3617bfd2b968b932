/// Audits, disputes and the committee's ruling: docs/spec/protocol.md §6. An audit re-runs a task; arbiters judge where it differs, or
/// (rounds 4 and 5) whether what was delivered is what was committed to.
module enclavia::audit;

use enclavia::commitment;
use enclavia::draw;
use enclavia::network::Network;
use enclavia::params;
use enclavia::pool::Pool;
use enclavia::roster::Roster;
use enclavia::round::{Self, Round};
use enclavia::statement;
use enclavia::task::{Self, Task};
use sui::clock::Clock;
use sui::event;
use sui::random::{Self, Random};

/// The round has no such seat.
const EBadSeat: u64 = 1;
/// This seat has already posted that.
const EAlreadyActed: u64 = 2;
/// Root and salt do not open the seat's commitment.
const EBadReveal: u64 = 3;
/// One wrap of 80 bytes for each seat.
const EBadWraps: u64 = 4;
/// The draw ticket is from another time.
const EStaleTicket: u64 = 5;
/// Only the executor, or in a dispute of the computation an auditor who revealed, can hand off; in a dispute of the delivery, the requester by `post_output_key`.
const ENotAHolder: u64 = 6;
/// A URI has at most 256 bytes.
const EBadUri: u64 = 7;

const COMMITTED: u8 = 2;
const TICKET: u8 = 3;
const HANDOFF: u8 = 4;
const AUDITING: u8 = 5;
const REVEALING: u8 = 6;
const DISPUTED: u8 = 7;
const DRAWN: u8 = 8;
const EMPTY: u8 = 11;
const RULING: u8 = 13;

const ACCEPTED: u8 = 1;
const UPHELD: u8 = 2;
const GUILTY: u8 = 3;
const FORGED: u8 = 12;

const AUDIT: u8 = 1;
const DISPUTE: u8 = 2;
const DELIVERY: u8 = 4;
/// A matter is disputed twice at most, the second time with twice the seats.
const MAX_DISPUTES: u64 = 2;
const WRAP_BYTES: u64 = 80;
const MAX_URI: u64 = 256;

public struct RoundBegun has copy, drop { task: address, pool: address, round: u8, nodes: vector<address>, deadline: u64 }
public struct PanelEmpty has copy, drop { task: address, pool: address, deadline: u64 }
public struct Redrawn has copy, drop { task: address, pool: address, seed: vector<u8>, panel: vector<u64> }
public struct TicketIssued has copy, drop { task: address, pool: address, round: u8, deadline: u64 }
public struct HandedOff has copy, drop {
    task: address, pool: address, round: u8, by: address, uri: vector<u8>, deadline: u64,
}
public struct AuditCommitted has copy, drop { task: address, pool: address, node: address, round: u8, seat: u64 }
public struct RevealsOpen has copy, drop { task: address, pool: address, round: u8, deadline: u64 }
public struct Revealed has copy, drop { task: address, pool: address, node: address, round: u8, seat: u64, agrees: bool }
public struct Upheld has copy, drop { task: address, pool: address, deadline: u64 }
public struct Disputed has copy, drop { task: address, pool: address, deadline: u64 }
public struct DisputeDrawn has copy, drop { task: address, pool: address, round: u8, seed: vector<u8>, slots: vector<u64> }
public struct FalseHandoff has copy, drop { task: address, pool: address, node: address }
public struct RulingAwaited has copy, drop { task: address, pool: address, round: u8, deadline: u64 }
/// `signers` of the committee of epoch `committee` ruled so.
public struct Ruled has copy, drop {
    task: address, pool: address, round: u8, root: vector<u8>, agrees: bool, committee: u64, signers: vector<u64>,
}

// === Seating ===

/// Seats the auditors that were drawn; anybody may call.
public fun begin_audit(task: &mut Task, pool: &mut Pool, network: &Network, clock: &Clock) {
    task.check_pool(pool);
    task.check_network(network);
    let now = network.now(clock);
    let state = task.state();
    task::check_that(is_waiting_for_audit(task) || (state == EMPTY && !task.panel().is_empty()));
    let mut round = round::drawn(AUDIT, task.seed(), task.drawn_at(), task.panel());
    let p = *task.params();
    fill(task, &mut round, pool, network, p.auditors(), clock);
    if (round.seats().is_empty()) {
        task.set_panel(vector[], 0, vector[]);
        // a redraw does not prolong the wait
        let deadline = if (state == EMPTY) task.deadline() else now + p.delivery_ms();
        task.wait(EMPTY, deadline);
        event::emit(PanelEmpty { task: task.address_of(), pool: task.pool(), deadline });
        return
    };
    begin(task, round, TICKET, now + p.ticket_ms());
}

/// Draws a panel anew where nobody of the last one could serve; anybody may call.
entry fun redraw(task: &mut Task, network: &Network, roster: &Roster, r: &Random, clock: &Clock, ctx: &mut TxContext) {
    let now = task.act(network, clock, EMPTY);
    task.check_roster(roster);
    task::check_that(task.panel().is_empty());
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let panel = task.draw_panel(roster, &seed);
    task.set_panel(seed, now, panel);
    event::emit(Redrawn { task: task.address_of(), pool: task.pool(), seed, panel });
}

/// Draws the seats of a dispute, with replacement: one seat, one vote. Anybody may call.
entry fun draw_dispute(
    task: &mut Task, network: &Network, roster: &Roster, r: &Random, clock: &Clock, ctx: &mut TxContext,
) {
    let now = task.act(network, clock, DISPUTED);
    task.check_roster(roster);
    let delivery = task.disputed();
    let before = disputes(task);
    // judges are neither the executor, nor its accusers, nor who fell silent in the dispute before
    let mut excluded = vector[task.executor().slot()];
    let mut i = 0;
    while (i < task.rounds().length()) {
        let round = &task.rounds()[i];
        let silent_only = !delivery && round.kind() != AUDIT;
        round.exclude(silent_only, &mut excluded);
        i = i + 1;
    };
    let kind = (before as u8) + (if (delivery) DELIVERY else DISPUTE);
    let mut seats = task.params().dispute_seats();
    if (before > 0) seats = if (2 * seats < params::max_seats()) 2 * seats else params::max_seats();
    let mut generator = random::new_generator(r, ctx);
    let seed = random::generate_bytes(&mut generator, 32);
    let slots = roster.draw_with(&seed, seats, excluded);
    task.push_round(round::drawn(kind, seed, now, slots));
    let deadline = task.deadline();
    task.wait(DRAWN, deadline);
    event::emit(DisputeDrawn { task: task.address_of(), pool: task.pool(), round: kind, seed, slots });
}

/// Seats the arbiters that were drawn; anybody may call.
public fun begin_dispute(task: &mut Task, pool: &mut Pool, network: &Network, clock: &Clock) {
    task.check_pool(pool);
    let now = task.check(network, clock, DRAWN);
    let mut round = task.pop_round();
    fill(task, &mut round, pool, network, params::max_seats(), clock);
    if (round.seats().is_empty()) {
        let deadline = task.deadline();
        task.wait(DISPUTED, deadline);
        event::emit(Disputed { task: task.address_of(), pool: task.pool(), deadline });
        return
    };
    // the key to what was delivered is the requester's to give, and no secret of the computation
    let p = *task.params();
    if (round.is_of_delivery()) begin(task, round, HANDOFF, now + p.handoff_ms())
    else begin(task, round, TICKET, now + p.ticket_ms());
}

fun fill(task: &Task, round: &mut Round, pool: &mut Pool, network: &Network, want: u64, clock: &Clock) {
    let p = task.params();
    let until = clock.timestamp_ms() + params::span(p);
    let voluntary = task.is_voluntary(round.kind());
    round.fill(pool, network, want, p, task.tee_mask(), task.denied(), until, voluntary, clock);
}

fun begin(task: &mut Task, round: Round, state: u8, deadline: u64) {
    let nodes = round.nodes();
    let kind = round.kind();
    task.push_round(round);
    task.wait(state, deadline);
    event::emit(RoundBegun { task: task.address_of(), pool: task.pool(), round: kind, nodes, deadline });
}

// === Handing off ===

/// The committee confirms to the enclave that hands off, which cannot see the chain, who was drawn.
public fun issue_ticket(
    task: &mut Task, network: &Network, issued_at: u64, committee: u64, signers: vector<u64>,
    signatures: vector<vector<u8>>, clock: &Clock,
) {
    let now = task.act(network, clock, TICKET);
    let at = clock.timestamp_ms();
    let p = *task.params();
    assert!(issued_at <= at + p.grace_ms() && at <= issued_at + p.ticket_ms(), EStaleTicket);
    let round = task.current();
    let kind = round.kind();
    let message = statement::ticket_bytes(
        task.network(), task.address_of(), kind, task.input_digest(), round.ticket_seats(), issued_at,
    );
    network.verify_committee(committee, &message, &signers, &signatures, clock);
    task.current_mut().set_ticket(issued_at, committee, signers, signatures);
    let deadline = now + p.handoff_ms();
    task.wait(HANDOFF, deadline);
    event::emit(TicketIssued { task: task.address_of(), pool: task.pool(), round: kind, deadline });
}

/// The data key, wrapped for each seat: by the executor's enclave, or in a dispute by that of an auditor who revealed (`by` is its
/// seat). That it came, and what came, is a fact of the chain; who holds the key can recompute every byte.
public fun handoff(
    task: &mut Task, network: &Network, by: u64, wraps: vector<vector<u8>>, uri: vector<u8>, signature: vector<u8>,
    clock: &Clock,
) {
    let now = task.act(network, clock, HANDOFF);
    let kind = task.current().kind();
    assert!(!task.current().is_of_delivery(), ENotAHolder);
    assert!(uri.length() <= MAX_URI, EBadUri);
    check_wraps(task, &wraps);
    let holder = if (by == draw::none()) {
        *task.executor()
    } else {
        assert!(kind > AUDIT, ENotAHolder);
        let auditors = task.rounds()[0].seats();
        assert!(by < auditors.length() && auditors[by].is_revealed(), ENotAHolder);
        auditors[by]
    };
    let message = statement::handoff_bytes(task.network(), task.address_of(), holder.node(), holder.epoch(), kind, wraps);
    statement::verify(holder.sign_pk(), &message, &signature);
    accept_wraps(task, wraps, holder.slot(), holder.node(), uri, now);
}

public(package) fun check_wraps(task: &Task, wraps: &vector<vector<u8>>) {
    assert!(wraps.length() == task.current().seats().length(), EBadWraps);
    let mut i = 0;
    while (i < wraps.length()) {
        assert!(wraps[i].length() == WRAP_BYTES, EBadWraps);
        i = i + 1;
    };
}

public(package) fun accept_wraps(
    task: &mut Task, wraps: vector<vector<u8>>, slot: u64, by: address, uri: vector<u8>, now: u64,
) {
    task.current_mut().set_wraps(wraps, slot, uri);
    let deadline = now + task.params().audit_ms();
    task.wait(AUDITING, deadline);
    event::emit(HandedOff {
        task: task.address_of(), pool: task.pool(), round: task.current().kind(), by, uri, deadline,
    });
}

// === Voting ===

/// A panel member's blinded commitment, signed by its enclave.
public fun audit_commit(
    task: &mut Task, network: &Network, seat: u64, commitment: vector<u8>, signature: vector<u8>, clock: &Clock,
) {
    let now = task.act(network, clock, AUDITING);
    task::check_digest(&commitment);
    let round = task.current();
    assert!(seat < round.seats().length(), EBadSeat);
    let kind = round.kind();
    let member = &round.seats()[seat];
    assert!(member.is_waiting(), EAlreadyActed);
    let node = member.node();
    let message = statement::audit_bytes(
        task.network(), task.address_of(), node, member.epoch(), kind, task.input_digest(), commitment,
    );
    statement::verify(member.sign_pk(), &message, &signature);
    task.current_mut().set_commitment(seat, commitment);
    event::emit(AuditCommitted { task: task.address_of(), pool: task.pool(), node, round: kind, seat });
    if (task.current().committed() == task.current().seats().length()) open_reveals(task, now);
}

/// Opens a seat's commitment, which binds `executor_salt` too, so that nobody can make an honest member seem to differ.
/// With the same root, `executor_salt` opens the executor's commitment: then the seat agrees.
public fun reveal(
    task: &mut Task, network: &Network, seat: u64, root: vector<u8>, salt: vector<u8>, executor_salt: vector<u8>,
    clock: &Clock,
) {
    let now = task.act(network, clock, REVEALING);
    let at = task.address_of();
    let round = task.current();
    assert!(seat < round.seats().length(), EBadSeat);
    let member = &round.seats()[seat];
    assert!(member.is_committed(), EAlreadyActed);
    task::check_digest(&root);
    task::check_digest(&salt);
    task::check_digest(&executor_salt);
    let node = member.node();
    let mut salts = salt;
    salts.append(executor_salt);
    assert!(commitment::commitment(at, node, root, salts) == *member.posted(), EBadReveal);
    // a broken enclave could commit to a special root: every honest vote of that name would agree with it
    let opens = commitment::commitment(at, task.executor().node(), root, executor_salt) == task.task_commitment();
    let agrees = opens && !round::is_special(&root);
    let kind = round.kind();
    task.current_mut().set_root(seat, root, agrees);
    event::emit(Revealed { task: at, pool: task.pool(), node, round: kind, seat, agrees });
    if (task.current().revealed() == task.current().committed()) judge(task, now);
}

public(package) fun open_reveals(task: &mut Task, now: u64) {
    let deadline = now + task.params().reveal_ms();
    task.wait(REVEALING, deadline);
    event::emit(RevealsOpen { task: task.address_of(), pool: task.pool(), round: task.current().kind(), deadline });
}

// === Judging ===

/// Judges the current round by what was revealed: `agent.protocol.judging` has the same rules.
public(package) fun judge(task: &mut Task, now: u64) {
    let round = *task.current();
    if (round.kind() == AUDIT) {
        let verdict = round.unanimous();
        if (!verdict.exists()) return dispute(task, now);
        task.set_verdict(verdict);
        return uphold(task, now)
    };
    let verdict = round.two_thirds();
    if (!verdict.exists()) return dispute(task, now);
    let root = verdict.verdict_root();
    if (round.is_of_delivery()) {
        task.set_delivery_verdict(verdict);
        return if (round::is_forged(root) && !verdict.upholds()) task.decide(FORGED, now)
            else if (verdict.upholds() || round::is_bad_key(root)) conclude(task, now)
            else rule_out(task, now)
    };
    if (round::blames_handoff(root) && round.handed_by() != task.executor().slot()) {
        // not the executor's wraps: whoever made them pays, and others judge again
        let node = task.rounds()[0].node_of(round.handed_by());
        task.round_mut(0).set_false_handoff(round.handed_by());
        event::emit(FalseHandoff { task: task.address_of(), pool: task.pool(), node });
        return dispute(task, now)
    };
    task.set_verdict(verdict);
    if (verdict.upholds()) uphold(task, now) else task.decide(GUILTY, now)
}

/// A delivery can only be what was committed to, forged, or not judgeable for the requester's key: another root is nobody's vote.
fun rule_out(task: &mut Task, now: u64) {
    task.set_delivery_verdict(round::no_verdict());
    dispute(task, now)
}

/// The executor computed what it should have: the requester has a whole delivery window from now.
fun uphold(task: &mut Task, now: u64) {
    task.set_outcome(UPHELD);
    let deadline = now + task.params().delivery_ms();
    task.wait(COMMITTED, deadline);
    event::emit(Upheld { task: task.address_of(), pool: task.pool(), deadline });
}

/// Nothing is left to complain of.
public(package) fun conclude(task: &mut Task, now: u64) {
    let outcome = if (task.outcome() == UPHELD) UPHELD else ACCEPTED;
    task.decide(outcome, now)
}

/// To arbiters, or, after two rounds of them, to the committee of last resort.
public(package) fun dispute(task: &mut Task, now: u64) {
    if (disputes(task) >= MAX_DISPUTES) return await_ruling(task, now);
    let deadline = now + task.params().delivery_ms();
    task.wait(DISPUTED, deadline);
    event::emit(Disputed { task: task.address_of(), pool: task.pool(), deadline });
}

public(package) fun await_ruling(task: &mut Task, now: u64) {
    let deadline = now + task.params().audit_ms();
    task.wait(RULING, deadline);
    let round = matter(task);
    event::emit(RulingAwaited { task: task.address_of(), pool: task.pool(), round, deadline });
}

/// The committee's word where arbiters found none: whether the executor is right in the matter at hand.
public fun rule(
    task: &mut Task, network: &Network, root: vector<u8>, agrees: bool, committee: u64, signers: vector<u64>,
    signatures: vector<vector<u8>>, clock: &Clock,
) {
    let now = task.act(network, clock, RULING);
    task::check_digest(&root);
    let round = matter(task);
    let message = statement::ruling_bytes(task.network(), task.address_of(), round, root, agrees);
    network.verify_committee(committee, &message, &signers, &signatures, clock);
    event::emit(Ruled { task: task.address_of(), pool: task.pool(), round, root, agrees, committee, signers });
    let verdict = round::verdict(root, agrees);
    if (round >= DELIVERY) {
        task.set_delivery_verdict(verdict);
        if (agrees) conclude(task, now) else task.decide(FORGED, now)
    } else {
        task.set_verdict(verdict);
        if (agrees) uphold(task, now) else task.decide(GUILTY, now)
    }
}

/// The kind of the latest round of the matter at hand; where none was begun, that of its first.
fun matter(task: &Task): u8 {
    let rounds = task.rounds();
    let latest = if (rounds.is_empty()) 0 else rounds[rounds.length() - 1].kind();
    if (task.disputed()) { if (latest < DELIVERY) DELIVERY else latest } else latest
}

/// How often the matter at hand was disputed.
fun disputes(task: &Task): u64 {
    let delivery = task.disputed();
    let mut count = 0;
    let mut i = 0;
    while (i < task.rounds().length()) {
        let round = &task.rounds()[i];
        if (round.kind() != AUDIT && round.is_of_delivery() == delivery) count = count + 1;
        i = i + 1;
    };
    count
}

/// Whether the next thing is to seat the panel.
public(package) fun is_waiting_for_audit(task: &Task): bool {
    task.state() == COMMITTED && task.audited() && !task.verdict().exists()
}
