"""Health: named questions, asked when somebody asks. No check at all is not healthy, it is unknown."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

HealthCheck = Callable[[], Awaitable[str | None]]
"""None if all is well, else what is wrong in one line. Raising is being wrong too."""

CHECK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """The answers."""

    problems: Mapping[str, str | None]
    """By check; None: well."""

    @property
    def ok(self) -> bool:
        """True: at least one check was made, and all are well."""
        return bool(self.problems) and not any(self.problems.values())


async def examine(checks: Mapping[str, HealthCheck], seconds: float = CHECK_SECONDS) -> Health:
    """Make all checks at once; one that takes longer than `seconds` has failed."""
    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(_ask(check, seconds)) for name, check in checks.items()}
    return Health({name: task.result() for name, task in asked.items()})


async def _ask(check: HealthCheck, seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except Exception as error:  # noqa: BLE001 - a check that raises has found something wrong
        return f"{type(error).__name__}: {error}"
