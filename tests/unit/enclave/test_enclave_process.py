"""A real enclave process: its host never holds a plaintext and cannot take one."""

import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from enclave_world import NETWORK, OPENED_AT, TASK, node

from agent.enclave.sealing import InputHeader, Recipient, TaskSecrets, open_output, seal_input
from agent.enclave.workloads.hashing import HashWorkload
from agent.protocol.units import BlobId, Digest

ROOT = Path(__file__).resolve().parents[3]
CANARY = "the canary sings " + os.urandom(12).hex()


def drop_capabilities() -> None:
    """Root in name only: a process with its user's rights and no capability is what every other user has.

    Another user would do as well, but often may not enter the folder that the interpreter lies in.
    """
    drop_from_bounding_set = 24
    libc = ctypes.CDLL(None)
    for capability in range(64):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


class Host:
    """`host_process.py`, without any right that is root's alone."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(Path(__file__).with_name("host_process.py")), "sha256-stream"],
            env={"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=drop_capabilities if os.geteuid() == 0 else None,
        )
        self.log = ""
        self.hello = self.hear()

    def hear(self) -> dict[str, Any]:
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        assert line, self.process.stderr.read()  # type: ignore[union-attr]
        self.log += line
        return json.loads(line)  # type: ignore[no-any-return]

    def tell(self, **words: str) -> dict[str, Any]:
        self.process.stdin.write(json.dumps(words) + "\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        return self.hear()

    def end(self) -> str:
        """Everything it ever wrote."""
        out, err = self.process.communicate(timeout=30)
        return self.log + out + err


@pytest.fixture
def host() -> Iterator[Host]:
    started = Host()
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.communicate()


def scan(pid: int, needles: list[bytes]) -> list[int]:
    """How often each needle stands in the readable memory of `pid`."""
    counts = [0] * len(needles)
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found is None or "[v" in line:
                continue
            start, end = (int(edge, 16) for edge in found.groups())
            try:
                memory.seek(start)
                region = memory.read(end - start)
            except OSError:
                continue
            for index, needle in enumerate(needles):
                counts[index] += region.count(needle)
    return counts


def test_plaintext_never_enters_the_host(host: Host) -> None:
    secrets = TaskSecrets.generate()
    manifest = Digest(bytes.fromhex(host.hello["manifest_hash"]))
    header = InputHeader(NETWORK, TASK, manifest, OPENED_AT, secrets.output_pk, 1024, 1)
    sealed = seal_input(CANARY, header, secrets, Recipient(node("x"), 1, bytes.fromhex(host.hello["hpke_pk"])))
    done = host.tell(
        blob=sealed.blob.hex(),
        input_digest=sealed.digest.hex(),
        key_commitment=sealed.key_commitment.hex(),
        output_pk=secrets.output_pk.hex(),
    )
    sealed_output, state = bytes.fromhex(done["sealed_output"]), bytes.fromhex(done["state"])
    output = open_output(
        sealed_output,
        secrets,
        TASK,
        node("x"),
        posted_commitment=Digest(bytes.fromhex(done["commitment"])),
        sealed_output_digest=BlobId(bytes.fromhex(done["sealed_output_digest"])),
    ).output
    assert output == HashWorkload().run(CANARY).output, "the enclave did see the plaintext"
    plain = [CANARY.encode(), output, secrets.data_key]
    found = scan(host.process.pid, [sealed.digest, *plain])
    assert found[0] > 0, "the scan would not see anything of the host"
    assert found[1:] == [0, 0, 0], "text, output or data key in the host's memory"
    everything_kept = state + sealed_output + sealed.blob
    assert not any(secret in everything_kept for secret in plain)
    log = host.end()
    assert not any(secret.hex() in log or secret.decode(errors="replace") in log for secret in plain)


def test_a_host_that_is_not_root_cannot_read_its_enclave(host: Host) -> None:
    hello = host.hello
    assert hello["capabilities"] == 0
    if hello["control"] != "readable":
        pytest.skip("this kernel lets no process read another, protected or not")
    assert "readable" not in (hello["memory"], hello["maps"], hello["environ"])
    assert hello["call"] == "Operation not permitted"


def test_the_isolation_achieved_is_reported(host: Host) -> None:
    dumpable, landlock_abi, seccomp = host.hello["isolation"]
    assert not dumpable
    assert landlock_abi > 0 or seccomp
    assert any("not a TEE" in note for note in host.hello["notes"])
    assert any("root" in note for note in host.hello["notes"]) == (host.hello["uid"] == 0)


def test_the_enclave_dies_with_its_host(host: Host) -> None:
    handle = os.pidfd_open(host.hello["pid"])
    os.kill(host.process.pid, signal.SIGKILL)
    ended, _, _ = select.select([handle], [], [], 20)
    os.close(handle)
    assert ended


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees into the enclave's process")
def test_the_enclave_inherits_nothing_but_its_socket(host: Host) -> None:
    process = Path(f"/proc/{host.hello['pid']}")
    assert (process / "environ").read_bytes() == b""
    links = [os.readlink(process / "fd" / name) for name in os.listdir(process / "fd")]
    assert len(links) == 1
    assert links[0].startswith("socket:")
    assert (process / "task").stat().st_nlink == 3, "one thread alone"
