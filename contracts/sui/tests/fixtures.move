/// A Network with one Pool, and members who do as the test says.
/// Signatures: by ZIP 215, which Sui follows, a key of small order takes `signed()` for a signature of whatever message. So tests sign
/// without a secret, and need no constants that change with every id. Real signatures: statement_tests, and tests/integration/contracts.
#[test_only]
module enclavia::fixtures;

use enclavia::attestation;
use enclavia::member::{Self, NodeOperatorCap, NodeOwnerCap};
use enclavia::network::{Self, AdminCap, Network};
use enclavia::params::{Self, Params};
use enclavia::pool::{Self, Pool};
use enclavia::roster::{Roster, RosterQueue};
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::random::{Self, Random};
use sui::sui::SUI;
use sui::test_scenario::{Self as ts, Scenario};

const SUI_UNIT: u64 = 1_000_000_000;
const ALWAYS: u128 = 0x1_0000_0000_0000_0000;
const MEMBERS: u64 = 7;

/// All that is shared is taken, from one `next` to the other. The caps of the member in slot i are the i-th.
public struct World {
    s: Scenario,
    clock: Clock,
    random: Random,
    network: Network,
    pool: Pool,
    roster: Roster,
    queue: RosterQueue,
    cap: AdminCap,
    owners: vector<NodeOwnerCap>,
    operators: vector<NodeOperatorCap>,
}

// === Method aliases: acts on a World ===

public use fun enclavia::acts::end as World.end_of;
public use fun enclavia::acts::open as World.open;
public use fun enclavia::acts::open_for as World.open_for;
public use fun enclavia::acts::pay as World.pay;
public use fun enclavia::acts::post as World.post;
public use fun enclavia::acts::post_as as World.post_as;
public use fun enclavia::acts::running as World.running;
public use fun enclavia::acts::challenge as World.challenge;
public use fun enclavia::acts::challenge_for as World.challenge_for;
public use fun enclavia::acts::claim as World.claim;
public use fun enclavia::acts::submit as World.submit;
public use fun enclavia::acts::submit_chunk as World.submit_chunk;
public use fun enclavia::acts::dispute_delivery as World.dispute_delivery;
public use fun enclavia::acts::post_output_key as World.post_output_key;
public use fun enclavia::acts::commit as World.commit;
public use fun enclavia::acts::commit_as as World.commit_as;
public use fun enclavia::acts::committed as World.committed;
public use fun enclavia::acts::refuse_input as World.refuse_input;
public use fun enclavia::acts::publish as World.publish;
public use fun enclavia::acts::publish_chunk as World.publish_chunk;
public use fun enclavia::acts::begin_audit as World.begin_audit;
public use fun enclavia::acts::redraw as World.redraw;
public use fun enclavia::acts::draw_dispute as World.draw_dispute;
public use fun enclavia::acts::begin_dispute as World.begin_dispute;
public use fun enclavia::acts::issue_ticket as World.issue_ticket;
public use fun enclavia::acts::handoff as World.handoff;
public use fun enclavia::acts::handoff_by as World.handoff_by;
public use fun enclavia::acts::audited as World.audited;
public use fun enclavia::acts::audit_commit as World.audit_commit;
public use fun enclavia::acts::reveal as World.reveal;
public use fun enclavia::acts::vote as World.vote;
public use fun enclavia::acts::vote_each as World.vote_each;
public use fun enclavia::acts::begin_round as World.begin_round;
public use fun enclavia::acts::dispute as World.dispute;
public use fun enclavia::acts::rule as World.rule;
public use fun enclavia::acts::advance as World.advance;
public use fun enclavia::acts::crank as World.crank;
public use fun enclavia::acts::settle as World.settle;
public use fun enclavia::acts::lost as World.lost;

// === Constants ===

