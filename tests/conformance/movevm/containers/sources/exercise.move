/// Runs the framework's containers through many operations that a seed decides on, and writes down all that it sees.
module containers::exercise;

use std::bit_vector;
use std::string::{Self, String};
use sui::bag;
use sui::balance;
use sui::bcs;
use sui::dynamic_field as field;
use sui::dynamic_object_field as object_field;
use sui::hash;
use sui::hex;
use sui::linked_table;
use sui::object_table;
use sui::priority_queue;
use sui::table;
use sui::table_vec;
use sui::vec_map;
use sui::vec_set;

public struct Log has drop { lines: vector<vector<u8>>, state: u64 }
public struct Item has key, store { id: UID, weight: u64 }
public struct Currency has drop {}
public struct Kept has key, store { id: UID, total: balance::Supply<Currency> }
public enum Token has copy, drop, store { End, Number(u64), Word { text: String, at: u64 }, Group(vector<u64>) }

fun next(log: &mut Log, below: u64): u64 {
    log.state = (log.state * 6_364_136_223 + 1_442_695_041) % 1_000_000_007;
    log.state % below
}
fun note<T: drop>(log: &mut Log, value: T) { log.lines.push_back(bcs::to_bytes(&value)); }

public fun tables(seed: u64, ctx: &mut TxContext): vector<vector<u8>> {
    let mut log = Log { lines: vector[], state: seed };
    let mut t = table::new<u64, vector<u8>>(ctx);
    let mut l = linked_table::new<u8, u64>(ctx);
    let mut v = table_vec::empty<u128>(ctx);
    let mut i = 0u64;
    while (i < 40) {
        let key = next(&mut log, 8);
        if (t.contains(key)) { let old = t.remove(key); note(&mut log, old); } else t.add(key, bcs::to_bytes(&i));
        if (t.contains(key)) t.borrow_mut(key).push_back(7);
        let small = (next(&mut log, 6) as u8);
        if (l.contains(small)) { let old = l.remove(small); note(&mut log, old); }
        else if (i % 2 == 0) l.push_front(small, i) else l.push_back(small, i);
        note(&mut log, *l.front());
        note(&mut log, *l.back());
        v.push_back((i as u128) << 70);
        if (next(&mut log, 3) == 0) { let old = v.pop_back(); note(&mut log, old); };
        if (v.length() > 2) { let last = v.length() - 1; v.swap(0, last); note(&mut log, *v.borrow(1)); };
        i = i + 1;
    };
    note(&mut log, t.length());
    note(&mut log, v.length());
    while (!l.is_empty()) { let (key, value) = l.pop_front(); note(&mut log, key); note(&mut log, value); };
    l.destroy_empty();
    t.drop();
    v.drop();
    log.lines
}

public fun bags(seed: u64, ctx: &mut TxContext): vector<vector<u8>> {
    let mut log = Log { lines: vector[], state: seed };
    let mut b = bag::new(ctx);
    let mut o = object_table::new<String, Item>(ctx);
    let mut parent = Item { id: object::new(ctx), weight: 0 };
    let mut i = 0u64;
    while (i < 24) {
        let key = next(&mut log, 5);
        let name = string::utf8(hex::encode(bcs::to_bytes(&key)));
        if (b.contains_with_type<u64, vector<u8>>(key)) { let old: vector<u8> = b.remove(key); note(&mut log, old); }
        else if (b.contains(key)) { let old: u64 = b.remove(key); note(&mut log, old); }
        else if (i % 3 == 0) b.add(key, i) else b.add(key, hash::blake2b256(&bcs::to_bytes(&i)));
        if (o.contains(name)) { let Item { id, weight } = o.remove(name); id.delete(); note(&mut log, weight); }
        else o.add(name, Item { id: object::new(ctx), weight: i });
        if (object_field::exists_(&parent.id, name)) {
            let child: &mut Item = object_field::borrow_mut(&mut parent.id, name);
            child.weight = child.weight * 3 + 1;
            note(&mut log, child.weight);
        } else object_field::add(&mut parent.id, name, Item { id: object::new(ctx), weight: i });
        if (!field::exists_with_type<String, bool>(&parent.id, name)) field::add(&mut parent.id, name, i % 2 == 0);
        let flag: bool = *field::borrow(&parent.id, name);
        note(&mut log, flag);
        note(&mut log, b.length());
        note(&mut log, o.length());
        i = i + 1;
    };
    let mut key = 0;
    while (key < 5) {
        let name = string::utf8(hex::encode(bcs::to_bytes(&key)));
        if (b.contains_with_type<u64, u64>(key)) { let _: u64 = b.remove(key); }
        else if (b.contains(key)) { let _: vector<u8> = b.remove(key); };
        if (o.contains(name)) { let Item { id, weight: _ } = o.remove(name); id.delete(); };
        if (object_field::exists_(&parent.id, name)) {
            let Item { id, weight } = object_field::remove(&mut parent.id, name);
            id.delete();
            note(&mut log, weight);
        };
        key = key + 1;
    };
    b.destroy_empty();
    o.destroy_empty();
    let Item { id, weight: _ } = parent;
    id.delete();
    log.lines
}

