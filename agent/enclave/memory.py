"""The twin of `ProcessLauncher` for tests.

The same engine behind the same messages, in this process, without any isolation.
"""

import asyncio
import os
from typing import Final

from agent.enclave.channel import MemoryChannel
from agent.enclave.identity import EnclaveConfig, Isolation, Measurement
from agent.enclave.launcher import Launched, Launcher, SealingKey
from agent.enclave.sealing import Random
from agent.enclave.service import Service
from agent.enclave.workloads import load_workload

MEASUREMENT: Final = Measurement(b"\x00" * 48)
"""All zeros, as debug enclaves have: no policy accepts it by accident."""

NO_ISOLATION: Final = Isolation(
    dumpable=True, landlock_abi=0, seccomp=False, uid=os.geteuid(), notes=("in memory: no isolation at all",)
)


class MemoryLauncher(Launcher):
    """Starts enclaves that are objects; `launched` lists them, so that a test can kill one."""

    def __init__(self, sealing_key: SealingKey = lambda _: bytes(32), random: Random = os.urandom) -> None:
        self._sealing_key = sealing_key
        self._random = random
        self.launched: list[MemoryEnclave] = []

    async def launch(self, config: EnclaveConfig) -> "MemoryEnclave":
        service = Service(load_workload(config.workload), NO_ISOLATION, self._random)
        self.launched.append(MemoryEnclave(MemoryChannel(service.handle), self._sealing_key(MEASUREMENT)))
        return self.launched[-1]


class MemoryEnclave(Launched):
    """An engine in this process."""

    def __init__(self, channel: MemoryChannel, sealing_key: bytes) -> None:
        self.channel: MemoryChannel = channel
        self.measurement = MEASUREMENT
        self.sealing_key = sealing_key
        self._gone = asyncio.Event()

    async def ended(self) -> str:
        await self._gone.wait()
        return "the enclave ended (in memory)"

    async def stop(self) -> None:
        self.channel.kill()
        self._gone.set()
