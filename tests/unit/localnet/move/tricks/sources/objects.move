/// What can happen to objects: wrapped, shared, received, hung under others, deleted; and what must not.
module tricks::objects;

use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::{Self, Coin};
use sui::dynamic_field as field;
use sui::dynamic_object_field as object_field;
use sui::event;
use sui::random::{Self, Random};
use sui::sui::SUI;
use sui::transfer::Receiving;

public struct OBJECTS has drop {}

public struct Box has key, store { id: UID, value: u64 }
/// Without `store`: only this module may transfer it.
public struct Badge has key { id: UID }
public struct Wrapper has key { id: UID, inner: Box }
public struct Counter has key { id: UID, count: u64, pot: Balance<SUI> }
public struct Blob has key { id: UID, data: vector<vector<u8>> }
/// Without any ability: who gets it must give it back.
public struct Potato { heat: u64 }
public struct Ticked has copy, drop { count: u64 }
public struct Rolled has copy, drop { value: u64 }

fun init(witness: OBJECTS, ctx: &mut TxContext) {
    assert!(sui::types::is_one_time_witness(&witness), 99);
    transfer::share_object(Counter { id: object::new(ctx), count: 0, pot: balance::zero() });
    transfer::transfer(Badge { id: object::new(ctx) }, ctx.sender());
    event::emit(Ticked { count: 0 });
}

public fun new_box(value: u64, ctx: &mut TxContext): Box { Box { id: object::new(ctx), value } }
public fun value(b: &Box): u64 { b.value }
public fun set_value(b: &mut Box, value: u64) { b.value = value; }
public fun burn(b: Box) { let Box { id, value: _ } = b; id.delete(); }
public fun freeze_box(b: Box) { transfer::public_freeze_object(b); }
public fun share_box(b: Box) { transfer::share_object(b); }

public fun wrap(inner: Box, ctx: &mut TxContext) {
    transfer::transfer(Wrapper { id: object::new(ctx), inner }, ctx.sender());
}
public fun unwrap(w: Wrapper): Box { let Wrapper { id, inner } = w; id.delete(); inner }

public fun tick(c: &mut Counter): u64 { c.count = c.count + 1; event::emit(Ticked { count: c.count }); c.count }
public fun count(c: &Counter): u64 { c.count }
public fun tick_then_fail(c: &mut Counter, ctx: &mut TxContext) {
    tick(c);
    transfer::public_transfer(new_box(1, ctx), ctx.sender());
    abort 42
}
public fun delete_counter(c: Counter) {
    let Counter { id, count: _, pot } = c;
    pot.destroy_zero();
    id.delete();
}
public fun own_counter(c: Counter, ctx: &TxContext) { transfer::transfer(c, ctx.sender()); }
public fun share_again(c: Counter) { transfer::share_object(c); }
public fun deposit(c: &mut Counter, coin: Coin<SUI>) { c.pot.join(coin.into_balance()); }
public fun withdraw(c: &mut Counter, amount: u64, ctx: &mut TxContext): Coin<SUI> { coin::take(&mut c.pot, amount, ctx) }

public fun receive(parent: &mut Box, ticket: Receiving<Box>): Box { transfer::public_receive(&mut parent.id, ticket) }
public fun receive_coin(parent: &mut Box, ticket: Receiving<Coin<SUI>>): Coin<SUI> {
    transfer::public_receive(&mut parent.id, ticket)
}

public fun hang(parent: &mut Box, name: u64, child: Box) { object_field::add(&mut parent.id, name, child); }
public fun unhang(parent: &mut Box, name: u64): Box { object_field::remove(&mut parent.id, name) }
public fun set_hanging(parent: &mut Box, name: u64, value: u64) {
    object_field::borrow_mut<u64, Box>(&mut parent.id, name).value = value;
}
public fun hanging(parent: &Box, name: u64): u64 { object_field::borrow<u64, Box>(&parent.id, name).value }
public fun note(parent: &mut Box, name: vector<u8>, value: u64) { field::add(&mut parent.id, name, value); }
public fun unnote(parent: &mut Box, name: vector<u8>): u64 { field::remove(&mut parent.id, name) }
public fun noted(parent: &Box, name: vector<u8>): u64 { *field::borrow(&parent.id, name) }
public fun noted_as_bool(parent: &Box, name: vector<u8>): bool { *field::borrow(&parent.id, name) }
public fun renote(parent: &mut Box, name: vector<u8>) {
    let old: u64 = field::remove(&mut parent.id, name);
    field::add(&mut parent.id, name, old);
}

public fun potato(): Potato { Potato { heat: 1 } }
public fun eat(p: Potato) { let Potato { heat: _ } = p; }

public fun blob(size: u64, ctx: &mut TxContext) {
    let mut piece = b"0123456789abcdef";
    while (piece.length() < 1024) { let more = piece; piece.append(more); };
    let mut data = vector[];
    while (1024 * data.length() < size) data.push_back(piece);
    transfer::transfer(Blob { id: object::new(ctx), data }, ctx.sender());
}

entry fun private_entry(b: &mut Box) { b.value = b.value + 1; }
public fun touch(_: &mut Box) {}
#[allow(unused_function)]
fun hidden() {}
public(package) fun friendly() {}
public fun reference(b: &Box): &u64 { &b.value }
public fun both(_: &mut Box, _: &Box) {}
public fun generic<T: key + store>(thing: T, ctx: &TxContext) { transfer::public_transfer(thing, ctx.sender()); }

entry fun roll(r: &Random, ctx: &mut TxContext) {
    event::emit(Rolled { value: random::new_generator(r, ctx).generate_u64() });
}
public fun time(clock: &Clock): u64 { clock.timestamp_ms() }
public fun emit_many(count: u64) { let mut i = 0; while (i < count) { event::emit(Ticked { count: i }); i = i + 1; } }
public fun who(ctx: &TxContext): (address, Option<address>, u64) { (ctx.sender(), ctx.sponsor(), ctx.gas_price()) }
