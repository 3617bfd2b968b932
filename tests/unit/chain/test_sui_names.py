import pytest

from agent.chain.errors import Malformed
from agent.chain.sui.names import from_base58, from_hex, to_base58, transaction_digest, type_of


def test_short_ids_are_padded_on_the_left() -> None:
    assert from_hex("0x2") == bytes(31) + b"\x02"


@pytest.mark.parametrize("text", [None, "", "2", "0x", "0xg", "0x" + "1" * 65, "0x1::a"])
def test_what_is_no_id_is_refused(text: str | None) -> None:
    with pytest.raises(Malformed):
        from_hex(text)


def test_digests_survive_base58() -> None:
    digest = bytes(range(32))
    assert from_base58(to_base58(digest)) == digest


@pytest.mark.parametrize("text", [None, "", "0OIl", "abc", to_base58(bytes(33)), "1" * 45])
def test_what_is_no_digest_is_refused(text: str | None) -> None:
    with pytest.raises(Malformed):
        from_base58(text)


def test_type_is_package_module_and_name() -> None:
    assert type_of("0x2::coin::Coin<0x2::sui::SUI>") == (bytes(31) + b"\x02", "coin::Coin")


@pytest.mark.parametrize("text", [None, "package", "0x2::coin", "0x2::coin::Coin::x", "0x2::a::b" + "c" * 2000])
def test_what_is_no_type_is_refused(text: str | None) -> None:
    with pytest.raises(Malformed):
        type_of(text)


def test_digest_of_a_transaction_differs_from_that_of_any_other() -> None:
    assert transaction_digest(b"a") != transaction_digest(b"b")
