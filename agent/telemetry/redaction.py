"""What must not reach a log: keys, seeds, tokens, and anything that could be somebody's input or output.

Redaction goes by the name of a field. It is the net below, not the rope: code that handles plaintext logs nothing of
it.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

REDACTED: Final = "<redacted>"
MAX_TEXT: Final = 2048
"""Characters of one value; more would be somebody's data."""

MAX_DEPTH: Final = 6

_SECRET: Final = re.compile(
    r"secret|passw|passphrase|token|mnemonic|seed|private|credential|authorization|cookie|api_?key|signing_?key|sealing_?key"
    r"|data_?key|leaf_?key|salt|plaintext|prompt|completion|payload|content|\binput\b|\boutput\b|sk\b|\bpin\b",
    re.IGNORECASE,
)
_PUBLIC: Final = frozenset(
    {"content_length", "content_type", "input_digest", "output_pk", "input_uri", "sealed_output_digest", "tokens"}
)
"""Names that the pattern would take for secrets and that are on chain, or counts."""


def redact(value: Any, depth: int = MAX_DEPTH) -> Any:
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
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[:MAX_TEXT] + f"… <{len(value) - MAX_TEXT} more>"
    return value


def redact_field(name: str, value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value` as a log may show it under `name`."""
    if name.lower() not in _PUBLIC and _SECRET.search(name):
        return REDACTED
    return redact(value, depth)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor."""
    return {name: redact_field(name, value) for name, value in event.items()}
