"""The twin chain and its world are those of the unit tests."""

import sys
from pathlib import Path

UNIT = str(Path(__file__).parents[2] / "unit" / "node")
if UNIT not in sys.path:
    sys.path.insert(0, UNIT)
