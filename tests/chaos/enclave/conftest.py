import sys
from pathlib import Path

# the world of the unit tests is the world here
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "enclave"))
