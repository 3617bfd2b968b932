"""A function's Python as far as it is the same in every VM: what it calls is bound when a VM wants it.

Translating is what a fresh VM spends its time on, and many VMs run the same modules: a test suite's, above all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, TypeAlias

from localnet.movevm.bytecode.module import FunctionHandle

Link: TypeAlias = Callable[[bytes, str, str], Callable[..., Any]]
"""From a function's address, module and name to its Python function."""


@dataclass(frozen=True, slots=True)
class Template:
    """One function, translated and not yet linked."""

    code: CodeType
    """Defines `f(ctx, ta, *arguments)`."""
    scope: Mapping[str, Any]
    """Constants by name; none of them ever changes."""
    calls: Mapping[str, FunctionHandle]
    """What it calls, by the name under which it does."""

    def linked(self, link: Link) -> Callable[..., Any]:
        """The Python function, which finds those that it calls when it first calls them."""
        scope: dict[str, Any] = dict(self.scope)
        for name, handle in self.calls.items():
            scope[name] = _linked_when_called(scope, name, handle, link)
        exec(self.code, scope)  # noqa: S102 - made of checked numbers only
        return scope["f"]  # type: ignore[no-any-return]  # what `def f` made


def _linked_when_called(scope: dict[str, Any], name: str, handle: FunctionHandle, link: Link) -> Callable[..., Any]:
    """A stand-in that replaces itself, so that only what runs is compiled, and recursion ends."""

    def stand_in(*arguments: Any) -> Any:
        function = scope[name] = link(handle.address, handle.module, handle.name)
        return function(*arguments)

    return stand_in
