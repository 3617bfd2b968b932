"""0x2::tx_context."""

from hashlib import blake2b
from typing import Any, Final

from localnet.movevm.natives.registry import Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.values import Value

NATIVES: Final = Registry()
native = NATIVES.native

_DERIVE_FRESH: Final = b"\xf1"
"""HashingIntentScope::RegularObjectId."""


def derive_id(digest: bytes, number: int) -> bytes:
    """The id of the `number`-th object that a transaction makes."""
    return blake2b(_DERIVE_FRESH + digest + number.to_bytes(8, "little"), digest_size=32).digest()


@native("0x2::tx_context::native_sender")
def sender(ctx: Runtime, _: Any) -> bytes:
    return ctx.facts.sender


@native("0x2::tx_context::native_epoch")
def epoch(ctx: Runtime, _: Any) -> int:
    return ctx.facts.epoch


@native("0x2::tx_context::native_epoch_timestamp_ms")
def epoch_timestamp(ctx: Runtime, _: Any) -> int:
    return ctx.facts.epoch_timestamp


@native("0x2::tx_context::native_rgp")
def reference_gas_price(ctx: Runtime, _: Any) -> int:
    return ctx.facts.reference_gas_price


@native("0x2::tx_context::native_gas_price")
def gas_price(ctx: Runtime, _: Any) -> int:
    return ctx.facts.gas_price


@native("0x2::tx_context::native_gas_budget")
def gas_budget(ctx: Runtime, _: Any) -> int:
    return ctx.facts.gas_budget


@native("0x2::tx_context::native_ids_created")
def ids_created(ctx: Runtime, _: Any) -> int:
    return ctx.ids_created


@native("0x2::tx_context::native_sponsor")
def sponsor(ctx: Runtime, _: Any) -> list[Value]:
    return [] if ctx.facts.sponsor is None else [ctx.facts.sponsor]


@native("0x2::tx_context::fresh_id")
def fresh_id(ctx: Runtime, _: Any) -> bytes:
    return ctx.fresh_id()


@native("0x2::tx_context::derive_id")
def derive(_ctx: Runtime, _: Any, digest: bytearray, number: int) -> bytes:
    return derive_id(bytes(digest), number)
