/// Several transactions in one test, over the natives of Sui's test VM: names and field order are theirs.
#[test_only, allow(unused, lint(all))]
module sui::test_scenario;

use sui::vec_map::VecMap;

/// A value was returned that was not taken in this transaction.
const ECantReturnObject: u64 = 2;
/// There is no object of that type to take.
const EEmptyInventory: u64 = 3;

public struct Scenario { txn_number: u64, ctx: TxContext }

public struct TransactionEffects has drop {
    created: vector<ID>,
    written: vector<ID>,
    deleted: vector<ID>,
    transferred_to_account: VecMap<ID, address>,
    transferred_to_object: VecMap<ID, ID>,
    shared: vector<ID>,
    frozen: vector<ID>,
    num_user_events: u64,
}

public fun begin(sender: address): Scenario {
    Scenario { txn_number: 0, ctx: sui::tx_context::new_from_hint(sender, 0, 0, 0, 0) }
}

/// Ends the transaction; what it moved can be taken in the one that begins.
public fun next_tx(scenario: &mut Scenario, sender: address): TransactionEffects {
    scenario.txn_number = scenario.txn_number + 1;
    let epoch = scenario.ctx.epoch();
    let epoch_timestamp_ms = scenario.ctx.epoch_timestamp_ms();
    scenario.ctx = sui::tx_context::new_from_hint(sender, scenario.txn_number, epoch, epoch_timestamp_ms, 0);
    end_transaction()
}

public fun next_epoch(scenario: &mut Scenario, sender: address): TransactionEffects {
    scenario.ctx.increment_epoch_number();
    scenario.next_tx(sender)
}

public fun later_epoch(scenario: &mut Scenario, delta_ms: u64, sender: address): TransactionEffects {
    scenario.ctx.increment_epoch_timestamp(delta_ms);
    scenario.next_epoch(sender)
}

public fun end(scenario: Scenario): TransactionEffects {
    let Scenario { txn_number: _, ctx: _ } = scenario;
    end_transaction()
}

public fun ctx(scenario: &mut Scenario): &mut TxContext { &mut scenario.ctx }
public fun new_object(scenario: &mut Scenario): UID { sui::object::new(&mut scenario.ctx) }
public fun sender(scenario: &Scenario): address { scenario.ctx.sender() }
public fun num_concluded_txes(scenario: &Scenario): u64 { scenario.txn_number }

public fun created(effects: &TransactionEffects): vector<ID> { effects.created }
public fun written(effects: &TransactionEffects): vector<ID> { effects.written }
public fun deleted(effects: &TransactionEffects): vector<ID> { effects.deleted }
public fun transferred_to_account(effects: &TransactionEffects): VecMap<ID, address> { effects.transferred_to_account }
public fun transferred_to_object(effects: &TransactionEffects): VecMap<ID, ID> { effects.transferred_to_object }
public fun shared(effects: &TransactionEffects): vector<ID> { effects.shared }
public fun frozen(effects: &TransactionEffects): vector<ID> { effects.frozen }
public fun num_user_events(effects: &TransactionEffects): u64 { effects.num_user_events }

public native fun take_from_address_by_id<T: key>(scenario: &Scenario, account: address, id: ID): T;
public native fun most_recent_id_for_address<T: key>(account: address): Option<ID>;
public native fun ids_for_address<T: key>(account: address): vector<ID>;
public native fun was_taken_from_address(account: address, id: ID): bool;

public fun has_most_recent_for_address<T: key>(account: address): bool {
    most_recent_id_for_address<T>(account).is_some()
}

public fun take_from_address<T: key>(scenario: &Scenario, account: address): T {
    take_from_address_by_id(scenario, account, one(most_recent_id_for_address<T>(account)))
}

public fun return_to_address<T: key>(account: address, object: T) {
    assert!(was_taken_from_address(account, sui::object::id(&object)), ECantReturnObject);
    sui::transfer::transfer_impl(object, account)
}

public fun take_from_sender_by_id<T: key>(scenario: &Scenario, id: ID): T {
    take_from_address_by_id(scenario, scenario.sender(), id)
}

public fun most_recent_id_for_sender<T: key>(scenario: &Scenario): Option<ID> {
    most_recent_id_for_address<T>(scenario.sender())
}

public fun has_most_recent_for_sender<T: key>(scenario: &Scenario): bool {
    has_most_recent_for_address<T>(scenario.sender())
}

public fun take_from_sender<T: key>(scenario: &Scenario): T { take_from_address(scenario, scenario.sender()) }
public fun return_to_sender<T: key>(scenario: &Scenario, object: T) { return_to_address(scenario.sender(), object) }
public fun ids_for_sender<T: key>(scenario: &Scenario): vector<ID> { ids_for_address<T>(scenario.sender()) }

public native fun take_immutable_by_id<T: key>(scenario: &Scenario, id: ID): T;
public native fun most_recent_immutable_id<T: key>(): Option<ID>;
public native fun was_taken_immutable(id: ID): bool;

public fun has_most_recent_immutable<T: key>(): bool { most_recent_immutable_id<T>().is_some() }

public fun take_immutable<T: key>(scenario: &Scenario): T {
    take_immutable_by_id(scenario, one(most_recent_immutable_id<T>()))
}

public fun return_immutable<T: key>(object: T) {
    assert!(was_taken_immutable(sui::object::id(&object)), ECantReturnObject);
    sui::transfer::freeze_object_impl(object)
}

public native fun take_shared_by_id<T: key>(scenario: &Scenario, id: ID): T;
public native fun most_recent_id_shared<T: key>(): Option<ID>;

public fun has_most_recent_shared<T: key>(): bool { most_recent_id_shared<T>().is_some() }

public fun take_shared<T: key>(scenario: &Scenario): T {
    take_shared_by_id(scenario, one(most_recent_id_shared<T>()))
}

public fun return_shared<T: key>(object: T) {
    assert!(was_taken_shared(sui::object::id(&object)), ECantReturnObject);
    sui::transfer::share_object_impl(object)
}

fun one(found: Option<ID>): ID {
    assert!(found.is_some(), EEmptyInventory);
    found.destroy_some()
}

native fun was_taken_shared(id: ID): bool;
native fun end_transaction(): TransactionEffects;
