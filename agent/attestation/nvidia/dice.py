"""The DICE extensions of NVIDIA's attestation certificates: which firmware the key was derived for, and in what state.

Source: TCG DICE Attestation Architecture. Hopper and its switches carry a composite device id (2.23.133.5.4.1) that
ends with the firmware's digest; Blackwell a DiceTcbInfo (2.23.133.5.4.1.1) with a list of digests, the first of which
is meant, and operational flags.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from agent.attestation.errors import BadChain

DIGEST_SIZE: Final = 48

_COMPOSITE: Final = x509.ObjectIdentifier("2.23.133.5.4.1")
_TCB_INFO: Final = x509.ObjectIdentifier("2.23.133.5.4.1.1")
_SEQUENCE, _OCTETS = 0x30, 0x04
_FIRMWARE_IDS, _FLAGS = 0xA6, 0x87
_FLAG_NAMES: Final = {1: "not secure", 2: "in recovery", 3: "debug"}
"""By bit, as TCG numbers them. Bit 0, "not configured", is set on production GB100s."""
_LONG: Final = 0x80


@dataclass(frozen=True, slots=True)
class Dice:
    """What a certificate says of its device's firmware."""

    firmware_id: bytes | None
    """48 bytes; None if the certificate has no such extension."""
    flags: tuple[str, ...] = ()
    """States that no production device is in."""


def read_dice(leaf: x509.Certificate) -> Dice:
    """What the attestation certificate `leaf` says.

    Raises:
        BadChain: an extension that cannot be read.
    """
    for extension in leaf.extensions:
        if isinstance(extension.value, x509.UnrecognizedExtension):
            if extension.oid == _TCB_INFO:
                return _tcb_info(extension.value.value)
            if extension.oid == _COMPOSITE:
                return _composite(extension.value.value)
    return Dice(None)


def _composite(der: bytes) -> Dice:
    ending = bytes([_OCTETS, DIGEST_SIZE])
    if der[-DIGEST_SIZE - 2 : -DIGEST_SIZE] != ending:
        raise BadChain("attestation certificate: its device id does not end with a firmware digest")
    return Dice(der[-DIGEST_SIZE:])


def _tcb_info(der: bytes) -> Dice:
    fields = dict(_values(_only(der, _SEQUENCE)))
    firmware = next(_values(fields.get(_FIRMWARE_IDS, b"")), (0, b""))[1]
    digest = dict(_values(firmware)).get(_OCTETS)
    if digest is None or len(digest) != DIGEST_SIZE:
        raise BadChain("attestation certificate: no firmware digest in its DICE information")
    bits = fields.get(_FLAGS, b"\0")[1:2] or b"\0"
    return Dice(digest, tuple(name for bit, name in _FLAG_NAMES.items() if bits[0] & _LONG >> bit))


def _only(der: bytes, tag: int) -> bytes:
    values = list(_values(der))
    if len(values) != 1 or values[0][0] != tag:
        raise BadChain("attestation certificate: its DICE information is no sequence")
    return values[0][1]


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of the DER values one after another in `der`."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1] if at + 1 < len(der) else _LONG, at + 2
        if length & _LONG:
            # at most two bytes of length: an extension is shorter than its certificate
            size = length - _LONG
            length = int.from_bytes(der[at : at + size], "big") if 0 < size <= 2 else len(der)
            at += size
        if at + length > len(der):
            raise BadChain("attestation certificate: its DICE information is cut off")
        yield tag, der[at : at + length]
        at += length
