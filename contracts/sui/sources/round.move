/// Seats and rounds: an audit or a dispute is a Round of seated members who judge a task (docs/spec/protocol.md §5, §6).
module enclavia::round;

use enclavia::draw;
use enclavia::network::Network;
use enclavia::params::Params;
use enclavia::pool::Pool;
use enclavia::record::Attestation;
use enclavia::statement::{Self, TicketSeat};
use sui::clock::Clock;

/// Nothing posted yet; committed; revealed the executor's root; revealed another root; handed the key off falsely.
const WAITING: u8 = 0;
const COMMITTED: u8 = 1;
const AGREES: u8 = 2;
const DIFFERS: u8 = 3;
const FALSE_HANDOFF: u8 = 4;

/// Roots that are votes of their own: docs/spec/protocol.md §4.
const BAD_WRAP: vector<u8> = x"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const EARLIER_WRAP: vector<u8> = x"fbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfb";
const NO_INPUT: vector<u8> = x"fcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfc";
const FORGED: vector<u8> = x"fefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefe";
const BAD_KEY: vector<u8> = x"fdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfd";

/// A member in a task: its keys as they were when it was seated, what it has staked on this task, and what it posted.
public struct Seat has copy, drop, store {
    slot: u64,
    node: address,
    operator: address,
    tee_kind: u8,
    key_epoch: u64,
    hpke_pk: vector<u8>,
    sign_pk: vector<u8>,
    votes: u64,
    lock: u64,
    wrap: vector<u8>,
    commitment: vector<u8>,
    root: vector<u8>,
    mark: u8,
}

/// `kind`: 1 audit, 2 and 3 disputes, 4 and 5 disputes of the delivery. `slots` as `seed` drew them; `seats` those of them who serve.
public struct Round has copy, drop, store {
    kind: u8,
    seed: vector<u8>,
    drawn_at: u64,
    slots: vector<u64>,
    seats: vector<Seat>,
    issued_at: u64,
    committee: u64,
    signers: vector<u64>,
    signatures: vector<vector<u8>>,
    handed_by: u64,
    uri: vector<u8>,
    committed: u64,
    revealed: u64,
    cranker: address,
}

/// What a matter came to: a root, and whether it is the executor's; an empty root: nothing yet.
public struct Verdict has copy, drop, store { root: vector<u8>, agrees: bool }

public fun is_no_input(root: &vector<u8>): bool { *root == NO_INPUT }
public fun is_forged(root: &vector<u8>): bool { *root == FORGED }
public fun is_bad_key(root: &vector<u8>): bool { *root == BAD_KEY }
/// Votes of their own: nobody's output has such a root, so none of them ever agrees with a commitment.
public fun is_special(root: &vector<u8>): bool { blames(root) || *root == FORGED }
/// Whether a root says that who handed off did not let the members judge the computation.
public fun blames_handoff(root: &vector<u8>): bool { *root == BAD_WRAP || *root == NO_INPUT }
/// The same of any round.
public fun blames(root: &vector<u8>): bool { blames_handoff(root) || *root == BAD_KEY || *root == EARLIER_WRAP }

public(package) fun no_verdict(): Verdict { Verdict { root: vector[], agrees: false } }
public(package) fun verdict(root: vector<u8>, agrees: bool): Verdict { Verdict { root, agrees } }
public fun exists(verdict: &Verdict): bool { !verdict.root.is_empty() }
public fun verdict_root(verdict: &Verdict): &vector<u8> { &verdict.root }
public fun upholds(verdict: &Verdict): bool { verdict.agrees && !verdict.root.is_empty() }

public(package) fun nobody(): Seat {
    Seat {
        slot: draw::none(), node: @0x0, operator: @0x0, tee_kind: 0, key_epoch: 0, hpke_pk: vector[], sign_pk: vector[],
        votes: 0, lock: 0, wrap: vector[], commitment: vector[], root: vector[], mark: WAITING,
    }
}

