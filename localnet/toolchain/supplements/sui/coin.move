/// Method aliases, and coins out of nothing for tests.
module sui::coin;

public use fun sui::pay::split_vec as Coin.split_vec;
public use fun sui::pay::join_vec as Coin.join_vec;
public use fun sui::pay::split_and_transfer as Coin.split_and_transfer;
public use fun sui::pay::divide_and_keep as Coin.divide_and_keep;

#[test_only]
public fun mint_for_testing<T>(value: u64, ctx: &mut sui::tx_context::TxContext): Coin<T> {
    Coin { id: sui::object::new(ctx), balance: sui::balance::create_for_testing(value) }
}

#[test_only]
public fun burn_for_testing<T>(coin: Coin<T>): u64 {
    let Coin { id, balance } = coin;
    id.delete();
    balance.destroy_for_testing()
}
