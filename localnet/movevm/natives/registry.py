"""How a native function is declared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from localnet.movevm.machine import VirtualMachine

Implementation: TypeAlias = Callable[..., Any]

BASE_COST: Final = 20
"""Units of gas of a native that does next to nothing."""
BYTES_PER_UNIT: Final = 8
"""Natives that read or write bytes pay one unit for so many."""


class NativeAbort(Exception):
    """A native aborts with `code`; the machine adds where."""

    def __init__(self, code: int) -> None:
        super().__init__(f"abort {code}")
        self.code: Final = code


@dataclass(frozen=True, slots=True)
class Native:
    """`implementation(ctx, type_arguments, *arguments)`, before that the VM if it asked for it."""

    name: str
    cost: int
    needs_vm: bool
    implementation: Implementation

    def bind(self, vm: "VirtualMachine") -> Implementation:
        """The function that generated code calls."""
        return partial(self.implementation, vm) if self.needs_vm else self.implementation


class Registry:
    """The natives of one file."""

    def __init__(self) -> None:
        self.all: Final[list[Native]] = []

    def native(
        self, name: str, *, cost: int = BASE_COST, needs_vm: bool = False
    ) -> Callable[[Implementation], Implementation]:
        """Declare the native function `name`, as in `0x2::hash::blake2b256`."""

        def declare(implementation: Implementation) -> Implementation:
            self.all.append(Native(name, cost, needs_vm, implementation))
            return implementation

        return declare
