"""Frames of gRPC and gRPC-web: one flag byte, four of length, the message; gRPC-web sends its trailers as a frame too.

Sources: PROTOCOL-HTTP2.md and PROTOCOL-WEB.md of the gRPC project.
"""

from typing import Final
from urllib.parse import quote

from grpclib.const import Status

from localnet.rpc.errors import InvalidArgument, ResourceExhausted

PREFIX: Final = 5
COMPRESSED: Final = 0x01
TRAILERS: Final = 0x80

_UNITS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def frame(message: bytes, flag: int = 0) -> bytes:
    """One frame."""
    return bytes((flag,)) + len(message).to_bytes(4, "big") + message


def trailer_frame(status: Status, message: str | None) -> bytes:
    """The last frame of a gRPC-web reply."""
    lines = f"grpc-status:{status.value}\r\n"
    if message:
        lines += f"grpc-message:{encode_message(message)}\r\n"
    return frame(lines.encode("ascii"), TRAILERS)


def encode_message(message: str) -> str:
    """`message` as the `grpc-message` header takes it: percent-encoded."""
    return quote(message, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")


def message_length(prefix: bytes, limit: int) -> int:
    """Length of the message that follows `prefix`.

    Raises:
        InvalidArgument: the frame is compressed.
        ResourceExhausted: it announces more than `limit` bytes.
    """
    if prefix[0] & COMPRESSED:
        raise InvalidArgument("compressed messages are not taken: send them with flag 0")
    length = int.from_bytes(prefix[1:PREFIX], "big")
    if length > limit:
        raise ResourceExhausted(f"a message of {length} bytes; this server takes at most {limit}")
    return length


def single_message(body: bytes, limit: int) -> bytes:
    """The one message of a complete request body.

    Raises:
        InvalidArgument: it is not exactly one frame.
        ResourceExhausted: it is too large.
    """
    if len(body) < PREFIX:
        raise InvalidArgument("the request holds no gRPC frame")
    if message_length(body, limit) != len(body) - PREFIX:
        raise InvalidArgument("the request is not exactly one gRPC frame")
    return body[PREFIX:]


def timeout_of(header: str | None) -> float | None:
    """Seconds of a `grpc-timeout` header.

    Raises:
        InvalidArgument: it is malformed.
    """
    if header is None:
        return None
    digits, unit = header[:-1], header[-1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 8 and unit in _UNITS):
        raise InvalidArgument(f"grpc-timeout {header!r} is not up to 8 digits and a unit")
    return int(digits) * _UNITS[unit]