public fun admin(): address { @0xad }
public fun requester(): address { @0x9e }
public fun stranger(): address { @0x57 }
/// Who operates the node in `slot`, if nobody has left.
public fun operator(slot: u64): address { sui::address::from_u256(0x1000 + (slot as u256)) }
public fun min_stake(): u64 { 10 * SUI_UNIT }
public fun stake(): u64 { 20 * SUI_UNIT }
public fun lock(): u64 { SUI_UNIT }
public fun price(): u64 { 10_000_000 }
public fun auditor_fee(): u64 { 4_000_000 }
public fun reservation_fee(): u64 { 1_000_000 }
public fun bounty(): u64 { 500_000 }
public fun bond(): u64 { 100_000_000 }
public fun period(): u64 { 100_000 }
public fun unbonding(): u64 { 1_000_000 }
public fun timelock(): u64 { 50_000 }
public fun heartbeat(): u64 { 20_000 }
public fun policy(): vector<u8> { bytes(0x70, 32) }
public fun manifest(): vector<u8> { bytes(0x6d, 32) }
public fun pcr(): vector<u8> { bytes(0x6e, 48) }
/// A key, or a digest, or whatever else has 32 bytes.
public fun key(): vector<u8> { bytes(0x03, 32) }
public fun all_kinds(): u64 { 0xffff_ffff_ffff_ffff }

public fun bytes(byte: u8, size: u64): vector<u8> { vector::tabulate!(size, |_| byte) }

/// A key of which `signed()` is a signature of anything: points of order 1 and 4.
public fun anybody(): vector<u8> { let mut key = x"01"; key.append(bytes(0, 31)); key }
public fun anybody_else(): vector<u8> { bytes(0, 32) }
public fun signed(): vector<u8> { let mut signature = anybody(); signature.append(bytes(0, 32)); signature }

// === Parameters ===

/// What a test may want to be otherwise.
public struct Setting has copy, drop { params: Params, simulated: bool, tee_mask: u64, depth: u8, members: u64 }

public fun usual(): Setting {
    Setting { params: params(2, ALWAYS), simulated: true, tee_mask: 3, depth: 4, members: MEMBERS }
}

/// No task is audited by chance.
public fun unaudited(): Setting { let mut s = usual(); s.params = params(2, 0); s }
public fun of_members(mut s: Setting, members: u64): Setting { s.members = members; s }
public fun of_depth(mut s: Setting, depth: u8): Setting { s.depth = depth; s }
public fun of_kinds(mut s: Setting, tee_mask: u64): Setting { s.tee_mask = tee_mask; s }
public fun unsimulated(mut s: Setting): Setting { s.simulated = false; s }
public fun of_params(mut s: Setting, params: Params): Setting { s.params = params; s }

/// With work that costs nothing a lie gains nothing, and no audit is needed to deter it.
public fun params(auditors: u64, probability: u128): Params { params_of(numbers(), auditors, probability) }

/// The fields in order, but for `auditors` (8th) and `audit_probability` (11th).
public fun params_of(n: vector<u64>, auditors: u64, probability: u128): Params {
    params::new(
        n[0], n[1], n[2], n[3], n[4], n[5], n[6], auditors, n[7], n[8], probability, n[9], n[10], n[11], n[12], n[13], n[14],
        n[15], n[16], n[17], n[18], n[19], n[20], n[21], n[22], n[23], n[24], n[25], n[26], n[27], n[28], n[29], n[30],
    )
}

public fun numbers(): vector<u64> {
    vector[
        // amounts: stake, locks, reserve, bounty, bond, price; then seats and strikes
        min_stake(), lock(), lock() / 2, 2 * SUI_UNIT, bounty(), bond(), 2 * price(), 5, 3,
        // windows: input, commit, delivery, ticket, handoff, audit, reveal, grace
        60_000, 30_000, 20_000, 20_000, 20_000, 20_000, 20_000, 2_000,
        period(), unbonding(), 60_000, heartbeat(), 60_000, 100_000, timelock(),
        // shares: absence, undecided, victim, panel, treasury, cost, controlled
        2_000, 1_000, 1_000, 4_000, 1_000, 0, 3_333,
    ]
}

// === The world ===

/// Seven attested members of a launched Roster, every task audited. The sender is the requester.
public fun world(): World { begin(usual()) }

public fun begin(setting: Setting): World {
    let mut w = empty(setting);
    setting.members.do!(|_| { w = w.join(); });
    if (setting.members > 0) {
        let (network, _, roster, queue, cap, clock, _, _) = w.all();
        roster.launch(queue, network, cap, clock);
    };
    w.next(requester())
}

