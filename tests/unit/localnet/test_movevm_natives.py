"""Native functions, called as the framework's own Move functions call them."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ledger_world import ALICE, World, arg, text

from localnet.ledger.model import ExecutedTransaction, MoveCall, ObjectId, PureInput
from localnet.ledger.names import STD_PACKAGE, SUI_COIN, SUI_PACKAGE
from localnet.movevm.natives.keccak import keccak256
from localnet.movevm.types import Type, canonical

ORDERS = {
    "k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
CURVES = {"k1": ec.SECP256K1(), "r1": ec.SECP256R1()}


def run(
    world: World, package: ObjectId, module: str, function: str, *inputs: PureInput, types: tuple[Type, ...] = ()
) -> ExecutedTransaction:
    call = MoveCall(package, module, function, types, tuple(arg(index) for index in range(len(inputs))))
    return world.simulate(ALICE, inputs, [call])


def answer(world: World, package: ObjectId, module: str, function: str, *inputs: PureInput, types: tuple[Type, ...] = ()) -> bytes:
    executed = run(world, package, module, function, *inputs, types=types)
    assert executed.effects.succeeded, executed.effects.status
    return executed.results[0].returned[0].bcs


@pytest.mark.parametrize("message", [b"", b"abc", bytes(135), bytes(136), bytes(137), bytes(1000)], ids=len)
def test_hashes(world: World, message: bytes) -> None:
    def hashed(package: ObjectId, module: str, function: str) -> bytes:
        return answer(world, package, module, function, text(message))[1:]

    assert hashed(STD_PACKAGE, "hash", "sha2_256") == hashlib.sha256(message).digest()
    assert hashed(STD_PACKAGE, "hash", "sha3_256") == hashlib.sha3_256(message).digest()
    assert hashed(SUI_PACKAGE, "hash", "blake2b256") == hashlib.blake2b(message, digest_size=32).digest()
    assert hashed(SUI_PACKAGE, "hash", "keccak256") == keccak256(message)


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"The quick brown fox jumps over the lazy dog", "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"),
    ],
)
def test_keccak_is_ethereums(message: bytes, digest: str) -> None:
    assert keccak256(message).hex() == digest


def test_hmac(world: World) -> None:
    expected = hmac.digest(b"key", b"message", "sha3_256")
    assert answer(world, SUI_PACKAGE, "hmac", "hmac_sha3_256", text(b"key"), text(b"message"))[1:] == expected


def test_ed25519(world: World) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"message")

    def verify(signature: bytes, public: bytes, message: bytes) -> bytes:
        return answer(world, SUI_PACKAGE, "ed25519", "ed25519_verify", text(signature), text(public), text(message))

    assert verify(signature, public, b"message") == b"\x01"
    assert verify(signature, public, b"massage") == b"\x00"
    assert verify(signature[:63], public, b"message") == b"\x00"
    assert verify(signature, public[:31], b"message") == b"\x00"


@pytest.mark.parametrize("curve", ["k1", "r1"])
@pytest.mark.parametrize("hash_", [0, 1], ids=["keccak", "sha256"])
def test_ecdsa_wants_the_low_s(world: World, curve: str, hash_: int) -> None:
    key = ec.derive_private_key(7, CURVES[curve])
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    digest = hashlib.sha256(b"message").digest() if hash_ else keccak256(b"message")
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
    low, high = min(s, ORDERS[curve] - s), max(s, ORDERS[curve] - s)

    def verify(s: int, message: bytes = b"message", name: int = hash_) -> bytes:
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        given = (text(signature), text(public), text(message), PureInput(bytes([name])))
        return answer(world, SUI_PACKAGE, f"ecdsa_{curve}", f"secp256{curve}_verify", *given)

    assert verify(low) == b"\x01"
    assert verify(high) == b"\x00"
    assert verify(low, b"massage") == b"\x00"
    assert verify(low, name=1 - hash_) == b"\x00"


def test_public_key_is_decompressed(world: World) -> None:
    key = ec.derive_private_key(9, CURVES["k1"]).public_key()
    short, long = (key.public_bytes(Encoding.X962, form) for form in (PublicFormat.CompressedPoint, PublicFormat.UncompressedPoint))
    assert answer(world, SUI_PACKAGE, "ecdsa_k1", "decompress_pubkey", text(short))[1:] == long
    assert not run(world, SUI_PACKAGE, "ecdsa_k1", "decompress_pubkey", text(b"\x02" + b"\xff" * 32)).effects.succeeded


def test_strings_know_utf8(world: World) -> None:
    assert answer(world, STD_PACKAGE, "string", "index_of", text("aäb".encode()), text(b"b")) == (3).to_bytes(8, "little")
    assert answer(world, STD_PACKAGE, "string", "index_of", text(b"ab"), text(b"z")) == (2).to_bytes(8, "little")
    inside = (PureInput((2).to_bytes(8, "little")), PureInput((3).to_bytes(8, "little")))
    assert not run(world, STD_PACKAGE, "string", "substring", text("aäb".encode()), *inside).effects.succeeded


def test_addresses_are_big_endian_numbers(world: World) -> None:
    assert answer(world, SUI_PACKAGE, "address", "to_u256", PureInput(bytes(31) + b"\x05")) == b"\x05" + bytes(31)
    assert answer(world, SUI_PACKAGE, "address", "from_u256", PureInput(b"\x05" + bytes(31))) == bytes(31) + b"\x05"


def test_type_names_have_long_addresses_without_prefix(world: World) -> None:
    name = answer(world, STD_PACKAGE, "type_name", "with_defining_ids", types=(SUI_COIN,))
    assert name[2:].decode() == canonical(SUI_COIN, prefix="")


def test_ids_derive_as_on_sui(world: World) -> None:
    box = world.new_box()
    executed = world.ledger.transaction(world.ledger.object(box).previous_transaction)
    assert box == hashlib.blake2b(b"\xf1" + executed.digest + bytes(8), digest_size=32).digest()


@pytest.mark.parametrize(
    ("module", "function"), [("ecdsa_k1", "secp256k1_ecrecover"), ("ecdsa_r1", "secp256r1_ecrecover")]
)
def test_missing_native_says_which_one(world: World, module: str, function: str) -> None:
    executed = run(world, SUI_PACKAGE, module, function, text(b""), text(b""), PureInput(b"\x00"))
    assert f"0x2::{module}::{function}" in executed.effects.status.message
