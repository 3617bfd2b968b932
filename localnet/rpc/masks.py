"""Field masks: which parts of a reply the caller wants (AIP-157, as `sui.rpc.v2` uses it)."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from localnet.rpc.errors import InvalidArgument

MAX_PATHS: Final = 256
MAX_DEPTH: Final = 16
EVERYTHING: Final = "*"


class Mask:
    """A tree of field names; an empty one wants everything below it."""

    __slots__ = ("_children",)

    def __init__(self, children: "dict[str, Mask]") -> None:
        self._children: Final = children

    @classmethod
    def parse(cls, field_mask: Any, default: str) -> Self:
        """The tree of a `google.protobuf.FieldMask`; where there is none, of `default`, paths joined by commas.

        Raises:
            InvalidArgument: too many paths, or too deep.
        """
        paths = default.split(",") if field_mask is None else field_mask.paths
        if len(paths) > MAX_PATHS:
            raise InvalidArgument(f"a field mask of {len(paths)} paths, at most {MAX_PATHS} are taken")
        tree: dict[str, Any] = {}
        for path in paths:
            names = path.split(".")
            if len(names) > MAX_DEPTH:
                raise InvalidArgument(f"field mask path {path[:80]!r} is deeper than {MAX_DEPTH}")
            _insert(tree, names)
        return cls._of(tree)

    @classmethod
    def _of(cls, tree: dict[str, Any]) -> Self:
        if EVERYTHING in tree:
            return cls({})
        return cls({name: cls._of(below) for name, below in tree.items()})

    def wants(self, name: str) -> bool:
        """Whether the field `name`, or a part of it, is wanted."""
        return not self._children or name in self._children

    def below(self, name: str) -> "Mask":
        """The mask for the message in field `name`; only where it is wanted."""
        return self._children[name] if self._children else self

    def build(self, message: Any, makers: Mapping[str, Callable[[], Any]]) -> Any:
        """A `message` (a class) of the wanted fields; a field's maker runs only if it is wanted.

        Raises:
            InvalidArgument: the mask names a field that the message does not have.
        """
        if not self._children:
            return message(**{name: make() for name, make in makers.items()})
        self._check(message)
        return message(
            **{name: _prune(below, makers[name]()) for name, below in self._children.items() if name in makers}
        )

    def prune(self, message: Any) -> Any:
        """A copy of `message` with the wanted fields only; the message itself where all are wanted.

        Raises:
            InvalidArgument: the mask names a field that the message does not have.
        """
        if not self._children or message is None:
            return message
        self._check(type(message))
        return type(message)(**{name: _prune(below, getattr(message, name)) for name, below in self._children.items()})

    def _check(self, message: Any) -> None:
        known = getattr(message, "__dataclass_fields__", {})
        for name in self._children:
            if name not in known:
                raise InvalidArgument(f"field mask names {name!r}, which {message.__name__} does not have")


def _prune(mask: Mask, value: Any) -> Any:
    return [mask.prune(one) for one in value] if isinstance(value, list) else mask.prune(value)


def _insert(tree: dict[str, Any], names: list[str]) -> None:
    """Add a path; a shorter one that is there already wants all below it."""
    for i, name in enumerate(names):
        if EVERYTHING in tree:
            return
        if i == len(names) - 1:
            tree[name] = {EVERYTHING: {}}
        else:
            tree = tree.setdefault(name, {})

