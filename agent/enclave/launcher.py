"""Starting an enclave: a seam of one method, and the launcher of real processes.

The process is `python -I -S -B -c BOOTSTRAP` with an empty environment, one end of a socket pair, and nothing else.
`-I` drops the current folder, the user's site and all PYTHON* variables; `-S` also keeps `.pth` files, which can run
code, from being read. So the bootstrap is told the folders to import from: the one our own package lies in (an editable
install, a wheel or a checkout alike) and those of the packages that the workload needs. These are the files that are
measured.

No launcher here makes a user namespace: its owner could read the enclave's memory (`agent.enclave.sandbox`).
"""

import asyncio
import os
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from agent.enclave.channel import EnclaveChannel, SeqpacketChannel
from agent.enclave.errors import EnclaveStartFailed
from agent.enclave.identity import EnclaveConfig, Measurement
from agent.enclave.measurement import ENTRY, ROOT, measure, package_folder, packages_of

BOOTSTRAP: Final = (
    "import sys; sys.path.extend(sys.argv[4:]); "
    "from {entry} import main; main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])"
)

SOCKET_BUFFER: Final = 1 << 20
"""Bytes; several packets fit, so that neither side waits for every one."""

BOOT_LOG: Final = 4096
"""Bytes of what a failed start said that are shown."""

SealingKey = Callable[[Measurement], bytes]
"""The platform's sealing key for code of this measurement, 32 bytes: `EvidenceProvider.sealing_key`."""


class Launched(ABC):
    """An enclave that was started."""

    channel: EnclaveChannel
    measurement: Measurement
    sealing_key: bytes

    @abstractmethod
    async def ended(self) -> str:
        """Wait until it is gone; says how it ended."""

    @abstractmethod
    async def stop(self) -> None:
        """End it and leave nothing behind. Twice is no error."""


class Launcher(ABC):
    """Where enclaves come from."""

    @abstractmethod
    async def launch(self, config: EnclaveConfig) -> Launched:
        """Start one; it may still be loading when this returns.

        Raises:
            EnclaveStartFailed, WorkloadError: it cannot be started.
        """


class ProcessLauncher(Launcher):
    """Starts enclaves as processes: of this machine, where the TEE is simulated, or of the confidential guest that the node itself runs in.

    Call it from a thread that lives as long as the enclave, such as the event loop's: the kernel kills the enclave when
    the thread that started it ends.
    """

    def __init__(self, sealing_key: SealingKey, entry: str = ENTRY, *, measured: Measurement | None = None) -> None:
        """`entry` is the module whose `main` runs inside. What is claimed is always the measurement of the honest one: a platform whose key
        was extracted signs anything, and tests and the demo play such platforms.

        `measured` is what hardware measured of the guest that all of this runs in; None: nothing did, the files are measured here.
        """
        self._sealing_key = sealing_key
        self._entry = entry
        self._measured = measured

    async def launch(self, config: EnclaveConfig) -> "EnclaveProcess":
        measurement = self._measured
        if measurement is None:
            measurement = await asyncio.to_thread(measure, config.workload)
        return EnclaveProcess(config.workload, measurement, self._sealing_key(measurement), self._entry)


class EnclaveProcess(Launched):
    """A child process and this side of its socket; must be made inside a running event loop."""

    def __init__(self, workload: str, measurement: Measurement, sealing_key: bytes, entry: str = ENTRY) -> None:
        self.measurement = measurement
        self.sealing_key = sealing_key
        self._boot_log = os.fdopen(os.memfd_create("enclave-boot-log"), "w+b")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                for end in (ours, theirs):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
                self._process = subprocess.Popen(  # noqa: S603  nothing in the command comes from outside
                    command(workload, theirs.fileno(), entry),
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._boot_log,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # an interrupt typed at a terminal is for the host alone
                )
        except BaseException as error:
            ours.close()
            self._boot_log.close()
            if isinstance(error, OSError):
                raise EnclaveStartFailed(f"the enclave's process cannot be started: {error.strerror}") from error
            raise
        self.channel = SeqpacketChannel(ours)
        self._gone = asyncio.Event()
        self._handle = os.pidfd_open(self._process.pid)
        asyncio.get_running_loop().add_reader(self._handle, self._reap)

    @property
    def pid(self) -> int:
        """The process id, for the supervisor."""
        return self._process.pid

    async def ended(self) -> str:
        await self._gone.wait()
        code = self._process.returncode
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the enclave ended ({how}){self._last_words()}"

    async def stop(self) -> None:
        self.channel.close()
        if not self._gone.is_set():
            # there is nothing to save: keys are meant to die, the sealed state lies in the journal
            self._process.kill()
            await self._gone.wait()
        self._boot_log.close()

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        self._process.wait()
        self._gone.set()

    def _last_words(self) -> str:
        """What it wrote before it was locked down; silent afterwards."""
        if self._boot_log.closed:
            return ""
        size = self._boot_log.seek(0, os.SEEK_END)
        self._boot_log.seek(max(0, size - BOOT_LOG))
        words = self._boot_log.read().decode(errors="replace").strip()
        return f":\n{words}" if words else ""


def command(workload: str, descriptor: int, entry: str = ENTRY) -> list[str]:
    """The command line of an enclave process.

    Raises:
        EnclaveStartFailed, WorkloadError: a package or the workload does not exist.
    """
    folders = dict.fromkeys([str(ROOT), *(str(package_folder(name)) for name in packages_of(workload))])
    return [sys.executable, "-I", "-S", "-B", "-c", BOOTSTRAP.format(entry=entry), str(descriptor), str(os.getpid()), workload, *folders]
