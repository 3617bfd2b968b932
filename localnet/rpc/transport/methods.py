"""From a path and bytes to replies in bytes: what every transport calls."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from localnet.rpc.errors import DeadlineExceeded, Internal, InvalidArgument, RpcError, Unimplemented
from localnet.rpc.stubs import MethodType, method_types

log = logging.getLogger(__name__)

_HUMP: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Service:
    """One gRPC service: a coroutine or async generator per method, in snake case; what it lacks is unimplemented."""

    name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC with its implementation, if there is one."""

    type: MethodType
    implementation: Callable[[Any], Any] | None

    async def replies(self, request: bytes) -> AsyncGenerator[bytes, None]:
        """Serialised replies to one serialised request; exactly one if the method does not stream.

        Raises:
            RpcError: and nothing else; an unexpected exception is logged and becomes Internal.
        """
        if self.implementation is None:
            raise Unimplemented(f"{self.type.name} is not implemented by the localnet")
        try:
            message = self.type.request.parse(request)
        except Exception as malformed:  # betterproto2 lets whatever its decoder meets escape
            raise InvalidArgument(f"not a {self.type.request.__name__}: {malformed!r}") from malformed
        try:
            if self.type.streaming:
                async with aclosing(cast("AsyncGenerator[Any, None]", self.implementation(message))) as stream:
                    async for reply in stream:
                        yield bytes(reply)
            else:
                yield bytes(await cast("Awaitable[Any]", self.implementation(message)))
        except RpcError:
            raise
        except Exception as bug:
            log.exception("%s failed", self.type.name)
            raise Internal(f"{self.type.name} failed in the localnet: {bug!r}") from bug


class MethodTable:
    """All methods of `sui.rpc.v2`, served by what implements them."""

    def __init__(self, services: Iterable[Service]) -> None:
        by_name = {service.name: service for service in services}
        self._methods: Final[Mapping[str, Method]] = {
            path: Method(method, _implementation(by_name, method)) for path, method in method_types().items()
        }

    def implemented(self) -> frozenset[str]:
        """`Service/Method` of all that answer."""
        return frozenset(m.type.name for m in self._methods.values() if m.implementation is not None)

    def streams(self, path: str) -> bool:
        """Whether the method at `path` replies more than once."""
        method = self._methods.get(path)
        return method is not None and method.type.streaming

    async def call(self, path: str, request: bytes, timeout: float | None = None) -> AsyncGenerator[bytes, None]:  # noqa: ASYNC109 - it is the caller's own, from a header
        """Replies of the method at `path`, cut off after `timeout` seconds.

        Raises:
            RpcError: and nothing else.
        """
        method = self._methods.get(path)
        if method is None:
            raise Unimplemented(f"{path} is no method of sui.rpc.v2 as pysui knows it")
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        async with aclosing(method.replies(request)) as replies:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        reply = await anext(replies)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise DeadlineExceeded(f"{method.type.name} took longer than the {timeout} s asked for") from None
                yield reply


def _implementation(services: Mapping[str, Service], method: MethodType) -> Callable[[Any], Any] | None:
    service, _, name = method.name.partition("/")
    return cast(
        "Callable[[Any], Any] | None", getattr(services.get(service), _HUMP.sub("_", name).lower(), None)
    )
