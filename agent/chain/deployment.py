"""Where Enclavia lies on a chain: written once by the deployer, read by nodes and clients."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from agent.chain.errors import DeploymentError
from agent.protocol.units import ObjectId

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class SharedObject:
    """A shared object; a transaction names it with the version at which it was shared."""

    id: ObjectId
    initial_version: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """One package with one Network and one of its Pools."""

    chain_id: str
    """The chain's own name, in its own form (Sui: base58 digest of the genesis checkpoint)."""
    since: int
    """Checkpoint before which nothing of this deployment happened."""
    package: ObjectId
    network: SharedObject
    pool: SharedObject
    roster: SharedObject
    queue: SharedObject
    admin_cap: ObjectId | None = None
    """Known to who deployed; nobody else needs it."""
    upgrade_cap: ObjectId | None = None
    """As `admin_cap`."""
    code: ObjectId | None = None
    """The package that calls go to, once it was upgraded: types and events keep the address of the first, `package`."""

    @property
    def called(self) -> ObjectId:
        """The package that calls go to: the newest version."""
        return self.code or self.package

    @property
    def packages(self) -> frozenset[ObjectId]:
        """Whose types and aborts are ours: those of the first version, and what the newest added."""
        return frozenset({self.package, self.called})

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            DeploymentError: missing or not such a file.
        """
        try:
            known = json.loads(file.read_bytes())
            deployment = cls(
                chain_id=str(known["chain_id"]),
                since=int(known["since"]),
                package=_id(known["package"]),
                network=_shared(known["network"]),
                pool=_shared(known["pool"]),
                roster=_shared(known["roster"]),
                queue=_shared(known["queue"]),
                admin_cap=_known(known.get("admin_cap")),
                upgrade_cap=_known(known.get("upgrade_cap")),
                code=_known(known.get("code")),
            )
        except FileNotFoundError:
            raise DeploymentError(f"{file} does not exist: get the one of your network") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeploymentError(f"{file} is no deployment file ({error!r}): get it again") from error
        if known.get("format") != FORMAT:
            raise DeploymentError(f"{file} has format {known.get('format')}, this agent reads format {FORMAT} only")
        return deployment

    def save(self, file: Path) -> None:
        """Write `file` so that a crash leaves either the old one or the new one, never a part."""
        shared = {"network": self.network, "pool": self.pool, "roster": self.roster, "queue": self.queue}
        text = json.dumps(
            {
                "format": FORMAT,
                "chain_id": self.chain_id,
                "since": self.since,
                "package": _hex(self.package),
                **{name: {"id": _hex(it.id), "initial_version": it.initial_version} for name, it in shared.items()},
                "admin_cap": None if self.admin_cap is None else _hex(self.admin_cap),
                "upgrade_cap": None if self.upgrade_cap is None else _hex(self.upgrade_cap),
                "code": None if self.code is None else _hex(self.code),
            },
            indent=2,
        )
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=file.name, delete=False) as part:
            part.write(text + "\n")
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).chmod(0o644)
        Path(part.name).replace(file)


def _shared(known: Any) -> SharedObject:
    return SharedObject(_id(known["id"]), int(known["initial_version"]))


def _known(text: str | None) -> ObjectId | None:
    return None if text is None else _id(text)


def _id(text: str) -> ObjectId:
    if not text.startswith("0x") or len(text) != 66:
        raise ValueError(f"{text!r} is no object id of 32 bytes")
    return ObjectId(bytes.fromhex(text[2:]))


def _hex(identifier: bytes) -> str:
    return "0x" + identifier.hex()
