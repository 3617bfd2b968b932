"""The test PKIs, the world of a node whose evidence is judged, and the cases of real evidence lie beside this folder."""

import sys
from pathlib import Path

for _neighbour in ("attestation_pki", "attestation", "attestation_integration", "attestation_nvidia"):
    sys.path.append(str(Path(__file__).parents[1] / _neighbour))
