import hashlib
import importlib.metadata
import json
from pathlib import Path

import pytest

from localnet.toolchain import framework
from localnet.toolchain.errors import FrameworkMismatch, ToolMissing
from localnet.toolchain.framework import PINS, Pin, extract_framework, load_framework

MODULES = [bytes.fromhex("a11ceb0b") + bytes([n]) * (60 + 100 * n) for n in range(3)]


def embedded(modules: list[bytes]) -> bytes:
    """BCS of `vector<vector<u8>>`; lengths here take one or two bytes."""
    lengths = [len(m).to_bytes(1, "little") if len(m) < 128 else bytes([len(m) & 127 | 128, len(m) >> 7]) for m in modules]
    return bytes([len(modules)]) + b"".join(length + module for length, module in zip(lengths, modules, strict=True))


BLOB = embedded(MODULES)
PIN = Pin("0x7", len(MODULES), len(BLOB), hashlib.sha256(BLOB).hexdigest())


def test_the_wheel_carries_the_pinned_framework(tmp_path: Path) -> None:
    extracted = load_framework(tmp_path / "framework.json")
    assert {address: len(modules) for address, modules in extracted.items()} == {pin.address: pin.modules for pin in PINS}
    assert all(module.startswith(bytes.fromhex("a11ceb0b")) for modules in extracted.values() for module in modules)


def test_what_was_written_is_what_is_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "framework.json"
    assert load_framework(file) == load_framework(file)
    assert [path.name for path in tmp_path.iterdir()] == ["framework.json"]


def test_a_package_is_found_between_other_bytes() -> None:
    binary = b"\x7fELF" + MODULES[1] + b"\x00\x05" + BLOB + b"tail" + MODULES[0]
    assert extract_framework(binary, [PIN]) == {"0x7": tuple(MODULES)}


def test_a_package_at_the_very_start_is_found() -> None:
    assert extract_framework(BLOB, [PIN]) == {"0x7": tuple(MODULES)}


@pytest.mark.parametrize("spoilt", range(0, len(BLOB), 37))
def test_a_package_with_one_other_bit_is_refused(spoilt: int) -> None:
    binary = bytearray(b"head" + BLOB + b"tail")
    binary[4 + spoilt] ^= 1
    with pytest.raises(FrameworkMismatch, match="0x7"):
        extract_framework(bytes(binary), [PIN])


def test_a_package_cut_off_is_refused() -> None:
    with pytest.raises(FrameworkMismatch):
        extract_framework(BLOB[:-1], [PIN])


def test_a_file_with_other_modules_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "framework.json"
    load_framework(file)
    stored = json.loads(file.read_text())
    stored["0x2"][0], stored["0x2"][1] = stored["0x2"][1], stored["0x2"][0]
    file.write_text(json.dumps(stored))
    with pytest.raises(FrameworkMismatch, match=r"0x2.*delete the file"):
        load_framework(file)


def test_without_the_wheel_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(framework.importlib.metadata, "distribution", absent)
    with pytest.raises(ToolMissing, match=r"pip install sui-sandbox==0\.22\.0"):
        load_framework(tmp_path / "framework.json")
