/// A network with one pool and members, for the other tests.
#[test_only]
module enclavia::fixtures;

use enclavia::network::{Self, Network, AdminCap};
use enclavia::params::{Self, Params};
use enclavia::pool::{Self, NodeOwnerCap, NodeOperatorCap, Pool};
use sui::clock::{Self, Clock};
use sui::coin;
use sui::sui::SUI;
use sui::test_scenario::{Self as ts, Scenario};

public fun admin(): address { @0xad }
public fun alice(): address { @0xa1 }
public fun bob(): address { @0xb0 }
public fun stake(): u64 { 10_000_000_000 }
public fun period(): u64 { 1_000 }
public fun unbonding(): u64 { 20_000 }
public fun verifier(): vector<u8> { x"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8" }

public fun params_with(auditors: u64, probability: u128, period_ms: u64, unbonding_ms: u64): Params {
    params::new(
        stake(), 1_000_000_000, 500_000_000, auditors, 5, probability, 100, 200, 100, 100, 100, 200, 100, 50, period_ms,
        unbonding_ms, 1_000, 5_000, 2_000, 1_000, 1_000, 4_000, 1_000,
    )
}

public fun default_params(): Params { params_with(2, 1u128 << 63, period(), unbonding()) }

/// A network and a pool of eight slots, by `admin`, at clock 0. The next transaction is alice's.
public fun begin(): (Scenario, Clock) {
    let mut s = ts::begin(admin());
    let clock = clock::create_for_testing(s.ctx());
    let cap = network::create(
        default_params(), true, x"0101010101010101010101010101010101010101010101010101010101010101", vector[verifier()], 1,
        &clock, s.ctx(),
    );
    transfer::public_transfer(cap, admin());
    s.next_tx(admin());
    let network: Network = s.take_shared();
    let cap: AdminCap = s.take_from_address(admin());
    pool::create(
        &network, &cap, x"0202020202020202020202020202020202020202020202020202020202020202", 1, 1_000_000, 300_000, 100_000,
        3, &clock, s.ctx(),
    );
    ts::return_to_address(admin(), cap);
    ts::return_shared(network);
    s.next_tx(alice());
    (s, clock)
}

/// Registers a node for the sender of this transaction, who gets both caps.
public fun register(s: &mut Scenario, owner: address, amount: u64) {
    let network: Network = s.take_shared();
    let mut pool: Pool = s.take_shared();
    let coin = coin::mint_for_testing<SUI>(amount, s.ctx());
    let (cold, hot): (NodeOwnerCap, NodeOperatorCap) = pool.register(&network, owner, coin, s.ctx());
    transfer::public_transfer(cold, owner);
    transfer::public_transfer(hot, owner);
    ts::return_shared(pool);
    ts::return_shared(network);
}

public fun end(s: Scenario, clock: Clock) {
    clock.destroy_for_testing();
    s.end();
}
