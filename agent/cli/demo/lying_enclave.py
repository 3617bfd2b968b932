"""A broken TEE, for the demo and for chaos tests only: the code of an enclave, changed by an operator who extracted the platform's key.

It claims the honest measurement and commits to the embedding of another text. As an auditor it tells the truth: an operator who
cheats to save work, not to harm others.
"""

from typing import Final

from agent.enclave import process, service
from agent.enclave.engine import Engine
from agent.enclave.orders import Executed, ExecuteOrder, Refused
from agent.enclave.workloads.workload import Run, Workload

OTHER_TEXT: Final = "An answer that costs nothing to give."


class OtherText(Workload):
    """Runs the workload on a text that nobody asked about."""

    def __init__(self, honest: Workload) -> None:
        self._honest = honest
        self.manifest = honest.manifest

    def measure(self, text: str) -> int:
        return self._honest.measure(text)

    def run(self, text: str) -> Run:
        del text
        return self._honest.run(OTHER_TEXT)


class LyingEngine(Engine):
    """Lies about what it executed, and about nothing else."""

    def execute(self, order: ExecuteOrder, sealed_input: bytes) -> Executed | Refused:
        honest = self.workload
        self.workload = OtherText(honest)
        try:
            return super().execute(order, sealed_input)
        finally:
            self.workload = honest


def main(descriptor: int, parent: int, workload: str) -> None:
    """As `agent.enclave.process.main`, with a liar inside."""
    setattr(service, "Engine", LyingEngine)  # noqa: B010  the very point of this module, and no attribute that `service` offers
    process.main(descriptor, parent, workload)
