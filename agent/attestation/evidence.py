"""How evidence travels: a RATS conceptual message wrapper collection (draft-ietf-rats-msg-wrap) in deterministic CBOR.

    { "__cmwc_t": COLLECTION, "binding": [type, bytes], "cpu": [type, bytes, 4], "isolation": [type, bytes],
      "device-0": [type, bytes, 4], ... "device-15", "collateral": [type, bytes, 3] }

The third entry of an item is the draft's indicator, a mask with bit 2 for evidence, bits 0 and 1 for reference values
and endorsements; only what is signed has it. `device-N` is a GPU or switch, N its index in the nonce: without gaps.
`isolation` is the enclave's own word on how well it is shut off. Nothing measures it, so it is informative: no
verdict depends on it.

The digest of the whole (`blob_digest`) retrieves it and is on chain. It is no replay key: quotes are malleable,
bindings are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.attestation import cbor
from agent.attestation.errors import Malformed, Oversized
from agent.protocol.blob import blob_digest
from agent.protocol.units import BlobId

MAX_EVIDENCE: Final = 256 * 1024
"""Bytes; eight GPUs with their certificates take about 100 KiB."""

MAX_ISOLATION: Final = 8 * 1024
COLLECTION: Final = "tag:enclavia,2026:evidence/1"
BINDING_TYPE: Final = "application/vnd.enclavia.binding+cbor"
ISOLATION_TYPE: Final = "application/vnd.enclavia.isolation+cbor"

_COLLECTION_KEY: Final = "__cmwc_t"
_EVIDENCE_INDICATOR: Final = 1 << 2
_COLLATERAL_INDICATOR: Final = 1 << 0 | 1 << 1
_MANDATORY: Final = frozenset({_COLLECTION_KEY, "binding", "cpu"})
MAX_DEVICES: Final = 16
_DEVICES: Final = tuple(f"device-{index}" for index in range(MAX_DEVICES))
_KNOWN: Final = _MANDATORY | {"isolation", "collateral", *_DEVICES}


@dataclass(frozen=True, slots=True)
class Quote:
    """What a TEE signed, and of which media type it is."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """A binding, CPU evidence for it, and that of the devices chained from the CPU's."""

    binding: bytes
    """Encoded `Binding`."""
    cpu: Quote
    isolation: bytes | None = None
    """CBOR of the enclave's own report on its isolation; informative."""
    devices: tuple[Quote, ...] = ()
    """GPUs and switches, in the order of their nonces."""
    collateral: Quote | None = None
    """What the devices' vendor says of them; signed by it, so it does not matter who brings it."""

    def encode(self) -> bytes:
        """The bytes that are stored and named on chain.

        Raises:
            Oversized, Malformed: what `decode` would refuse.
        """
        items: dict[str, Any] = {
            _COLLECTION_KEY: COLLECTION,
            "binding": [BINDING_TYPE, self.binding],
            "cpu": [self.cpu.media_type, self.cpu.content, _EVIDENCE_INDICATOR],
        }
        if self.isolation is not None:
            items["isolation"] = [ISOLATION_TYPE, _bounded_isolation(self.isolation)]
        if len(self.devices) > MAX_DEVICES:
            raise Malformed(f"evidence of {len(self.devices)} devices, at most {MAX_DEVICES}")
        for name, device in zip(_DEVICES, self.devices, strict=False):
            items[name] = [device.media_type, device.content, _EVIDENCE_INDICATOR]
        if self.collateral is not None:
            items["collateral"] = [self.collateral.media_type, self.collateral.content, _COLLATERAL_INDICATOR]
        data = cbor.encode(items)
        if len(data) > MAX_EVIDENCE:
            raise Oversized(len(data), MAX_EVIDENCE)
        return data

    @classmethod
    def decode(cls, data: bytes) -> "Evidence":
        """The evidence in `data`.

        Raises:
            Oversized: more than `MAX_EVIDENCE` bytes.
            Malformed: not this collection, or an item that is not known here.
        """
        if len(data) > MAX_EVIDENCE:
            raise Oversized(len(data), MAX_EVIDENCE)
        items = cbor.decode(data)
        if type(items) is not dict or items.get(_COLLECTION_KEY) != COLLECTION:
            raise Malformed(f"not a collection of type {COLLECTION}")
        if not _MANDATORY <= items.keys() <= _KNOWN:
            raise Malformed(f"evidence has items {sorted(map(str, items))}, known are {sorted(_KNOWN)}")
        isolation = _typed(items, "isolation", ISOLATION_TYPE) if "isolation" in items else None
        devices = [name for name in _DEVICES if name in items]
        if devices != list(_DEVICES[: len(devices)]):
            raise Malformed(f"evidence has {', '.join(devices)}: an item's number is its index, without gaps")
        return cls(
            binding=_typed(items, "binding", BINDING_TYPE),
            cpu=_quote(items, "cpu", _EVIDENCE_INDICATOR),
            isolation=None if isolation is None else _bounded_isolation(isolation),
            devices=tuple(_quote(items, name, _EVIDENCE_INDICATOR) for name in devices),
            collateral=_quote(items, "collateral", _COLLATERAL_INDICATOR) if "collateral" in items else None,
        )


def evidence_digest(evidence: bytes) -> BlobId:
    """The name under which encoded evidence is stored, and which the chain records."""
    return blob_digest(evidence)


def _typed(items: Mapping[str, Any], name: str, media_type: str) -> bytes:
    match items[name]:
        case [str(found), bytes(content)] if found == media_type:
            return content
        case _:
            raise Malformed(f"evidence item {name!r} is not [{media_type!r}, bytes]")


def _quote(items: Mapping[str, Any], name: str, indicator: int) -> Quote:
    match items[name]:
        case [str(media_type), bytes(content), int(found)] if found == indicator:
            return Quote(media_type, content)
        case _:
            raise Malformed(f"evidence item {name!r} is not [media type, bytes, {indicator}]")


def _bounded_isolation(report: bytes) -> bytes:
    if len(report) > MAX_ISOLATION:
        raise Malformed(f"isolation report of {len(report)} bytes, at most {MAX_ISOLATION}")
    return report
