/// The Network: cold, shared, read by reference from every call bound by a deadline.
/// It holds the parameters, the attestation policies, the verifier committee, the pause of `open_task`, and the time that the chain stood still.
/// Whatever touches money or trust is proposed first, and in force only after `timelock_ms`: who disagrees has time to leave.
module enclavia::network;

use enclavia::params::Params;
use enclavia::statement;
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
/// The object was made by another version of this package: call `migrate`, or the newer package.
const EWrongVersion: u64 = 5;
/// Not yet: what was proposed takes effect after `timelock_ms`.
const ETimelocked: u64 = 6;
/// Nothing of the kind is proposed.
const ENothingProposed: u64 = 7;
/// A policy has a hash of 32 bytes that is not in use yet, PCRs of 48 bytes that are not all zero, and there are at most four;
/// it starts after `timelock_ms` and ends in the future.
const EBadPolicy: u64 = 8;
/// No committee of this epoch is in office.
const EWrongCommittee: u64 = 9;

const VERSION: u64 = 1;
const MAX_VERIFIERS: u64 = 32;
const MAX_POLICIES: u64 = 4;
const MAX_PCRS: u64 = 16;
const PCR_BYTES: u64 = 48;
const FOREVER: u64 = 0xffff_ffff_ffff_ffff;

public struct Committee has copy, drop, store { epoch: u64, verifiers: vector<vector<u8>>, threshold: u64 }

/// In force while activates_at <= now < sunset_at. `nitro`: the PCR0 values that the native path takes under it.
public struct PolicyEntry has copy, drop, store {
    digest: vector<u8>, activates_at: u64, sunset_at: u64, nitro: vector<vector<u8>>,
}

/// At most one proposal, in force from `at` on.
public struct Pending<T: store> has copy, drop, store { value: vector<T>, at: u64 }

public struct Network has key {
    id: UID,
    version: u64,
    allow_simulated: bool,
    paused: bool,
    params: Params,
    policies: vector<PolicyEntry>,
    committee: Committee,
    previous: Committee,
    previous_until: u64,
    next_params: Pending<Params>,
    next_committee: Pending<Committee>,
    stall_ms: u64,
    heartbeat_at: u64,
}

public struct AdminCap has key, store { id: UID, network: address }

public struct NetworkCreated has copy, drop { network: address, admin_cap: address, allow_simulated: bool }
public struct Stalled has copy, drop { network: address, added_ms: u64, stall_ms: u64 }
public struct PauseSet has copy, drop { network: address, paused: bool }
public struct ParamsProposed has copy, drop { network: address, at: u64 }
public struct ParamsChanged has copy, drop { network: address, params: Params }
public struct CommitteeProposed has copy, drop { network: address, at: u64 }
public struct CommitteeChanged has copy, drop {
    network: address, epoch: u64, verifiers: vector<vector<u8>>, threshold: u64, previous_until: u64,
}
public struct ProposalsCancelled has copy, drop { network: address }
public struct PolicyAdded has copy, drop { network: address, digest: vector<u8>, activates_at: u64 }
public struct PolicySunset has copy, drop { network: address, digest: vector<u8>, at: u64 }
public struct Migrated has copy, drop { object: address, version: u64 }

/// Shares a Network. `policy` is the 32-byte hash of the attestation policy that the committee applies, in force at once.
/// `allow_simulated` cannot be changed later: simulated evidence counts only on a network that said so at birth.
public fun create(
    params: Params,
    allow_simulated: bool,
    policy: vector<u8>,
    nitro: vector<vector<u8>>,
    verifiers: vector<vector<u8>>,
    threshold: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): AdminCap {
    check_committee(&verifiers, threshold);
    check_policy(&policy, &nitro);
    let network = Network {
        id: object::new(ctx),
        version: VERSION,
        allow_simulated,
        paused: false,
        params,
        policies: vector[PolicyEntry { digest: policy, activates_at: 0, sunset_at: FOREVER, nitro }],
        committee: Committee { epoch: 1, verifiers, threshold },
        previous: Committee { epoch: 0, verifiers: vector[], threshold: 0 },
        previous_until: 0,
        next_params: nothing(),
        next_committee: nothing(),
        stall_ms: 0,
        heartbeat_at: clock.timestamp_ms(),
    };
    let at = address_of(&network);
    let cap = AdminCap { id: object::new(ctx), network: at };
    event::emit(NetworkCreated { network: at, admin_cap: object::uid_to_address(&cap.id), allow_simulated });
    // what it begins with is said as every change of it is: events alone tell who was in office when
    event::emit(ParamsChanged { network: at, params: network.params });
    event::emit(CommitteeChanged { network: at, epoch: 1, verifiers, threshold, previous_until: 0 });
    event::emit(PolicyAdded { network: at, digest: policy, activates_at: 0 });
    transfer::share_object(network);
    cap
}

