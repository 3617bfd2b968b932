/// What the tests of the localnet's API call: a shared object, an owned one, fields, events, aborts.
module counter::counter;

use std::string::String;
use sui::clock::Clock;
use sui::dynamic_field as field;
use sui::dynamic_object_field as object_field;
use sui::event;
use sui::transfer::Receiving;

const EZero: u64 = 7;

public struct Counter has key { id: UID, value: u64, seen_at: u64 }
public struct Token has key, store { id: UID, level: u8, name: Option<String> }
public struct Bumped has copy, drop { counter: ID, value: u64, by: address, tags: vector<u8> }
public struct Reset<phantom T> has copy, drop { counter: ID }

fun init(ctx: &mut TxContext) {
    transfer::share_object(Counter { id: object::new(ctx), value: 0, seen_at: 0 });
}

public fun bump(counter: &mut Counter, by: u64, ctx: &TxContext) {
    assert!(by > 0, EZero);
    counter.value = counter.value + by;
    event::emit(Bumped { counter: object::id(counter), value: counter.value, by: ctx.sender(), tags: b"ab" });
}

public fun reset<T>(counter: &mut Counter) {
    counter.value = 0;
    event::emit(Reset<T> { counter: object::id(counter) });
}

public fun value(counter: &Counter): u64 { counter.value }

public fun see(counter: &mut Counter, clock: &Clock) { counter.seen_at = clock.timestamp_ms(); }

public fun note(counter: &mut Counter, key: u64, text: vector<u8>) { field::add(&mut counter.id, key, text) }

public fun keep(counter: &mut Counter, key: u64, token: Token) { object_field::add(&mut counter.id, key, token) }

public fun mint(level: u8, name: Option<String>, ctx: &mut TxContext): Token { Token { id: object::new(ctx), level, name } }

public fun level(token: &Token): u8 { token.level }

public fun absorb(into: &mut Token, other: Receiving<Token>) {
    let Token { id, level, name: _ } = transfer::receive(&mut into.id, other);
    id.delete();
    into.level = into.level + level;
}
