/// Seats and rounds: an audit or a dispute is a Round of seated members who re-run a task (docs/spec/protocol.md §5, §6).
module enclavia::round;

use enclavia::draw;
use enclavia::pool::Pool;
use enclavia::statement::{Self, TicketSeat};

/// Nothing posted yet; committed; revealed the executor's root; revealed another root.
const WAITING: u8 = 0;
const COMMITTED: u8 = 1;
const AGREES: u8 = 2;
const DIFFERS: u8 = 3;

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

/// `kind`: 1 audit, 2 dispute, 3 the second dispute. `slots` as drawn; `seats` those of them who serve.
public struct Round has copy, drop, store {
    kind: u8,
    slots: vector<u64>,
    seats: vector<Seat>,
    issued_at: u64,
    signers: vector<u64>,
    signatures: vector<vector<u8>>,
    committed: u64,
    revealed: u64,
}

public(package) fun nobody(): Seat {
    Seat {
        slot: draw::none(), node: @0x0, operator: @0x0, tee_kind: 0, key_epoch: 0, hpke_pk: vector[], sign_pk: vector[],
        votes: 0, lock: 0, wrap: vector[], commitment: vector[], root: vector[], mark: WAITING,
    }
}

/// Seats a member and locks its stake.
public(package) fun seat(pool: &mut Pool, slot: u64, lock: u64): Seat {
    pool.lock(slot, lock);
    let member = pool.member(slot);
    let record = member.attestation();
    Seat {
        slot, node: member.node(), operator: member.operator(), tee_kind: record.tee_kind(),
        key_epoch: record.record_epoch(), hpke_pk: record.hpke_pk(), sign_pk: record.sign_pk(), votes: 1, lock,
        wrap: vector[], commitment: vector[], root: vector[], mark: WAITING,
    }
}

public(package) fun drawn(kind: u8, slots: vector<u64>): Round {
    Round {
        kind, slots, seats: vector[], issued_at: 0, signers: vector[], signatures: vector[], committed: 0, revealed: 0,
    }
}

/// Seats the drawn members who can serve, in the order drawn, at most `want` of them. Who was drawn again has one vote more.
public(package) fun fill(
    round: &mut Round, pool: &mut Pool, want: u64, min_stake: u64, lock: u64, tee_mask: u64, until: u64,
) {
    let mut i = 0;
    while (i < round.slots.length()) {
        let slot = round.slots[i];
        let at = find(round, slot);
        if (at < round.seats.length()) {
            let again = &mut round.seats[at];
            again.votes = again.votes + 1;
        } else if (round.seats.length() < want && pool.is_eligible(slot, min_stake, lock, tee_mask, until)) {
            round.seats.push_back(seat(pool, slot, lock));
        };
        i = i + 1;
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
        seats.push_back(statement::seat(s.node, s.tee_kind, s.key_epoch, s.hpke_pk));
        i = i + 1;
    };
    seats
}

public(package) fun set_ticket(
    round: &mut Round, issued_at: u64, signers: vector<u64>, signatures: vector<vector<u8>>,
) {
    round.issued_at = issued_at;
    round.signers = signers;
    round.signatures = signatures;
}

public(package) fun set_wraps(round: &mut Round, wraps: vector<vector<u8>>) {
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

/// Whether all who revealed in an audit agree with the executor, and one did.
public(package) fun is_unanimous(round: &Round): bool {
    let mut i = 0;
    while (i < round.seats.length()) {
        if (round.seats[i].mark == DIFFERS) return false;
        i = i + 1;
    };
    round.revealed > 0
}

/// The root that at least two thirds of all drawn seats revealed; empty if there is none.
public(package) fun two_thirds(round: &Round): vector<u8> {
    let mut drawn = 0;
    let mut i = 0;
    while (i < round.slots.length()) {
        if (round.slots[i] != draw::none()) drawn = drawn + 1;
        i = i + 1;
    };
    i = 0;
    while (i < round.seats.length()) {
        let candidate = &round.seats[i];
        if (candidate.mark >= AGREES) {
            let mut votes = 0;
            let mut j = 0;
            while (j < round.seats.length()) {
                let other = &round.seats[j];
                // who agrees with the executor opened its commitment: agreement and difference never share a root
                if (other.mark == candidate.mark && other.root == candidate.root) votes = votes + other.votes;
                j = j + 1;
            };
            if (3 * votes >= 2 * drawn) return candidate.root
        };
        i = i + 1;
    };
    vector[]
}

/// The root of a seat that agrees with the executor; empty if none does.
public(package) fun agreed_root(round: &Round): vector<u8> {
    let mut i = 0;
    while (i < round.seats.length()) {
        if (round.seats[i].mark == AGREES) return round.seats[i].root;
        i = i + 1;
    };
    vector[]
}

public(package) fun nodes(round: &Round): vector<address> {
    let mut nodes = vector[];
    let mut i = 0;
    while (i < round.seats.length()) { nodes.push_back(round.seats[i].node); i = i + 1; };
    nodes
}

public fun kind(round: &Round): u8 { round.kind }
public fun slots(round: &Round): &vector<u64> { &round.slots }
public fun seats(round: &Round): &vector<Seat> { &round.seats }
public fun committed(round: &Round): u64 { round.committed }
public fun revealed(round: &Round): u64 { round.revealed }
/// Whether the wraps were handed over: before that nobody could serve.
public fun handed(round: &Round): bool { !round.seats.is_empty() && !round.seats[0].wrap.is_empty() }

public fun slot(seat: &Seat): u64 { seat.slot }
public fun node(seat: &Seat): address { seat.node }
public fun tee_kind(seat: &Seat): u8 { seat.tee_kind }
public fun epoch(seat: &Seat): u64 { seat.key_epoch }
public fun sign_pk(seat: &Seat): &vector<u8> { &seat.sign_pk }
public fun votes(seat: &Seat): u64 { seat.votes }
public fun lock(seat: &Seat): u64 { seat.lock }
public fun posted(seat: &Seat): &vector<u8> { &seat.commitment }
public fun revealed_root(seat: &Seat): &vector<u8> { &seat.root }
public fun is_waiting(seat: &Seat): bool { seat.mark == WAITING }
public fun is_committed(seat: &Seat): bool { seat.mark == COMMITTED }
public fun agrees(seat: &Seat): bool { seat.mark == AGREES }
public fun is_revealed(seat: &Seat): bool { seat.mark >= AGREES }
