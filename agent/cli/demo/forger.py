"""A node whose broken TEE delivers forgeries, for the demo: `python -m agent.cli.demo.forger DIRECTORY`.

Everything but its enclave is the production node.
"""

import asyncio
import sys
from pathlib import Path

from agent.attestation.providers.base import EvidenceProvider
from agent.cli.runner import run_node
from agent.enclave.launcher import ProcessLauncher
from agent.telemetry.logs import configure_logs


def launcher(provider: EvidenceProvider) -> ProcessLauncher:
    """Starts the forging enclave in place of the honest one, under the honest measurement."""
    return ProcessLauncher(provider.sealing_key, entry="agent.cli.demo.forging_enclave")


if __name__ == "__main__":
    configure_logs(node=f"{sys.argv[1]} (forger)")
    asyncio.run(run_node(Path(sys.argv[1]), launcher=launcher))
