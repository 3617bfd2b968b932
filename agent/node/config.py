"""What a node runner writes: `node.toml`, checked before anything starts.

Every key can also be given as an environment variable, `ENCLAVIA_NODE__<SECTION>__<KEY>`, which wins over the file.
Paths are relative to the node's directory. Secrets are never in here: the file names where they lie.
"""

import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent.node.errors import ConfigError
from agent.protocol.units import Address, Mist, ObjectId

CONFIG_FILE: Final = "node.toml"
MIST_PER_SUI: Final = 10**9
AMOUNT: Final = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?)\s*(sui|mist)\s*", re.IGNORECASE)


def parse_mist(text: object) -> Mist:
    """Read `"10 SUI"` or `"250000 Mist"`; a bare number is refused because its unit is a guess.

    Raises:
        ValueError: no unit, not a number, negative, or finer than one Mist.
    """
    match = AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('an amount is a text with its unit, "10 SUI" or "250000 Mist"')
    try:
        amount = Decimal(match[1]) * (MIST_PER_SUI if match[2].lower() == "sui" else 1)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if amount != int(amount):
        raise ValueError("finer than one Mist (1 SUI = 10^9 Mist)")
    if amount >= 1 << 64:
        raise ValueError("more than a u64 of Mist")
    return Mist(int(amount))


def parse_id(text: object) -> bytes:
    """Read `0x…` as the 32 bytes of an object id or address; short forms are padded on the left, as Sui does.

    Raises:
        ValueError: not hexadecimal or too long.
    """
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str) or not re.fullmatch(r"0x[0-9a-fA-F]{1,64}", text):
        raise ValueError('an id is "0x" and up to 64 hexadecimal digits')
    return bytes.fromhex(text[2:].rjust(64, "0"))


Amount = Annotated[Mist, BeforeValidator(parse_mist)]
PoolId = Annotated[ObjectId, BeforeValidator(parse_id)]
Requester = Annotated[Address, BeforeValidator(parse_id)]


class Section(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ChainSection(Section):
    endpoint: str = Field(
        pattern=r"^https?://[^\s]+$",
        description="gRPC endpoint of a Sui full node",
        examples=["https://127.0.0.1:9000"],
    )
    ca: Path | None = Field(None, description="CA certificate of the endpoint (PEM), if the system does not know it", examples=["ca.pem"])
    deployment: Path = Field(
        Path("deployment.json"),
        description="ids of the package, the Network and the Pool",
        examples=["deployment.json"],
    )


class WalletSection(Section):
    file: Path = Field(Path("wallet.json"), description="keystore of the hot key, mode 0600", examples=["wallet.json"])


class BlobSection(Section):
    url: str = Field(
        pattern=r"^(https?|file)://[^\s]+$",
        max_length=256,
        description="where sealed blobs are stored",
        examples=["http://127.0.0.1:9100"],
    )


class StakeSection(Section):
    pool: PoolId = Field(description="the Pool to serve", examples=["0x5e7…"])
    amount: Amount = Field(description="what is staked at registration, with its unit", examples=["10 SUI"])


class EnclaveSection(Section):
    workload: str = Field(min_length=1, max_length=256, description="the workload the enclave runs", examples=["minilm-embed"])
    validity_hours: int = Field(24, ge=1, le=24 * 30, description="how long one attestation is asked to hold", examples=[24])
    restarts: int = Field(5, ge=0, le=100, description="failures in a row before the node gives up", examples=[5])


class AdmissionSection(Section):
    max_input_bytes: int = Field(16 << 20, ge=1, le=1 << 30, description="largest sealed input fetched", examples=[16777216])
    max_concurrent_tasks: int = Field(1, ge=1, le=256, description="computations at the same time", examples=[1])
    requesters_allow: tuple[Requester, ...] = Field((), description="if any: only tasks of these addresses are executed", examples=[[]])
    requesters_deny: tuple[Requester, ...] = Field(
        (),
        description="tasks of these are not executed; the protocol takes absence_bps of the lock for each",
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


class TelemetrySection(Section):
    listen: str | None = Field(
        None,
        pattern=r"^[^\s:]+:[0-9]{1,5}$",
        description="address of /metrics, /livez, /readyz",
        examples=["127.0.0.1:9464"],
    )


class NodeConfig(BaseSettings):
    """The whole of node.toml; `directory` is where it was found."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="ENCLAVIA_NODE__", env_nested_delimiter="__", case_sensitive=False)

    directory: Path = Field(exclude=True)
    chain: ChainSection
    wallet: WalletSection = WalletSection()
    blobs: BlobSection
    stake: StakeSection
    enclave: EnclaveSection
    admission: AdmissionSection = AdmissionSection()
    telemetry: TelemetrySection = TelemetrySection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what was read from the file; nothing else is looked at."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `directory`/node.toml.

        Raises:
            ConfigError: with one line for every key that is missing, unknown or wrong.
        """
        file = directory / CONFIG_FILE
        try:
            tables: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(file, ("the file does not exist: run `enclavia node init` in that directory",)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(file, (f"not TOML: {error}",)) from None
        if "directory" in tables:
            raise ConfigError(file, ("directory: unknown key, remove it",))
        try:
            return cls(directory=directory.resolve(), **tables)
        except ValidationError as error:
            problems = tuple(_problem(each["loc"], each["type"], each["msg"]) for each in error.errors())
            raise ConfigError(file, problems) from None

    def path(self, relative: Path) -> Path:
        """`relative` as seen from the node's directory."""
        return self.directory / relative


def sample() -> str:
    """A commented node.toml with every key, for `enclavia node init`; keys with a default are commented out."""
    lines: list[str] = []
    for name, section in NodeConfig.model_fields.items():
        if name == "directory":
            continue
        lines.append(f"[{name}]")
        for key, field in _section(section).model_fields.items():
            lines.append(f"# {field.description}")
            lines.append(f"{'' if field.is_required() else '# '}{key} = {_toml(field)}")
        lines.append("")
    return "\n".join(lines)


def _problem(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        return f"{key}: unknown key, remove it or mend its spelling"
    field = _field(loc)
    write = f"; write for instance {loc[1]} = {_toml(field)}" if field is not None else ""
    if field is None and loc and loc[0] in NodeConfig.model_fields:
        write = f"; write a table [{loc[0]}]"
    if kind == "missing":
        return f"{key}: missing{write}"
    return f"{key}: {message.removeprefix('Value error, ')}{write}"


def _field(loc: tuple[int | str, ...]) -> FieldInfo | None:
    if len(loc) < 2 or loc[0] not in NodeConfig.model_fields or loc[0] == "directory":
        return None
    return _section(NodeConfig.model_fields[str(loc[0])]).model_fields.get(str(loc[1]))


def _section(field: FieldInfo) -> type[Section]:
    section = field.annotation
    assert isinstance(section, type) and issubclass(section, Section), "every key of NodeConfig is a section"  # noqa: PT018
    return section


def _toml(field: FieldInfo) -> str:
    example = (field.examples or [""])[0]
    return f'"{example}"' if isinstance(example, str) else str(example)
