"""A host as a process of its own: starts an enclave, does what it is told on stdin, and never sees a plaintext. Run by tests, not a test."""

import asyncio
import ctypes
import json
import os
import subprocess
import sys
from typing import Any

from enclave_world import NETWORK, OPENED_AT, TASK, bound_node

from agent.enclave.launcher import ProcessLauncher
from agent.enclave.orders import Executed, ExecuteOrder


def say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


def hear() -> dict[str, Any]:
    heard: dict[str, Any] = json.loads(sys.stdin.readline() or "{}")
    return heard


def attempt(act: Any) -> str:
    try:
        act()
    except OSError as error:
        return error.strerror or "OSError"
    return "readable"


def read_memory(pid: int) -> None:
    with open(f"/proc/{pid}/mem", "rb", 0):
        pass


def read_by_call(pid: int, address: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(8)

    class Part(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    ours, theirs = Part(ctypes.addressof(buffer), 8), Part(address, 8)
    if libc.process_vm_readv(pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


async def main(workload: str) -> None:
    node = await bound_node("x", ProcessLauncher(lambda _: b"\x55" * 32), workload)
    pid = node.client._launched.pid  # type: ignore[union-attr]
    with open("/proc/self/status") as status:
        capabilities = next(line.split()[1] for line in status if line.startswith("CapEff"))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        control = attempt(lambda: read_memory(other.pid))
        other.kill()
    say(
        pid=pid,
        uid=os.getuid(),
        capabilities=int(capabilities, 16),
        control=control,
        memory=attempt(lambda: read_memory(pid)),
        maps=attempt(lambda: open(f"/proc/{pid}/maps").close()),
        environ=attempt(lambda: open(f"/proc/{pid}/environ").close()),
        call=attempt(lambda: read_by_call(pid, id(main))),
        hpke_pk=node.identity.hpke_pk.hex(),
        manifest_hash=node.identity.manifest_hash.hex(),
        isolation=[node.identity.isolation.dumpable, node.identity.isolation.landlock_abi, node.identity.isolation.seccomp],
        notes=node.identity.isolation.notes,
    )
    while told := await asyncio.to_thread(hear):
        order = ExecuteOrder(
            network=NETWORK,
            task=TASK,
            node=node.id,
            key_epoch=1,
            input_digest=bytes.fromhex(told["input_digest"]),  # type: ignore[arg-type]
            key_commitment=bytes.fromhex(told["key_commitment"]),  # type: ignore[arg-type]
            output_pk=bytes.fromhex(told["output_pk"]),
            tee_mask=1,
            denied=(),
            opened_at=OPENED_AT,
        )
        blob = bytes.fromhex(told["blob"])
        answer = await node.client.execute(order, blob)
        assert isinstance(answer, Executed)
        state = await node.client.seal_state()
        say(
            commitment=answer.statement.commitment.hex(),
            sealed_output_digest=answer.statement.sealed_output_digest.hex(),
            sealed_output=answer.sealed_output.hex(),
            state=state.hex(),
        )
        del told
    await node.client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
