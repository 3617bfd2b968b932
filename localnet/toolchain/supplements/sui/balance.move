/// A method alias, and coins out of nothing for tests.
module sui::balance;

public use fun sui::coin::from_balance as Balance.into_coin;

#[test_only]
public fun create_for_testing<T>(value: u64): Balance<T> {
    Balance { value }
}

#[test_only]
public fun destroy_for_testing<T>(balance: Balance<T>): u64 {
    let Balance { value } = balance;
    value
}
