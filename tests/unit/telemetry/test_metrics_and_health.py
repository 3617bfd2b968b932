import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from agent.telemetry.endpoint import serving
from agent.telemetry.health import examine
from agent.telemetry.metrics import Metrics


@dataclass(frozen=True)
class QueueStatistics:
    waiting: int
    full: bool
    name: str


async def _well() -> None:
    return None


async def _ill() -> str | None:
    return "12 checkpoints behind"


async def _raising() -> str | None:
    raise OSError("no journal")


async def _hanging() -> str | None:
    await asyncio.Event().wait()


async def _get(path: str, checks: dict[str, Any], metrics: Metrics | None = None) -> httpx.Response:
    async with serving(metrics or Metrics(), checks, "127.0.0.1", 0) as server, httpx.AsyncClient() as client:
        return await client.get(server.url + path)


async def test_statistics_are_read_when_prometheus_asks() -> None:
    waiting = 3
    metrics = Metrics()
    metrics.watch("queue", lambda: QueueStatistics(waiting, full=True, name="duties"))
    waiting = 5
    text = (await _get("/metrics", {}, metrics)).text
    assert "\nenclavia_queue_waiting 5.0\n" in text
    assert "\nenclavia_queue_full 1.0\n" in text
    assert "duties" not in text


def test_name_taken_twice_is_an_error() -> None:
    metrics = Metrics()
    metrics.watch("queue", lambda: None)
    with pytest.raises(ValueError, match="queue"):
        metrics.watch("queue", lambda: None)


async def test_healthy_only_if_every_check_is_well() -> None:
    answer = await _get("/health", {"chain": _well, "journal": _well})
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    answer = await _get("/health", {"chain": _ill, "journal": _well})
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"chain": "12 checkpoints behind", "journal": "ok"}


async def test_check_that_raises_or_hangs_is_a_problem_not_a_crash() -> None:
    health = await examine({"journal": _raising, "chain": _hanging, "disk": _well}, seconds=0.05)
    assert health.problems == {"journal": "OSError: no journal", "chain": "no answer within 0.05 s", "disk": None}


async def test_no_check_at_all_is_not_healthy() -> None:
    assert (await _get("/health", {})).status_code == 503


async def test_other_paths_and_methods_are_refused() -> None:
    assert (await _get("/secrets", {})).status_code == 404
    async with serving(Metrics(), {}, "127.0.0.1", 0) as server, httpx.AsyncClient() as client:
        assert (await client.post(server.url + "/metrics")).status_code == 405
