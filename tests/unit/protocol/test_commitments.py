import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.protocol import tags
from agent.protocol.blob import BLOB_CHUNK, blob_digest
from agent.protocol.commitment import (
    CHUNK,
    MAX_CHUNKS,
    EmptyTree,
    OutputTooLarge,
    branch,
    commitment,
    leaf,
    merkle_root,
    output_root,
)
from agent.protocol.units import Digest, NodeId, TaskId

KEY = b"k" * 32
TASK, OTHER_TASK = TaskId(b"t" * 32), TaskId(b"u" * 32)
NODE, OTHER_NODE = NodeId(b"n" * 32), NodeId(b"m" * 32)
ROOT, SALT = Digest(b"r" * 32), b"s" * 32
digests = st.lists(st.binary(min_size=32, max_size=32).map(Digest), min_size=1, max_size=20)


def recursive_root(level: list[bytes]) -> bytes:
    """The same rule from the other end: a left subtree is the largest full one that leaves something to the right."""
    if len(level) == 1:
        return level[0]
    left = 1
    while 2 * left < len(level):
        left *= 2
    return branch(recursive_root(level[:left]), recursive_root(level[left:]))


@given(digests)
def test_root_is_the_one_of_the_recursive_rule(leaves: list[Digest]) -> None:
    assert merkle_root(leaves) == recursive_root(list(leaves))


@given(digests, st.data())
def test_another_leaf_gives_another_root(leaves: list[Digest], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    changed = Digest(bytes([leaves[at][0] ^ 1]) + leaves[at][1:])
    assert merkle_root([*leaves[:at], changed, *leaves[at + 1 :]]) != merkle_root(leaves)


@given(digests)
def test_a_leaf_more_gives_another_root(leaves: list[Digest]) -> None:
    assert merkle_root([*leaves, leaves[-1]]) != merkle_root(leaves)


def test_an_odd_leaf_rises_unpaired() -> None:
    a, b, c = (Digest(bytes([n]) * 32) for n in range(3))
    assert merkle_root([a, b, c]) == branch(branch(a, b), c)


def test_no_leaves_have_no_root() -> None:
    with pytest.raises(EmptyTree, match="one empty chunk"):
        merkle_root([])


def test_root_of_a_yes_or_no_cannot_be_guessed_without_the_key() -> None:
    assert output_root(KEY, TASK, b"yes") != output_root(b"j" * 32, TASK, b"yes")


def test_root_belongs_to_its_task() -> None:
    assert output_root(KEY, TASK, b"yes") != output_root(KEY, OTHER_TASK, b"yes")


def test_an_empty_output_is_one_empty_chunk() -> None:
    assert output_root(KEY, TASK, b"") == leaf(KEY, TASK, 0, b"")


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_outputs_are_cut_into_chunks_of_1024_bytes(size: int) -> None:
    output = bytes(range(256)) * 12
    output = output[:size]
    chunks = [output[at : at + CHUNK] for at in range(0, size, CHUNK)]
    assert output_root(KEY, TASK, output) == merkle_root([leaf(KEY, TASK, i, chunk) for i, chunk in enumerate(chunks)])


def test_chunks_cannot_change_places() -> None:
    a, b = b"a" * CHUNK, b"b" * CHUNK
    assert output_root(KEY, TASK, a + b) != output_root(KEY, TASK, b + a)


def test_an_output_of_too_many_chunks_is_refused() -> None:
    with pytest.raises(OutputTooLarge, match="split") as refused:
        output_root(KEY, TASK, bytes(CHUNK * MAX_CHUNKS + 1))
    assert refused.value.size == CHUNK * MAX_CHUNKS + 1


def test_commitment_binds_each_of_its_parts() -> None:
    made = {
        commitment(TASK, NODE, ROOT, SALT),
        commitment(OTHER_TASK, NODE, ROOT, SALT),
        commitment(TASK, OTHER_NODE, ROOT, SALT),
        commitment(TASK, NODE, SALT, SALT),
        commitment(TASK, NODE, ROOT, ROOT),
        commitment(TASK, NODE, ROOT, SALT + ROOT),
    }
    assert len(made) == 6


@pytest.mark.parametrize("size", [BLOB_CHUNK, BLOB_CHUNK + 1])
def test_blob_digest_sees_every_byte(size: int) -> None:
    content = bytearray(size)
    before = blob_digest(bytes(content))
    content[-1] = 1
    assert blob_digest(bytes(content)) != before


def test_a_blob_of_zeros_is_not_a_shorter_one() -> None:
    assert len({blob_digest(bytes(size)) for size in (0, 1, BLOB_CHUNK, BLOB_CHUNK + 1)}) == 4


def test_no_tag_begins_with_another() -> None:
    table = [value for name, value in vars(tags).items() if name.isupper()]
    assert len(table) == 17
    assert not [(a, b) for a in table for b in table if a is not b and a.startswith(b)]
