"""The machine that evidence is made on: where its devices, files, sockets and services are. Tests bring another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.attestation.providers.azure_metadata import ENDPOINT
from agent.attestation.providers.ioctls import Ioctl, system_ioctl
from agent.attestation.providers.nsm import DEVICE as NSM
from agent.attestation.providers.nsm import Nsm
from agent.attestation.providers.nvml import NvmlGpus, bindings
from agent.attestation.providers.sev_key import DEVICE as SEV_GUEST
from agent.attestation.providers.sev_key import SevKey
from agent.attestation.providers.tpm_tools import DEVICE as TPM
from agent.attestation.providers.tpm_tools import DIRECTORY, TpmTools
from agent.attestation.providers.tsm import Tsm
from agent.attestation.providers.tsm_fs import REPORTS, ConfigFs, TsmFs


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is looked at; the defaults are this machine."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    reports: TsmFs | None = None
    """The kernel's reports; None: below `root`."""
    ioctl: Ioctl = system_ioctl
    tools: Path = DIRECTORY
    """Where tpm2-tools are; as they are called, whatever `root` is."""
    metadata: str = ENDPOINT
    """Azure's metadata service."""
    nvml: Callable[[], Any] = bindings
    """NVML's bindings."""

    def at(self, path: Path) -> Path:
        """`path`, absolute, below `root`."""
        return self.root / path.relative_to("/")

    @property
    def tsm(self) -> Tsm:
        """The kernel's reports."""
        return Tsm(self.reports or ConfigFs(self.at(REPORTS)))

    @property
    def nsm(self) -> Nsm:
        """Nitro's security module."""
        return Nsm(self.at(NSM), self.ioctl)

    @property
    def sev_key(self) -> SevKey:
        """What derives SEV-SNP's keys."""
        return SevKey(self.at(SEV_GUEST), self.ioctl)

    @property
    def tpm(self) -> TpmTools:
        """The TPM."""
        return TpmTools(self.tools, str(self.at(Path(TPM))))

    @property
    def gpus(self) -> NvmlGpus:
        """The GPUs."""
        return NvmlGpus(self.nvml)
