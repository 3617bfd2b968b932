/// A one-time witness for tests, and older names of what `std::unit_test` has.
#[test_only, allow(unused, lint(all))]
module sui::test_utils;

public native fun create_one_time_witness<T: drop>(): T;

public fun destroy<T>(value: T) {
    std::unit_test::destroy(value)
}

public fun assert_eq<T: drop>(left: T, right: T) {
    assert!(left == right);
}

public fun assert_ref_eq<T>(left: &T, right: &T) {
    assert!(left == right);
}
