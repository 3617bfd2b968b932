"""The test PKIs, the cases of real evidence and how each is judged lie beside this folder."""

import sys
from pathlib import Path

for _neighbour in (
    "attestation_pki", "attestation", "attestation_integration", "attestation_nvidia", "attestation_table", "attestation_collection",
    "attestation_providers",
):  # fmt: skip
    sys.path.append(str(Path(__file__).parents[1] / _neighbour))
