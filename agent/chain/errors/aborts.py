"""Which error an abort is: one class for every code of docs/spec/protocol.md §9, a file for each few modules."""

from typing import Final

from agent.chain.errors import of_network, of_pool, of_rounds, of_task
from agent.chain.errors.base import Aborted


def aborted(
    module: str, code: int, *, function: str = "", command: int | None = None, digest: str | None = None
) -> Aborted:
    """The error of an abort with `code` in `module`: its own class where §9 has one, else a plain `Aborted`."""
    kind = CLASSES.get((module, code), Aborted)
    return kind(module, code, function=function, command=command, digest=digest)


CLASSES: Final[dict[tuple[str, int], type[Aborted]]] = {
    each.of[:2]: each
    for module in (of_network, of_pool, of_rounds, of_task)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, Aborted) and each.of is not None
}
"""By module and code."""