/// Seats a member by one of its records and locks its stake.
public(package) fun seat(pool: &mut Pool, slot: u64, record: &Attestation, lock: u64, voluntary: bool): Seat {
    pool.lock(slot, lock, voluntary);
    let member = pool.member(slot);
    Seat {
        slot, node: member.node(), operator: member.operator(), tee_kind: record.tee_kind(),
        key_epoch: record.epoch(), hpke_pk: record.hpke_pk(), sign_pk: record.sign_pk(), votes: 1, lock,
        wrap: vector[], commitment: vector[], root: vector[], mark: WAITING,
    }
}

public(package) fun drawn(kind: u8, seed: vector<u8>, drawn_at: u64, slots: vector<u64>): Round {
    Round {
        kind, seed, drawn_at, slots, seats: vector[], issued_at: 0, committee: 0, signers: vector[], signatures: vector[],
        handed_by: draw::none(), uri: vector[], committed: 0, revealed: 0, cranker: @0x0,
    }
}

/// Seats the drawn members who can serve, in the order drawn, at most `want` of them. Who was drawn again has one vote more.
public(package) fun fill(
    round: &mut Round, pool: &mut Pool, network: &Network, want: u64, p: &Params, tee_mask: u64, denied: &vector<address>,
    until: u64, voluntary: bool, clock: &Clock,
) {
    let mut i = 0;
    while (i < round.slots.length()) {
        let slot = round.slots[i];
        i = i + 1;
        let at = find(round, slot);
        if (at < round.seats.length()) {
            let again = &mut round.seats[at];
            again.votes = again.votes + 1;
            continue
        };
        if (round.seats.length() == want) continue;
        if (!pool.is_eligible(network, slot, p, p.auditor_lock(), voluntary, tee_mask, round.drawn_at, until, clock)) continue;
        let member = pool.member(slot);
        if (denied.contains(&member.operator())) continue;
        let record = member.current();
        round.seats.push_back(seat(pool, slot, &record, p.auditor_lock(), voluntary));
    };
}

/// Index of the seat of `slot`; the number of seats if it has none.
fun find(round: &Round, slot: u64): u64 {
    let mut i = 0;
    while (i < round.seats.length() && round.seats[i].slot != slot) i = i + 1;
    i
}

/// Appends the slots that may not judge again: those of `round`, or only its members who fell silent.
public(package) fun exclude(round: &Round, silent_only: bool, slots: &mut vector<u64>) {
    let mut i = 0;
    while (i < round.seats.length()) {
        let seat = &round.seats[i];
        if ((!silent_only || seat.mark < AGREES) && !slots.contains(&seat.slot)) slots.push_back(seat.slot);
        i = i + 1;
    };
}

public(package) fun ticket_seats(round: &Round): vector<TicketSeat> {
    let mut seats = vector[];
    let mut i = 0;
    while (i < round.seats.length()) {
        let s = &round.seats[i];
        seats.push_back(statement::seat(s.node, s.operator, s.tee_kind, s.key_epoch, s.hpke_pk));
        i = i + 1;
    };
    seats
}

public(package) fun set_ticket(
    round: &mut Round, issued_at: u64, committee: u64, signers: vector<u64>, signatures: vector<vector<u8>>,
) {
    round.issued_at = issued_at;
    round.committee = committee;
    round.signers = signers;
    round.signatures = signatures;
}

public(package) fun set_wraps(round: &mut Round, wraps: vector<vector<u8>>, by: u64, uri: vector<u8>) {
    round.handed_by = by;
    round.uri = uri;
    let mut i = 0;
    while (i < wraps.length()) {
        (&mut round.seats[i]).wrap = wraps[i];
        i = i + 1;
    };
}

public(package) fun set_commitment(round: &mut Round, index: u64, commitment: vector<u8>) {
    let seat = &mut round.seats[index];
    seat.commitment = commitment;
    seat.mark = COMMITTED;
    round.committed = round.committed + 1;
}

public(package) fun set_root(round: &mut Round, index: u64, root: vector<u8>, agrees: bool) {
    let seat = &mut round.seats[index];
    seat.root = root;
    seat.mark = if (agrees) AGREES else DIFFERS;
    round.revealed = round.revealed + 1;
}

public(package) fun set_false_handoff(round: &mut Round, slot: u64) {
    let at = find(round, slot);
    (&mut round.seats[at]).mark = FALSE_HANDOFF;
}

