"""What must not reach a log: keys, seeds, tokens, and anything that could be somebody's input or output.

Redaction goes by the name of a field. It is the net below, not the rope: code that handles plaintext logs nothing of
it.
"""

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

REDACTED: Final = "<redacted>"
MAX_TEXT: Final = 2048
"""Characters of one value; more would be somebody's data."""

MAX_DEPTH: Final = 6

_SECRET: Final = re.compile(
    r"secret|passw|passphrase|token|mnemonic|seed|private|credential|authorization|cookie|plaintext|prompt|completion"
    r"|(?:api|signing|sealing|data|leaf)_?key|salt|payload|(?:^|_)(?:input|output|content|sk|pin)$",
    re.IGNORECASE,
)
_PUBLIC: Final = frozenset({"tokens"})
"""Names that the pattern would take for secrets, and that are counts."""

_UNRENDERED: Final = frozenset({"exc_info", "_record", "_from_structlog"})


def redact(value: Any, depth: int = MAX_DEPTH) -> Any:  # noqa: PLR0911 - one return for each kind of value
    """`value` with the fields of secret-looking name blotted out, bytes shortened to a length, long text cut."""
    if depth == 0:
        return "<deep>"
    if isinstance(value, Mapping):
        return {str(key): redact_field(str(key), item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth - 1) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        # ids are logged as hex by who means to: raw bytes are content
        return f"<{len(bytes(value))} bytes>"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, Path)):
        text = str(value)
        return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + f"… <{len(text) - MAX_TEXT} more>"
    if isinstance(value, Exception):
        return redact(f"{type(value).__name__}: {value}", depth - 1)
    # the text of any other object may quote whatever it holds
    return f"<{type(value).__name__}>"


def redact_field(name: str, value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value` as a log may show it under `name`."""
    if name.lower() not in _PUBLIC and _SECRET.search(name):
        return REDACTED
    return redact(value, depth)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor. What renderers still work on (`exc_info`, names with an underscore) it leaves alone."""
    return {name: value if name in _UNRENDERED else redact_field(name, value) for name, value in event.items()}
