/// Needs `middle`, and a later `shelf` than `middle` was linked to: then `middle` runs with the later one too.
module outer::outer;

use middle::middle;
use shelf::shelf::{Self, Shelf, Label};

public fun number(): u64 { middle::number() }
public fun both(): (u64, u64) { (shelf::number(), middle::number()) }
public fun put(shelf: &mut Shelf) { middle::put(shelf) }
public fun relabel(shelf: &mut Shelf, ctx: &mut TxContext): Label { shelf.label(ctx) }
