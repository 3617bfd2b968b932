"""Which measurements count, and how long evidence may vouch. Its 32-byte hash stands on chain, in `Network.policy`.

Three layers, one object: what the vendor of the agent built, what the network's administrator added, what the
community did. A measurement counts if any layer allows it and no layer rejects it: a reject always wins, whoever
wrote it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.errors import PolicyError
from agent.protocol.statements import TeeKind
from agent.protocol.units import Digest, Millis

FORMAT: Final = "enclavia-policy/1"
MAX_MEASUREMENT: Final = 64
"""Bytes; what the contract stores."""

ALWAYS: Final = Millis(0)
FOREVER: Final = Millis(2**64 - 1)
TWO_MINUTES: Final = Millis(120_000)


class Rejects(StrEnum):
    """What a reject list can name."""

    MEASUREMENT = "measurement"
    HARDWARE = "hardware"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True, order=True)
class Allowance:
    """One measurement of one kind of TEE, from `active_from` until before `sunset`.

    Raises:
        PolicyError: an empty or too long measurement, or a sunset before the activation.
    """

    kind: TeeKind
    measurement: bytes
    active_from: Millis = ALWAYS
    sunset: Millis = FOREVER

    def __post_init__(self) -> None:
        if not 0 < len(self.measurement) <= MAX_MEASUREMENT:
            raise PolicyError(f"a measurement has 1 to {MAX_MEASUREMENT} bytes, not {len(self.measurement)}")
        if not any(self.measurement):
            raise PolicyError("a measurement of zeros is what debug enclaves have: it can never be allowed")
        if self.sunset <= self.active_from:
            raise PolicyError(f"measurement {self.measurement.hex()[:16]}…: its sunset is not after its activation")


@dataclass(frozen=True, slots=True, order=True)
class Rejection:
    """Something that no evidence may have, in any kind of TEE.

    Raises:
        PolicyError: the value is spelt so that it would never match.
    """

    what: Rejects
    value: str
    """Lower-case hex of a measurement or hardware id; the name of an advisory."""
    reason: str

    def __post_init__(self) -> None:
        if self.what is not Rejects.ADVISORY and not _is_hex(self.value):
            raise PolicyError(f"rejected {self.what} {self.value[:32]!r}: write it as lower-case hex without 0x")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one of the three says."""

    allow: frozenset[Allowance] = frozenset()
    reject: frozenset[Rejection] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy.

    Raises:
        PolicyError: it could never accept anything.
    """

    version: int
    max_age: Millis
    """How long after the quote its keys may count; also the longest `not_after` that a verifier vouches for."""
    allow_simulated: bool
    """False on every network with something to lose; one gate of three."""
    active_from: Millis = ALWAYS
    sunset: Millis = FOREVER
    clock_skew: Millis = TWO_MINUTES
    """How far the clocks of hardware and chain may lie apart."""
    accepted_tcb: frozenset[str] = frozenset({"UpToDate"})
    """Patch levels, in the vendor's words, that count; kinds without a patch level are not concerned."""
    vendor: Layer = field(default_factory=Layer)
    network: Layer = field(default_factory=Layer)
    community: Layer = field(default_factory=Layer)

    def __post_init__(self) -> None:
        if self.sunset <= self.active_from or self.max_age <= 0 or self.clock_skew < 0 or self.version < 0:
            raise PolicyError("the policy can never be in force: look at active_from, sunset, max_age, clock_skew")

    @property
    def layers(self) -> tuple[tuple[str, Layer], ...]:
        """The layers with their names."""
        return ("vendor", self.vendor), ("network", self.network), ("community", self.community)

    def active(self, at: Millis) -> bool:
        """Whether the policy is in force at `at`."""
        return self.active_from <= at < self.sunset

    def allowing(self, kind: TeeKind, measurement: bytes, at: Millis) -> tuple[str, ...]:
        """The layers that allow `measurement` at `at`."""
        return tuple(
            name
            for name, layer in self.layers
            if any(
                (entry.kind, entry.measurement) == (kind, measurement) and entry.active_from <= at < entry.sunset
                for entry in layer.allow
            )
        )

    def rejecting(self, measurement: bytes, hardware: bytes | None, advisories: Iterable[str]) -> tuple[str, ...]:
        """Who rejects any of these, and why, for people."""
        named = {(Rejects.MEASUREMENT, measurement.hex()), *((Rejects.ADVISORY, name) for name in advisories)}
        if hardware is not None:
            named.add((Rejects.HARDWARE, hardware.hex()))
        return tuple(
            f"{name}: {entry.what} {entry.value[:32]} ({entry.reason})"
            for name, layer in self.layers
            for entry in sorted(layer.reject)
            if (entry.what, entry.value) in named
        )

    def digest(self) -> Digest:
        """BLAKE2b-256 of the deterministic CBOR of `to_document`: what the chain records."""
        return Digest(blake2b(cbor.encode(self.to_document()), digest_size=32).digest())

    def to_document(self) -> dict[str, Any]:
        """The policy as plain values that JSON can hold; one document for one policy."""
        return {
            "format": FORMAT,
            "version": self.version,
            "max_age": self.max_age,
            "allow_simulated": self.allow_simulated,
            "active_from": self.active_from,
            "sunset": self.sunset,
            "clock_skew": self.clock_skew,
            "accepted_tcb": sorted(self.accepted_tcb),
            **{name: _layer_document(layer) for name, layer in self.layers},
        }


def _is_hex(value: str) -> bool:
    try:
        return bool(value) and bytes.fromhex(value).hex() == value
    except ValueError:
        return False


def _layer_document(layer: Layer) -> dict[str, Any]:
    return {
        "allow": [
            {
                "kind": entry.kind.name.lower(),
                "measurement": entry.measurement.hex(),
                "active_from": entry.active_from,
                "sunset": entry.sunset,
            }
            for entry in sorted(layer.allow)
        ],
        "reject": [
            {"what": entry.what.value, "value": entry.value, "reason": entry.reason} for entry in sorted(layer.reject)
        ],
    }
