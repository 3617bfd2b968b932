/// The Network: cold, shared, read by reference from every call bound by a deadline.
/// It holds the parameters, the attestation policy's hash, the verifier committee, the pause of `open_task`, and the time that the chain stood still.
module enclavia::network;

use enclavia::params::Params;
use sui::clock::Clock;
use sui::event;

/// The AdminCap is of another Network.
const ENotAdmin: u64 = 1;
/// A committee has 1..=32 different keys of 32 bytes, and a threshold of at least one and at most all.
const EBadCommittee: u64 = 2;
/// Nobody sent a heartbeat lately: send `heartbeat` first, in the same transaction.
const EStaleHeartbeat: u64 = 3;
/// New tasks are paused; tasks under way go on.
const EPaused: u64 = 4;
/// The object was made by another version of this package.
const EWrongVersion: u64 = 5;

const VERSION: u64 = 1;
const MAX_VERIFIERS: u64 = 32;

public struct Network has key {
    id: UID,
    version: u64,
    allow_simulated: bool,
    paused: bool,
    params: Params,
    policy: vector<u8>,
    verifiers: vector<vector<u8>>,
    threshold: u64,
    stall_ms: u64,
    heartbeat_at: u64,
}

public struct AdminCap has key, store { id: UID, network: address }

public struct NetworkCreated has copy, drop { network: address, admin_cap: address, allow_simulated: bool }
public struct Stalled has copy, drop { network: address, added_ms: u64, stall_ms: u64 }

/// Shares a Network. `policy` is the 32-byte hash of the attestation policy that the committee applies.
/// `allow_simulated` cannot be changed later: simulated evidence counts only on a network that said so at birth.
public fun create(
    params: Params,
    allow_simulated: bool,
    policy: vector<u8>,
    verifiers: vector<vector<u8>>,
    threshold: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): AdminCap {
    check_committee(&verifiers, threshold);
    let network = Network {
        id: object::new(ctx),
        version: VERSION,
        allow_simulated,
        paused: false,
        params,
        policy,
        verifiers,
        threshold,
        stall_ms: 0,
        heartbeat_at: clock.timestamp_ms(),
    };
    let at = object::uid_to_address(&network.id);
    let cap = AdminCap { id: object::new(ctx), network: at };
    event::emit(NetworkCreated { network: at, admin_cap: object::uid_to_address(&cap.id), allow_simulated });
    transfer::share_object(network);
    cap
}

/// Anybody may say that the chain lives. A silence longer than `heartbeat_ms` is taken for a halt:
/// its excess is added to `stall_ms`, so that no deadline passed during it.
public fun heartbeat(network: &mut Network, clock: &Clock) {
    assert!(network.version == VERSION, EWrongVersion);
    let gap = clock.timestamp_ms() - network.heartbeat_at;
    let allowed = network.params.heartbeat_ms();
    if (gap > allowed) {
        network.stall_ms = network.stall_ms + (gap - allowed);
        event::emit(Stalled { network: address_of(network), added_ms: gap - allowed, stall_ms: network.stall_ms });
    };
    network.heartbeat_at = clock.timestamp_ms();
}

/// Stops `open_task`, and nothing else.
public fun set_paused(network: &mut Network, cap: &AdminCap, paused: bool) {
    check_admin(network, cap);
    network.paused = paused;
}

/// Replaces the verifier committee and the policy it applies. Records already attested stay.
public fun set_committee(
    network: &mut Network,
    cap: &AdminCap,
    verifiers: vector<vector<u8>>,
    threshold: u64,
    policy: vector<u8>,
) {
    check_admin(network, cap);
    check_committee(&verifiers, threshold);
    network.verifiers = verifiers;
    network.threshold = threshold;
    network.policy = policy;
}

fun check_committee(verifiers: &vector<vector<u8>>, threshold: u64) {
    let count = verifiers.length();
    assert!(count >= 1 && count <= MAX_VERIFIERS, EBadCommittee);
    assert!(threshold >= 1 && threshold <= count, EBadCommittee);
    let mut i = 0;
    while (i < count) {
        assert!(verifiers[i].length() == 32, EBadCommittee);
        let mut j = i + 1;
        // one key counted twice would be a committee of one
        while (j < count) { assert!(verifiers[i] != verifiers[j], EBadCommittee); j = j + 1; };
        i = i + 1;
    };
}

public(package) fun check_admin(network: &Network, cap: &AdminCap) {
    assert!(network.version == VERSION, EWrongVersion);
    assert!(cap.network == address_of(network), ENotAdmin);
}

public(package) fun check_open(network: &Network) { assert!(!network.paused, EPaused); }

/// A crank that may cost stake wants proof that the chain was not just halted.
public(package) fun check_alive(network: &Network, clock: &Clock) {
    assert!(clock.timestamp_ms() - network.heartbeat_at <= network.params.heartbeat_ms(), EStaleHeartbeat);
}

/// Protocol time: the chain's clock less the time it stood still.
public fun now(network: &Network, clock: &Clock): u64 {
    assert!(network.version == VERSION, EWrongVersion);
    clock.timestamp_ms() - network.stall_ms
}

public fun address_of(network: &Network): address { object::uid_to_address(&network.id) }
public fun allow_simulated(network: &Network): bool { network.allow_simulated }
public fun paused(network: &Network): bool { network.paused }
public fun params(network: &Network): &Params { &network.params }
public fun policy(network: &Network): &vector<u8> { &network.policy }
public fun verifiers(network: &Network): &vector<vector<u8>> { &network.verifiers }
public fun threshold(network: &Network): u64 { network.threshold }
public fun stall_ms(network: &Network): u64 { network.stall_ms }
public fun version(): u64 { VERSION }
