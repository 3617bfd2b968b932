/// What requesters, enclaves, the committee and cranks do for one task, in a World of `fixtures`.
#[test_only]
module enclavia::acts;

use enclavia::audit;
use enclavia::commitment;
use enclavia::crank;
use enclavia::delivery;
use enclavia::fixtures::{Self, World};
use enclavia::settlement;
use enclavia::task::{Self, Task};
use sui::test_scenario as ts;

const NONE: u64 = 0xffff_ffff_ffff_ffff;

public fun true_root(): vector<u8> { fixtures::bytes(0x74, 32) }
public fun false_root(): vector<u8> { fixtures::bytes(0x66, 32) }
public fun salt(): vector<u8> { fixtures::bytes(0x73, 32) }
public fun executor_salt(): vector<u8> { fixtures::bytes(0x65, 32) }
public fun input_digest(): vector<u8> { fixtures::bytes(0x69, 32) }
public fun sealed(): vector<u8> { b"the sealed output of every executor here" }
public fun wrap(): vector<u8> { fixtures::bytes(0x77, 80) }
public fun bad_wrap(): vector<u8> { fixtures::bytes(0xff, 32) }
public fun no_input(): vector<u8> { fixtures::bytes(0xfc, 32) }
public fun forged(): vector<u8> { fixtures::bytes(0xfe, 32) }
public fun bad_key(): vector<u8> { fixtures::bytes(0xfd, 32) }
public fun earlier_wrap(): vector<u8> { fixtures::bytes(0xfb, 32) }

// === The requester ===

/// Opens a task in one transaction and takes it in the next; both are the requester's.
public fun open(w: World): (World, Task) { w.open_for(0) }

public fun open_for(w: World, value: u64): (World, Task) {
    let mut w = w.next(fixtures::requester());
    let payment = w.pool().quote(w.network(), value);
    w.pay(value, payment);
    let mut w = w.next(fixtures::requester());
    let task = w.scenario().take_shared();
    (w, task)
}

public fun pay(w: &mut World, value: u64, amount: u64) {
    let payment = w.coin(amount);
    let (network, pool, roster, _, _, clock, random, ctx) = w.all();
    task::open_task(network, pool, roster, value, payment, random, clock, ctx);
}

public fun post(w: &mut World, task: &mut Task) {
    let node = w.pool().member(task.candidates()[task.candidate()]).node();
    w.post_as(task, node, 1, b"store", fixtures::key(), fixtures::all_kinds(), vector[])
}

public fun post_as(
    w: &mut World, task: &mut Task, node: address, key_epoch: u64, uri: vector<u8>, output_pk: vector<u8>, tee_mask: u64,
    denied: vector<address>,
) {
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    let assignment = task.assign(pool, network, key_epoch, clock, ctx);
    task.post_input(
        assignment, node, key_epoch, uri, input_digest(), fixtures::key(), output_pk, tee_mask, denied, network, clock,
    );
}

public fun running(w: World): (World, Task) {
    let (mut w, mut task) = w.open();
    w.post(&mut task);
    (w, task)
}

public fun challenge(w: &mut World, task: &mut Task) {
    let amount = task.challenge_bond();
    w.challenge_for(task, amount)
}

public fun challenge_for(w: &mut World, task: &mut Task, amount: u64) {
    let bond = w.coin(amount);
    let (network, _, roster, _, _, clock, random, ctx) = w.all();
    task::challenge(task, network, roster, bond, random, clock, ctx);
}

public fun claim(w: &mut World, task: &mut Task) {
    let bond = w.coin(delivery::claim_bond(task));
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    delivery::claim_undelivered(task, network, bond, clock, ctx);
}

public fun submit(w: &mut World, task: &mut Task) { w.submit_chunk(task, 0, sealed(), b"", true) }

public fun submit_chunk(w: &mut World, task: &mut Task, index: u64, head: vector<u8>, tail: vector<u8>, last: bool) {
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    delivery::submit_output(task, network, index, head, tail, last, clock, ctx);
}

public fun dispute_delivery(w: &mut World, task: &mut Task) {
    let bond = w.coin(fixtures::bond());
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    delivery::dispute_delivery(task, network, bond, clock, ctx);
}

public fun post_output_key(w: &mut World, task: &mut Task) {
    let wraps = wraps(task);
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    delivery::post_output_key(task, network, wraps, clock, ctx);
}

// === The executor ===

public fun commit(w: &mut World, task: &mut Task, root: vector<u8>) {
    let digest = commitment::blob_digest(sealed());
    w.commit_as(task, digest, root, fixtures::signed())
}

public fun commit_as(w: &mut World, task: &mut Task, digest: vector<u8>, root: vector<u8>, signature: vector<u8>) {
    let posted = commitment::commitment(task.address_of(), task.executor().node(), root, executor_salt());
    let (network, _, roster, _, _, clock, random, ctx) = w.all();
    task::commit(task, network, roster, posted, digest, 16, signature, random, clock, ctx);
}

/// An opened, posted and committed task.
public fun committed(w: World, root: vector<u8>): (World, Task) {
    let (mut w, mut task) = w.running();
    w.commit(&mut task, root);
    (w, task)
}

