"""Deterministic CBOR (RFC 8949 §4.2) of the channel and of sealed blobs: one spelling for one value.

The reader is that of evidence.
"""

from typing import Any

from agent.attestation.cbor import decode as decode_strictly
from agent.attestation.cbor import encode
from agent.attestation.errors import Malformed
from agent.enclave.errors import MalformedMessage

__all__ = ["decode", "encode"]


def decode(data: bytes) -> Any:
    """The value that `data` encodes. The caller bounds its length.

    Raises:
        MalformedMessage: not CBOR, or not its deterministic spelling.
    """
    try:
        return decode_strictly(data)
    except Malformed as error:
        raise MalformedMessage(str(error)) from None
