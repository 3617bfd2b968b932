"""Lock down the process it is called in, for good: what makes a simulated enclave more than a claim.

Measured: with these, a host that is not root cannot read the memory of a process of its own user (`/proc/<pid>/mem`,
ptrace, process_vm_readv, core dump). It must happen in the process itself, after exec: in a user namespace made by a
launcher (`unshare -U`, bubblewrap) the launcher's owner keeps the right to read, so no launcher of ours makes one. Root
can always read: this is separation of processes, not a TEE.
"""

import ctypes
import os
import resource
import signal
import struct
from typing import Final

from agent.enclave import seccomp
from agent.enclave.errors import SandboxError
from agent.enclave.identity import Isolation

MAX_DESCRIPTORS: Final = 16

_PR_SET_PDEATHSIG, _PR_GET_DUMPABLE, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 3, 4, 38
_SYS_SECCOMP = 317  # x86-64, the only machine that `seccomp.program` knows
_SYS_LANDLOCK_CREATE_RULESET, _SYS_LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_VERSION = 1
_SECCOMP_SET_MODE_FILTER = 1

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Be killed when the thread that started us ends; `parent` is the process id of it.

    Raises:
        SandboxError: the parent is gone already.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        raise SandboxError("the host died while the enclave started")


def lock_down() -> Isolation:
    """Apply every protection, in the order that lets each of them still be applied, and say what was achieved.

    Raises:
        SandboxError: a protection without which the enclave makes no sense was refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_DESCRIPTORS, MAX_DESCRIPTORS))
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE")
    dumpable = bool(_libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0))
    if dumpable:
        raise SandboxError("the process stays dumpable: any process of this user could read its memory")
    notes = ["simulated: separation of processes on the operator's machine, not a TEE"]
    uid = os.geteuid()
    if uid == 0:
        notes.append("the enclave runs as root, and so does its host: root can read its memory")
    landlock_abi = _close_file_system()
    if landlock_abi == 0:
        notes.append("no Landlock in this kernel: files are closed by seccomp alone")
    filtered = _filter_system_calls()
    if not filtered:
        notes.append("no seccomp filter on this kernel or machine: system calls are not limited")
    if landlock_abi == 0 and not filtered:
        raise SandboxError("this kernel has neither Landlock nor seccomp: an enclave could write what it reads to disk")
    return Isolation(dumpable=dumpable, landlock_abi=landlock_abi, seccomp=filtered, uid=uid, notes=tuple(notes))


def _close_file_system() -> int:
    """Deny every right that Landlock handles; returns its ABI, 0 where there is none."""
    abi = int(_libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION))
    if abi <= 0:
        return 0
    fs_rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
    net = 0b11 if abi >= 4 else 0  # bind and connect of TCP
    scopes = 0b11 if abi >= 6 else 0  # abstract Unix sockets, signals to others
    attributes = struct.pack("<QQQ", (1 << fs_rights) - 1, net, scopes)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _check(
        _libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, ctypes.create_string_buffer(attributes, 24), size, 0),
        "landlock_create_ruleset",
    )
    _check(_libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)
    return abi


def _filter_system_calls() -> bool:
    lines = seccomp.program()
    if lines is None:
        return False
    buffer = ctypes.create_string_buffer(lines, len(lines))
    # struct sock_fprog: u16 length in lines, padding, pointer
    fprog = struct.pack("<HxxxxxxQ", len(lines) // 8, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(fprog, len(fprog))
    return int(_libc.syscall(_SYS_SECCOMP, _SECCOMP_SET_MODE_FILTER, 0, pointer)) == 0


def _check(result: int, what: str) -> int:
    if result < 0:
        raise SandboxError(f"{what} was refused: {os.strerror(ctypes.get_errno())}")
    return result
