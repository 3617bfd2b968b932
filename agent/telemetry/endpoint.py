"""`GET /metrics` for Prometheus, `GET /health` for whoever restarts processes: 200, or 503 with what is wrong."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from agent.telemetry.health import HealthCheck, examine
from agent.telemetry.http import Answer, HttpRefusal, HttpServer, Limits, Request
from agent.telemetry.metrics import CONTENT_TYPE, Metrics


def serving(metrics: Metrics, checks: Mapping[str, HealthCheck], host: str, port: int) -> HttpServer:
    """A server of both, for `async with`."""

    async def answer(request: Request) -> Answer:
        if request.method != "GET":
            raise HttpRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "GET only")
        match request.path:
            case "/metrics":
                return Answer(HTTPStatus.OK, metrics.exposition(), CONTENT_TYPE)
            case "/health":
                return await _health(checks)
            case _:
                raise HttpRefusal(HTTPStatus.NOT_FOUND, "/metrics and /health")

    return HttpServer(answer, host, port, Limits(connections=16, seconds=15.0))


async def _health(checks: Mapping[str, HealthCheck]) -> Answer:
    health = await examine(checks)
    status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
    body = {"ok": health.ok, "checks": {name: problem or "ok" for name, problem in health.problems.items()}}
    return Answer(status, json.dumps(body, indent=2).encode() + b"\n", "application/json")
