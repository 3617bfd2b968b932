"""What a call may end with.

    RpcError
    ├── InvalidArgument      the request itself is wrong: bad BCS, bad signature, unknown filter
    ├── NotFound             no such object, transaction, checkpoint, package, function
    ├── FailedPrecondition   the ledger's state forbids it: stale version, not the owner, too little gas
    ├── ResourceExhausted    larger than the server takes, or a subscriber that reads too slowly
    ├── DeadlineExceeded     the caller's own deadline passed
    ├── Unimplemented        Sui has this method, the localnet does not
    ├── Unavailable          the server is shutting down: connect again
    └── Internal             a bug of the localnet; the traceback is in its log

Each leaf is one gRPC status; `message` reaches the caller.
"""

from typing import ClassVar, Final

from grpclib.const import Status


class RpcError(Exception):
    """A call ends with `status`."""

    status: ClassVar[Status] = Status.UNKNOWN

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message: Final = message


class InvalidArgument(RpcError):
    """The request itself is wrong."""

    status = Status.INVALID_ARGUMENT


class NotFound(RpcError):
    """The thing asked for does not exist."""

    status = Status.NOT_FOUND


class FailedPrecondition(RpcError):
    """The ledger's state forbids it."""

    status = Status.FAILED_PRECONDITION


class ResourceExhausted(RpcError):
    """Over a limit of this server."""

    status = Status.RESOURCE_EXHAUSTED


class DeadlineExceeded(RpcError):
    """The caller's deadline passed."""

    status = Status.DEADLINE_EXCEEDED


class Unimplemented(RpcError):
    """Sui has this method, the localnet does not."""

    status = Status.UNIMPLEMENTED


class Unavailable(RpcError):
    """The server is shutting down."""

    status = Status.UNAVAILABLE


class Internal(RpcError):
    """A bug of the localnet."""

    status = Status.INTERNAL
