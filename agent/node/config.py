"""What a node runner writes: `node.toml`. Its environment variables are `ENCLAVIA_NODE__<SECTION>__<KEY>`."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import SettingsConfigDict

from agent.node.settings import Amount, ChainSection, FileSettings, Section, WalletSection, parse_id, parse_mist
from agent.protocol.units import Address, Mist, ObjectId

__all__ = [
    "CONFIG_FILE",
    "AdmissionSection",
    "BlobSection",
    "ChainSection",
    "DutySection",
    "EnclaveSection",
    "NodeConfig",
    "StakeSection",
    "TeeSection",
    "TelemetrySection",
    "WalletSection",
    "parse_id",
    "parse_mist",
    "sample",
]

CONFIG_FILE: Final = "node.toml"
URL: Final = r"^https?://[^\s]+$"

PoolId = Annotated[ObjectId, BeforeValidator(parse_id)]
Requester = Annotated[Address, BeforeValidator(parse_id)]


class BlobSection(Section):
    """Where sealed inputs, outputs and evidence lie."""

    url: str = Field(
        pattern=r"^(https?|file)://[^\s]+$",
        max_length=256,
        description="where sealed blobs are stored",
        examples=["http://127.0.0.1:9100"],
    )


class StakeSection(Section):
    """What is staked, and where."""

    pool: PoolId = Field(description="the Pool to serve", examples=["0x5e7…"])
    amount: Amount = Field(description="what is staked at registration, with its unit", examples=["10 SUI"])


class EnclaveSection(Section):
    """What runs in the TEE."""

    workload: str = Field(min_length=1, max_length=256, description="the workload the enclave runs", examples=["minilm-embed"])
    validity_hours: int = Field(24, ge=1, le=24 * 30, description="how long one attestation is asked to hold", examples=[24])
    restarts: int = Field(5, ge=0, le=100, description="failures in a row before the node gives up", examples=[5])


class TeeSection(Section):
    """Which hardware vouches for the enclave."""

    platform: Literal["auto", "simulated", "intel-tdx", "amd-sev-snp", "dstack", "azure-vtpm"] = Field(
        "auto",
        description="auto: a simulated platform's file if there is one, else the hardware of this machine",
        examples=["auto"],
    )
    gpus: bool = Field(False, description="attest the machine's NVIDIA GPUs too; pools whose policy counts GPUs want it", examples=[True])
    offline: bool = Field(
        False,
        description="ask no vendor's service: evidence carries what the host hands out, or what was kept from before",
        examples=[False],
    )
    intel_pccs: str | None = Field(None, pattern=URL, description="a cache of Intel's service; Intel's own, if not given", examples=["https://pccs.example"])
    amd_kds: str | None = Field(None, pattern=URL, description="AMD's key distribution service, or a mirror", examples=["https://kds.example"])
    nvidia_rim: str | None = Field(None, pattern=URL, description="NVIDIA's service of manifests, or a mirror", examples=["https://rim.example"])
    nvidia_ocsp: str | None = Field(None, pattern=URL, description="NVIDIA's OCSP service, or a mirror", examples=["https://ocsp.example"])


class AdmissionSection(Section):
    """Which work is taken."""

    max_input_bytes: int = Field(16 << 20, ge=1, le=1 << 30, description="largest sealed input fetched", examples=[16777216])
    max_concurrent_tasks: int = Field(1, ge=1, le=256, description="computations at the same time", examples=[1])
    requesters_allow: tuple[Requester, ...] = Field((), description="if any: only tasks of these addresses are executed", examples=[[]])
    requesters_deny: tuple[Requester, ...] = Field(
        (),
        description="tasks of these are not executed; the protocol takes absence_bps of the lock for each, and a strike",
        examples=[[]],
    )
    price_floor: Amount = Field(
        Mist(0),
        validate_default=False,
        description="below this pool price the node does not join the Roster",
        examples=["0.01 SUI"],
    )

    def admits(self, requester: Address) -> bool:
        """Whether tasks of `requester` are executed; a denied address stays denied though it be allowed too."""
        return requester not in self.requesters_deny and (not self.requesters_allow or requester in self.requesters_allow)


class DutySection(Section):
    """What the node does beyond its own tasks."""

    bounties: bool = Field(
        True,
        description="crank deadlines of everybody's tasks: who ends another's absence earns a bounty of its loss",
        examples=[True],
    )
    auto_unjail: bool = Field(
        True,
        description="ask to be drawn again once the time in jail is over; false: `enclavia node unjail` is left to you",
        examples=[True],
    )


class TelemetrySection(Section):
    """Where the process can be watched."""

    listen: str | None = Field(
        None,
        pattern=r"^[^\s:]+:[0-9]{1,5}$",
        description="address of /metrics, /livez, /readyz",
        examples=["127.0.0.1:9464"],
    )


class NodeConfig(FileSettings):
    """The whole of node.toml."""

    model_config = SettingsConfigDict(env_prefix="ENCLAVIA_NODE__")
    FILE: ClassVar[str] = CONFIG_FILE
    INIT: ClassVar[str] = "enclavia node init"

    chain: ChainSection
    wallet: WalletSection = WalletSection()
    blobs: BlobSection
    stake: StakeSection
    enclave: EnclaveSection
    tee: TeeSection = TeeSection()
    admission: AdmissionSection = AdmissionSection()
    duties: DutySection = DutySection()
    telemetry: TelemetrySection = TelemetrySection()


def sample() -> str:
    """A commented node.toml with every key, for `enclavia node init`."""
    return NodeConfig.sample()
