"""A directory with an archive and its indices.

    <store>/blobs/<digest in hex>                                       the bytes
    <store>/index/<evidence digest>/<time in ms>-<digest of the file>.json   one collection
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from agent.attestation.collection.archive import PARTIAL, Archive, DirectoryArchive, read_file, replace_file
from agent.attestation.collection.errors import ArchiveError, NothingCollected
from agent.attestation.collection.index import MAX_INDEX, Index
from agent.protocol.units import BlobId

MAX_COLLECTIONS: Final = 4096
"""For one piece of evidence: one an hour for half a year."""

_INDEX: Final = re.compile(r"([0-9]{1,19})-([0-9a-f]{64})\.json")
_EVIDENCE: Final = re.compile(r"[0-9a-f]{64}")


class Store:
    """All that was collected, below `root`."""

    def __init__(self, root: Path) -> None:
        self._indices: Final = root / "index"
        self._blobs: Final = root / "blobs"
        self.archive: Final[Archive] = DirectoryArchive(self._blobs)

    def add(self, index: Index) -> bool:
        """Keep `index`; False if it says nothing that the last one did not.

        Raises:
            ArchiveError
        """
        try:
            known = self.collections(BlobId(bytes.fromhex(index.evidence)))
        except NothingCollected:
            pass
        else:
            if len(known) == MAX_COLLECTIONS:
                raise ArchiveError(f"{len(known)} collections for {index.evidence} are as many as are kept: keep older ones elsewhere")
            last = known[-1]
            if last.collected_at <= index.collected_at and (last.items, last.missing) == (index.items, index.missing):
                return False
        text = index.encode()
        if len(text) > MAX_INDEX:
            raise ArchiveError(f"an index of {len(text)} bytes, at most {MAX_INDEX}: collect for fewer devices at a time")
        path = self._indices / index.evidence / f"{index.collected_at}-{sha256(text).hexdigest()}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be written ({error.strerror}): look at the disk") from error
        return True

    def collections(self, evidence: BlobId) -> tuple[Index, ...]:
        """All collections for `evidence`, the oldest first.

        Raises:
            NothingCollected: there is none.
            ArchiveError: one of them cannot be read, or was changed.
        """
        found = sorted(self._files(evidence), key=lambda each: (int(each[1][1]), each[1][2]))
        if not found:
            raise NothingCollected(evidence)
        if len(found) > MAX_COLLECTIONS:
            raise ArchiveError(f"{len(found)} collections for {evidence.hex()}, at most {MAX_COLLECTIONS}: keep older ones elsewhere")
        return tuple(_read(path, evidence, named) for path, named in found)

    def evidences(self) -> tuple[BlobId, ...]:
        """For which evidence something was collected."""
        return tuple(BlobId(bytes.fromhex(name)) for name in _names(self._indices) if _EVIDENCE.fullmatch(name))

    def blobs(self) -> tuple[str, ...]:
        """The names of the files in the archive."""
        return _names(self._blobs)

    def interrupted(self) -> tuple[str, ...]:
        """What was left behind when a collection was killed; it may be removed."""
        folders = (self._blobs, *(self._indices / each.hex() for each in self.evidences()))
        return tuple(str(folder / name) for folder in folders for name in _names(folder) if name.startswith(PARTIAL))

    def _files(self, evidence: BlobId) -> Iterator[tuple[Path, re.Match[str]]]:
        folder = self._indices / evidence.hex()
        for name in _names(folder):
            if named := _INDEX.fullmatch(name):
                yield folder / name, named


def _names(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(path.name for path in folder.iterdir()))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ArchiveError(f"{folder} cannot be read ({error.strerror})") from error


def _read(path: Path, evidence: BlobId, named: re.Match[str]) -> Index:
    try:
        text = read_file(path, MAX_INDEX)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read ({error.strerror})") from error
    if len(text) > MAX_INDEX or sha256(text).hexdigest() != named[2]:
        raise ArchiveError(f"{path} is spoilt, its content has another digest: restore a copy, or remove it and collect again")
    index = Index.decode(text)
    if index.evidence != evidence.hex() or index.collected_at != int(named[1]):
        raise ArchiveError(f"{path} lies where another collection should: restore a copy, or remove it")
    return index
