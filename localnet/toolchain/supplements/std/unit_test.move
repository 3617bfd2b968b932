/// What the compiler and tests want in test mode; published bytecode has no such module.
#[test_only, allow(unused, lint(all))]
module std::unit_test;

/// The compiler adds a call of it to every module under test, so that none can be published.
public fun poison() {}

/// Ends any value, also one without `drop`.
public native fun destroy<T>(value: T);

public macro fun assert_eq<$T: drop>($left: $T, $right: $T) {
    let left = $left;
    let right = $right;
    assert!(left == right);
}

public macro fun assert_ref_eq<$T>($left: &$T, $right: &$T) {
    let left = $left;
    let right = $right;
    assert!(left == right);
}
