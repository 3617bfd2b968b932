"""Bytes as text: hex and base64, the usual one and that for URLs, padded or not."""

import base64
import binascii
import re
from typing import Any, Final

from agent.attestation.errors import Malformed

_HEX: Final = re.compile(r"(0x)?[0-9a-fA-F\s]+\Z")
_BASE64: Final = re.compile(r"[0-9A-Za-z+/_\-\s]+=*\Z")


def of_hex(text: Any, name: str) -> bytes:
    """The bytes that `text`, called `name`, spells.

    Raises:
        Malformed: not hex.
    """
    if type(text) is str and _HEX.match(text):
        try:
            return bytes.fromhex(text.strip().removeprefix("0x"))
        except ValueError:
            pass
    raise Malformed(f"{name} is not hex")


def of_base64(text: Any, name: str) -> bytes:
    """The bytes that `text`, called `name`, spells.

    Raises:
        Malformed: not base64.
    """
    # stripped first: a pattern with white space at two places would take quadratic time to fail
    if type(text) is str and _BASE64.match(text := text.strip()):
        joined = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True)
        except binascii.Error:
            pass
    raise Malformed(f"{name} is not base64")


def of_text(data: bytes) -> bytes | None:
    """The bytes that a file of nothing but hex or base64 spells; None if it is no such file."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return None
    for spelling in (of_hex, of_base64):
        try:
            return spelling(text.strip(), "file")
        except Malformed:
            continue
    return None
