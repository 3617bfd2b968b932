import pytest
from pysui.sui.sui_bcs import bcs

from agent.chain.deployment import SharedObject
from agent.chain.sui.names import ObjectRef
from agent.chain.sui.transaction import GAS, Gas, Transaction, owned_inputs
from agent.protocol.units import Address, ObjectId

SENDER = Address(b"\x06" * 32)
PACKAGE = ObjectId(b"\x02" * 32)
SHARED = SharedObject(ObjectId(b"\x01" * 32), 7)
OWNED = ObjectRef(ObjectId(b"\x07" * 32), 3, b"\x08" * 32)
COIN = ObjectRef(ObjectId(b"\x09" * 32), 4, b"\x0a" * 32)
GAS_DATA = Gas((COIN,), price=1000, budget=10**7)


def inputs(transaction: Transaction) -> list:
    data = bcs.TransactionData.deserialize(transaction.encode(SENDER, GAS_DATA))
    return data.value.TransactionKind.value.Inputs


def test_bytes_are_those_that_sui_defines() -> None:
    transaction = Transaction()
    coins = transaction.split(GAS, [5])
    transaction.transfer([transaction.result(coins)], SENDER)
    wanted = (
        "0000"  # TransactionData V1, programmable
        "02"  # two inputs
        "000805000000000000000020" + "06" * 32 + "02"  # pure 8 bytes, pure 32 bytes; two commands
        "020001010000"  # SplitCoins(gas coin, [input 0])
        "01010300000000010100"  # TransferObjects([result (0, 0)], input 1)
        + "06" * 32
        + "01"
        + "09" * 32
        + "0400000000000000"
        + "20"
        + "0a" * 32
        + "06" * 32
        + "e803000000000000"
        + "8096980000000000"
        + "00"  # no expiration
    )
    assert transaction.encode(SENDER, GAS_DATA).hex() == wanted


@pytest.mark.parametrize("order", [(False, True), (True, False)])
def test_shared_object_is_one_input_and_mutable_if_any_use_is(order: tuple[bool, bool]) -> None:
    transaction = Transaction()
    for mutable in order:
        transaction.shared(SHARED, mutable=mutable)
    (only,) = inputs(transaction)
    assert only.value.value.Mutable is True
    assert only.value.value.SequenceNumber == 7


def test_shared_object_read_twice_stays_immutable() -> None:
    transaction = Transaction()
    assert transaction.shared(SHARED, mutable=False).value == transaction.shared(SHARED, mutable=False).value == 0
    (only,) = inputs(transaction)
    assert only.value.value.Mutable is False


def test_same_transaction_encodes_again_with_other_gas() -> None:
    transaction = Transaction()
    transaction.call(PACKAGE, "network::heartbeat", transaction.shared(SHARED, mutable=True))
    small = transaction.encode(SENDER, GAS_DATA)
    large = transaction.encode(SENDER, Gas((COIN, OWNED), 1000, 10**8))
    assert bcs.TransactionData.deserialize(small).serialize() == small
    assert len(bcs.TransactionData.deserialize(large).value.GasData.Payment) == 2


def test_owned_inputs_are_coins_and_caps_but_nothing_shared() -> None:
    transaction = Transaction()
    transaction.shared(SHARED, mutable=True)
    transaction.owned(OWNED)
    transaction.pure(b"\1")
    assert owned_inputs(transaction.encode(SENDER, GAS_DATA)) == {COIN.id, OWNED.id}


@pytest.mark.parametrize("junk", [b"", b"\0", b"\0" * 50, b"\7" * 200])
def test_owned_inputs_of_junk_is_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError, match="no transaction"):
        owned_inputs(junk)