/// Anybody may say that the chain lives. A silence longer than `heartbeat_ms` is taken for a halt:
/// all of it is added to `stall_ms`, so that no deadline came nearer during it.
public fun heartbeat(network: &mut Network, clock: &Clock) {
    check_version(network);
    let gap = clock.timestamp_ms() - network.heartbeat_at;
    let allowed = network.params.heartbeat_ms();
    if (gap > allowed) {
        network.stall_ms = network.stall_ms + gap;
        event::emit(Stalled { network: address_of(network), added_ms: gap, stall_ms: network.stall_ms });
    };
    network.heartbeat_at = clock.timestamp_ms();
}

// === Administration ===

/// Stops `open_task`, and nothing else; at once.
public fun set_paused(network: &mut Network, cap: &AdminCap, paused: bool) {
    check_admin(network, cap);
    network.paused = paused;
    event::emit(PauseSet { network: address_of(network), paused });
}

/// Proposes parameters for tasks opened after the timelock.
public fun propose_params(network: &mut Network, cap: &AdminCap, params: Params, clock: &Clock) {
    check_admin(network, cap);
    let at = now(network, clock) + network.params.timelock_ms();
    network.next_params = Pending { value: vector[params], at };
    event::emit(ParamsProposed { network: address_of(network), at });
}

/// Puts proposed parameters in force once the timelock is over; anybody may.
/// The silence so far is judged by the parameters it happened under.
public fun apply_params(network: &mut Network, clock: &Clock) {
    heartbeat(network, clock);
    let now = now(network, clock);
    network.params = take(&mut network.next_params, now);
    event::emit(ParamsChanged { network: address_of(network), params: network.params });
}

/// Proposes another verifier committee.
public fun propose_committee(
    network: &mut Network, cap: &AdminCap, verifiers: vector<vector<u8>>, threshold: u64, clock: &Clock,
) {
    check_admin(network, cap);
    check_committee(&verifiers, threshold);
    let at = now(network, clock) + network.params.timelock_ms();
    let epoch = network.committee.epoch + 1;
    network.next_committee = Pending { value: vector[Committee { epoch, verifiers, threshold }], at };
    event::emit(CommitteeProposed { network: address_of(network), at });
}

/// Puts the proposed committee in office once the timelock is over; anybody may. The one before counts for `rotation_ms` more:
/// enclaves trust the committee that their binding names, and need that time to be attested anew.
public fun apply_committee(network: &mut Network, clock: &Clock) {
    check_version(network);
    let now = now(network, clock);
    let committee = take(&mut network.next_committee, now);
    network.previous = network.committee;
    network.previous_until = now + network.params.rotation_ms();
    network.committee = committee;
    event::emit(CommitteeChanged {
        network: address_of(network), epoch: committee.epoch, verifiers: committee.verifiers,
        threshold: committee.threshold, previous_until: network.previous_until,
    });
}

/// Withdraws what is proposed for parameters and committee.
public fun cancel_proposals(network: &mut Network, cap: &AdminCap) {
    check_admin(network, cap);
    network.next_params = nothing();
    network.next_committee = nothing();
    event::emit(ProposalsCancelled { network: address_of(network) });
}

/// Adds a policy that verdicts may name from `activates_at` on. A fourth one displaces none: sunset an old one first.
public fun add_policy(
    network: &mut Network, cap: &AdminCap, digest: vector<u8>, nitro: vector<vector<u8>>, activates_at: u64, clock: &Clock,
) {
    check_admin(network, cap);
    check_policy(&digest, &nitro);
    let now = now(network, clock);
    assert!(activates_at >= now + network.params.timelock_ms() && activates_at < FOREVER, EBadPolicy);
    let mut i = 0;
    while (i < network.policies.length()) {
        assert!(network.policies[i].digest != digest, EBadPolicy);
        if (network.policies[i].sunset_at <= now) { network.policies.remove(i); } else i = i + 1;
    };
    assert!(network.policies.length() < MAX_POLICIES, EBadPolicy);
    network.policies.push_back(PolicyEntry { digest, activates_at, sunset_at: FOREVER, nitro });
    event::emit(PolicyAdded { network: address_of(network), digest, activates_at });
}

/// Ends a policy; records made under it count no longer from `at` on. At once, if need be: it takes no money, and breaks do not wait.
public fun sunset_policy(network: &mut Network, cap: &AdminCap, digest: vector<u8>, at: u64, clock: &Clock) {
    check_admin(network, cap);
    assert!(at >= now(network, clock), EBadPolicy);
    let i = find(network, &digest);
    assert!(i < network.policies.length() && at < network.policies[i].sunset_at, EBadPolicy);
    (&mut network.policies[i]).sunset_at = at;
    event::emit(PolicySunset { network: address_of(network), digest, at });
}

/// Raises the Network to this package's version; from then on older packages refuse it.
public fun migrate(network: &mut Network, cap: &AdminCap) {
    assert!(cap.network == address_of(network), ENotAdmin);
    assert!(network.version < VERSION, EWrongVersion);
    network.version = VERSION;
    migrated(address_of(network));
}

public(package) fun migrated(object: address) { event::emit(Migrated { object, version: VERSION }); }

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

