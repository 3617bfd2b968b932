"""0x1::hash, 0x2::hash, 0x2::hmac."""

import hashlib
import hmac
from typing import Any, Final

from localnet.movevm.natives.keccak import keccak256
from localnet.movevm.natives.registry import BYTES_PER_UNIT, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.values import Ref, read

NATIVES: Final = Registry()
native = NATIVES.native

_COST: Final = 50


@native("0x1::hash::sha2_256", cost=_COST)
def sha2_256(ctx: Runtime, _: Any, data: bytearray) -> bytearray:
    ctx.charge(len(data) // BYTES_PER_UNIT)
    return bytearray(hashlib.sha256(data).digest())


@native("0x1::hash::sha3_256", cost=_COST)
def sha3_256(ctx: Runtime, _: Any, data: bytearray) -> bytearray:
    ctx.charge(len(data) // BYTES_PER_UNIT)
    return bytearray(hashlib.sha3_256(data).digest())


@native("0x2::hash::blake2b256", cost=_COST)
def blake2b256(ctx: Runtime, _: Any, data: Ref) -> bytearray:
    message = read(data)
    ctx.charge(len(message) // BYTES_PER_UNIT)
    return bytearray(hashlib.blake2b(message, digest_size=32).digest())


@native("0x2::hash::keccak256", cost=_COST)
def keccak(ctx: Runtime, _: Any, data: Ref) -> bytearray:
    message = read(data)
    ctx.charge(len(message))  # in Python, so dearer than the others
    return bytearray(keccak256(bytes(message)))


@native("0x2::hmac::hmac_sha3_256", cost=2 * _COST)
def hmac_sha3_256(ctx: Runtime, _: Any, key: Ref, message: Ref) -> bytearray:
    text = read(message)
    ctx.charge(len(text) // BYTES_PER_UNIT)
    return bytearray(hmac.new(read(key), text, "sha3_256").digest())
