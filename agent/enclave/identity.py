"""Who an enclave is: what it is started with, its public keys, and how well it is really kept apart."""

from dataclasses import dataclass
from typing import Final, NewType

Measurement = NewType("Measurement", bytes)
"""SHA-384 over the code that runs inside and the model it loads, 48 bytes.

It is said by the platform, never by the enclave.
"""

MEASUREMENT_BYTES: Final = 48


@dataclass(frozen=True, slots=True)
class EnclaveConfig:
    """How to start an enclave."""

    workload: str
    """Name of one of `agent.enclave.workloads.WORKLOADS`."""
    sealed_state: bytes | None = None
    """What `seal_state` of an earlier enclave returned: the new one takes over its keys and tasks [H5]."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """What keeps the host out, as achieved on this machine. Goes into simulated evidence as it is."""

    dumpable: bool
    """True: another process of the same user can read the enclave's memory. The enclave refuses to run so."""
    landlock_abi: int
    """0: this kernel has no Landlock, so the file system is closed by seccomp alone."""
    seccomp: bool
    """False: system calls are not filtered."""
    uid: int
    """The user that both the host and the enclave run as."""
    notes: tuple[str, ...]
    """What a reader of the evidence should know, such as that the host is root."""


@dataclass(frozen=True, slots=True)
class EnclaveIdentity:
    """The public face of a started enclave."""

    hpke_pk: bytes
    """X25519, 32 bytes: inputs are sealed to it."""
    sign_pk: bytes
    """Ed25519, 32 bytes: statements are signed with it."""
    measurement: Measurement
    manifest: bytes
    """Canonical CBOR of the workload manifest; its hash stands in the Pool."""
    manifest_hash: bytes
    """BLAKE2b-256 of `manifest`, 32 bytes."""
    isolation: Isolation
    key_epoch: int | None
    """The one it is bound to, and serves alone; None before. A node runs two enclaves side by side while one takes over."""
