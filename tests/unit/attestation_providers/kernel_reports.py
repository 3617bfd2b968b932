"""The kernel's configfs-tsm, played on a real directory.

After drivers/virt/coco/guest/report.c of Linux 6.12: the files are there, are opened, written and read by the agent's own
code; what the kernel would do meanwhile is done between those operations.
"""

import errno
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from amd_pki import Report
from intel_pki import Guest, tdx_quote
from synthetic_world import MILAN

from agent.attestation.providers.tsm_fs import ConfigFs

INBLOB_MAX = 64
PRIVLEVEL_MAX = 3
VCEK, ASK, ARK = (
    UUID("63da758d-e664-4564-adc5-f4b93be8accd"), UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782"), UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae"),
)  # fmt: skip

CHAIN = MILAN.chain()
"""Signed once: AMD's signatures have a random part."""

Makes = Callable[[bytes, int], tuple[bytes, bytes]]
"""`report_new` of a guest driver: outblob and auxblob of an inblob at a privilege level; raises `OSError`."""


def tdx(padding: int = 0, **changes: object) -> Makes:
    """tdx_guest; the host's quoting service answers in a larger buffer."""

    def report_new(inblob: bytes, privlevel: int) -> tuple[bytes, bytes]:
        if len(inblob) != 64:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return tdx_quote(Guest(**({"report_data": inblob} | changes))) + bytes(padding), b""

    return report_new


def snp(table: bytes | None = None, **changes: object) -> Makes:
    """sev_guest; the host hands out `table`."""

    def report_new(inblob: bytes, privlevel: int) -> tuple[bytes, bytes]:
        if len(inblob) != 64:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        report = Report(**({"report_data": inblob, "vmpl": privlevel} | changes)).signed()
        return report, certificate_table() if table is None else table

    return report_new


def certificate_table() -> bytes:
    """AMD's table of GUIDs, offsets and lengths, as hosts hand it out: a whole page, zeros behind."""
    entries = list(zip((VCEK, ASK, ARK), CHAIN, strict=True))
    at = 24 * (len(entries) + 1)
    head = b""
    for guid, der in entries:
        head += struct.pack("<16sII", guid.bytes_le, at, len(der))
        at += len(der)
    table = head + bytes(24) + b"".join(der for _, der in entries)
    return table + bytes(-len(table) % 4096)


@dataclass
class _State:
    inblob: bytes = b""
    privlevel: int = 0
    write_generation: int = 0
    read_generation: int = 0
    out: bytes | None = None
    auxiliary: bytes = b""


@dataclass(kw_only=True)
class Happenings:
    """What goes wrong: each list is used up, one entry for each operation of its kind; None is an operation that goes well."""

    reports: list[OSError | bytes | None] = field(default_factory=list)
    """At `report_new`: an error, or another outblob."""
    makes: list[OSError | None] = field(default_factory=list)
    writers: list[bool] = field(default_factory=list)
    """True: another program writes to the report after us."""
    refusals: list[bool] = field(default_factory=list)
    """True: the kernel refuses an inblob, of which the writer learns nothing."""
    removal: OSError | None = None


class KernelReports(ConfigFs):
    """Reports of the guest driver `provider`; the rest of the interface is the agent's own code on files."""

    def __init__(self, root: Path, provider: str, report_new: Makes, *, floor: int | None = None, happens: Happenings | None = None) -> None:
        super().__init__(root)
        root.mkdir(parents=True, exist_ok=True)
        self._directory = root
        self._provider = provider
        self._report_new = report_new
        self._floor = floor
        self._states: dict[str, _State] = {}
        self.happens = happens or Happenings()
        self.asked: list[tuple[bytes, int]] = []
        """What reports were made of: inblob and privilege level."""

    @property
    def left(self) -> list[str]:
        """Reports that nobody removed."""
        return sorted(each.name for each in self._directory.iterdir())

    def make(self, name: str) -> None:
        if error := self._next(self.happens.makes):
            raise error
        super().make(name)
        self._states[name] = _State()
        files = {"provider": f"{self._provider}\n".encode(), "generation": b"0\n", "inblob": b"", "outblob": b""}
        if self._floor is not None:
            files |= {"privlevel": b"", "privlevel_floor": b"%d\n" % self._floor, "auxblob": b""}
        for attribute, content in files.items():
            (self._directory / name / attribute).write_bytes(content)

    def remove(self, name: str) -> None:
        if self.happens.removal:
            raise self.happens.removal
        # the kernel takes its own files away with the directory
        for file in (self._directory / name).iterdir():
            file.unlink()
        super().remove(name)

    def write(self, name: str, attribute: str, value: bytes) -> None:
        file = self._directory / name / attribute
        if attribute == "inblob" and len(value) > INBLOB_MAX:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        super().write(name, attribute, value)
        written = file.read_bytes()
        file.write_bytes(b"")
        state = self._states[name]
        if attribute == "privlevel":
            level = int(written)
            if not self._floor <= level <= PRIVLEVEL_MAX:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            state.privlevel = level
            self._advance(name)
        # a binary attribute is taken over when its file is closed: an error has nowhere to go
        elif not self._next(self.happens.refusals):
            state.inblob = written
            self._advance(name)
            if self._next(self.happens.writers):
                state.inblob = b"\xee" * 64
                self._advance(name)

    def read(self, name: str, attribute: str, limit: int) -> bytes:
        if attribute in {"outblob", "auxblob"}:
            state = self._states[name]
            self._fill(state)
            (self._directory / name / attribute).write_bytes(state.out if attribute == "outblob" else state.auxiliary)
        return super().read(name, attribute, limit)

    def _fill(self, state: _State) -> None:
        if not state.inblob:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if state.out is not None and state.read_generation == state.write_generation:
            return
        happens = self._next(self.happens.reports)
        if isinstance(happens, OSError):
            raise happens
        self.asked.append((state.inblob, state.privlevel))
        state.out, state.auxiliary = self._report_new(state.inblob, state.privlevel)
        if happens is not None:
            state.out = happens
        state.read_generation = state.write_generation

    def _advance(self, name: str) -> None:
        self._states[name].write_generation += 1
        (self._directory / name / "generation").write_bytes(b"%d\n" % self._states[name].write_generation)

    @staticmethod
    def _next(entries: list) -> object:
        return entries.pop(0) if entries else None