/// Nobody has joined; the Roster is not launched. The sender is the administrator.
public fun empty(setting: Setting): World {
    let mut s = ts::begin(@0x0);
    random::create_for_testing(s.ctx());
    s.next_tx(@0x0);
    let mut random: Random = s.take_shared();
    random.update_randomness_state_for_testing(0, bytes(7, 32), s.ctx());
    ts::return_shared(random);
    s.next_tx(admin());
    let clock = clock::create_for_testing(s.ctx());
    let cap = network::create(
        setting.params, setting.simulated, policy(), vector[pcr()], vector[anybody(), anybody_else()], 1, &clock, s.ctx(),
    );
    s.next_tx(admin());
    let network: Network = s.take_shared();
    create_pool(&network, &cap, setting.tee_mask, setting.depth, &clock, s.ctx());
    ts::return_shared(network);
    s.next_tx(admin());
    let (network, pool, roster, queue) = (
        newest<Network>(), newest<Pool>(), newest<Roster>(), newest<RosterQueue>(),
    );
    pick_up(s, Kept { clock, cap, owners: vector[], operators: vector[], network, pool, roster, queue })
}

fun newest<T: key>(): ID { ts::most_recent_id_shared<T>().destroy_some() }

public fun create_pool(network: &Network, cap: &AdminCap, tee_mask: u64, depth: u8, clock: &Clock, ctx: &mut TxContext) {
    pool::create(
        network, cap, manifest(), tee_mask, price(), auditor_fee(), reservation_fee(), depth, clock, ctx,
    );
}

/// A World between two transactions.
public struct Kept {
    clock: Clock, cap: AdminCap, owners: vector<NodeOwnerCap>, operators: vector<NodeOperatorCap>, network: ID, pool: ID,
    roster: ID, queue: ID,
}

/// Ends the transaction; the next one is `sender`'s.
public fun next(w: World, sender: address): World {
    let (mut s, kept) = w.put_back();
    s.next_tx(sender);
    pick_up(s, kept)
}

fun put_back(w: World): (Scenario, Kept) {
    let World { s, clock, random, network, pool, roster, queue, cap, owners, operators } = w;
    let kept = Kept {
        clock, cap, owners, operators, network: object::id(&network), pool: object::id(&pool), roster: object::id(&roster),
        queue: object::id(&queue),
    };
    ts::return_shared(random);
    ts::return_shared(network);
    ts::return_shared(pool);
    ts::return_shared(roster);
    ts::return_shared(queue);
    (s, kept)
}

fun pick_up(s: Scenario, kept: Kept): World {
    let Kept { clock, cap, owners, operators, network, pool, roster, queue } = kept;
    World {
        random: s.take_shared(), network: s.take_shared_by_id(network), pool: s.take_shared_by_id(pool),
        roster: s.take_shared_by_id(roster), queue: s.take_shared_by_id(queue), s, clock, cap, owners, operators,
    }
}

public fun end(w: World) {
    let (mut s, kept) = w.put_back();
    s.next_tx(admin());
    let Kept { clock, cap, owners, operators, .. } = kept;
    clock.destroy_for_testing();
    std::unit_test::destroy(cap);
    std::unit_test::destroy(owners);
    std::unit_test::destroy(operators);
    s.end();
}

/// Another Pool of the Network, beside that of the World.
public fun another_pool(w: World): (World, Pool, Roster, RosterQueue) {
    let (mut s, kept) = w.put_back();
    let sender = s.sender();
    s.next_tx(admin());
    let network: Network = s.take_shared_by_id(kept.network);
    create_pool(&network, &kept.cap, 3, 2, &kept.clock, s.ctx());
    ts::return_shared(network);
    s.next_tx(sender);
    // nothing was shared since
    let (pool, roster, queue) = (s.take_shared(), s.take_shared(), s.take_shared());
    (pick_up(s, kept), pool, roster, queue)
}

/// Another Network, of the same parameters.
public fun another_network(w: World): (World, Network, AdminCap) {
    let (mut s, kept) = w.put_back();
    let sender = s.sender();
    s.next_tx(admin());
    let cap = network::create(
        params(2, ALWAYS), true, policy(), vector[pcr()], vector[anybody()], 1, &kept.clock, s.ctx(),
    );
    s.next_tx(sender);
    let network = s.take_shared();
    (pick_up(s, kept), network, cap)
}

// === Its parts ===

public fun all(
    w: &mut World,
): (&mut Network, &mut Pool, &mut Roster, &mut RosterQueue, &AdminCap, &mut Clock, &Random, &mut TxContext) {
    (&mut w.network, &mut w.pool, &mut w.roster, &mut w.queue, &w.cap, &mut w.clock, &w.random, w.s.ctx())
}

