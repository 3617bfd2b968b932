"""A broken TEE that keeps its word in public only, for the demo and for tests: it commits to the honest output, and seals another for the requester.

No audit finds that, for the commitment is right: the requester does, who opens what he got and disputes the delivery.
"""

from agent.enclave import engine, process, service
from agent.enclave.engine import Engine
from agent.enclave.orders import Executed, ExecuteOrder, Refused
from agent.enclave.process import warm_up
from agent.enclave.sealing import seal_output
from agent.enclave.workloads.workload import Workload
from agent.protocol.units import NodeId, TaskId


def forged(output: bytes, data_key: bytes, output_pk: bytes, task: TaskId, node: NodeId) -> bytes:
    """As `seal_output`, of as many zeros."""
    return seal_output(bytes(len(output)), data_key, output_pk, task, node)


class ForgingEngine(Engine):
    """Forges what it delivers, and nothing else."""

    def execute(self, order: ExecuteOrder, sealed_input: bytes) -> Executed | Refused:
        setattr(engine, "seal_output", forged)  # noqa: B010  the very point of this module, and no attribute that `engine` offers
        try:
            return super().execute(order, sealed_input)
        finally:
            setattr(engine, "seal_output", seal_output)  # noqa: B010  as above


def main(descriptor: int, parent: int, workload: str) -> None:
    """As `agent.enclave.process.main`, with a forger inside."""
    setattr(process, "warm_up", warm_up_honestly)  # noqa: B010  as above
    process.main(descriptor, parent, workload)


def warm_up_honestly(workload: Workload) -> None:
    """An enclave opens an output of its own before it serves: only after that the forger takes the engine's place."""
    warm_up(workload)
    setattr(service, "Engine", ForgingEngine)  # noqa: B010  as above
