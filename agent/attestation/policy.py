"""Which evidence counts, and how long it may vouch. Its 32-byte hash stands on chain, in `Network.policy`.

Three layers, one object: what the vendor of the agent built, what the network's administrator added, what the
community did. A measurement counts if any layer allows it and no layer rejects it: a reject always wins, whoever
wrote it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.errors import PolicyError
from agent.attestation.policy_rules import (
    ALWAYS,
    FOREVER,
    NEVER_ACCEPTED,
    Allowance,
    GpuRules,
    Layer,
    Machine,
    Rejection,
    Rejects,
    SnpFloor,
    chip,
    counting,
)
from agent.protocol.statements import TeeKind
from agent.protocol.units import Digest, Millis

__all__ = [
    "ALWAYS",
    "FOREVER",
    "FORMAT",
    "Allowance",
    "GpuRules",
    "Layer",
    "Machine",
    "Policy",
    "Rejection",
    "Rejects",
    "SnpFloor",
    "chip",
]

FORMAT: Final = "enclavia-policy/1"
TWO_MINUTES: Final = Millis(120_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy.

    Raises:
        PolicyError: it could never accept anything, or would accept what must never count.
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
    snp_floors: frozenset[SnpFloor] = frozenset()
    """At most one for each product line; a line without one has the patch level "NoFloor"."""
    accepted_advisories: frozenset[str] | None = None
    """Those that may concern a platform; None: all but rejected ones."""
    intel_evaluation: int | None = None
    """The oldest `tcbEvaluationDataNumber` of Intel that counts. Intel hands out the evaluation from before a recovery for
    a year more, and who sends evidence chooses its collateral. 0: any; None: nothing of Intel's counts."""
    accept_vlek: bool = False
    """Whether AMD's keys of cloud providers count, beside those of single chips."""
    accept_missing_crl: bool = False
    """Whether SEV-SNP evidence counts that brings no revocation list of AMD's."""
    gpus: GpuRules | None = None
    """None: none are needed; those that come along are judged nevertheless."""

    def __post_init__(self) -> None:
        if self.sunset <= self.active_from or self.max_age <= 0 or self.clock_skew < 0 or self.version < 0:
            raise PolicyError("the policy can never be in force: look at active_from, sunset, max_age, clock_skew")
        never = self.accepted_tcb & NEVER_ACCEPTED
        if never:
            raise PolicyError(f"accepted_tcb: {', '.join(sorted(never))} must never count: take it out")
        if self.intel_evaluation is not None and not 0 <= self.intel_evaluation < 1 << 32:
            raise PolicyError("intel_evaluation: wants a number such as 17, as tcbEvaluationDataNumber of Intel's TCB info")
        if len({floor.product for floor in self.snp_floors}) < len(self.snp_floors):
            raise PolicyError("snp_floors: a product line has two floors: leave the higher one")

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
            named.add((Rejects.HARDWARE, chip(hardware).hex()))
        return tuple(
            f"{name}: {entry.what} {entry.value[:32]} ({entry.reason})"
            for name, layer in self.layers
            for entry in sorted(layer.reject)
            if (entry.what, entry.value if entry.what is not Rejects.HARDWARE else chip(bytes.fromhex(entry.value)).hex()) in named
        )

    def registered(self, kind: TeeKind, at: Millis) -> frozenset[bytes] | None:
        """Ids of the chips of `kind` that count at `at`; None if no layer keeps a register of that kind.

        A register whose last entry has ended is still one: nothing counts then.
        """
        machines = [each for _, layer in self.layers for each in layer.machines if each.kind is kind]
        return counting(machines, at) if machines else None

    def rejected_hardware(self) -> frozenset[bytes]:
        """All hardware ids that any layer rejects."""
        return frozenset(
            bytes.fromhex(entry.value) for _, layer in self.layers for entry in layer.reject if entry.what is Rejects.HARDWARE
        )

    def floor(self, product: Product) -> Tcb | None:
        """The lowest patch levels of `product`; None if the policy names none."""
        return next((floor.tcb for floor in self.snp_floors if floor.product is product), None)

    def digest(self) -> Digest:
        """BLAKE2b-256 of `encode()`: what the chain records."""
        return Digest(blake2b(self.encode(), digest_size=32).digest())

    def encode(self) -> bytes:
        """The deterministic CBOR of `to_document`."""
        return cbor.encode(self.to_document())

    def to_document(self) -> dict[str, Any]:
        """The policy as plain values that JSON can hold; one document for one policy: what says nothing is left out."""
        document: dict[str, Any] = {
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
        if self.snp_floors:
            document["snp_floors"] = {floor.product.value: _levels(floor.tcb) for floor in sorted(self.snp_floors, key=lambda each: each.product)}
        if self.accepted_advisories is not None:
            document["accepted_advisories"] = sorted(self.accepted_advisories)
        if self.intel_evaluation is not None:
            document["intel_evaluation"] = self.intel_evaluation
        for name in ("accept_vlek", "accept_missing_crl"):
            if getattr(self, name):
                document[name] = True
        if self.gpus is not None:
            document["gpus"] = {
                "count": self.gpus.count,
                "models": sorted(self.gpus.models),
                "drivers": sorted(self.gpus.drivers),
                "require_ocsp": self.gpus.require_ocsp,
                **({"vbios": sorted(self.gpus.vbios)} if self.gpus.vbios else {}),
            }
        return document


def _levels(tcb: Tcb) -> dict[str, int]:
    return {name: getattr(tcb, name) for name in ("fmc", "bootloader", "tee", "snp", "microcode")}


def _layer_document(layer: Layer) -> dict[str, Any]:
    document: dict[str, Any] = {
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
    if layer.machines:
        document["machines"] = [
            {
                "kind": entry.kind.name.lower(),
                "hardware": entry.hardware.hex(),
                "active_from": entry.active_from,
                "sunset": entry.sunset,
            }
            for entry in sorted(layer.machines)
        ]
    return document
