#[test_only]
module enclavia::draw_tests;

use enclavia::draw;

const DEPTH: u8 = 3;

/// Eight slots weighing 1, 2, … 8.
fun ramp(): (vector<u64>, u64) {
    let mut fen = vector[0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut total = 0;
    let mut slot = 0;
    while (slot < 8) {
        draw::add(&mut fen, DEPTH, slot, 0, slot + 1);
        total = total + slot + 1;
        slot = slot + 1;
    };
    (fen, total)
}

fun seed(i: u8): vector<u8> { sui::hash::blake2b256(&vector[i]) }

#[test]
fun weights_are_read_back() {
    let (fen, _) = ramp();
    let mut slot = 0;
    while (slot < 8) {
        assert!(draw::weight_of(&fen, DEPTH, slot) == slot + 1);
        slot = slot + 1;
    };
}

#[test]
fun a_weight_can_be_lowered_and_removed() {
    let (mut fen, _) = ramp();
    draw::add(&mut fen, DEPTH, 7, 8, 3);
    draw::add(&mut fen, DEPTH, 0, 1, 0);
    assert!(draw::weight_of(&fen, DEPTH, 7) == 3);
    assert!(draw::weight_of(&fen, DEPTH, 0) == 0);
    assert!(draw::weight_of(&fen, DEPTH, 6) == 7);
}

#[test]
fun nobody_is_drawn_twice_and_the_excluded_never() {
    let (fen, total) = ramp();
    let mut i = 0;
    while (i < 40) {
        let drawn = draw::without(&fen, DEPTH, total, &seed(i), 5, vector[7, 2]);
        let mut a = 0;
        while (a < 5) {
            assert!(drawn[a] < 8 && drawn[a] != 7 && drawn[a] != 2);
            let mut b = a + 1;
            while (b < 5) { assert!(drawn[a] != drawn[b]); b = b + 1; };
            a = a + 1;
        };
        i = i + 1;
    };
}

#[test]
fun draws_beyond_the_last_operator_are_nobody() {
    let (fen, total) = ramp();
    let drawn = draw::without(&fen, DEPTH, total, &seed(1), 9, vector[3]);
    let mut i = 0;
    while (i < 9) { assert!((drawn[i] == draw::none()) == (i >= 7)); i = i + 1; };
}

#[test]
fun seats_may_repeat() {
    let mut fen = vector[0, 0, 0];
    draw::add(&mut fen, 1, 0, 0, 5);
    draw::add(&mut fen, 1, 1, 0, 5);
    assert!(draw::with(&fen, 1, 10, &seed(0), 3, vector[0]) == vector[1, 1, 1]);
}

#[test]
fun heavier_operators_are_drawn_more_often() {
    let (fen, total) = ramp();
    let mut light = 0u64;
    let mut heavy = 0u64;
    let mut i = 0;
    while (i < 250) {
        let slot = draw::with(&fen, DEPTH, total, &seed(i), 1, vector[])[0];
        if (slot < 4) light = light + 1 else heavy = heavy + 1;
        i = i + 1;
    };
    // 10 : 26 expected
    assert!(heavy > 2 * light && heavy < 4 * light);
}

#[test]
fun probability_one_always_audits_and_zero_never() {
    let mut i = 0;
    while (i < 20) {
        assert!(draw::is_audited(&seed(i), 1u128 << 64));
        assert!(!draw::is_audited(&seed(i), 0));
        i = i + 1;
    };
}

#[test]
fun all_weights_are_those_that_were_set() {
    let (mut fen, _) = ramp();
    assert!(draw::weights(&fen) == vector[1, 2, 3, 4, 5, 6, 7, 8]);
    draw::add(&mut fen, DEPTH, 5, 6, 0);
    assert!(draw::weights(&fen) == vector[1, 2, 3, 4, 5, 0, 7, 8]);
}
