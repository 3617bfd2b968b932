"""What can go wrong in the Move VM.

    MoveError
    ├── MalformedModule        bytecode that is no Move module, or is over a limit
    │   └── NonZeroAddress     a module that is to be published was compiled for another address than 0x0
    ├── MalformedTypeTag       text or BCS that is no type
    ├── MalformedValue         BCS that is no value of the type asked for
    ├── LinkError              a module, function or type that a package names is not there
    │   └── MissingNative      the localnet has no implementation of a native function
    └── ExecutionError         Move code ran and failed; carries where
        ├── MoveAbort          `abort` or a failed `assert!`, with its code
        ├── PrimitiveError     overflow, division by zero, index out of bounds, call stack …
        └── OutOfGas           the computation budget is used up
"""

from dataclasses import dataclass
from typing import Final

from localnet.movevm.types import short_address


@dataclass(frozen=True, slots=True)
class Location:
    """Where in Move code something happened."""

    address: bytes
    module: str
    function: str
    function_index: int
    """Index into the module's function definitions, which is what Sui's effects carry."""
    offset: int
    """Instruction within the function's bytecode; 0 in natives."""

    def __str__(self) -> str:
        return f"{short_address(self.address)}::{self.module}::{self.function} (instruction {self.offset})"


class MoveError(Exception):
    """Anything the Move VM refuses or fails at."""


class MalformedModule(MoveError):
    """The bytes are no Move module that we can run."""


class NonZeroAddress(MalformedModule):
    """The module is compiled for another address than 0x0."""


class MalformedTypeTag(MoveError):
    """The text or bytes are no Move type."""


class MalformedValue(MoveError):
    """The bytes are no value of that type."""


class LinkError(MoveError):
    """Something that bytecode names is not there."""


class MissingNative(LinkError):
    """The localnet does not implement this native function."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the localnet does not implement the native function {name}: see docs/localnet.md")
        self.name: Final = name


class ExecutionError(MoveError):
    """Move code failed while running."""

    def __init__(self, reason: str, location: Location | None) -> None:
        super().__init__(f"{reason} in {location}" if location else reason)
        self.location: Final = location


class MoveAbort(ExecutionError):
    """Move code aborted with `code`."""

    def __init__(self, code: int, location: Location) -> None:
        super().__init__(f"abort {code}", location)
        self.code: Final = code


class PrimitiveError(ExecutionError):
    """An instruction failed; `status` is the Move VM's name for it, `sub_status` its detail."""

    def __init__(self, status: str, location: Location | None, sub_status: int | None = None) -> None:
        super().__init__(status if sub_status is None else f"{status} ({sub_status})", location)
        self.status: Final = status
        self.sub_status: Final = sub_status


class OutOfGas(ExecutionError):
    """The computation budget is used up."""

    def __init__(self, location: Location | None = None) -> None:
        super().__init__("out of gas", location)
