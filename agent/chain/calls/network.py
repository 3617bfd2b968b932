"""Calls of the module `network`: its administrator's, and those that anybody makes."""

from dataclasses import dataclass

from agent.protocol.records import Params
from agent.protocol.units import Digest, Millis, ObjectId


@dataclass(frozen=True, slots=True)
class CreateNetwork:
    """`params::new` and `network::create`; the AdminCap goes to the sender."""

    params: Params
    allow_simulated: bool
    policy: Digest
    """In force at once, and until it is sunset."""
    verifiers: tuple[bytes, ...]
    """Ed25519 public keys of the committee, 32 bytes each."""
    threshold: int
    nitro: tuple[bytes, ...] = ()
    """PCR0 values, 48 bytes each, that `attest_nitro` takes under `policy`."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`network::heartbeat`: after a silence longer than `heartbeat_ms`, time stood still for all of it."""


@dataclass(frozen=True, slots=True)
class SetPaused:
    """`network::set_paused`: at once; stops `open_task` only."""

    cap: ObjectId
    paused: bool


@dataclass(frozen=True, slots=True)
class ProposeParams:
    """`params::new` and `network::propose_params`: in force after `timelock_ms`, by `ApplyParams`."""

    cap: ObjectId
    params: Params


@dataclass(frozen=True, slots=True)
class ApplyParams:
    """`network::apply_params`, by anybody."""


@dataclass(frozen=True, slots=True)
class ProposeCommittee:
    """`network::propose_committee`: in office after `timelock_ms`, by `ApplyCommittee`."""

    cap: ObjectId
    verifiers: tuple[bytes, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class ApplyCommittee:
    """`network::apply_committee`, by anybody; the one before counts for `rotation_ms` more."""


@dataclass(frozen=True, slots=True)
class CancelProposals:
    """`network::cancel_proposals`: those of parameters and committee."""

    cap: ObjectId


@dataclass(frozen=True, slots=True)
class AddPolicy:
    """`network::add_policy`: `activates_at` (protocol time) is at least `timelock_ms` away."""

    cap: ObjectId
    digest: Digest
    nitro: tuple[bytes, ...]
    activates_at: Millis


@dataclass(frozen=True, slots=True)
class SunsetPolicy:
    """`network::sunset_policy`: records under it count no longer from `at` (protocol time) on, which may be now."""

    cap: ObjectId
    digest: Digest
    at: Millis


@dataclass(frozen=True, slots=True)
class MigrateNetwork:
    """`network::migrate`: to the package's version, after an upgrade."""

    cap: ObjectId
