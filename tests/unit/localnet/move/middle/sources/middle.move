/// Needs `shelf`, in whichever version it is linked to.
module middle::middle;

use shelf::shelf::{Self, Shelf};

public struct Note has key, store { id: UID, shelf: address }

public fun number(): u64 { shelf::number() }
public fun put(shelf: &mut Shelf) { shelf.put() }
public fun note(ctx: &mut TxContext): Note { Note { id: object::new(ctx), shelf: @shelf } }
public fun shelf(note: &Note): address { note.shelf }
