"""The Sui framework's bytecode, as `localnet/toolchain` extracts it."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localnet.ledger.errors import BadGenesis
from localnet.ledger.model import ObjectId

DEFAULT_FILE: Final = Path(__file__).parents[1] / "toolchain" / "build" / "framework.json"


@dataclass(frozen=True, slots=True)
class Framework:
    """Packages 0x1 (std), 0x2 (sui) and 0x3 (sui_system): module bytecode by package id."""

    packages: Mapping[ObjectId, tuple[bytes, ...]]

    @classmethod
    def load(cls, path: Path = DEFAULT_FILE) -> "Framework":
        """Read `{"0x1": [base64, …], …}`.

        Raises:
            BadGenesis: no such file, or something else is in it.
        """
        try:
            document = json.loads(path.read_text())
            return cls(
                {
                    ObjectId(int(address, 16).to_bytes(32, "big")): tuple(
                        base64.b64decode(module, validate=True) for module in modules
                    )
                    for address, modules in document.items()
                }
            )
        except FileNotFoundError:
            raise BadGenesis(f"{path} is not there: run `make setup`, which extracts the framework bytecode") from None
        except (ValueError, AttributeError, TypeError, binascii.Error) as malformed:
            raise BadGenesis(f"{path} is not a framework file ({malformed}): delete it and run `make setup`") from malformed
