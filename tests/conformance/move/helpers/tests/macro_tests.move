#[test_only]
module helpers::macro_tests;

use std::unit_test::{assert_eq, assert_ref_eq};

#[test]
fun vectors_are_read_in_order() {
    let v = vector[1u64, 2, 3];
    assert_eq!(v.map_ref!(|x| *x * 2), vector[2, 4, 6]);
    assert_eq!(v.map!(|x| x + 1), vector[2, 3, 4]);
    assert_eq!(v.fold!(0, |sum, x| sum * 10 + x), 123);
    assert_eq!(v.filter!(|x| *x != 2), vector[1, 3]);
    assert_eq!(vector::tabulate!(3, |i| i + 1), v);
    let mut digits = 0;
    v.do!(|x| digits = digits * 10 + x);
    v.do_ref!(|x| digits = digits * 10 + *x);
    assert_eq!(digits, 123_123);
}

#[test]
fun destroy_goes_from_the_end() {
    let mut digits = 0;
    vector[1u64, 2, 3].destroy!(|x| digits = digits * 10 + x);
    assert_eq!(digits, 321);
}

#[test]
fun vectors_are_searched() {
    let v = vector[1u64, 2, 3];
    assert!(v.any!(|x| *x == 2) && !v.any!(|x| *x == 4));
    assert!(v.all!(|x| *x > 0) && !v.all!(|x| *x > 1));
    assert_eq!(v.count!(|x| *x > 1), 2);
    assert_eq!(v.find_index!(|x| *x == 3), option::some(2));
    assert_eq!(v.find_index!(|x| *x == 4), option::none());
}

#[test]
fun elements_are_changed_in_place() {
    let mut v = vector[1u64, 2, 3];
    v.do_mut!(|x| *x = *x + 1);
    assert_ref_eq!(&v, &vector[2, 3, 4]);
}

#[test]
fun vectors_are_walked_in_pairs() {
    let (left, right) = (vector[1u64, 2], vector[3u64, 4]);
    let mut sum = 0;
    left.zip_do_ref!(&right, |a, b| sum = sum * 100 + *a * *b);
    assert_eq!(sum, 308);
    left.zip_do!(right, |a, b| sum = sum * 100 + a * 10 + b);
    assert_eq!(sum, 3_081_324);
    assert_eq!(left.zip_map!(right, |a, b| a + b), vector[4, 6]);
}

#[test, expected_failure]
fun vectors_of_unequal_length_make_no_pairs() {
    vector[1u64].zip_do!(vector[1u64, 2], |_, _| ());
}

#[test]
fun options_are_mapped_and_opened() {
    assert_eq!(option::some(3u64).map!(|x| x + 1), option::some(4));
    assert_eq!(option::none<u64>().map!(|x| x + 1), option::none());
    assert_eq!(option::some(3u64).destroy_or!(0), 3);
    assert_eq!(option::none().destroy_or!(7u64), 7);
    assert!(option::some(3u64).is_some_and!(|x| *x == 3) && !option::none<u64>().is_some_and!(|_| true));
    let mut seen = 0;
    option::some(1u64).do!(|x| seen = seen + x);
    option::some(1u64).do_ref!(|x| seen = seen + *x);
    option::none<u64>().do!(|x| seen = seen + x);
    assert_eq!(seen, 2);
}

#[test]
fun integers_count() {
    let mut sum = 0;
    4u64.do!(|i| sum = sum + i);
    assert_eq!(sum, 6);
    2u64.range_do!(4, |i| sum = sum * 10 + i);
    assert_eq!(sum, 623);
    assert_eq!(std::u64::max_value!(), 18_446_744_073_709_551_615);
}

#[test]
fun strings_are_made_by_method() {
    assert_eq!(b"abc".to_string(), std::string::utf8(b"abc"));
    assert_eq!(b"abc".to_ascii_string().to_string(), b"abc".to_string());
    assert_eq!(b"\xff".try_to_string(), option::none());
}

#[test, expected_failure]
fun a_false_equation_aborts() {
    assert_eq!(1u64, 2);
}
