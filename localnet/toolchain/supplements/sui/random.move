/// The randomness beacon under a test's control.
module sui::random;

#[test_only]
/// Shares the Random object; the sender must be @0x0.
public fun create_for_testing(ctx: &mut sui::tx_context::TxContext) {
    create(ctx)
}

#[test_only]
/// The sender must be @0x0; the first round is 0, then each is one more.
public fun update_randomness_state_for_testing(
    random: &mut Random,
    round: u64,
    bytes: vector<u8>,
    ctx: &sui::tx_context::TxContext,
) {
    update_randomness_state(random, round, bytes, ctx)
}

#[test_only]
public fun new_generator_from_seed_for_testing(seed: vector<u8>): RandomGenerator {
    RandomGenerator { seed, counter: 0, buffer: vector[] }
}
