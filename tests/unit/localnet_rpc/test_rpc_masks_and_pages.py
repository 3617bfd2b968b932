"""Masks, pages, cursors, digests, and the map of methods."""

import base58 as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localnet.rpc.cursors import Place, parse_cursor
from localnet.rpc.digests import base58, parse_digest
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.masks import MAX_PATHS, Mask
from localnet.rpc.pages import page
from localnet.rpc.stubs import FieldMask, method_types, v2

MESSAGE = v2.ExecutedTransaction(
    digest="d",
    checkpoint=3,
    effects=v2.TransactionEffects(epoch=1, status=v2.ExecutionStatus(success=True), dependencies=["a"]),
    signatures=[v2.UserSignature(bcs=v2.Bcs(name="n", value=b"v"))],
)


def pruned(*paths: str) -> v2.ExecutedTransaction:
    return Mask.parse(FieldMask(paths=list(paths)), "*").prune(MESSAGE)


def test_a_star_wants_everything() -> None:
    assert bytes(pruned("*")) == bytes(MESSAGE)


def test_a_path_keeps_its_field_and_drops_the_others() -> None:
    assert bytes(pruned("digest")) == bytes(v2.ExecutedTransaction(digest="d"))


def test_a_deep_path_keeps_its_part_only() -> None:
    wanted = v2.ExecutedTransaction(effects=v2.TransactionEffects(epoch=1))
    assert bytes(pruned("effects.epoch")) == bytes(wanted)


def test_a_path_goes_into_every_element_of_a_list() -> None:
    wanted = v2.ExecutedTransaction(signatures=[v2.UserSignature(bcs=v2.Bcs(value=b"v"))])
    assert bytes(pruned("signatures.bcs.value")) == bytes(wanted)


@pytest.mark.parametrize("paths", [("effects", "effects.epoch"), ("effects.epoch", "effects"), ("effects.*", "effects.epoch")])
def test_the_wider_of_two_paths_wins(paths: tuple[str, str]) -> None:
    assert bytes(pruned(*paths)) == bytes(v2.ExecutedTransaction(effects=MESSAGE.effects))


@pytest.mark.parametrize("path", ["colour", "effects.colour", "digest.deeper"])
def test_a_path_to_nowhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument):
        pruned(path)


def test_too_many_or_too_deep_paths_are_refused() -> None:
    for paths in (["digest"] * (MAX_PATHS + 1), [".".join("a" * 17)]):
        with pytest.raises(InvalidArgument):
            Mask.parse(FieldMask(paths=paths), "*")


def test_pruning_leaves_the_message_as_it_was() -> None:
    before = bytes(MESSAGE)
    pruned("effects.epoch")
    assert bytes(MESSAGE) == before


def test_what_is_not_wanted_is_not_even_made() -> None:
    made = Mask.parse(FieldMask(paths=["digest"]), "*").build(
        v2.ExecutedTransaction, {"digest": lambda: "d", "effects": lambda: pytest.fail("made")}
    )
    assert made.digest == "d"


@given(st.sets(st.binary(min_size=1, max_size=3), max_size=40), st.integers(1, 7))
def test_pages_give_everything_once_in_order(keys: set[bytes], size: int) -> None:
    items, seen, token = sorted(keys), [], None
    while True:
        chosen, token = page(items, lambda item: item, size, token)
        assert len(chosen) <= size
        seen += chosen
        if token is None:
            break
    assert seen == items


def test_what_goes_between_two_pages_shifts_nothing() -> None:
    first, token = page([b"a", b"b", b"c", b"d"], lambda item: item, 2, None)
    rest, end = page([b"a", b"c", b"d"], lambda item: item, 2, token)
    assert ([*first], [*rest], end) == ([b"a", b"b"], [b"c", b"d"], None)


places = st.builds(Place, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


@given(places, places)
def test_cursors_sort_as_places_do(one: Place, other: Place) -> None:
    assert parse_cursor(one.cursor()) == one
    assert (one < other) == (one.cursor() < other.cursor())


@given(st.binary(min_size=32, max_size=32))
def test_digests_are_base58(digest: bytes) -> None:
    assert base58(digest) == reference.b58encode(digest).decode()
    assert parse_digest(base58(digest)) == digest


@pytest.mark.parametrize("text", [None, "", "0", "1" * 31, "1" * 33, "l" * 32, "z" * 45])
def test_what_is_no_digest_is_refused(text: str | None) -> None:
    with pytest.raises(InvalidArgument):
        parse_digest(text)


def test_every_method_of_pysuis_stubs_is_known() -> None:
    methods = method_types()
    assert len(methods) == 27
    assert sum(method.streaming for method in methods.values()) == 6
    listed = methods["/sui.rpc.v2.LedgerService/ListEvents"]
    assert (listed.request, listed.response, listed.streaming) == (v2.ListEventsRequest, v2.ListEventsResponse, True)