public fun refuse_input(w: &mut World, task: &mut Task, reason: u8) {
    let (network, _, _, _, _, clock, _, _) = w.all();
    task.report_invalid_input(network, reason, fixtures::signed(), clock);
}

public fun publish(w: &mut World, task: &mut Task) { w.publish_chunk(task, 0, sealed(), b"", true) }

public fun publish_chunk(w: &mut World, task: &mut Task, index: u64, head: vector<u8>, tail: vector<u8>, last: bool) {
    let (_, network, cap, clock, _, _) = w.operated(task.executor().slot());
    delivery::publish_output(task, network, cap, index, head, tail, last, clock);
}

// === Rounds ===

public fun begin_audit(w: &mut World, task: &mut Task) {
    let (network, pool, _, _, _, clock, _, _) = w.all();
    audit::begin_audit(task, pool, network, clock);
}

public fun redraw(w: &mut World, task: &mut Task) {
    let (network, _, roster, _, _, clock, random, ctx) = w.all();
    audit::redraw(task, network, roster, random, clock, ctx);
}

public fun draw_dispute(w: &mut World, task: &mut Task) {
    let (network, _, roster, _, _, clock, random, ctx) = w.all();
    audit::draw_dispute(task, network, roster, random, clock, ctx);
}

public fun begin_dispute(w: &mut World, task: &mut Task) {
    let (network, pool, _, _, _, clock, _, _) = w.all();
    audit::begin_dispute(task, pool, network, clock);
}

public fun issue_ticket(w: &mut World, task: &mut Task) {
    let (network, _, _, _, _, clock, _, _) = w.all();
    let now = clock.timestamp_ms();
    audit::issue_ticket(task, network, now, 1, vector[0], vector[fixtures::signed()], clock);
}

public fun wraps(task: &Task): vector<vector<u8>> { vector::tabulate!(task.current().seats().length(), |_| wrap()) }

public fun handoff(w: &mut World, task: &mut Task) {
    let wraps = wraps(task);
    w.handoff_by(task, NONE, wraps, b"")
}

public fun handoff_by(w: &mut World, task: &mut Task, by: u64, wraps: vector<vector<u8>>, uri: vector<u8>) {
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::handoff(task, network, by, wraps, uri, fixtures::signed(), clock);
}

/// A committed task whose audit is seated, ticketed and handed off.
public fun audited(w: World, root: vector<u8>): (World, Task) {
    let (mut w, mut task) = w.committed(root);
    w.begin_audit(&mut task);
    w.issue_ticket(&mut task);
    w.handoff(&mut task);
    (w, task)
}

public fun audit_commit(w: &mut World, task: &mut Task, seat: u64, root: vector<u8>) {
    let mut salts = salt();
    salts.append(executor_salt());
    let posted = commitment::commitment(task.address_of(), task.current().seats()[seat].node(), root, salts);
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::audit_commit(task, network, seat, posted, fixtures::signed(), clock);
}

public fun reveal(w: &mut World, task: &mut Task, seat: u64, root: vector<u8>) {
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::reveal(task, network, seat, root, salt(), executor_salt(), clock);
}

/// Every seat of the round commits to `root` and reveals it.
public fun vote(w: &mut World, task: &mut Task, root: vector<u8>) {
    let seats = task.current().seats().length();
    w.vote_each(task, vector::tabulate!(seats, |_| root))
}

public fun vote_each(w: &mut World, task: &mut Task, roots: vector<vector<u8>>) {
    let mut i = 0;
    while (i < roots.length()) { w.audit_commit(task, i, roots[i]); i = i + 1; };
    i = 0;
    while (i < roots.length()) { w.reveal(task, i, roots[i]); i = i + 1; };
}

/// A dispute that is drawn, seated and handed off by whoever has to; nobody has voted.
public fun begin_round(w: &mut World, task: &mut Task) {
    w.draw_dispute(task);
    w.begin_dispute(task);
    if (task.current().is_of_delivery()) {
        w.post_output_key(task);
        return
    };
    w.issue_ticket(task);
    w.handoff(task);
}

/// A dispute in which everybody votes for `root`.
public fun dispute(w: &mut World, task: &mut Task, root: vector<u8>) {
    w.begin_round(task);
    w.vote(task, root)
}

public fun rule(w: &mut World, task: &mut Task, root: vector<u8>, agrees: bool) {
    let (network, _, _, _, _, clock, _, _) = w.all();
    audit::rule(task, network, root, agrees, 1, vector[1], vector[fixtures::signed()], clock);
}

// === The end ===

/// Lets the deadline and its grace pass, then cranks.
public fun advance(w: &mut World, task: &mut Task) {
    let late = task.deadline() + task.params().grace_ms();
    let now = w.now();
    w.pass(late - now);
    w.crank(task)
}

public fun crank(w: &mut World, task: &mut Task) {
    let (network, _, _, _, _, clock, _, ctx) = w.all();
    crank::advance(task, network, clock, ctx);
}

public fun settle(w: &mut World, task: &mut Task) {
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    settlement::settle(task, pool, network, clock, ctx);
}

/// What a member has less than it staked.
public fun lost(w: &World, slot: u64): u64 { fixtures::stake() - w.pool().member(slot).stake() }

public fun end(w: World, task: Task) {
    ts::return_shared(task);
    fixtures::end(w)
}

