"""What a policy is made of: which code, which machines, which patch levels and which devices count."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.errors import PolicyError
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

MAX_MEASUREMENT: Final = 64
"""Bytes; what the contract stores."""

MAX_HARDWARE: Final = 64
"""Bytes; a chip id of AMD."""

MAX_GPUS: Final = 16
ALWAYS: Final = Millis(0)
FOREVER: Final = Millis(2**64 - 1)
NEVER_ACCEPTED: Final = frozenset({"Revoked", "Debug", "Refused", "BelowEveryLevel"})
"""Patch levels, in the vendors' words, that no policy may accept: these are no levels, and where there is none, the rest
of the platform was not judged."""
_MEASUREMENT: Final = 48
"""Bytes; every kind's measurement is one SHA-384."""
_HARDWARE_SIZES: Final = range(8, MAX_HARDWARE + 1)
"""Eight bytes has a Turin chip; serial numbers of GPUs have up to 20."""


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
class Machine:
    """One registered chip of one kind of TEE, from `active_from` until before `sunset`.

    A key drawn out of any chip signs for every machine (TEE.fail); a registry leaves only those whose owner is known.

    Raises:
        PolicyError: no hardware has this id, or a sunset before the activation.
    """

    kind: TeeKind
    hardware: bytes
    """PPID of Intel, CHIP_ID of AMD."""
    active_from: Millis = ALWAYS
    sunset: Millis = FOREVER

    def __post_init__(self) -> None:
        if not 0 < len(self.hardware) <= MAX_HARDWARE or not any(self.hardware):
            raise PolicyError(f"a hardware id has 1 to {MAX_HARDWARE} bytes, not all zero: read it off `enclavia attest verify`")
        if self.sunset <= self.active_from:
            raise PolicyError(f"hardware {self.hardware.hex()[:16]}…: its sunset is not after its activation")


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
        if self.what is Rejects.ADVISORY:
            if not self.value.strip() or self.value != self.value.strip():
                raise PolicyError(f"rejected {self.what} {self.value[:32]!r}: write its name, such as INTEL-SA-00615")
            return
        if not _is_hex(self.value):
            raise PolicyError(f"rejected {self.what} {self.value[:32]!r}: write it as lower-case hex without 0x")
        size = len(self.value) // 2
        if size not in ({_MEASUREMENT} if self.what is Rejects.MEASUREMENT else _HARDWARE_SIZES):
            raise PolicyError(f"rejected {self.what} {self.value[:32]}: no kind of TEE has one of {size} bytes, it would reject nothing")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one of the three says."""

    allow: frozenset[Allowance] = frozenset()
    reject: frozenset[Rejection] = frozenset()
    machines: frozenset[Machine] = frozenset()
    """If any layer names a machine of a kind, only named ones of that kind count."""


@dataclass(frozen=True, slots=True)
class SnpFloor:
    """The lowest patch levels of one product line of AMD; AMD publishes none, so a policy must."""

    product: Product
    tcb: Tcb


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRules:
    """What is asked of NVIDIA devices.

    Raises:
        PolicyError: no machine has so many.
    """

    count: int = 0
    """At least so many GPUs, each with evidence chained from the CPU's."""
    models: frozenset[str] = frozenset()
    """As NVIDIA names them, such as "GH100"; empty: those that this release was tried with."""
    drivers: frozenset[str] = frozenset()
    """Empty: every one with a manifest in force."""
    vbios: frozenset[str] = frozenset()
    """Firmware versions, of GPUs and switches; empty: every one with a manifest in force, also one rolled back to."""
    require_ocsp: bool = False
    """Every certificate below NVIDIA's roots needs an OCSP response in the collateral; without, who leaves a response out hides
    a revocation from whoever has none of his own."""

    def __post_init__(self) -> None:
        if not 0 <= self.count <= MAX_GPUS:
            raise PolicyError(f"gpus: a count of 0 to {MAX_GPUS} is wanted, not {self.count}")


def counting(machines: Iterable[Machine], at: Millis) -> frozenset[bytes]:
    """Ids of those `machines` that count at `at`, as `chip` writes them."""
    return frozenset(chip(each.hardware) for each in machines if each.active_from <= at < each.sunset)


def chip(hardware: bytes) -> bytes:
    """A hardware id in the form that ids are compared in: reports pad the ids of some of AMD's chips with zeros."""
    return hardware.rstrip(b"\0")


def _is_hex(value: str) -> bool:
    try:
        return bool(value) and bytes.fromhex(value).hex() == value
    except ValueError:
        return False
