"""A sealing key for guests whose hardware derives none (TDX, Azure's vTPM): random, and nowhere but in the guest's memory.

What is sealed with it survives a restart of the agent, not of the guest: the node then makes new keys and attests them. It is
kept only where no disk can get it, for a disk is the host's.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from agent.attestation.providers.machine import Machine

FOLDER: Final = Path("/run/enclavia")
KEY_BYTES: Final = 32
_MOUNTS: Final = Path("/proc/self/mounts")
_SWAPS: Final = Path("/proc/swaps")
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


class GuestKey:
    """The key of the node in `directory`, on `machine`."""

    def __init__(self, machine: Machine, directory: Path, entropy: Callable[[int], bytes]) -> None:
        self._machine = machine
        self._file = machine.at(FOLDER) / f"{sha256(str(directory.resolve()).encode()).hexdigest()[:32]}.key"
        self._fresh = entropy(KEY_BYTES)
        self._kept = self._memory_only()

    @property
    def survives(self) -> bool:
        """Whether the key outlives the agent's process."""
        return self._kept

    def sealing_key(self, measurement: bytes) -> bytes:
        """32 bytes, the same while this guest runs, another for each `measurement`."""
        return sha256(b"enclavia-guest-key" + self._root() + measurement).digest()

    def _root(self) -> bytes:
        if not self._kept:
            return self._fresh
        found = self._read()
        if found is not None:
            return found
        try:
            self._write()
        except OSError:
            self._kept = False
            return self._fresh
        return self._read() or self._fresh

    def _read(self) -> bytes | None:
        with suppress(OSError), self._file.open("rb") as opened:
            mode = os.fstat(opened.fileno())
            if mode.st_uid == os.geteuid() and not stat.S_IMODE(mode.st_mode) & 0o077:
                content = opened.read(KEY_BYTES + 1)
                return content if len(content) == KEY_BYTES else None
        return None

    def _write(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._file.with_suffix(f".{os.getpid()}")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(self._fresh)
        with suppress(FileExistsError):
            # the first of two that start at once wins, and both read what it wrote
            os.link(new, self._file)
        new.unlink()

    def _memory_only(self) -> bool:
        """Whether what is written to FOLDER can reach no disk: a file system in memory, and nothing that swaps."""
        try:
            mounts = self._machine.at(_MOUNTS).read_text(errors="replace").splitlines()
            swaps = self._machine.at(_SWAPS).read_text(errors="replace").splitlines()[1:]
        except OSError:
            return False
        # the last mount over the longest prefix is the one that is seen
        kinds = {Path(fields[1]): fields[2] for fields in map(str.split, mounts) if len(fields) > 2}
        above = next((each for each in (FOLDER, *FOLDER.parents) if each in kinds), None)
        return not swaps and above is not None and kinds[above] in _IN_MEMORY
