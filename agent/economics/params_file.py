"""A Network's parameters as JSON: one object, the names of docs/spec/protocol.md §5, flat or in their three groups."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from agent.economics.errors import BadParamsFile
from agent.protocol.draw import ALWAYS, probability
from agent.protocol.errors import BadProbability
from agent.protocol.records import Params

_NAMES: Final = tuple(each.name for each in fields(Params))
_MAX: Final = 2**64 - 1


def load_params(file: Path) -> Params:
    """Read parameters; `audit_probability` is a Q64 integer, or text such as "0.03".

    Raises:
        BadParamsFile: it cannot be read, or a name is missing, unknown, or not an integer in range.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadParamsFile(file, f"cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise BadParamsFile(file, "is not a JSON object")
    flat: dict[str, Any] = {}
    for name, value in found.items():
        flat |= value if isinstance(value, dict) else {name: value}
    if isinstance(flat.get("audit_probability"), str):
        try:
            flat["audit_probability"] = probability(flat["audit_probability"])
        except BadProbability as error:
            raise BadParamsFile(file, str(error)) from None
    missing, unknown = [name for name in _NAMES if name not in flat], sorted(flat.keys() - set(_NAMES))
    if missing or unknown:
        raise BadParamsFile(file, f"names missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}")
    for name in _NAMES:
        limit = ALWAYS if name == "audit_probability" else _MAX
        if type(flat[name]) is not int or not 0 <= flat[name] <= limit:
            raise BadParamsFile(file, f"{name} is {flat[name]!r}, not an integer from 0 to {limit}")
    return Params(**flat)
