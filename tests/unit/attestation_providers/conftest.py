"""The test PKIs, and the world of a node whose evidence is judged, lie beside this folder."""

import sys
from pathlib import Path

for _neighbour in ("attestation_pki", "attestation", "attestation_integration", "attestation_nvidia", "attestation_collection"):
    sys.path.append(str(Path(__file__).parents[1] / _neighbour))
