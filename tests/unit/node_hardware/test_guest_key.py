"""Sealing keys of guests whose hardware derives none: the same while the guest runs, and on no disk."""

import os
from pathlib import Path
from random import Random

import pytest

from agent.attestation.providers.guest_key import FOLDER, GuestKey
from agent.attestation.providers.machine import Machine

CODE, OTHER = b"\x01" * 48, b"\x02" * 48
MEMORY = "tmpfs /run tmpfs rw,nosuid 0 0"
DISK = "/dev/vda1 / ext4 rw 0 0"
NO_SWAP = "Filename\tType\tSize\tUsed\tPriority\n"


def guest(root: Path, *mounts: str, swaps: str = NO_SWAP) -> Machine:
    """A guest whose kernel says so."""
    (root / "proc" / "self").mkdir(parents=True, exist_ok=True)
    (root / "proc" / "self" / "mounts").write_text("\n".join(mounts) + "\n")
    (root / "proc" / "swaps").write_text(swaps)
    return Machine(root=root)


def key(machine: Machine, seed: int, directory: str = "/srv/node") -> GuestKey:
    return GuestKey(machine, Path(directory), Random(seed).randbytes)


def test_an_agent_that_was_restarted_opens_what_it_sealed(tmp_path: Path) -> None:
    machine = guest(tmp_path, DISK, MEMORY)
    first, again = key(machine, 1), key(machine, 2)
    assert first.survives
    assert first.sealing_key(CODE) == again.sealing_key(CODE)
    assert len(first.sealing_key(CODE)) == 32


def test_a_guest_that_was_restarted_does_not(tmp_path: Path) -> None:
    before, after = (key(guest(tmp_path / name, DISK, MEMORY), seed) for seed, name in enumerate(("before", "after")))
    assert before.sealing_key(CODE) != after.sealing_key(CODE)


def test_other_code_and_another_node_have_another_key(tmp_path: Path) -> None:
    machine = guest(tmp_path, DISK, MEMORY)
    keys = {key(machine, 1).sealing_key(CODE), key(machine, 1).sealing_key(OTHER), key(machine, 2, "/srv/other").sealing_key(CODE)}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("mounts", "swaps"),
    [
        ([DISK], NO_SWAP),
        ([DISK, MEMORY], NO_SWAP + "/dev/vda2 partition 1048572 0 -2\n"),
        ([DISK, MEMORY, "/dev/vdb /run/enclavia ext4 rw 0 0"], NO_SWAP),
        ([DISK, MEMORY, "/dev/vdb /run ext4 rw 0 0"], NO_SWAP),
        (["overlay / overlay rw 0 0"], NO_SWAP),
        ([], NO_SWAP),
    ],
)
def test_where_a_disk_could_get_it_nothing_is_written(tmp_path: Path, mounts: list[str], swaps: str) -> None:
    machine = guest(tmp_path, *mounts, swaps=swaps)
    one, two = key(machine, 1), key(machine, 2)
    assert not one.survives
    assert one.sealing_key(CODE) == one.sealing_key(CODE)
    assert one.sealing_key(CODE) != two.sealing_key(CODE)
    assert not machine.at(FOLDER).exists()


def test_a_kernel_that_says_nothing_is_not_trusted_with_a_key(tmp_path: Path) -> None:
    assert not key(Machine(root=tmp_path), 1).survives


def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    machine = guest(tmp_path, DISK, MEMORY)
    key(machine, 1).sealing_key(CODE)
    (file,) = machine.at(FOLDER).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert machine.at(FOLDER).stat().st_mode & 0o077 == 0


def test_a_key_that_others_could_have_written_is_not_used(tmp_path: Path) -> None:
    machine = guest(tmp_path, DISK, MEMORY)
    known = key(machine, 1).sealing_key(CODE)
    (file,) = machine.at(FOLDER).iterdir()
    file.write_bytes(bytes(32))
    os.chmod(file, 0o644)
    planted = key(machine, 2)
    assert planted.sealing_key(CODE) == planted.sealing_key(CODE) != known


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_spoilt_key_is_not_used(tmp_path: Path, content: bytes) -> None:
    machine = guest(tmp_path, DISK, MEMORY)
    key(machine, 1).sealing_key(CODE)
    (file,) = machine.at(FOLDER).iterdir()
    file.write_bytes(content)
    assert len(key(machine, 2).sealing_key(CODE)) == 32


def test_a_folder_that_cannot_be_written_costs_the_restart_only(tmp_path: Path) -> None:
    machine = guest(tmp_path, DISK, MEMORY)
    machine.at(Path("/run")).write_text("not a folder")
    one = key(machine, 1)
    assert len(one.sealing_key(CODE)) == 32
    assert not one.survives
