/// What instructions do, and how they fail.
module tricks::machine;

public enum Shape has copy, drop, store {
    Point,
    Circle { radius: u64 },
    Rectangle { width: u64, height: u64 },
    Labelled(vector<u8>, u64),
}

public enum Maybe<T> has copy, drop, store { Nothing, Just(T) }

public struct Pair<A, B> has copy, drop, store { first: A, second: B }

public fun shapes(): vector<Shape> {
    vector[Shape::Point, Shape::Circle { radius: 3 }, Shape::Rectangle { width: 2, height: 5 }, Shape::Labelled(b"x", 7)]
}

public fun area(shape: &Shape): u64 {
    match (shape) {
        Shape::Point => 0,
        Shape::Circle { radius } => 3 * *radius * *radius,
        Shape::Rectangle { width, height } => *width * *height,
        Shape::Labelled(_, area) => *area,
    }
}

public fun areas(): vector<u64> {
    let shapes = shapes();
    let mut areas = vector[];
    let mut i = 0;
    while (i < shapes.length()) { areas.push_back(area(&shapes[i])); i = i + 1; };
    areas
}

public fun grow(shape: &mut Shape) {
    match (shape) {
        Shape::Point => (),
        Shape::Circle { radius } => *radius = *radius + 1,
        Shape::Rectangle { width, .. } => *width = *width * 2,
        Shape::Labelled(label, _) => label.push_back(33),
    }
}

public fun grown(): vector<Shape> {
    let mut shapes = shapes();
    let mut i = 0;
    while (i < shapes.length()) { grow(&mut shapes[i]); i = i + 1; };
    shapes
}

public fun unwrap_or<T: drop>(maybe: Maybe<T>, other: T): T {
    match (maybe) { Maybe::Just(value) => value, Maybe::Nothing => other }
}
public fun just(value: u64): u64 { unwrap_or(Maybe::Just(value), 0) }
public fun nothing(value: u64): u64 { unwrap_or(Maybe::Nothing, value) }

/// Generic code over bytes, which are kept differently from other vectors.
public fun twice<T: copy + drop>(value: T): vector<T> { let mut v = vector[value]; v.push_back(value); v }
public fun twice_byte(value: u8): vector<u8> { twice(value) }
public fun pairs(value: u64): vector<Pair<u64, vector<u8>>> { twice(Pair { first: value, second: b"ab" }) }

/// A copy is independent of what it was copied from.
public fun copies(): (vector<vector<u8>>, vector<vector<u8>>) {
    let mut a = vector[b"one", b"two"];
    let b = a;
    a[0].push_back(33);
    *(&mut a[1]) = b"2";
    (a, b)
}

public fun add(a: u64, b: u64): u64 { a + b }
public fun subtract(a: u64, b: u64): u64 { a - b }
public fun multiply(a: u256, b: u256): u256 { a * b }
public fun divide(a: u64, b: u64): u64 { a / b }
public fun shift(a: u8, by: u8): u8 { a << by }
public fun narrow(a: u64): u8 { a as u8 }
public fun at(v: vector<u64>, i: u64): u64 { v[i] }
public fun last(mut v: vector<u64>): u64 { v.pop_back() }
public fun fail(code: u64) { abort code }
public fun spin() { loop {} }
public fun deep(n: u64): u64 { if (n == 0) 0 else 1 + deep(n - 1) }
public fun sum_to(n: u64): u64 { let mut i = 0; let mut sum = 0; while (i < n) { i = i + 1; sum = sum + i; }; sum }
