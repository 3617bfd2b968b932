"""Calls that block in the kernel or a driver: made on a thread, and not waited for for ever."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from agent.attestation.errors import ProviderError

T = TypeVar("T")


async def answered(call: Callable[[], T], seconds: float, who: str) -> T:
    """What `call` returns, if it does within `seconds`; `who` is asked, for people.

    A thread cannot be stopped: one that is given up, or whose caller was cancelled, ends when the kernel lets it, and
    cleans up behind itself then.

    Raises:
        ProviderError: it took longer.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return await asyncio.to_thread(call)
    except TimeoutError:
        if not limit.expired():
            raise
        raise ProviderError(f"{who} gives no answer in {seconds:g} s: look at the kernel's log (dmesg)") from None
