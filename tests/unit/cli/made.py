"""Records and parameters for tests of commands: as the node's tests make them."""

import sys
from pathlib import Path

NODE_TESTS = str(Path(__file__).parents[1] / "node")
if NODE_TESTS not in sys.path:
    sys.path.append(NODE_TESTS)

from chain_twin import PARAMS, record

__all__ = ["PARAMS", "record"]