fun check_policy(digest: &vector<u8>, nitro: &vector<vector<u8>>) {
    assert!(digest.length() == 32 && nitro.length() <= MAX_PCRS, EBadPolicy);
    let mut i = 0;
    while (i < nitro.length()) {
        // zeros are what an enclave in debug mode reports
        assert!(nitro[i].length() == PCR_BYTES && !is_zero(&nitro[i]), EBadPolicy);
        i = i + 1;
    };
}

public(package) fun is_zero(bytes: &vector<u8>): bool {
    let mut i = 0;
    while (i < bytes.length()) {
        if (bytes[i] != 0) return false;
        i = i + 1;
    };
    true
}

public(package) fun nothing<T: store>(): Pending<T> { Pending { value: vector[], at: 0 } }

public(package) fun pending<T: store>(value: T, at: u64): Pending<T> { Pending { value: vector[value], at } }

/// What is proposed, if it is due.
public(package) fun take<T: store + copy + drop>(pending: &mut Pending<T>, now: u64): T {
    assert!(!pending.value.is_empty(), ENothingProposed);
    assert!(now >= pending.at, ETimelocked);
    pending.value.pop_back()
}

public(package) fun is_proposed<T: store>(pending: &Pending<T>): bool { !pending.value.is_empty() }
public(package) fun due_at<T: store>(pending: &Pending<T>): u64 { pending.at }
public(package) fun taken<T: store>(pending: &mut Pending<T>): T { pending.value.pop_back() }

// === Checks ===

public(package) fun check_version(network: &Network) { assert!(network.version == VERSION, EWrongVersion); }

public(package) fun check_admin(network: &Network, cap: &AdminCap) {
    check_version(network);
    assert!(cap.network == address_of(network), ENotAdmin);
}

public(package) fun check_open(network: &Network) { assert!(!network.paused, EPaused); }

/// A crank that may cost stake wants proof that the chain was not just halted.
public(package) fun check_alive(network: &Network, clock: &Clock) {
    assert!(clock.timestamp_ms() - network.heartbeat_at <= network.params.heartbeat_ms(), EStaleHeartbeat);
}

/// Aborts unless the committee of `epoch`, in office, signed `message`.
public(package) fun verify_committee(
    network: &Network, epoch: u64, message: &vector<u8>, signers: &vector<u64>, signatures: &vector<vector<u8>>,
    clock: &Clock,
) {
    let present = epoch == network.committee.epoch;
    let former = epoch == network.previous.epoch && now(network, clock) < network.previous_until;
    assert!(present || former, EWrongCommittee);
    let committee = if (present) &network.committee else &network.previous;
    statement::verify_committee(&committee.verifiers, committee.threshold, message, signers, signatures);
}

fun find(network: &Network, digest: &vector<u8>): u64 {
    let mut i = 0;
    while (i < network.policies.length() && &network.policies[i].digest != digest) i = i + 1;
    i
}

/// Whether verdicts and records under this policy count now.
public fun is_in_force(network: &Network, digest: &vector<u8>, clock: &Clock): bool {
    let i = find(network, digest);
    if (i == network.policies.length()) return false;
    let now = now(network, clock);
    let entry = &network.policies[i];
    entry.activates_at <= now && now < entry.sunset_at
}

/// Whether this policy, which is in force, takes a Nitro enclave of this PCR0.
public fun takes_nitro(network: &Network, digest: &vector<u8>, pcr0: &vector<u8>): bool {
    let i = find(network, digest);
    i < network.policies.length() && network.policies[i].nitro.contains(pcr0)
}

/// Protocol time: the chain's clock less the time it stood still.
public fun now(network: &Network, clock: &Clock): u64 {
    check_version(network);
    clock.timestamp_ms() - network.stall_ms
}

public fun address_of(network: &Network): address { object::uid_to_address(&network.id) }
public fun allow_simulated(network: &Network): bool { network.allow_simulated }
public fun paused(network: &Network): bool { network.paused }
public fun params(network: &Network): &Params { &network.params }
public fun policies(network: &Network): &vector<PolicyEntry> { &network.policies }
public fun committee(network: &Network): &Committee { &network.committee }
public fun previous(network: &Network): &Committee { &network.previous }
public fun previous_until(network: &Network): u64 { network.previous_until }
public fun committee_epoch(committee: &Committee): u64 { committee.epoch }
public fun verifiers(committee: &Committee): &vector<vector<u8>> { &committee.verifiers }
public fun threshold(committee: &Committee): u64 { committee.threshold }
public fun policy_digest(entry: &PolicyEntry): &vector<u8> { &entry.digest }
public fun activates_at(entry: &PolicyEntry): u64 { entry.activates_at }
public fun sunset_at(entry: &PolicyEntry): u64 { entry.sunset_at }
public fun stall_ms(network: &Network): u64 { network.stall_ms }
public fun heartbeat_at(network: &Network): u64 { network.heartbeat_at }
public fun version(): u64 { VERSION }
