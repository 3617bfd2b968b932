"""The only module that knows where pysui keeps its generated `sui.rpc.v2` messages, and what they lack.

pysui ships client stubs only. Their message classes serve a server as well; paths, types and cardinality of the
methods are read from the stubs' own code, so a new pysui brings its new methods with it.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from pysui.sui.sui_grpc.suimsgs.google import protobuf as well_known
from pysui.sui.sui_grpc.suimsgs.google.rpc import Status as StatusMessage
from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2

__all__ = ["FieldMask", "Message", "MethodType", "StatusMessage", "Value", "method_types", "v2"]

FieldMask: Final[Any] = well_known.FieldMask
Value: Final[Any] = well_known.Value

_PATH: Final = re.compile(r'"(/sui\.rpc\.v2\.\w+/\w+)"')
_STREAM: Final = re.compile(r"AsyncIterator\[(\w+)\]")


class Message(Protocol):
    """What every generated class can do."""

    def __bytes__(self) -> bytes: ...

    @classmethod
    def parse(cls, data: bytes) -> Self: ...


@dataclass(frozen=True, slots=True)
class MethodType:
    """One RPC: `path` is `/sui.rpc.v2.Service/Method`."""

    path: str
    request: type[Message]
    response: type[Message]
    streaming: bool

    @property
    def name(self) -> str:
        """`Service/Method`."""
        return self.path.removeprefix("/sui.rpc.v2.")


def method_types() -> Mapping[str, MethodType]:
    """Every method of `sui.rpc.v2` by its path."""
    return {method.path: method for method in _read_stubs()}


def _read_stubs() -> Iterator[MethodType]:
    for name, stub in vars(v2).items():
        if not (inspect.isclass(stub) and name.endswith("ServiceStub")):
            continue
        for attribute, function in vars(stub).items():
            if attribute.startswith("_") or not inspect.isfunction(function):
                continue
            path = _PATH.search(inspect.getsource(function))
            if path is None:
                raise ImportError(f"pysui's {name}.{attribute} names no path: this version of pysui is not supported")
            request = function.__annotations__["message"].strip("\"'").split(" |")[0]
            returned = function.__annotations__["return"].strip("\"'")
            stream = _STREAM.match(returned)
            yield MethodType(
                path=path[1],
                request=getattr(v2, request),
                response=getattr(v2, stream[1] if stream else returned),
                streaming=stream is not None,
            )
