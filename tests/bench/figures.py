"""How a figure is printed: one JSON object a line."""

import json
import sys


def figure(name: str, value: float, unit: str, **detail: object) -> None:
    """Print one figure; `detail` says under which conditions it was taken."""
    sys.stdout.write(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "detail": detail}) + "\n")
    sys.stdout.flush()
