"""How a command fails, and how failures of the VM become execution statuses."""

from typing import Final

from localnet.ledger.model import ArgumentErrorKind, Failure, FailureKind, UpgradeError
from localnet.movevm.errors import ExecutionError, LinkError, MalformedModule, MoveAbort, MoveError, OutOfGas, PrimitiveError


class CommandFailed(Exception):
    """Ends a transaction with `kind`."""

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        argument: int | None = None,
        argument_error: ArgumentErrorKind | None = None,
        indices: tuple[int, ...] = (),
        upgrade: UpgradeError | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: Final = kind
        self.message: Final = message
        self.argument: Final = argument
        self.argument_error: Final = argument_error
        self.indices: Final = indices
        self.upgrade: Final = upgrade

    def at(self, command: int | None) -> Failure:
        """The status, of a command or of the whole transaction."""
        return Failure(
            self.kind,
            command,
            self.message,
            argument=self.argument,
            argument_error=self.argument_error,
            indices=self.indices,
            upgrade=self.upgrade,
        )


def bad_argument(index: int, kind: ArgumentErrorKind, message: str, indices: tuple[int, ...] = ()) -> CommandFailed:
    """The `index`-th argument of a command cannot be used."""
    return CommandFailed(
        FailureKind.COMMAND_ARGUMENT_ERROR,
        f"argument {index}: {message}",
        argument=index,
        argument_error=kind,
        indices=indices,
    )


def failure_of(error: MoveError, command: int | None) -> Failure:
    """The status that `error` of the VM stands for."""
    message = str(error)
    if isinstance(error, MoveAbort):
        return Failure(FailureKind.MOVE_ABORT, command, message, abort_code=error.code, location=error.location)
    if isinstance(error, OutOfGas):
        return Failure(FailureKind.INSUFFICIENT_GAS, command, message)
    if isinstance(error, PrimitiveError | ExecutionError):
        return Failure(FailureKind.MOVE_PRIMITIVE_RUNTIME_ERROR, command, message, location=error.location)
    if isinstance(error, LinkError | MalformedModule):
        return Failure(FailureKind.VM_VERIFICATION_OR_DESERIALIZATION_ERROR, command, message)
    return Failure(FailureKind.VM_INVARIANT_VIOLATION, command, message)
