from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol.bcs import U8, U64, BadValue, BcsError, TrailingBytes, Truncated, decode, encode
from agent.protocol.lifecycle import TaskState
from agent.protocol.units import Address, Mist

T = TypeVar("T")


@dataclass(frozen=True)
class Inner:
    amount: Mist
    flag: bool


@dataclass(frozen=True)
class Outer:
    who: Address
    note: bytes
    small: U8
    parts: tuple[Inner, ...]
    numbers: tuple[U64, ...]
    state: TaskState


inners = st.builds(Inner, st.integers(0, 2**64 - 1).map(Mist), st.booleans())
outers = st.builds(
    Outer,
    st.binary(min_size=32, max_size=32).map(Address),
    st.binary(max_size=300),
    st.integers(0, 255),
    st.lists(inners, max_size=3).map(tuple),
    st.lists(st.integers(0, 2**64 - 1), max_size=3).map(tuple),
    st.sampled_from(TaskState),
)


@given(outers)
def test_what_was_encoded_is_decoded(value: Outer) -> None:
    assert decode(Outer, encode(value)) == value


@given(outers, st.binary(min_size=1, max_size=4))
def test_bytes_left_over_are_refused(value: Outer, more: bytes) -> None:
    with pytest.raises(TrailingBytes):
        decode(Outer, encode(value) + more)


@given(outers)
def test_a_truncated_value_is_refused(value: Outer) -> None:
    with pytest.raises(Truncated):
        decode(Outer, encode(value)[:-1])


@given(st.binary(max_size=200))
def test_hostile_bytes_give_a_bcs_error_or_a_value(data: bytes) -> None:
    try:
        assert encode(decode(Outer, data)) == data
    except BcsError:
        pass


def test_a_length_in_a_longer_form_is_refused() -> None:
    with pytest.raises(BadValue):
        decode(Outer, bytes(32) + b"\x80\x00")


def test_a_huge_length_is_refused_before_anything_is_read() -> None:
    with pytest.raises(BadValue):
        decode(Outer, bytes(32) + b"\xff\xff\xff\xff\x7f")


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(BadValue, match="newer package"):
        decode(Outer, bytes(32) + b"\0" + b"\1" + b"\0" + b"\0" + b"\x63")


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadValue):
        encode(Inner(Mist(2**64), flag=True))


def test_a_bool_that_is_neither_0_nor_1_is_refused() -> None:
    with pytest.raises(BadValue, match="2 is no bool"):
        decode(Inner, bytes(8) + b"\x02")


@dataclass(frozen=True)
class Boxed(Generic[T]):
    value: tuple[T, ...]
    at: U64


@dataclass(frozen=True)
class Holder:
    numbers: Boxed[U8]
    inner: Boxed[Inner]


@given(st.lists(st.integers(0, 255), max_size=3), st.lists(inners, max_size=2))
def test_a_generic_dataclass_is_encoded_with_its_arguments_put_in(numbers: list[int], parts: list[Inner]) -> None:
    held = Holder(Boxed(tuple(numbers), 1), Boxed(tuple(parts), 2))
    assert decode(Holder, encode(held)) == held
    assert encode(held).startswith(bytes([len(numbers), *numbers]) + (1).to_bytes(8, "little"))
