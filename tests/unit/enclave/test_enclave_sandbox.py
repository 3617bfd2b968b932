"""What code inside could still do after the lockdown: compute and answer. Each probe runs in a process of its own."""

import json
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.enclave import seccomp

pytestmark = pytest.mark.skipif(
    platform.machine() not in seccomp.AUDIT_ARCH, reason="the table of system calls knows x86-64 only"
)

ROOT = Path(__file__).resolve().parents[3]

PROBE = """
import ctypes, json, mmap, os, socket, sys, threading
from agent.enclave.sandbox import lock_down
connection = socket.socket(fileno=int(sys.argv[1]))
libc = ctypes.CDLL(None, use_errno=True)
target = os.getppid()
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
PROBES = {
    "open": lambda: open("/etc/hostname"),
    "create": lambda: os.open("/tmp/left-behind", os.O_CREAT | os.O_WRONLY),
    "list": lambda: os.listdir("/proc"),
    "internet": lambda: socket.socket(socket.AF_INET),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "pair": lambda: socket.socketpair(),
    "pipe": os.pipe,
    "memory file": lambda: os.memfd_create("x"),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "thread": lambda: threading.Thread(target=print).start(),
    "kill": lambda: os.kill(target, 0),
    "pass descriptors": lambda: connection.sendmsg([b"x"]),
    "take descriptors": lambda: connection.recvmsg(1),
    "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "be dumpable again": lambda: call(157, 4, 1, 0, 0, 0),
    "raise limits": lambda: call(160, 4, b"\\xff" * 16),
    "io_uring": lambda: call(425, 1, None),
    "unshare": lambda: call(272, 0x10000000),
    "ptrace": lambda: call(101, 16, target, 0, 0),
}
wanted = sys.argv[2]
isolation = lock_down()
try:
    PROBES[wanted]()
    result = "ALLOWED"
except (OSError, RuntimeError) as error:
    result = type(error).__name__
connection.send(json.dumps([result, isolation.dumpable, isolation.seccomp]).encode())
os._exit(0)
"""


def probe(wanted: str) -> tuple[Any, int]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(30)
        command = [sys.executable, "-B", "-c", PROBE, str(theirs.fileno()), wanted]
        process = subprocess.Popen(
            command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL
        )
        theirs.close()
        answer = ours.recv(4096)
        return (json.loads(answer) if answer else None), process.wait(30)


@pytest.mark.parametrize(
    "wanted",
    [
        "open", "create", "list", "internet", "unix", "pair", "pipe", "memory file", "fork", "exec", "thread", "kill",
        "pass descriptors", "take descriptors", "executable memory", "be dumpable again", "raise limits", "io_uring",
        "unshare",
    ],
)  # fmt: skip
def test_the_outside_is_closed(wanted: str) -> None:
    answer, _ = probe(wanted)
    assert answer is not None
    assert answer[0] != "ALLOWED"
    assert answer[1:] == [False, True]


def test_a_debuggers_call_ends_the_process() -> None:
    answer, code = probe("ptrace")
    assert answer is None
    assert code == -signal.SIGSYS


def test_the_filter_is_for_machines_it_knows() -> None:
    assert seccomp.program("riscv64") is None


def test_no_call_that_names_or_passes_anything_is_allowed() -> None:
    dangerous = {"open", "openat", "socket", "connect", "clone", "execve", "recvmsg", "sendmsg", "prctl", "ioctl"}
    assert dangerous.isdisjoint(seccomp.ALLOWED)
