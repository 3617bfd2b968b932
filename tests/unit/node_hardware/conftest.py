"""The test PKIs, the kernel's twin and the twin of the chain lie beside this folder."""

import sys
from pathlib import Path

for _neighbour in (
    "attestation_pki", "attestation", "attestation_integration", "attestation_nvidia", "attestation_providers", "attestation_collection", "node",
):  # fmt: skip
    sys.path.append(str(Path(__file__).parents[1] / _neighbour))
