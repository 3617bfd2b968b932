"""Pages of unary lists: a token names the last key given, so that what comes or goes between pages shifts nothing."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

_T = TypeVar("_T")

DEFAULT: Final = 50
MAXIMUM: Final = 1_000


def page(
    items: Sequence[_T], key: Callable[[_T], bytes], size: int | None, token: bytes | None
) -> tuple[Sequence[_T], bytes | None]:
    """At most `size` of `items`, sorted by `key`, after `token`; and the next token, None on the last page."""
    start = bisect_right(items, token, key=key) if token else 0
    end = start + min(size or DEFAULT, MAXIMUM)
    chosen = items[start:end]
    return chosen, key(chosen[-1]) if end < len(items) else None
