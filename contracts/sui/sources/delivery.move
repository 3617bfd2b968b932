/// What was delivered: claims that nothing was, publication on chain, and disputes about it (docs/spec/protocol.md §6).
/// All of it happens in the delivery window, at the requester's word, for a bond.
module enclavia::delivery;

use enclavia::audit;
use enclavia::commitment;
use enclavia::draw;
use enclavia::member::NodeOperatorCap;
use enclavia::network::Network;
use enclavia::task::{Self, Task};
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use sui::sui::SUI;

/// Each complaint is good once, and none after a dispute.
const EAlreadyUsed: u64 = 1;
/// The output is not on chain yet: `submit_output` first, or `claim_undelivered`.
const ENotPublished: u64 = 2;
/// Chunks come in order, in two halves of 8,192 bytes each, but for the last, which is not empty and has no tail without a whole head.
const EBadChunk: u64 = 3;
/// A sealed output has at most 64 chunks.
const ETooManyChunks: u64 = 4;
/// The cap is not the executor's.
const ENotExecutor: u64 = 5;
/// The chunks are not those of the sealed output that the executor committed to.
const EWrongOutput: u64 = 6;

const COMMITTED: u8 = 2;
const HANDOFF: u8 = 4;
const PUBLISHING: u8 = 12;
const HALF: u64 = 8_192;
const MAX_CHUNKS: u64 = 64;

public struct DeliveryClaimed has copy, drop { task: address, pool: address, bond: u64, deadline: u64 }
/// The bytes themselves: arguments of a transaction may be another contract's making, and are then nowhere to be read.
public struct ChunkPublished has copy, drop { task: address, index: u64, head: vector<u8>, tail: vector<u8> }
public struct OutputPublished has copy, drop { task: address, pool: address, chunks: u64, deadline: u64 }
public struct DeliveryDisputed has copy, drop { task: address, pool: address, bond: u64 }

/// The requester got nothing: the executor has to put the sealed output on chain. The bond pays it for that.
public fun claim_undelivered(task: &mut Task, network: &Network, bond: Coin<SUI>, clock: &Clock, ctx: &TxContext) {
    let now = window(task, network, clock, ctx);
    assert!(!task.claimed() && !task.published(), EAlreadyUsed);
    task::check_payment(&bond, claim_bond(task));
    let amount = bond.value();
    task.hold_claim(bond);
    // what the requester may have begun to publish is not the executor's beginning
    *task.leaves_mut() = vector[];
    let deadline = now + task.params().delivery_ms();
    task.wait(PUBLISHING, deadline);
    event::emit(DeliveryClaimed { task: task.address_of(), pool: task.pool(), bond: amount, deadline });
}

/// What `claim_undelivered` costs: the gas of the largest publication. What it does not take comes back.
public fun claim_bond(task: &Task): u64 { MAX_CHUNKS * task.params().bounty() }

/// A chunk of the sealed output, in two halves (a pure argument holds a little less than one). The last one is checked against
/// what the executor committed to. An `index` again drops what came after it.
public fun publish_output(
    task: &mut Task, network: &Network, cap: &NodeOperatorCap, index: u64, head: vector<u8>, tail: vector<u8>, last: bool,
    clock: &Clock,
) {
    let now = task.act(network, clock, PUBLISHING);
    assert!(cap.operator_node() == task.executor().node(), ENotExecutor);
    publish(task, index, head, tail, last, now)
}

/// The same by the requester, who has the bytes and says that they are not what was committed to.
public fun submit_output(
    task: &mut Task, network: &Network, index: u64, head: vector<u8>, tail: vector<u8>, last: bool, clock: &Clock,
    ctx: &TxContext,
) {
    let now = window(task, network, clock, ctx);
    assert!(!task.published(), EAlreadyUsed);
    publish(task, index, head, tail, last, now)
}

fun publish(task: &mut Task, index: u64, head: vector<u8>, tail: vector<u8>, last: bool, now: u64) {
    let whole = head.length() == HALF && (last || tail.length() == HALF) && tail.length() <= HALF;
    assert!(whole || (last && !head.is_empty() && head.length() < HALF && tail.is_empty()), EBadChunk);
    assert!(index < MAX_CHUNKS, ETooManyChunks);
    let at = task.address_of();
    let leaves = task.leaves_mut();
    assert!(index <= leaves.length(), EBadChunk);
    while (leaves.length() > index) { leaves.pop_back(); };
    leaves.push_back(commitment::blob_leaf(index as u32, &head, &tail));
    event::emit(ChunkPublished { task: at, index, head, tail });
    if (!last) return;
    assert!(commitment::root(*task.leaves()) == task.sealed_output_digest(), EWrongOutput);
    task.set_published();
    // the bytes are known to all from now on, and the requester has a whole window to look at them
    let deadline = now + task.params().delivery_ms();
    task.wait(COMMITTED, deadline);
    event::emit(OutputPublished { task: at, pool: task.pool(), chunks: index + 1, deadline });
}

/// What is on chain does not open to what the executor committed to, says the requester: arbiters judge it, for a bond.
/// `draw_dispute`, `begin_dispute` and `post_output_key` follow.
public fun dispute_delivery(task: &mut Task, network: &Network, bond: Coin<SUI>, clock: &Clock, ctx: &TxContext) {
    let now = window(task, network, clock, ctx);
    assert!(task.published(), ENotPublished);
    assert!(!task.disputed(), EAlreadyUsed);
    task::check_payment(&bond, task.params().delivery_bond());
    event::emit(DeliveryDisputed { task: task.address_of(), pool: task.pool(), bond: bond.value() });
    task.hold_dispute(bond);
    audit::dispute(task, now)
}

/// The secret of the output key, wrapped by the requester for each arbiter.
public fun post_output_key(
    task: &mut Task, network: &Network, wraps: vector<vector<u8>>, clock: &Clock, ctx: &TxContext,
) {
    let now = task.act(network, clock, HANDOFF);
    task.check_requester(ctx.sender());
    task::check_that(task.current().is_of_delivery());
    audit::check_wraps(task, &wraps);
    audit::accept_wraps(task, wraps, draw::none(), ctx.sender(), vector[], now)
}

/// Checks that the requester acts in a delivery window; returns now.
fun window(task: &Task, network: &Network, clock: &Clock, ctx: &TxContext): u64 {
    let now = task.act(network, clock, COMMITTED);
    task.check_requester(ctx.sender());
    task::check_that(!audit::is_waiting_for_audit(task));
    now
}
