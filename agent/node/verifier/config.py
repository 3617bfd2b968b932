"""What a committee member writes: `verifier.toml`. Its environment variables are `ENCLAVIA_VERIFIER__<SECTION>__<KEY>`."""

from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from agent.node.config import TelemetrySection
from agent.node.settings import ChainSection, FileSettings, Section, WalletSection

CONFIG_FILE: Final = "verifier.toml"
URL: Final = r"^https?://[^\s]+$"
STORE: Final = r"^(https?|file)://[^\s]+$"


class CommitteeSection(Section):
    """This member, and how the others reach it."""

    key: Path = Field(Path("member.key"), description="this member's signing key, mode 0600; not the wallet's", examples=["member.key"])
    policies: tuple[Path, ...] = Field(
        (Path("policy.json"),),
        description="documents of the attestation policies that this member has read and applies",
        examples=[["policy.json"]],
    )
    policy_signers: tuple[str, ...] = Field(
        (),
        description="Ed25519 keys, one of which has to have signed each policy document; none: unsigned ones, the hash on chain decides",
        examples=[["5f…64 digits"]],
    )
    simulated_root: Path | None = Field(
        None,
        description="root certificate (DER) of a localnet's SIMULATED platforms; never on a network of value",
        examples=["simulated-root.der"],
    )
    listen: str = Field(
        "127.0.0.1:9470",
        pattern=r"^[^\s:]+:[0-9]{1,5}$",
        description="where the other members fetch this one's signatures",
        examples=["0.0.0.0:9470"],
    )
    peers: tuple[str, ...] = Field((), description="where this member fetches the others'", examples=[["https://member-2.example:9470"]])


class EvidenceSection(Section):
    """Where evidence lies."""

    archive: str = Field(pattern=STORE, description="where this member keeps the evidence it vouched for", examples=["file:///var/lib/enclavia/evidence"])
    stores: tuple[str, ...] = Field(
        (),
        description="stores that nodes may post their evidence in; a URI on chain reaches no other",
        examples=[["http://127.0.0.1:9100"]],
    )
    collateral: Path | None = Field(
        None,
        description="the directory that `enclavia attest collateral --store` keeps: records whose hardware a vendor revoked since fall out",
        examples=["collateral"],
    )


class VerifierConfig(FileSettings):
    """The whole of verifier.toml."""

    model_config = SettingsConfigDict(env_prefix="ENCLAVIA_VERIFIER__")
    FILE: ClassVar[str] = CONFIG_FILE
    INIT: ClassVar[str] = "enclavia verifier init"

    chain: ChainSection
    wallet: WalletSection = WalletSection()
    committee: CommitteeSection = CommitteeSection()
    evidence: EvidenceSection
    telemetry: TelemetrySection = TelemetrySection()
