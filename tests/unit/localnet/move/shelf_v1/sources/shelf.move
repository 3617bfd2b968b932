/// The first version of a package that is upgraded (../shelf_v2): a shared object with a version gate.
module shelf::shelf;

use sui::event;

const VERSION: u64 = 1;
const EOtherVersion: u64 = 0;

public struct Shelf has key { id: UID, version: u64, items: u64 }
public struct Put has copy, drop { items: u64 }

fun init(ctx: &mut TxContext) {
    transfer::share_object(Shelf { id: object::new(ctx), version: VERSION, items: 0 });
}

public fun number(): u64 { VERSION }
public fun items(shelf: &Shelf): u64 { shelf.items }

public fun put(shelf: &mut Shelf) {
    assert!(shelf.version == VERSION, EOtherVersion);
    shelf.items = shelf.items + step();
    event::emit(Put { items: shelf.items });
}

fun step(): u64 { 1 }
