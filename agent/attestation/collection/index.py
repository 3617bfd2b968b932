"""What was collected for one piece of evidence, and when: JSON beside the archive's blobs, for people and for replay.

    <store>/blobs/<digest in hex>                     the bytes
    <store>/index/<evidence digest>-<time in ms>.json one collection

The index is nobody's word: all that it names is signed by the vendor, and checked again at each replay.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from agent.attestation.collection.archive import Archive, DirectoryArchive, replace_file
from agent.attestation.collection.errors import ArchiveError
from agent.protocol.units import BlobId, Millis

VERSION: Final = 1
MAX_INDEX: Final = 1024 * 1024
_DIGEST_HEX: Final = 64
_MAX_TEXT: Final = 4096
_FIELDS: Final = {"role": str, "digest": str, "size": int, "source": str}


class Role(StrEnum):
    """What a blob is for."""

    INTEL = "intel-collateral"
    """CBOR of `agent.attestation.intel.Collateral`, made of the answers beside it."""
    INTEL_ANSWER = "intel-answer"
    """As a service sent it."""
    AMD_CERTIFICATE = "amd-certificate"
    """DER."""
    AMD_CRL = "amd-crl"
    """DER."""
    NVIDIA_RIM = "nvidia-rim"
    """XML."""
    NVIDIA_OCSP = "nvidia-ocsp"
    """DER of a response."""


@dataclass(frozen=True, slots=True)
class Item:
    """One blob."""

    role: Role
    digest: str
    """Its name in the archive, hex."""
    size: int
    source: str
    """The address that it came from."""

    @property
    def blob(self) -> BlobId:
        """Its name in the archive."""
        return BlobId(bytes.fromhex(self.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One collection."""

    evidence: str
    """Digest of the evidence that it was made for, hex."""
    collected_at: Millis
    items: tuple[Item, ...]
    missing: tuple[str, ...]
    """What could not be had, and why."""

    def of(self, role: Role) -> tuple[Item, ...]:
        """The items of `role`."""
        return tuple(item for item in self.items if item.role is role)

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
            found: Any = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        match found:
            case {"version": 1, "evidence": str(evidence), "collected_at": int(at), "items": list(items), "missing": list(missing)}:
                if len(evidence) == _DIGEST_HEX and 0 <= at < 1 << 63 and all(type(each) is str for each in missing):
                    entries = tuple(map(_item, items))
                    return cls(evidence=evidence, collected_at=Millis(at), items=entries, missing=tuple(missing))
        raise ArchiveError("not an index of collateral: collect again")


class Store:
    """A directory with an archive and its indices."""

    def __init__(self, root: Path) -> None:
        self._indices: Final = root / "index"
        self.archive: Final[Archive] = DirectoryArchive(root / "blobs")

    def add(self, index: Index) -> Path:
        """Keep `index`, and return its file.

        Raises:
            ArchiveError
        """
        path = self._indices / f"{index.evidence}-{index.collected_at}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, index.encode())
        except OSError as error:
            raise ArchiveError(f"{path} cannot be written ({error.strerror}): look at the disk") from error
        return path

    def find(self, evidence: BlobId, at: Millis) -> Index:
        """The last collection for `evidence` up to `at`, else the first one after.

        Raises:
            ArchiveError: none, or one that cannot be read.
        """
        times = sorted(
            int(time)
            for path in self._indices.glob(f"{evidence.hex()}-*.json")
            if (time := path.stem.rpartition("-")[2]).isascii() and time.isdecimal()
        )
        if not times:
            raise ArchiveError(f"nothing was collected for evidence {evidence.hex()}: run `enclavia attest collateral` while it is fresh")
        chosen = max((time for time in times if time <= at), default=times[0])
        try:
            with (self._indices / f"{evidence.hex()}-{chosen}.json").open("rb") as file:
                return Index.decode(file.read(MAX_INDEX))
        except OSError as error:
            raise ArchiveError(f"the index of {evidence.hex()} cannot be read ({error.strerror})") from error


def _item(entry: Mapping[str, Any]) -> Item:
    if type(entry) is dict and entry.keys() == _FIELDS.keys() and all(type(entry[name]) is kind for name, kind in _FIELDS.items()):
        try:
            known = len(bytes.fromhex(entry["digest"])) * 2 == _DIGEST_HEX and len(entry["source"]) <= _MAX_TEXT
            if known and entry["size"] >= 0:
                return Item(Role(entry["role"]), entry["digest"], entry["size"], entry["source"])
        except ValueError:
            pass
    raise ArchiveError("the index of collateral names something that this release does not know: collect again")
