"""The system calls that an enclave may make after it is locked down, as a seccomp-BPF program (Linux `seccomp(2)`).

Seen with `strace` after the lockdown, for HPKE, Ed25519 and single-threaded torch alike: recvfrom, sendto, getrandom,
getpid, brk, mmap, munmap, mremap, close, exit_group. The rest of the list is for an allocator under pressure, a
contended lock, a signal, and a clock without vDSO. Not on it, on purpose: `recvmsg` and `sendmsg` (which could carry
file descriptors in and out), `clone` (threads, forks), everything that opens or names a file or a socket. Memory may
never be executable.
"""

import platform
import struct
from typing import Final

AUDIT_ARCH: Final = {"x86_64": 0xC000003E}
"""Machines this table is for; elsewhere the enclave runs without the filter and reports so."""

ALLOWED: Final = {
    "close": 3,
    "munmap": 11,
    "brk": 12,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "sendto": 44,
    "recvfrom": 45,
    "futex": 202,
    "clock_gettime": 228,
    "exit_group": 231,
    "getrandom": 318,
}
"""By their numbers on x86-64."""

ALLOWED_UNLESS_EXECUTABLE: Final = {"mmap": 9, "mprotect": 10}
"""Allowed while the third argument lacks PROT_EXEC."""

KILLED: Final = {"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311}
"""No error is answered to these: whoever tries is not our code."""

_PROT_EXEC: Final = 4
_EPERM: Final = 1
_X32: Final = 0x4000_0000

# struct seccomp_data: u32 nr, u32 arch, u64 instruction_pointer, u64 args[6]
_NR, _ARCH, _PROT = 0, 4, 16 + 2 * 8

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _KILL_PROCESS = 0x7FFF_0000, 0x0005_0000, 0x8000_0000


def program(machine: str | None = None) -> bytes | None:
    """The filter as an array of `struct sock_filter`, or None where the table does not know the machine."""
    arch = AUDIT_ARCH.get(machine or platform.machine())
    if arch is None:
        return None
    lines = [
        _line(_LOAD, _ARCH),
        _line(_JUMP_EQUAL, arch, 1, 0),
        _line(_RETURN, _KILL_PROCESS),
        _line(_LOAD, _NR),
        # the x32 calls of the same processor have numbers of their own
        _line(_JUMP_AT_LEAST, _X32, 0, 1),
        _line(_RETURN, _KILL_PROCESS),
    ]
    for number in KILLED.values():
        lines += [_line(_JUMP_EQUAL, number, 0, 1), _line(_RETURN, _KILL_PROCESS)]
    for number in ALLOWED.values():
        lines += [_line(_JUMP_EQUAL, number, 0, 1), _line(_RETURN, _ALLOW)]
    for number in ALLOWED_UNLESS_EXECUTABLE.values():
        lines += [
            _line(_JUMP_EQUAL, number, 0, 4),
            _line(_LOAD, _PROT),
            _line(_JUMP_ANY_BIT, _PROT_EXEC, 0, 1),
            _line(_RETURN, _ERROR | _EPERM),
            _line(_RETURN, _ALLOW),
        ]
    return b"".join([*lines, _line(_RETURN, _ERROR | _EPERM)])


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
