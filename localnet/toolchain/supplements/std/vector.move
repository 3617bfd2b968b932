/// Method aliases and macros: the compiler resolves them, so bytecode has none of them.
module std::vector;

public use fun std::string::utf8 as vector.to_string;
public use fun std::string::try_utf8 as vector.try_to_string;
public use fun std::ascii::string as vector.to_ascii_string;
public use fun std::ascii::try_string as vector.try_to_ascii_string;

/// A vector of `n` elements, each made from its index.
public macro fun tabulate<$T>($n: u64, $make: |u64| -> $T): vector<$T> {
    let n = $n;
    let mut made = vector[];
    let mut i = 0;
    while (i < n) {
        made.push_back($make(i));
        i = i + 1;
    };
    made
}

/// Consumes the vector, last element first.
public macro fun destroy<$T, $R: drop>($v: vector<$T>, $f: |$T| -> $R) {
    let mut v = $v;
    while (!v.is_empty()) {
        $f(v.pop_back());
    };
    v.destroy_empty();
}

/// Consumes the vector, first element first.
public macro fun do<$T, $R: drop>($v: vector<$T>, $f: |$T| -> $R) {
    let mut v = $v;
    v.reverse();
    while (!v.is_empty()) {
        $f(v.pop_back());
    };
    v.destroy_empty();
}

public macro fun do_ref<$T, $R: drop>($v: &vector<$T>, $f: |&$T| -> $R) {
    let v = $v;
    let mut i = 0;
    let n = v.length();
    while (i < n) {
        $f(&v[i]);
        i = i + 1;
    };
}

public macro fun do_mut<$T, $R: drop>($v: &mut vector<$T>, $f: |&mut $T| -> $R) {
    let v = $v;
    let mut i = 0;
    let n = v.length();
    while (i < n) {
        $f(&mut v[i]);
        i = i + 1;
    };
}

public macro fun map<$T, $U>($v: vector<$T>, $f: |$T| -> $U): vector<$U> {
    let mut mapped = vector[];
    do!($v, |element| mapped.push_back($f(element)));
    mapped
}

public macro fun map_ref<$T, $U>($v: &vector<$T>, $f: |&$T| -> $U): vector<$U> {
    let mut mapped = vector[];
    do_ref!($v, |element| mapped.push_back($f(element)));
    mapped
}

public macro fun filter<$T: drop>($v: vector<$T>, $keep: |&$T| -> bool): vector<$T> {
    let mut kept = vector[];
    do!($v, |element| if ($keep(&element)) kept.push_back(element));
    kept
}

public macro fun count<$T>($v: &vector<$T>, $f: |&$T| -> bool): u64 {
    let mut counted = 0;
    do_ref!($v, |element| if ($f(element)) counted = counted + 1);
    counted
}

public macro fun fold<$T, $Acc>($v: vector<$T>, $init: $Acc, $f: |$Acc, $T| -> $Acc): $Acc {
    let mut folded = $init;
    do!($v, |element| folded = $f(folded, element));
    folded
}

public macro fun find_index<$T>($v: &vector<$T>, $f: |&$T| -> bool): std::option::Option<u64> {
    let v = $v;
    'found: {
        let mut i = 0;
        let n = v.length();
        while (i < n) {
            if ($f(&v[i])) return 'found std::option::some(i);
            i = i + 1;
        };
        std::option::none()
    }
}

public macro fun any<$T>($v: &vector<$T>, $f: |&$T| -> bool): bool {
    'decided: {
        do_ref!($v, |element| if ($f(element)) return 'decided true);
        false
    }
}

public macro fun all<$T>($v: &vector<$T>, $f: |&$T| -> bool): bool {
    'decided: {
        do_ref!($v, |element| if (!$f(element)) return 'decided false);
        true
    }
}

/// Consumes two vectors of equal length in pairs, first pair first.
public macro fun zip_do<$T1, $T2, $R: drop>($v1: vector<$T1>, $v2: vector<$T2>, $f: |$T1, $T2| -> $R) {
    let v1 = $v1;
    let mut v2 = $v2;
    assert!(v1.length() == v2.length());
    v2.reverse();
    do!(v1, |left| $f(left, v2.pop_back()));
    v2.destroy_empty();
}

public macro fun zip_do_ref<$T1, $T2, $R: drop>($v1: &vector<$T1>, $v2: &vector<$T2>, $f: |&$T1, &$T2| -> $R) {
    let v1 = $v1;
    let v2 = $v2;
    let n = v1.length();
    assert!(n == v2.length());
    let mut i = 0;
    while (i < n) {
        $f(&v1[i], &v2[i]);
        i = i + 1;
    };
}

public macro fun zip_map<$T1, $T2, $U>($v1: vector<$T1>, $v2: vector<$T2>, $f: |$T1, $T2| -> $U): vector<$U> {
    let mut mapped = vector[];
    zip_do!($v1, $v2, |left, right| mapped.push_back($f(left, right)));
    mapped
}
