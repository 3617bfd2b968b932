/// Transaction contexts that tests make; natives keep the one in force.
module sui::tx_context;

#[test_only]
/// Puts a new context in force and returns it.
public fun new(sender: address, tx_hash: vector<u8>, epoch: u64, epoch_timestamp_ms: u64, ids_created: u64): TxContext {
    assert!(tx_hash.length() == 32);
    replace(
        sender, tx_hash, epoch, epoch_timestamp_ms, ids_created,
        native_rgp(), native_gas_price(), native_gas_budget(), native_sponsor(),
    );
    TxContext { sender, tx_hash, epoch, epoch_timestamp_ms, ids_created }
}

#[test_only]
/// As `new`; another `hint` gives another transaction digest.
public fun new_from_hint(sender: address, hint: u64, epoch: u64, epoch_timestamp_ms: u64, ids_created: u64): TxContext {
    let mut tx_hash = std::bcs::to_bytes(&hint);
    while (tx_hash.length() < 32) tx_hash.push_back(0);
    new(sender, tx_hash, epoch, epoch_timestamp_ms, ids_created)
}

#[test_only]
public fun dummy(): TxContext {
    new_from_hint(@0x0, 0, 0, 0, 0)
}

#[test_only]
public fun increment_epoch_number(ctx: &mut TxContext) {
    advance(ctx, 1, 0)
}

#[test_only]
public fun increment_epoch_timestamp(ctx: &mut TxContext, delta_ms: u64) {
    advance(ctx, 0, delta_ms)
}

#[test_only]
fun advance(ctx: &TxContext, epochs: u64, delta_ms: u64) {
    replace(
        native_sender(), ctx.tx_hash, native_epoch() + epochs, native_epoch_timestamp_ms() + delta_ms, native_ids_created(),
        native_rgp(), native_gas_price(), native_gas_budget(), native_sponsor(),
    );
}

#[test_only]
native fun replace(
    sender: address, tx_hash: vector<u8>, epoch: u64, epoch_timestamp_ms: u64, ids_created: u64,
    rgp: u64, gas_price: u64, gas_budget: u64, sponsor: vector<address>,
);
