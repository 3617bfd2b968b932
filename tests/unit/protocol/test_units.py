import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol.units import BadAddress, format_address, parse_address


@given(st.binary(min_size=32, max_size=32))
def test_what_was_written_is_read(raw: bytes) -> None:
    written = format_address(raw)
    assert written.startswith("0x")
    assert len(written) == 66
    assert parse_address(written) == raw


def test_short_forms_are_padded_on_the_left() -> None:
    assert parse_address("0x6") == bytes(31) + b"\x06"


def test_capital_digits_are_read() -> None:
    assert parse_address("0xAB") == parse_address("0xab")


@pytest.mark.parametrize(
    "text",
    ["", "0x", "6", "0X6", "0x" + "0" * 65, "0xg", "0x12  34", "0x 6", "0x6 ", "0x-6", "0x٣", "0x1_0"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadAddress, match="64 hexadecimal digits"):
        parse_address(text)


@given(st.text(max_size=70).map("0x".__add__))
def test_whatever_is_read_has_32_bytes(text: str) -> None:
    try:
        assert len(parse_address(text)) == 32
    except BadAddress:
        pass


@pytest.mark.parametrize("size", [0, 31, 33])
def test_only_32_bytes_are_written(size: int) -> None:
    with pytest.raises(BadAddress):
        format_address(bytes(size))
