"""BCS of what has a digest, and the digests. Sui's layouts: `Object`, `TransactionEvents`, `TransactionEffects` V2.

A digest is blake2b-256 over the Rust name of the type, "::" and its BCS. Digests stand in BCS as a vector of 32 bytes.
Source: sui-types `object.rs`, `move_package.rs`, `effects/effects_v2.rs`, `execution_status.rs`.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

from localnet.ledger.model import (
    AddressOwner,
    CheckpointDigest,
    EffectsDigest,
    Event,
    EventsDigest,
    Failure,
    FailureKind,
    GasSummary,
    Link,
    ObjectChange,
    ObjectDigest,
    ObjectId,
    ObjectOwner,
    ObjectState,
    Owner,
    ReadOnlyShared,
    SharedOwner,
    TransactionDigest,
    TypeOrigin,
    UpgradeError,
    Version,
)
from localnet.ledger.names import SUI, coin_of
from localnet.movevm.codecs import encode_length
from localnet.movevm.errors import Location
from localnet.movevm.type_tags import encode_struct, encode_type
from localnet.movevm.types import Struct

_NONE, _SOME = b"\x00", b"\x01"
_STAKED_SUI: Final = Struct(bytes(31) + b"\x03", "staking_pool", "StakedSui")


def u64(number: int) -> bytes:
    """8 bytes, little endian."""
    return number.to_bytes(8, "little")


def _bytes(data: bytes) -> bytes:
    return encode_length(len(data)) + data


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "little")


def _hash(name: bytes, data: bytes) -> bytes:
    return blake2b(name + b"::" + data, digest_size=32).digest()


# ---- objects


def encode_object_type(type_: Struct) -> bytes:
    """MoveObjectType, which has short forms for coins."""
    if type_.name == "Coin" and type_ is coin_of(*type_.arguments):
        coin = type_.arguments[0]
        return b"\x01" if coin is SUI else b"\x03" + encode_type(coin)
    return b"\x02" if type_ is _STAKED_SUI else b"\x00" + encode_struct(type_)


def encode_owner(owner: Owner) -> bytes:
    """Owner."""
    if isinstance(owner, AddressOwner):
        return b"\x00" + owner.address
    if isinstance(owner, ObjectOwner):
        return b"\x01" + owner.parent
    if isinstance(owner, SharedOwner):
        return b"\x02" + u64(owner.initial_version)
    return b"\x03"


def encode_object(
    type_code: bytes,
    version: Version,
    owner: Owner,
    contents: bytes,
    previous_transaction: TransactionDigest,
    storage_rebate: int,
    *,
    has_public_transfer: bool,
) -> bytes:
    """Object, of a Move value; `type_code` is from `encode_object_type`."""
    return b"".join(
        (
            b"\x00",
            type_code,
            b"\x01" if has_public_transfer else b"\x00",
            u64(version),
            _bytes(contents),
            encode_owner(owner),
            _bytes(previous_transaction),
            u64(storage_rebate),
        )
    )


def encode_package(
    package: ObjectId,
    version: Version,
    modules: Mapping[str, bytes],
    type_origins: Sequence[TypeOrigin],
    linkage: Mapping[ObjectId, Link],
    previous_transaction: TransactionDigest,
    storage_rebate: int,
) -> bytes:
    """Object, of a package."""
    origins = [_text(origin.module) + _text(origin.name) + origin.package for origin in type_origins]
    return b"".join(
        (
            b"\x01",
            package,
            u64(version),
            encode_length(len(modules)),
            *(_text(name) + _bytes(code) for name, code in sorted(modules.items(), key=lambda item: _text(item[0]))),
            encode_length(len(origins)),
            *origins,
            encode_length(len(linkage)),
            *(original + link.id + u64(link.version) for original, link in sorted(linkage.items())),
            b"\x03",
            _bytes(previous_transaction),
            u64(storage_rebate),
        )
    )


def object_digest(encoded: bytes) -> ObjectDigest:
    """Of what `encode_object` or `encode_package` gave."""
    return ObjectDigest(_hash(b"Object", encoded))


# ---- events and effects


def events_digest(events: Sequence[Event]) -> EventsDigest:
    """Of all events of a transaction."""
    encoded = [
        event.package + _text(event.module) + event.sender + encode_struct(event.type) + _bytes(event.contents)
        for event in events
    ]
    return EventsDigest(_hash(b"TransactionEvents", encode_length(len(events)) + b"".join(encoded)))


def encode_effects(
    status: Failure | None,
    epoch: int,
    gas: GasSummary,
    transaction: TransactionDigest,
    gas_object: ObjectId | None,
    events: EventsDigest | None,
    dependencies: Sequence[TransactionDigest],
    lamport_version: Version,
    changes: Sequence[ObjectChange],
    read_only_shared: Sequence[ReadOnlyShared],
) -> bytes:
    """TransactionEffects::V2."""
    gas_index = next((index for index, change in enumerate(changes) if change.id == gas_object), None)
    return b"".join(
        (
            b"\x01",
            b"\x00" if status is None else b"\x01" + _failure(status),
            u64(epoch),
            *map(u64, (gas.computation, gas.storage, gas.rebate, gas.non_refundable)),
            _bytes(transaction),
            _NONE if gas_index is None else _SOME + gas_index.to_bytes(4, "little"),
            _NONE if events is None else _SOME + _bytes(events),
            encode_length(len(dependencies)),
            *map(_bytes, dependencies),
            u64(lamport_version),
            encode_length(len(changes)),
            *map(_change, changes),
            encode_length(len(read_only_shared)),
            *(shared.id + b"\x00" + u64(shared.version) + _bytes(shared.digest) for shared in read_only_shared),
            _NONE,  # aux_data_digest
        )
    )


def effects_digest(encoded: bytes) -> EffectsDigest:
    """Of what `encode_effects` gave."""
    return EffectsDigest(_hash(b"TransactionEffects", encoded))


def _change(change: ObjectChange) -> bytes:
    return b"".join(
        (
            change.id,
            _NONE if change.before is None else b"\x01" + _state_before(change.before),
            _state_after(change.after, package=change.package),
            bytes([change.operation.value]),
        )
    )


def _state_before(state: ObjectState) -> bytes:
    return u64(state.version) + _bytes(state.digest) + encode_owner(state.owner)


def _state_after(state: ObjectState | None, *, package: bool) -> bytes:
    if state is None:
        return b"\x00"
    if package:
        return b"\x02" + u64(state.version) + _bytes(state.digest)
    return b"\x01" + _bytes(state.digest) + encode_owner(state.owner)


def _location(location: Location) -> bytes:
    return b"".join(
        (
            location.address,
            _text(location.module),
            _u16(location.function_index),
            _u16(location.offset),
            _SOME + _text(location.function),
        )
    )


def _failure(failure: Failure) -> bytes:
    kind, location = failure.kind, failure.location
    detail = b""
    if kind is FailureKind.MOVE_ABORT and location is not None:
        detail = _location(location) + u64(failure.abort_code or 0)
    elif kind is FailureKind.MOVE_PRIMITIVE_RUNTIME_ERROR:
        detail = _NONE if location is None else _SOME + _location(location)
    elif kind is FailureKind.COMMAND_ARGUMENT_ERROR and failure.argument_error is not None:
        detail = _u16(failure.argument or 0) + bytes([failure.argument_error.value])
        detail += b"".join(map(_u16, failure.indices))
    elif kind is FailureKind.TYPE_ARGUMENT_ERROR:
        detail = _u16(failure.argument or 0) + b"\x01"  # ConstraintNotSatisfied
    elif kind is FailureKind.UNUSED_VALUE_WITHOUT_DROP:
        detail = b"".join(map(_u16, failure.indices))
    elif kind is FailureKind.INVALID_PUBLIC_FUNCTION_RETURN_TYPE:
        detail = _u16(failure.argument or 0)
    elif kind in {FailureKind.MOVE_OBJECT_TOO_BIG, FailureKind.MOVE_PACKAGE_TOO_BIG}:
        detail = b"".join(map(u64, failure.indices))
    elif failure.upgrade is not None:
        detail = _upgrade_error(failure.upgrade)
    command = _NONE if failure.command is None else _SOME + u64(failure.command)
    return encode_length(kind.value) + detail + command


def _upgrade_error(error: UpgradeError) -> bytes:
    policy = b"" if error.policy is None else bytes([error.policy])
    digest = _bytes(error.digest) if error.digest else b""
    return encode_length(error.kind.value) + (error.package or b"") + (error.ticket or b"") + digest + policy


# ---- checkpoints


def checkpoint_digest(
    chain: str,
    sequence: int,
    timestamp: int,
    previous: CheckpointDigest | None,
    transactions: Sequence[TransactionDigest],
    effects: Sequence[EffectsDigest],
) -> CheckpointDigest:
    """Of our own layout: nobody signs checkpoints here. `chain` tells localnets apart."""
    parts = [_text(chain), u64(sequence), u64(timestamp), _bytes(previous or b""), *transactions, *effects]
    return CheckpointDigest(_hash(b"LocalnetCheckpoint", b"".join(parts)))
