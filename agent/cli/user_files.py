"""Files that people name on the command line: only regular ones, for a pipe or a device blocks, or never ends."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from agent.cli.printing import printable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MODE: Final = 0o644


def read_regular(file: Path, hint: str, limit: int | None = None) -> bytes:
    """At most `limit` bytes of `file`; `hint` is the option that named it.

    Raises:
        typer.BadParameter: it cannot be read, or is no regular file.
    """
    try:
        # asked before it is opened, because opening some devices does something; and after, because a name can move
        _check_regular(file, file.stat().st_mode, hint)
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with os.fdopen(handle, "rb") as opened:
            _check_regular(file, os.fstat(handle).st_mode, hint)
            return opened.read(-1 if limit is None else limit)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{printable(str(file))} cannot be read: {_why(error)}", param_hint=hint) from None


def write_regular(file: Path, data: bytes, hint: str) -> None:
    """Make `data` the content of `file`.

    Raises:
        typer.BadParameter: it cannot be written, or is no regular file.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, _MODE)
        with os.fdopen(handle, "wb") as opened:
            _check_regular(file, os.fstat(handle).st_mode, hint)
            opened.truncate(0)
            opened.write(data)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{printable(str(file))} cannot be written: {_why(error)}", param_hint=hint) from None


def write_new(file: Path, data: bytes, hint: str) -> None:
    """Make `file`, with `data` in it.

    Raises:
        typer.BadParameter: it exists, or cannot be written.
    """
    try:
        with file.open("xb") as opened:
            opened.write(data)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{printable(str(file))} cannot be written: {_why(error)}", param_hint=hint) from None


def member_key(file: Path, hint: str) -> "Ed25519PrivateKey":
    """The key in `file`, as `enclavia verifier init` writes it.

    Raises:
        typer.BadParameter: missing, no regular file, readable by others, or no key.
    """
    from agent.node.errors import ConfigError  # noqa: PLC0415 - the node loads only where it is needed
    from agent.node.verifier.member import MemberKeyFile  # noqa: PLC0415

    try:
        if file.exists():
            _check_regular(file, file.stat().st_mode, hint)
        return MemberKeyFile.load(file)
    except (ConfigError, OSError, ValueError) as error:
        raise typer.BadParameter(printable(" ".join(str(error).split())), param_hint=hint) from None


def _check_regular(file: Path, mode: int, hint: str) -> None:
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "no regular file (a pipe or a device)"
        raise typer.BadParameter(f"{printable(str(file))} is {what}: name a file, or copy it into one", param_hint=hint)


def _why(error: OSError | ValueError) -> str:
    return error.strerror or "unknown" if isinstance(error, OSError) else "no such name"
