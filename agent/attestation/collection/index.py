"""What was collected for one piece of evidence, and when: JSON beside the archive's blobs, for people and for replay.

The index is nobody's word: all that it names is signed by the vendor, and checked again at each replay.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from agent.attestation.collection.errors import ArchiveError
from agent.attestation.collection.window import Window
from agent.attestation.errors import NotValidThen
from agent.protocol.units import BlobId, Millis

VERSION: Final = 2
MAX_INDEX: Final = 1024 * 1024
_DIGEST_HEX: Final = 64
_MAX_TEXT: Final = 4096
_LATEST: Final = 1 << 63


class Role(StrEnum):
    """What a blob is for."""

    INTEL_TCB_INFO = "intel-tcb-info"
    """JSON of `Statement`: Intel's text as signed, the signature, the signer's chain."""
    INTEL_QE_IDENTITY = "intel-qe-identity"
    """As `INTEL_TCB_INFO`."""
    INTEL_PCK_CRL = "intel-pck-crl"
    """DER, of the authority that issued the platform's PCK."""
    INTEL_ROOT_CRL = "intel-root-crl"
    """DER."""
    AMD_CERTIFICATE = "amd-certificate"
    """DER."""
    AMD_CRL = "amd-crl"
    """DER."""
    NVIDIA_RIM = "nvidia-rim"
    """XML."""
    NVIDIA_OCSP = "nvidia-ocsp"
    """DER of a response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One blob."""

    role: Role
    subject: str
    """What it is about: of two items of one role and subject, one at a time counts."""
    digest: str
    """Its name in the archive, hex."""
    size: int
    source: str
    """The address that it came from."""
    valid_from: Millis
    valid_until: Millis | None
    """None: it has no end."""

    @property
    def blob(self) -> BlobId:
        """Its name in the archive."""
        return BlobId(bytes.fromhex(self.digest))

    @property
    def window(self) -> Window:
        """When it counts."""
        return Window(self.valid_from, self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One collection."""

    evidence: str
    """Digest of the evidence that it was made for, hex."""
    collected_at: Millis
    items: tuple[Item, ...]
    missing: tuple[str, ...]
    """What could not be had, and why."""

    def encode(self) -> bytes:
        """JSON, for people too."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, text: bytes) -> "Index":
        """The index in `text`.

        Raises:
            ArchiveError: not one that this release wrote.
        """
        try:
            found: Any = json.loads(text) if len(text) <= MAX_INDEX else None
        except (ValueError, RecursionError):
            found = None
        match found:
            case {"version": version, "evidence": str(evidence), "collected_at": int(at), "items": list(items), "missing": list(missing)}:
                known = type(version) is int and version == VERSION and len(evidence) == _DIGEST_HEX and 0 <= at < _LATEST
                if known and all(type(each) is str for each in missing):
                    entries = tuple(map(_item, items))
                    return cls(evidence=evidence, collected_at=Millis(at), items=entries, missing=tuple(missing))
        raise ArchiveError("not an index of collateral of this release: collect again")


def _item(entry: Any) -> Item:
    match entry:
        case {
            "role": str(role),
            "subject": str(subject),
            "digest": str(digest),
            "size": int(size),
            "source": str(source),
            "valid_from": int(begins),
            "valid_until": int() | None as ends,
            **rest,
        } if not rest:
            try:
                named = len(bytes.fromhex(digest)) * 2 == len(digest) == _DIGEST_HEX
                window = Window(Millis(begins), None if ends is None else Millis(ends))
                if named and size >= 0 and max(len(source), len(subject)) <= _MAX_TEXT and _bounded(window):
                    return Item(
                        role=Role(role), subject=subject, digest=digest, size=size, source=source,
                        valid_from=window.begins, valid_until=window.ends,
                    )  # fmt: skip
            except (ValueError, NotValidThen):
                pass
    raise ArchiveError("the index of collateral names something that this release does not know: collect again")


def _bounded(window: Window) -> bool:
    return -_LATEST < window.begins < _LATEST and (window.ends is None or window.ends < _LATEST)
