"""The one system call by which NSM and SEV devices are asked: a seam, because no test has such a device."""

import errno
import fcntl
import os
from collections.abc import Callable
from ctypes import Structure
from pathlib import Path
from typing import Any

from agent.attestation.errors import ProviderError

Ioctl = Callable[[int, int, Any], object]
"""As `fcntl.ioctl`: file, request number, a structure that the kernel reads and writes. Raises `OSError`."""


def system_ioctl(handle: int, request: int, structure: Any) -> object:
    """The kernel's own; `structure` is written in place."""
    return fcntl.ioctl(handle, request, structure, True)


def ask(device: Path, request: int, structure: Structure, ioctl: Ioctl) -> None:
    """Send `structure` to `device`, which answers into it.

    Raises:
        ProviderError: there is no such device, or it is not ours to ask.
        OSError: the device's own error.
    """
    try:
        handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        hint = "run as root" if error.errno in {errno.EACCES, errno.EPERM} else "this machine has none, or its driver is not loaded"
        raise ProviderError(f"{device} cannot be opened ({error.strerror}): {hint}") from error
    try:
        ioctl(handle, request, structure)
    finally:
        os.close(handle)
