"""Types as text and as BCS, and the BCS of values."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import TRICKS, modules_of

from localnet.ledger.framework import Framework
from localnet.movevm.bytecode.parser import with_address
from localnet.movevm.codecs import encode_length
from localnet.movevm.errors import MalformedTypeTag, MalformedValue
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.type_tags import decode_type, encode_type, parse_type
from localnet.movevm.types import (
    ADDRESS,
    BOOL,
    BYTES,
    PRIMITIVES,
    U8,
    U64,
    U256,
    Parameter,
    Reference,
    Struct,
    Type,
    Vector,
    canonical,
    is_generic,
    substitute,
)
from localnet.movevm.values import copy_value

TWO, PACKAGE = bytes(31) + b"\x02", b"\x77" * 32
SUI = Struct(TWO, "sui", "SUI")
COIN = Struct(TWO, "coin", "Coin", (SUI,))

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True).filter(lambda name: name != "vector")
types = st.recursive(
    st.sampled_from(PRIMITIVES),
    lambda inner: st.one_of(
        inner.map(Vector),
        st.builds(Struct, st.binary(min_size=32, max_size=32), names, names, st.lists(inner, max_size=3)),
    ),
    max_leaves=6,
)


# ---- text


@pytest.mark.parametrize(
    "text",
    [
        "0x2::coin::Coin<0x2::sui::SUI>",
        " 0x2 :: coin::Coin < 0x02::sui::SUI > ",
        f"0x{TWO.hex()}::coin::Coin<0x{TWO.hex()}::sui::SUI>",
    ],
)
def test_one_type_has_many_spellings(text: str) -> None:
    assert parse_type(text) is COIN


def test_types_are_written_short_and_long() -> None:
    assert str(COIN) == "0x2::coin::Coin<0x2::sui::SUI>"
    assert canonical(COIN) == f"0x{TWO.hex()}::coin::Coin<0x{TWO.hex()}::sui::SUI>"
    assert canonical(Vector(COIN), prefix="") == f"vector<{TWO.hex()}::coin::Coin<{TWO.hex()}::sui::SUI>>"


@given(types)
def test_text_and_bcs_lead_back_to_the_very_type(type_: Type) -> None:
    assert parse_type(str(type_)) is type_
    assert parse_type(canonical(type_)) is type_
    assert decode_type(encode_type(type_)) is type_


@pytest.mark.parametrize(
    "text",
    [
        "", "u7", "vector", "vector<u8", "vector<u8>>", "vector<>", "0x2", "0x2::coin", "0x2::coin::", "0x2::coin::Coin<>",
        "0x2::coin::Coin<u8,>", "0x2::co in::Coin", "0xzz::a::B", "0x" + "1" * 65 + "::a::B", "&u8", "u8 u8",
        "0x2::" + "a" * 129 + "::B", "vector<" * 20 + "u8" + ">" * 20, "u8," * 2000,
    ],
)  # fmt: skip
def test_text_that_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(MalformedTypeTag):
        parse_type(text)


@given(st.binary(max_size=80))
def test_bytes_are_a_type_or_refused(data: bytes) -> None:
    try:
        type_ = decode_type(data)
    except MalformedTypeTag:
        return
    assert encode_type(type_) == data


def test_struct_tag_has_the_bcs_of_rust() -> None:
    assert encode_type(COIN) == b"\x07" + TWO + b"\x04coin\x04Coin\x01\x07" + TWO + b"\x03sui\x03SUI\x00"
    with pytest.raises(MalformedTypeTag):
        encode_type(Vector(Parameter(0)))


# ---- identity


def test_equal_types_are_one_object_even_after_copying() -> None:
    assert Struct(TWO, "coin", "Coin", [Struct(TWO, "sui", "SUI")]) is COIN
    assert copy.deepcopy(Vector(COIN)) is Vector(COIN)
    assert pickle.loads(pickle.dumps([COIN, Reference(U8, mutable=True)])) == [COIN, Reference(U8, mutable=True)]


def test_parameters_are_substituted_throughout() -> None:
    generic = Vector(Struct(TWO, "a", "B", (Parameter(1), Vector(Parameter(0)))))
    assert is_generic(generic)
    concrete = substitute(generic, (U8, COIN))
    assert concrete is Vector(Struct(TWO, "a", "B", (COIN, BYTES)))
    assert not is_generic(concrete)


# ---- values


@pytest.fixture(scope="module")
def vm(framework: Framework) -> VirtualMachine:
    machine = VirtualMachine()
    for code in framework.packages.values():
        machine.load(code)
    machine.load([with_address(code, PACKAGE) for code in modules_of(TRICKS)])
    return machine


SHAPE = Struct(PACKAGE, "machine", "Shape")
PAIR = Struct(PACKAGE, "machine", "Pair", (Vector(U64), Vector(BYTES)))


@pytest.mark.parametrize(
    ("type_", "value", "data"),
    [
        (U64, 258, "0201000000000000"),
        (U256, 1, "01" + "00" * 31),
        (BOOL, True, "01"),
        (ADDRESS, TWO, TWO.hex()),
        (BYTES, bytearray(b"abc"), "03616263"),
        (Vector(BYTES), [bytearray(b"a"), bytearray()], "02016100"),
        (Vector(BOOL), [True, False], "020100"),
        (SHAPE, [2, 1, 2], "02" + "0100000000000000" + "0200000000000000"),
        (SHAPE, [3, bytearray(b"x"), 0], "030178" + "00" * 8),
        (PAIR, [[7], [bytearray(b"q")]], "01" + "0700000000000000" + "010171"),
        (COIN, [[[TWO]], [5]], TWO.hex() + "0500000000000000"),
    ],
    ids=str,
)
def test_values_have_the_bcs_of_rust(vm: VirtualMachine, type_: Type, value: object, data: str) -> None:
    assert vm.encode(type_, value).hex() == data
    assert vm.decode(type_, bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        (U64, b"1234567"), (U64, b"123456789"), (BOOL, b"\x02"), (BOOL, b""), (ADDRESS, bytes(31)),
        (BYTES, b"\x03ab"), (BYTES, b"\x80\x00"), (BYTES, b"\xff\xff\xff\xff\x0f"), (BYTES, b"\xff\xff\xff\xff\xff\x0f"),
        (Vector(U64), b"\x02" + bytes(15)), (SHAPE, b"\x04"), (SHAPE, b""), (SHAPE, b"\x01" + bytes(7)),
        (COIN, bytes(39)), (COIN, bytes(41)),
    ],
    ids=str,
)  # fmt: skip
def test_bytes_that_are_no_value_are_refused(vm: VirtualMachine, type_: Type, data: bytes) -> None:
    with pytest.raises(MalformedValue):
        vm.decode(type_, data)


@given(st.binary(max_size=60), st.sampled_from([SHAPE, PAIR, COIN, Vector(SHAPE), Vector(Vector(PAIR)), BYTES]))
def test_bytes_are_the_one_encoding_of_a_value_or_refused(vm: VirtualMachine, data: bytes, type_: Type) -> None:
    try:
        value = vm.decode(type_, data)
    except MalformedValue:
        return
    assert vm.encode(type_, value) == data


@given(st.lists(st.integers(0, 2**64 - 1), max_size=300))
def test_long_vectors_survive(vm: VirtualMachine, items: list[int]) -> None:
    assert vm.decode(Vector(U64), vm.encode(Vector(U64), items)) == items


@given(st.integers(0, 2**32 - 1))
def test_lengths_are_uleb128(length: int) -> None:
    encoded = encode_length(length)
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(encoded)) == length
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]


def test_copies_share_nothing() -> None:
    value = [1, [bytearray(b"a"), [2]], TWO]
    made = copy_value(value)
    made[1][0].append(98)
    made[1][1][0] = 3
    assert value == [1, [bytearray(b"a"), [2]], TWO]
