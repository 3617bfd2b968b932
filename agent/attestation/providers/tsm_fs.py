"""The few file operations that reports out of configfs need: a seam, because no test can mount configfs."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

REPORTS: Final = Path("/sys/kernel/config/tsm/report")
"""Since Linux 6.7, once configfs is mounted and a guest driver has registered."""


class TsmFs(ABC):
    """The directory of reports. All of it blocks, some of it for seconds, and raises `OSError` as the kernel does."""

    @abstractmethod
    def make(self, name: str) -> None:
        """Make the report `name`."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove the report `name`."""

    @abstractmethod
    def has(self, name: str, attribute: str) -> bool:
        """Whether this platform's reports have `attribute`."""

    @abstractmethod
    def read(self, name: str, attribute: str, limit: int) -> bytes:
        """At most `limit` + 1 bytes of `attribute`."""

    @abstractmethod
    def write(self, name: str, attribute: str, value: bytes) -> None:
        """Set `attribute`. Returns even if the kernel refuses a binary value: it looks at those once nobody waits."""


class ConfigFs(TsmFs):
    """The kernel's own."""

    def __init__(self, root: Path = REPORTS) -> None:
        self._root: Final = root

    def make(self, name: str) -> None:
        (self._root / name).mkdir()

    def remove(self, name: str) -> None:
        (self._root / name).rmdir()

    def has(self, name: str, attribute: str) -> bool:
        return (self._root / name / attribute).exists()

    def read(self, name: str, attribute: str, limit: int) -> bytes:
        # unbuffered: the kernel makes the report at the first read, and one call has to see its error
        with (self._root / name / attribute).open("rb", buffering=0) as file:
            content = bytearray()
            while len(content) <= limit and (part := file.read(limit + 1 - len(content))):
                content += part
        return bytes(content)

    def write(self, name: str, attribute: str, value: bytes) -> None:
        # never created: a kernel without the attribute must be an error
        handle = os.open(self._root / name / attribute, os.O_WRONLY | os.O_CLOEXEC)
        try:
            # one call: the kernel takes each write for a whole value
            if os.write(handle, value) != len(value):
                raise OSError(f"{attribute}: written in part")
        finally:
            os.close(handle)