public(package) fun node_of(round: &Round, slot: u64): address { round.seats[find(round, slot)].node }

/// Who cranked the absences of this round; the first keeps it.
public(package) fun set_cranker(round: &mut Round, cranker: address) {
    if (round.cranker == @0x0) round.cranker = cranker;
}

/// The verdict of an audit: all who revealed agree with the executor, and one did. Else none.
public(package) fun unanimous(round: &Round): Verdict {
    let mut root = vector[];
    let mut i = 0;
    while (i < round.seats.length()) {
        let seat = &round.seats[i];
        if (seat.mark == DIFFERS && seat.root != NO_INPUT) return no_verdict();
        if (seat.mark == AGREES) root = seat.root;
        i = i + 1;
    };
    Verdict { root, agrees: true }
}

/// The verdict of a dispute: what at least two thirds of all drawn seats say. Else none.
public(package) fun two_thirds(round: &Round): Verdict {
    let mut drawn = 0;
    let mut i = 0;
    while (i < round.slots.length()) {
        if (round.slots[i] != draw::none()) drawn = drawn + 1;
        i = i + 1;
    };
    i = 0;
    while (i < round.seats.length()) {
        let candidate = &round.seats[i];
        if (candidate.mark == AGREES || candidate.mark == DIFFERS) {
            let mut votes = 0;
            let mut j = 0;
            while (j < round.seats.length()) {
                let other = &round.seats[j];
                // who agrees opened the executor's commitment; another salt for the same root is another vote
                if (other.mark == candidate.mark && other.root == candidate.root) votes = votes + other.votes;
                j = j + 1;
            };
            if (3 * votes >= 2 * drawn) return Verdict { root: candidate.root, agrees: candidate.mark == AGREES }
        };
        i = i + 1;
    };
    no_verdict()
}

public(package) fun nodes(round: &Round): vector<address> {
    let mut nodes = vector[];
    let mut i = 0;
    while (i < round.seats.length()) { nodes.push_back(round.seats[i].node); i = i + 1; };
    nodes
}

public fun kind(round: &Round): u8 { round.kind }
public fun is_of_delivery(round: &Round): bool { round.kind > 3 }
public fun seed(round: &Round): vector<u8> { round.seed }
public fun drawn_at(round: &Round): u64 { round.drawn_at }
public fun slots(round: &Round): &vector<u64> { &round.slots }
public fun seats(round: &Round): &vector<Seat> { &round.seats }
public fun handed_by(round: &Round): u64 { round.handed_by }
public fun uri(round: &Round): vector<u8> { round.uri }
public fun committed(round: &Round): u64 { round.committed }
public fun revealed(round: &Round): u64 { round.revealed }
public fun cranker(round: &Round): address { round.cranker }
/// Whether the wraps were handed over: before that nobody could serve.
public fun handed(round: &Round): bool { !round.seats.is_empty() && !round.seats[0].wrap.is_empty() }

public fun slot(seat: &Seat): u64 { seat.slot }
public fun node(seat: &Seat): address { seat.node }
public fun operator(seat: &Seat): address { seat.operator }
public fun tee_kind(seat: &Seat): u8 { seat.tee_kind }
public fun epoch(seat: &Seat): u64 { seat.key_epoch }
public fun hpke_pk(seat: &Seat): &vector<u8> { &seat.hpke_pk }
public fun sign_pk(seat: &Seat): &vector<u8> { &seat.sign_pk }
public fun votes(seat: &Seat): u64 { seat.votes }
public fun lock(seat: &Seat): u64 { seat.lock }
public fun wrap(seat: &Seat): &vector<u8> { &seat.wrap }
public fun posted(seat: &Seat): &vector<u8> { &seat.commitment }
public fun revealed_root(seat: &Seat): &vector<u8> { &seat.root }
public fun is_waiting(seat: &Seat): bool { seat.mark == WAITING }
public fun is_committed(seat: &Seat): bool { seat.mark == COMMITTED }
public fun agrees(seat: &Seat): bool { seat.mark == AGREES }
public fun is_revealed(seat: &Seat): bool { seat.mark == AGREES || seat.mark == DIFFERS }
public fun is_false_handoff(seat: &Seat): bool { seat.mark == FALSE_HANDOFF }
