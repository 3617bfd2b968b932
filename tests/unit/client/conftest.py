"""The world of these tests stands beside them; examples of views stand with the chain's tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "chain")]