public fun vectors(seed: u64, ctx: &mut TxContext): vector<vector<u8>> {
    let mut log = Log { lines: vector[], state: seed };
    let mut map = vec_map::empty<u64, String>();
    let mut set = vec_set::empty<address>();
    let mut queue = priority_queue::new<u64>(vector[]);
    let mut bits = bit_vector::new(32);
    let mut total = balance::create_supply(Currency {});
    let mut purse = balance::zero();
    let mut i = 0u64;
    while (i < 40) {
        let key = next(&mut log, 9);
        if (map.contains(&key)) { let (k, text) = map.remove(&key); note(&mut log, k); note(&mut log, text); }
        else map.insert(key, string::utf8(b"item ").substring(0, 4));
        let at = sui::address::from_u256((next(&mut log, 4) as u256) << 200);
        if (set.contains(&at)) set.remove(&at) else set.insert(at);
        note(&mut log, set.length());
        queue.insert(next(&mut log, 100), i);
        if (i % 3 == 2) { let (priority, value) = queue.pop_max(); note(&mut log, priority); note(&mut log, value); };
        if (bits.is_index_set(next(&mut log, 32))) bits.shift_left(3) else bits.set(next(&mut log, 32));
        note(&mut log, bits.longest_set_sequence_starting_at(0));
        purse.join(total.increase_supply(key + 1));
        if (purse.value() > 20) { let part = purse.split(key); note(&mut log, total.decrease_supply(part)); };
        i = i + 1;
    };
    note(&mut log, map);
    note(&mut log, set);
    note(&mut log, bits);
    note(&mut log, total.decrease_supply(purse));
    let mut numbers = vector[5u64, 3, 9, 1];
    numbers.reverse();
    numbers.insert(77, 2);
    numbers.append(vector[8, 8]);
    note(&mut log, numbers.remove(1));
    note(&mut log, numbers.swap_remove(0));
    note(&mut log, numbers);
    let (found, index) = numbers.index_of(&8);
    note(&mut log, found);
    note(&mut log, index);
    transfer::public_freeze_object(Kept { id: object::new(ctx), total });
    log.lines
}

public fun enums(seed: u64): vector<vector<u8>> {
    let mut log = Log { lines: vector[], state: seed };
    let mut tokens = vector<Token>[];
    let mut i = 0u64;
    while (i < 30) {
        let token = match (next(&mut log, 4)) {
            0 => Token::End,
            1 => Token::Number(i),
            2 => Token::Word { text: string::utf8(b"w"), at: i },
            _ => Token::Group(vector[i, i + 1]),
        };
        tokens.push_back(token);
        let last = tokens.length() - 1;
        match (&mut tokens[last]) {
            Token::Number(n) => *n = *n * 2,
            Token::Word { text, at } => { text.append(string::utf8(b"ord")); *at = text.length(); },
            Token::Group(items) => items.push_back(99),
            Token::End => (),
        };
        i = i + 1;
    };
    note(&mut log, tokens);
    while (!tokens.is_empty()) {
        let weight = match (tokens.pop_back()) {
            Token::Number(n) if (*n > 20) => n,
            Token::Number(_) => 1,
            Token::Word { text, .. } => text.length(),
            Token::Group(items) => items.length() * 100,
            Token::End => 0,
        };
        note(&mut log, weight);
    };
    log.lines
}

/// Everything at once, with what integers of all widths do on the way.
public fun integers(seed: u64): vector<vector<u8>> {
    let mut log = Log { lines: vector[], state: seed };
    let mut wide: u256 = 1;
    let mut i = 0u64;
    while (i < 60) {
        let x = next(&mut log, 1_000_000);
        wide = (wide * ((x as u256) + 3)) % 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3;
        note(&mut log, wide);
        note(&mut log, ((x as u128) << 64) | ((wide & 0xffff) as u128));
        note(&mut log, ((x % 256) as u8) ^ 0x5a);
        note(&mut log, ((x % 65_536) as u16) >> 3);
        note(&mut log, (x as u32) & 0xf0f0);
        note(&mut log, x.sqrt());
        note(&mut log, x.pow(2));
        note(&mut log, std::u128::divide_and_round_up(x as u128, 7));
        note(&mut log, std::fixed_point32::multiply_u64(x, std::fixed_point32::create_from_rational(x + 1, 3)));
        note(&mut log, x.to_string());
        i = i + 1;
    };
    log.lines
}
