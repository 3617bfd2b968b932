/// A small package whose tests show that what is written by hand in localnet/toolchain/supplements does in Sui's VM what Sui's own does.
module helpers::counter;

use sui::event;

public struct Counter has key, store { id: UID, count: u64 }
public struct Counted has copy, drop { count: u64 }

public fun new(ctx: &mut TxContext): Counter { Counter { id: object::new(ctx), count: 0 } }

public fun count(counter: &mut Counter) {
    counter.count = counter.count + 1;
    event::emit(Counted { count: counter.count });
}

public fun total(counter: &Counter): u64 { counter.count }

public fun destroy(counter: Counter) {
    let Counter { id, count: _ } = counter;
    id.delete();
}
