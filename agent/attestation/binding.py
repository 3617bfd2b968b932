"""What evidence vouches for: two public keys, for one node of one network, in one key epoch.

Spec: docs/spec/protocol.md §1 (ATTEST, GPU). The enclave writes the binding, the hardware signs `report_data` of its
bytes, and whoever verifies compares every field with the chain. The binding travels with the evidence, so nothing has
to be guessed.
"""

from dataclasses import dataclass, fields
from hashlib import sha256, sha512
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.errors import Malformed
from agent.protocol.statements import native_digest
from agent.protocol.tags import ATTEST, GPU
from agent.protocol.units import Address, Digest, Millis, NodeId

VERSION: Final = 1
MAX_BINDING: Final = 1024
"""Bytes of an encoded binding; ours have about 400."""

MAX_CHAIN_ID: Final = 64
"""Characters of a chain identifier; Sui's has 44 at most."""

REPORT_DATA_BYTES: Final = 64
USER_DATA_BYTES: Final = 96

_DIGEST_BYTES: Final = 32
_U64: Final = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One enclave's keys and where they count.

    Raises:
        Malformed: a field has another type or length than given here.
    """

    chain_id: str
    """The chain's own identifier, as its nodes tell it."""
    network_id: Address
    node_id: NodeId
    key_epoch: int
    """u64; the epoch that `request_challenge` opened."""
    challenge: bytes
    """32 bytes of chain randomness: evidence cannot be older."""
    hpke_pk: bytes
    """32 bytes, X25519."""
    sign_pk: bytes
    """32 bytes, Ed25519."""
    workload_manifest_hash: bytes
    """32 bytes; the pool's manifest, which the enclave has loaded."""
    committee_hash: bytes
    """32 bytes, `committee_hash`: a host cannot start an enclave that trusts a committee of the host's own."""
    not_after: Millis
    """The enclave refuses work after this time."""

    def __post_init__(self) -> None:
        if not (type(self.chain_id) is str and 0 < len(self.chain_id) <= MAX_CHAIN_ID):
            raise Malformed(f"binding: chain_id is not text of 1 to {MAX_CHAIN_ID} characters")
        for name in (
            "network_id",
            "node_id",
            "challenge",
            "hpke_pk",
            "sign_pk",
            "workload_manifest_hash",
            "committee_hash",
        ):
            value = getattr(self, name)
            if not (type(value) is bytes and len(value) == _DIGEST_BYTES):
                raise Malformed(f"binding: {name} is not {_DIGEST_BYTES} bytes")
        for name in ("key_epoch", "not_after"):
            value = getattr(self, name)
            if not (type(value) is int and 0 <= value < _U64):
                raise Malformed(f"binding: {name} is not an unsigned integer of 64 bits")

    def encode(self) -> bytes:
        """Deterministic CBOR: a map of the field names and `v`."""
        return cbor.encode({"v": VERSION} | {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def decode(cls, data: bytes) -> "Binding":
        """The binding in `data`.

        Raises:
            Malformed: not a binding of this version in its one encoding.
        """
        if len(data) > MAX_BINDING:
            raise Malformed(f"binding of {len(data)} bytes, at most {MAX_BINDING}")
        entries: Any = cbor.decode(data)
        names = {field.name for field in fields(cls)}
        if type(entries) is not dict or entries.keys() != names | {"v"}:
            raise Malformed("binding: not exactly the fields of version 1")
        if type(entries["v"]) is not int or entries.pop("v") != VERSION:
            raise Malformed("binding: a version that this release does not know")
        return cls(**entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Committee:
    """Who may sign, as `Network` has it."""

    verifiers: tuple[bytes, ...]
    """Ed25519 keys, 32 bytes each; a signer is named by its place here."""
    threshold: int

    def digest(self) -> bytes:
        """What bindings carry as `committee_hash`."""
        return committee_hash(self.threshold, self.verifiers)


def report_data(binding: bytes) -> bytes:
    """64 bytes that the CPU evidence carries for the encoded `binding`."""
    return sha512(ATTEST + binding).digest()


def native_of(binding: Binding, pool: Address, committee: Committee) -> bytes:
    """32 bytes: what Move recomputes of a Nitro document for `binding`. Move has no CBOR and no SHA-512."""
    return native_digest(
        binding.network_id, pool, binding.node_id, binding.key_epoch, binding.challenge, binding.hpke_pk, binding.sign_pk,
        Digest(binding.workload_manifest_hash), committee.verifiers, committee.threshold, binding.not_after,
    )  # fmt: skip


def user_data(binding: bytes, native: bytes) -> bytes:
    """96 bytes that a Nitro document, or a simulated one, carries: the report data, and `native` for the chain."""
    return report_data(binding) + native


def gpu_nonce(report: bytes, index: int) -> bytes:
    """32 bytes that the evidence of GPU `index` carries: chained from verified CPU evidence, it cannot come from
    another node.
    """
    return sha256(GPU + report + index.to_bytes(4, "little")).digest()


def committee_hash(threshold: int, verifiers: tuple[bytes, ...]) -> bytes:
    """32 bytes naming a verifier committee: SHA-256 over deterministic CBOR `[threshold, [keys in order]]`."""
    return sha256(cbor.encode([threshold, list(verifiers)])).digest()
