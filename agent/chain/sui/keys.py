"""The wallet: one Ed25519 key in a file that only its owner can read."""

import base64
import binascii
import json
import os
import stat
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.chain.errors import WalletError
from agent.chain.sui.names import address_of_key
from agent.chain.sui.pysui_parts import keypair_from_keystring
from agent.protocol.units import Address

ED25519_FLAG: Final = b"\x00"
TRANSACTION_INTENT: Final = b"\x00\x00\x00"
"""Scope transaction data, version 0, application Sui."""

_LONGEST_FILE: Final = 4_096


class Wallet:
    """Signs for one address. Its repr shows the address only."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.address: Final[Address] = address_of_key(self._public)

    def __repr__(self) -> str:
        return f"Wallet(0x{self.address.hex()})"

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes] = os.urandom) -> Self:
        """A new key."""
        return cls(random_bytes(32))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a key: `suiprivkey1…`, base64 of flag and seed, or a `sui.keystore` (JSON list) with one key.

        Raises:
            WalletError: the file is missing, others may read it, or it holds no single Ed25519 key.
        """
        try:
            with file.open("rb") as opened:
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
                if mode & 0o077:
                    raise WalletError(f"{file} has mode {mode:04o}, others can take the money: run `chmod 600 {file}`")
                text = opened.read(_LONGEST_FILE).decode("ascii").strip()
        except FileNotFoundError:
            raise WalletError(f"{file} does not exist: create a wallet, or copy your key there") from None
        except (OSError, UnicodeDecodeError) as error:
            raise WalletError(f"{file} cannot be read ({error}): give a file with one Sui key") from error
        return cls(_seed(text, file))

    def save(self, file: Path) -> None:
        """Write a `sui.keystore` of one key, mode 0600; an existing file is never replaced.

        Raises:
            WalletError: the file exists, or cannot be written.
        """
        seed = self._key.private_bytes_raw()
        text = json.dumps([base64.b64encode(ED25519_FLAG + seed).decode()]) + "\n"
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise WalletError(f"{file} exists: a key is never overwritten, choose another file") from None
        except OSError as error:
            raise WalletError(f"{file} cannot be written: {error}") from error
        with os.fdopen(handle, "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())

    def sign(self, tx_bytes: bytes) -> bytes:
        """Signature of BCS `TransactionData` as Sui takes it: flag, 64 bytes of Ed25519, public key."""
        message = blake2b(TRANSACTION_INTENT + tx_bytes, digest_size=32).digest()
        return ED25519_FLAG + self._key.sign(message) + self._public


def _seed(text: str, file: Path) -> bytes:
    if text.startswith("["):
        text = _only_key(text, file)
    try:
        raw = keypair_from_keystring(text).serialize_to_bytes() if text.startswith("suiprivkey") else _base64(text)
    except Exception as error:  # pysui raises what its Rust part raises
        raise WalletError(f"{file} holds no Sui key: `suiprivkey1…` or base64 is wanted") from error
    if raw[:1] != ED25519_FLAG or len(raw) != 33:
        raise WalletError(f"{file} holds no Ed25519 key: make one with `sui keytool generate ed25519`")
    return bytes(raw[1:])


def _only_key(text: str, file: Path) -> str:
    try:
        keys = json.loads(text)
    except ValueError as error:
        raise WalletError(f"{file} is no sui.keystore: a JSON list with one key is wanted") from error
    if len(keys) != 1 or not isinstance(keys[0], str):
        raise WalletError(f"{file} holds {len(keys)} keys: copy the one to be used to a file of its own")
    return str(keys[0])


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