/// For what an owner does.
public fun owned(
    w: &mut World, slot: u64,
): (&mut Pool, &Network, &Roster, &mut RosterQueue, &NodeOwnerCap, &Clock, &mut TxContext) {
    (&mut w.pool, &w.network, &w.roster, &mut w.queue, &w.owners[slot], &w.clock, w.s.ctx())
}

/// For what an operator does.
public fun operated(
    w: &mut World, slot: u64,
): (&mut Pool, &Network, &NodeOperatorCap, &Clock, &Random, &mut TxContext) {
    (&mut w.pool, &w.network, &w.operators[slot], &w.clock, &w.random, w.s.ctx())
}

public fun scenario(w: &mut World): &mut Scenario { &mut w.s }
public fun network(w: &World): &Network { &w.network }
public fun pool(w: &World): &Pool { &w.pool }
public fun roster(w: &World): &Roster { &w.roster }
public fun queue(w: &World): &RosterQueue { &w.queue }
public fun clock(w: &World): &Clock { &w.clock }
public fun now(w: &World): u64 { w.network.now(&w.clock) }
public fun coin(w: &mut World, amount: u64): Coin<SUI> { coin::mint_for_testing(amount, w.s.ctx()) }
/// Gives the owner's cap away; those of later slots move up.
public fun take_owner(w: &mut World, slot: u64): NodeOwnerCap { w.owners.remove(slot) }

/// What the sender was sent in the transaction before; nothing if it was nothing.
public fun received(w: &mut World): u64 {
    let owner = w.s.sender();
    let mut sum = 0;
    while (ts::has_most_recent_for_address<Coin<SUI>>(owner)) {
        let coin: Coin<SUI> = w.s.take_from_address(owner);
        sum = sum + coin.burn_for_testing();
    };
    sum
}

// === Time ===

/// Lets time pass on a living chain.
public fun pass(w: &mut World, ms: u64) {
    let mut left = ms;
    while (left > 0) {
        let step = left.min(heartbeat());
        w.clock.increment_for_testing(step);
        w.network.heartbeat(&w.clock);
        left = left - step;
    }
}

/// The chain halts.
public fun halt(w: &mut World, ms: u64) { w.clock.increment_for_testing(ms); }

// === Members ===

/// The next operator registers with `amount`, unattested. It is the sender afterwards.
public fun register(w: World, amount: u64): World {
    let slot = w.owners.length();
    let mut w = w.next(operator(slot));
    let stake = w.coin(amount);
    let (network, pool, _, _, _, clock, _, ctx) = w.all();
    let (owner, operator) = member::register(pool, network, stake, clock, ctx);
    w.owners.push_back(owner);
    w.operators.push_back(operator);
    w
}

/// The next operator registers, is attested, and queues its weight.
public fun join(w: World): World {
    let mut w = w.register(stake());
    let slot = w.owners.length() - 1;
    w.request_challenge(slot);
    w.attest(slot);
    w.weigh(slot);
    w
}

public fun request_challenge(w: &mut World, slot: u64) {
    attestation::request_challenge(&mut w.pool, &w.network, &w.operators[slot], &w.clock, &w.random, w.s.ctx());
}

public fun attest(w: &mut World, slot: u64) { w.attest_until(slot, 0xffff_ffff_ffff); }

public fun attest_until(w: &mut World, slot: u64, not_after: u64) {
    attestation::attest(
        &mut w.pool, &w.network, slot, key(), 0, b"M", key(), anybody(), not_after, policy(), 1, vector[0], vector[signed()],
        &w.clock,
    );
}

public fun revoke(w: &mut World, slot: u64, key_epoch: u64) {
    attestation::revoke(&mut w.pool, &w.network, slot, key_epoch, 1, 1, vector[1], vector[signed()], &w.clock);
}

public fun weigh(w: &mut World, slot: u64) {
    member::update_weight(&mut w.pool, &w.network, &mut w.queue, slot, &w.clock);
}

public fun roll(w: &mut World) {
    let (now, ends) = (w.now(), w.roster.period_ends());
    if (ends > now) w.pass(ends - now);
    w.roster.roll_period(&mut w.queue, &w.network, &w.clock);
}
