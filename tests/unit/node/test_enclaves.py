from pathlib import Path
from random import Random

import pytest
from node_world import WORKLOAD, FlakyLauncher

from agent.enclave.client import EnclaveClient
from agent.enclave.errors import EnclaveDead, EnclaveStartFailed, EnclaveTimeout
from agent.node.clock import ManualClock
from agent.node.enclaves import TIMEOUTS_IN_A_ROW, Enclaves
from agent.node.errors import EnclaveDown, EnclaveResting, KeysLost


class Bench:
    def __init__(self, folder: Path, *, restarts: int = 3) -> None:
        self.launcher = FlakyLauncher()
        self.clock = ManualClock()
        self.enclaves = Enclaves(
            folder, WORKLOAD, lambda: EnclaveClient(self.launcher), clock=self.clock, random=Random(0), restarts=restarts
        )

    async def die(self, epoch: int) -> None:
        """The enclave's process ends, and the host notices by asking."""
        await self.launcher.launched[-1].stop()
        with pytest.raises(EnclaveDead):
            await self.enclaves.ask(epoch, lambda client: client.seal_state())
        self.clock.advance(60)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_kept_keys_come_back_after_a_death(bench: Bench) -> None:
    before = await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)
    await bench.die(1)
    assert (await bench.enclaves.identity(1)).sign_pk == before.sign_pk


async def test_keys_that_were_never_kept_are_lost_with_their_enclave(bench: Bench) -> None:
    await bench.enclaves.begin(1)
    await bench.die(1)
    with pytest.raises(KeysLost, match="never kept"):
        await bench.enclaves.identity(1)


async def test_kept_keys_come_back_in_another_process(bench: Bench, tmp_path: Path) -> None:
    before = await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)
    await bench.enclaves.close()
    assert (await Bench(tmp_path).enclaves.identity(1)).sign_pk == before.sign_pk


async def test_each_epoch_has_an_enclave_of_its_own(bench: Bench) -> None:
    one, two = await bench.enclaves.begin(1), await bench.enclaves.begin(2)
    assert one.sign_pk != two.sign_pk
    assert bench.enclaves.statistics().running == (1, 2)


async def test_a_damaged_file_is_lost_keys_and_not_new_ones(bench: Bench, tmp_path: Path) -> None:
    await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)
    (file,) = tmp_path.glob("enclave-1.sealed")
    file.write_bytes(b"\0" * 100)
    await bench.enclaves.close()
    with pytest.raises(KeysLost):
        await bench.enclaves.begin(1)
    assert bench.enclaves.statistics().running == ()


async def test_retired_keys_are_gone(bench: Bench) -> None:
    await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)
    await bench.enclaves.retire(1)
    assert bench.enclaves.kept() == ()
    with pytest.raises(KeysLost):
        await bench.enclaves.identity(1)


async def test_a_failed_start_is_followed_by_a_rest(bench: Bench) -> None:
    bench.launcher.failures = 1
    with pytest.raises(EnclaveStartFailed):
        await bench.enclaves.begin(1)
    with pytest.raises(EnclaveResting, match="out of memory"):
        await bench.enclaves.begin(1)
    bench.clock.advance(60)
    await bench.enclaves.begin(1)


async def test_the_node_ends_when_its_enclave_does_not_stay_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, restarts=2)
    bench.launcher.failures = 3
    for _ in range(3):
        with pytest.raises(EnclaveStartFailed):
            await bench.enclaves.begin(1)
        bench.clock.advance(60)
    with pytest.raises(EnclaveDown, match="3 times in a row, last: EnclaveStartFailed: out of memory"):
        await bench.enclaves.watch()


async def test_an_answer_ends_the_row_of_failures(bench: Bench) -> None:
    bench.launcher.failures = 2
    for _ in range(2):
        with pytest.raises(EnclaveStartFailed):
            await bench.enclaves.begin(1)
        bench.clock.advance(60)
    await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)
    assert bench.enclaves.statistics().failures == 0


async def test_the_sealed_file_is_readable_by_its_owner_only(bench: Bench, tmp_path: Path) -> None:
    await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)
    (file,) = tmp_path.glob("enclave-1.sealed")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_an_enclave_that_does_not_answer_is_replaced(bench: Bench) -> None:
    before = await bench.enclaves.begin(1)
    await bench.enclaves.keep(1)

    async def never(_: EnclaveClient) -> None:
        raise EnclaveTimeout("no answer")

    for _ in range(TIMEOUTS_IN_A_ROW):
        with pytest.raises(EnclaveTimeout):
            await bench.enclaves.ask(1, never)
    bench.clock.advance(60)
    assert (await bench.enclaves.identity(1)).sign_pk == before.sign_pk
    assert len(bench.launcher.launched) == 2
