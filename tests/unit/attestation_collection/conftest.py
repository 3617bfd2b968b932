"""The test PKIs lie beside this folder."""

import sys
from pathlib import Path

for _neighbour in ("attestation_pki", "attestation", "attestation_integration", "attestation_nvidia", "attestation_providers"):
    sys.path.append(str(Path(__file__).parents[1] / _neighbour))
