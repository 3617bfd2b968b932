"""What a configuration file of ours is: a TOML file of tables, checked before anything starts.

Every key can also be given as an environment variable, which wins over the file. Paths are relative to the file's
directory. Secrets are never in it: it names where they lie.
"""

import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent.node.errors import ConfigError
from agent.protocol.units import Mist

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


class Section(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ChainSection(Section):
    """Which chain, and what of ours is on it."""

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
    """The key that pays gas and signs transactions."""

    file: Path = Field(Path("wallet.json"), description="keystore of the hot key, mode 0600", examples=["wallet.json"])


class FileSettings(BaseSettings):
    """One whole file; a subclass has a Section for each table. `directory` is where it was found."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_nested_delimiter="__", case_sensitive=False)

    FILE: ClassVar[str]
    INIT: ClassVar[str]
    """The command that writes a sample."""

    directory: Path = Field(exclude=True)

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
        """Read the file in `directory`.

        Raises:
            ConfigError: with one line for every key that is missing, unknown or wrong.
        """
        file = directory / cls.FILE
        try:
            tables: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(file, (f"the file does not exist: run `{cls.INIT}` in that directory",)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(file, (f"not TOML: {error}",)) from None
        if "directory" in tables:
            raise ConfigError(file, ("directory: unknown key, remove it",))
        try:
            return cls(directory=directory.resolve(), **tables)
        except ValidationError as error:
            problems = tuple(cls._problem(each["loc"], each["type"], each["msg"]) for each in error.errors())
            raise ConfigError(file, problems) from None

    @classmethod
    def sample(cls) -> str:
        """A commented file with every key; keys with a default are commented out."""
        lines: list[str] = []
        for name, section in cls.model_fields.items():
            if name == "directory":
                continue
            lines.append(f"[{name}]")
            for key, field in _section(section).model_fields.items():
                lines.append(f"# {field.description}")
                lines.append(f"{'' if field.is_required() else '# '}{key} = {_toml(field)}")
            lines.append("")
        return "\n".join(lines)

    def path(self, relative: Path) -> Path:
        """`relative` as seen from the file's directory."""
        return self.directory / relative

    @classmethod
    def _problem(cls, loc: tuple[int | str, ...], kind: str, message: str) -> str:
        key = ".".join(str(part) for part in loc)
        if kind == "extra_forbidden":
            return f"{key}: unknown key, remove it or mend its spelling"
        field = cls._field(loc)
        write = f"; write for instance {loc[1]} = {_toml(field)}" if field is not None else ""
        if field is None and loc and loc[0] in cls.model_fields:
            write = f"; write a table [{loc[0]}]"
        if kind == "missing":
            return f"{key}: missing{write}"
        return f"{key}: {message.removeprefix('Value error, ')}{write}"

    @classmethod
    def _field(cls, loc: tuple[int | str, ...]) -> FieldInfo | None:
        if len(loc) < 2 or loc[0] not in cls.model_fields or loc[0] == "directory":
            return None
        return _section(cls.model_fields[str(loc[0])]).model_fields.get(str(loc[1]))


def _section(field: FieldInfo) -> type[Section]:
    section = field.annotation
    assert isinstance(section, type) and issubclass(section, Section), "every key of a file is a section"  # noqa: PT018
    return section


def _toml(field: FieldInfo) -> str:
    example = (field.examples or [""])[0]
    if isinstance(example, bool):
        return str(example).lower()
    return f'"{example}"' if isinstance(example, str) else str(example)
