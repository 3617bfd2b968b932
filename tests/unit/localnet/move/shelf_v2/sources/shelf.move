/// The second version: another body of `number` and `step`, new functions, new types; a type of the first goes into one of the second.
module shelf::shelf;

use std::ascii::String;
use std::type_name;
use sui::dynamic_field as field;
use sui::event;

const VERSION: u64 = 2;
const EOtherVersion: u64 = 0;

public struct Shelf has key { id: UID, version: u64, items: u64 }
public struct Put has copy, drop { items: u64 }
public struct Label has key, store { id: UID, put: vector<PutTwice> }
public struct PutTwice has copy, drop, store { count: u64 }
public struct Key has copy, drop, store {}
public struct Labelled has copy, drop { last: Put, label: ID }

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

public fun migrate(shelf: &mut Shelf) {
    assert!(shelf.version < VERSION, EOtherVersion);
    shelf.version = VERSION;
}

public fun label(shelf: &mut Shelf, ctx: &mut TxContext): Label {
    let label = Label { id: object::new(ctx), put: vector[PutTwice { count: shelf.items }] };
    event::emit(Labelled { last: Put { items: shelf.items }, label: object::id(&label) });
    field::add(&mut shelf.id, Key {}, shelf.items);
    label
}
public fun labelled(shelf: &Shelf): u64 { *field::borrow(&shelf.id, Key {}) }
public fun count(label: &Label): u64 { label.put[0].count }
public fun same<T>(_: &T): bool { type_name::with_defining_ids<T>() == type_name::with_original_ids<T>() }

public fun names(): (String, String, address, address) {
    (
        type_name::with_defining_ids<vector<Label>>().into_string(),
        type_name::with_original_ids<vector<Label>>().into_string(),
        type_name::defining_id<Label>(),
        type_name::original_id<Label>(),
    )
}

fun step(): u64 { 2 }
