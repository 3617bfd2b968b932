import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.enclave.errors import FrameError, MessageTooLarge
from agent.enclave.frames import HEADER, PACKET, Assembler, split


def packet(total: int, offset: int, chunk: bytes) -> bytes:
    return total.to_bytes(4, "little") + offset.to_bytes(4, "little") + chunk


@given(st.lists(st.binary(max_size=64), max_size=4))
def test_messages_come_out_as_they_went_in(messages: list[bytes]) -> None:
    assembler = Assembler()
    came = [assembler.add(piece) for message in messages for piece in split(message)]
    assert came == messages


@pytest.mark.parametrize("size", [0, 1, PACKET - HEADER, PACKET - HEADER + 1, 3 * PACKET])
def test_a_message_of_any_size_is_put_together(size: int) -> None:
    message = bytes(range(256)) * (size // 256 + 1)
    assembler = Assembler()
    pieces = list(split(message[:size]))
    assert [assembler.add(piece) for piece in pieces] == [None] * (len(pieces) - 1) + [message[:size]]
    assert max(map(len, pieces)) <= PACKET


def test_an_unfinished_message_is_forgotten_when_the_next_begins() -> None:
    assembler = Assembler()
    assert assembler.add(packet(10, 0, b"half")) is None
    assert assembler.add(packet(5, 0, b"whole")) == b"whole"


def test_too_large_a_message_is_not_sent() -> None:
    with pytest.raises(MessageTooLarge):
        list(split(b"12345", limit=4))


def test_too_large_a_message_is_refused_at_its_first_packet() -> None:
    with pytest.raises(MessageTooLarge):
        Assembler(limit=4).add(packet(5, 0, b"1"))


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\x00" * (HEADER - 1),
        packet(5, 1, b"1234"),  # continues nothing
        packet(5, 0, b""),  # carries nothing
        packet(5, 0, b"123456"),  # overruns
        packet(0, 0, b"1"),
        b"\x00" * (PACKET + 1),
    ],
)
def test_broken_framing_is_refused(hostile: bytes) -> None:
    with pytest.raises(FrameError):
        Assembler().add(hostile)


@pytest.mark.parametrize("second", [packet(10, 5, b"x"), packet(11, 4, b"x"), packet(10, 3, b"x"), packet(10, 4, b"7 bytes")])
def test_a_packet_that_does_not_continue_is_refused(second: bytes) -> None:
    assembler = Assembler()
    assembler.add(packet(10, 0, b"half"))
    with pytest.raises(FrameError):
        assembler.add(second)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_sequence_of_packets_breaks_the_assembler_otherwise(packets: list[bytes]) -> None:
    assembler = Assembler(limit=64)
    try:
        for piece in packets:
            message = assembler.add(piece)
            assert message is None or len(message) <= 64
    except (FrameError, MessageTooLarge):
        pass
