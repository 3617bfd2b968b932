"""The runtime data that a CPU report vouches for: JSON with the public keys of the virtual TPM."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from agent.attestation.errors import Malformed
from agent.attestation.vtpm.errors import UnfitKey

MAX_RUNTIME: Final = 8 * 1024
"""Bytes; real ones have about 1,200."""

ATTESTATION_KEY: Final = "HCLAkPub"
MIN_BITS: Final = 2048
MAX_BITS: Final = 4096
_EXPONENT: Final = 65537
_MAX_KEYS: Final = 16


@dataclass(frozen=True, slots=True)
class RuntimeData:
    """What the paravisor says of the machine it started."""

    attestation_key: rsa.RSAPublicKey
    secure_boot: bool | None
    """None where it does not say."""

    @classmethod
    def decode(cls, text: bytes) -> "RuntimeData":
        """The data in `text`.

        Raises:
            Malformed: not such JSON; `UnfitKey`: no attestation key, two, or a weak one.
        """
        if len(text) > MAX_RUNTIME:
            raise Malformed(f"runtime data of {len(text)} bytes, at most {MAX_RUNTIME}")
        try:
            data: Any = json.loads(text, object_pairs_hook=_no_doubles)
        except (ValueError, RecursionError):
            raise Malformed("the runtime data are not JSON") from None
        if type(data) is not dict or type(data.get("keys")) is not list or len(data["keys"]) > _MAX_KEYS:
            raise Malformed(f"the runtime data hold no list of at most {_MAX_KEYS} keys")
        machine = data.get("vm-configuration")
        secure = machine.get("secure-boot") if type(machine) is dict else None
        return cls(_attestation_key(data["keys"]), secure if type(secure) is bool else None)


def _attestation_key(keys: Sequence[Any]) -> rsa.RSAPublicKey:
    found = [key for key in keys if type(key) is dict and key.get("kid") == ATTESTATION_KEY]
    if len(found) != 1 or found[0].get("kty") != "RSA":
        raise UnfitKey(f"the runtime data have {len(found)} keys {ATTESTATION_KEY!r}, want one of type RSA")
    modulus, exponent = (_number(found[0].get(name)) for name in ("n", "e"))
    if exponent != _EXPONENT or not MIN_BITS <= modulus.bit_length() <= MAX_BITS:
        raise UnfitKey(f"the attestation key wants {MIN_BITS} to {MAX_BITS} bits and exponent {_EXPONENT}")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise UnfitKey("the attestation key is no RSA key") from None


def _number(text: Any) -> int:
    if type(text) is not str:
        raise UnfitKey("the attestation key has no modulus or exponent")
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return int.from_bytes(base64.b64decode(padded, altchars=b"-_", validate=True), "big")
    except (UnicodeEncodeError, binascii.Error):
        raise UnfitKey("the attestation key is not in base64url") from None


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError
    return entries
