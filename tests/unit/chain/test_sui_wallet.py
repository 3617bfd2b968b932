import base64
import hashlib
import json
from pathlib import Path

import pysui_fastcrypto
import pytest
from pysui.sui.sui_crypto import keypair_from_keystring

from agent.chain.errors import WalletError
from agent.chain.sui.keys import Wallet

SEED = bytes(range(32))
BASE64 = base64.b64encode(b"\0" + SEED).decode()
BECH32 = keypair_from_keystring(BASE64).to_bech32()


def file_with(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "wallet.json"
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("text", [BASE64, BASE64 + "\n", BECH32, json.dumps([BASE64]), json.dumps([BECH32])])
def test_key_is_read_in_every_form_that_sui_writes(tmp_path: Path, text: str) -> None:
    assert Wallet.load(file_with(tmp_path, text)).address == Wallet(SEED).address


def test_address_is_the_one_that_pysui_derives() -> None:
    public = keypair_from_keystring(BASE64).public_key.key_bytes
    assert Wallet(SEED).address == hashlib.blake2b(b"\0" + public, digest_size=32).digest()


def test_signature_is_verified_by_suis_own_library() -> None:
    signature = Wallet(SEED).sign(b"transaction data")
    assert len(signature) == 97
    message = hashlib.blake2b(b"\0\0\0transaction data", digest_size=32).digest()
    encoded = [base64.b64encode(each).decode() for each in (message, signature[1:65])]
    assert pysui_fastcrypto.verify_pubk(0, signature[65:], *encoded)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    with pytest.raises(WalletError, match="chmod 600"):
        Wallet.load(file_with(tmp_path, BASE64, mode))


def test_saved_wallet_is_private_and_loads(tmp_path: Path) -> None:
    file = tmp_path / "wallet.json"
    wallet = Wallet.generate()
    wallet.save(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Wallet.load(file).address == wallet.address


def test_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    file = file_with(tmp_path, BASE64)
    with pytest.raises(WalletError, match="exists"):
        Wallet.generate().save(file)
    assert file.read_text() == BASE64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        base64.b64encode(b"\1" + SEED).decode(),  # secp256k1
        base64.b64encode(SEED).decode(),
        BECH32[:-1] + "q",
        "[]",
        "[",
        "[7]",
        json.dumps([BASE64, BASE64]),
        "\xff",
    ],
)
def test_what_is_no_single_ed25519_key_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(WalletError):
        Wallet.load(file_with(tmp_path, text))


def test_missing_wallet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match="create a wallet"):
        Wallet.load(tmp_path / "wallet.json")


def test_key_does_not_show_in_repr() -> None:
    wallet = Wallet(SEED)
    assert repr(wallet) == f"Wallet(0x{wallet.address.hex()})"
