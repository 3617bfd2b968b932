"""What can go wrong between Move sources and bytecode.

ToolchainError
├── ToolMissing         node, its packages or the wheel that carries the framework are not installed
├── FrameworkMismatch   the installed wheel carries other framework bytecode than the one pinned here
├── PackageUnreadable   a directory is no Move package
├── CompileFailed       the compiler refused the sources; the text is its own diagnostics
├── BytecodeStale       the committed bytecode is not what the sources give
└── BuilderFailed       the compiler or the test runner itself broke
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final


class ToolchainError(Exception):
    """Sources could not be turned into bytecode or tested."""


class ToolMissing(ToolchainError):
    """Something that set-up installs is not there."""


class FrameworkMismatch(ToolchainError):
    """The wheel carries other bytecode than the pinned one."""


class PackageUnreadable(ToolchainError):
    """A directory holds no Move package that we could read."""


class CompileFailed(ToolchainError):
    """The compiler refused the sources."""

    def __init__(self, package: Path, diagnostics: str) -> None:
        super().__init__(f"{package} does not compile:\n\n{diagnostics}")
        self.package: Final = package
        self.diagnostics: Final = diagnostics


class BytecodeStale(ToolchainError):
    """The committed bytecode is not what the sources give."""

    def __init__(self, package: Path, differences: Sequence[str]) -> None:
        listed = "\n".join(f"  {difference}" for difference in differences)
        super().__init__(
            f"{package}/bytecode is not what the sources give:\n{listed}\n"
            f"Run `python -m localnet.toolchain compile {package}` and commit the result."
        )
        self.package: Final = package
        self.differences: Final = tuple(differences)


class BuilderFailed(ToolchainError):
    """The compiler or the test runner stopped without a result."""
