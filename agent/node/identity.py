"""Who this node is: written once, after registration, and read at every start."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from agent.chain.deployment import Deployment
from agent.node.errors import IdentityError
from agent.protocol.units import Address, NodeId, ObjectId, Slot

IDENTITY_FILE: Final = "identity.json"


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """What registration gave: the slot in the Pool and the two capabilities.

    Losing the file loses no money: the ids can be found again from the owner's address.
    """

    network: Address
    pool: Address
    node: NodeId
    slot: Slot
    owner_cap: ObjectId
    operator_cap: ObjectId

    @classmethod
    def of(cls, network: Address, pool: Address, slot: Slot, owner_cap: bytes, operator_cap: bytes) -> Self:
        """The identity from what `pool::register` gives: a node's id is that of its NodeOwnerCap."""
        return cls(network, pool, NodeId(owner_cap), slot, ObjectId(owner_cap), ObjectId(operator_cap))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `directory`/identity.json.

        Raises:
            IdentityError: missing or not what `save` wrote.
        """
        file = directory / IDENTITY_FILE
        try:
            known = json.loads(file.read_bytes())
            return cls(
                network=Address(_id(known["network"])),
                pool=Address(_id(known["pool"])),
                node=NodeId(_id(known["node"])),
                slot=Slot(int(known["slot"])),
                owner_cap=ObjectId(_id(known["owner_cap"])),
                operator_cap=ObjectId(_id(known["operator_cap"])),
            )
        except FileNotFoundError:
            raise IdentityError(f"{file} does not exist: this node is not registered, run `enclavia node register`") from None
        except (ValueError, KeyError, TypeError) as error:
            raise IdentityError(f"{file} is damaged ({error!r}): restore it from a backup") from error

    def check(self, deployment: Deployment) -> None:
        """Raises IdentityError unless this node was registered in the Pool of `deployment`."""
        if (bytes(self.network), bytes(self.pool)) != (bytes(deployment.network.id), bytes(deployment.pool.id)):
            raise IdentityError("identity.json is of another deployment: use the deployment file that the node was registered with")

    def save(self, directory: Path) -> None:
        """Write the file so that a crash leaves either the old one or the new one, never a part."""
        text = json.dumps(
            {
                "network": _hex(self.network),
                "pool": _hex(self.pool),
                "node": _hex(self.node),
                "slot": int(self.slot),
                "owner_cap": _hex(self.owner_cap),
                "operator_cap": _hex(self.operator_cap),
            },
            indent=2,
        )
        write_atomically(directory / IDENTITY_FILE, text.encode() + b"\n")


def write_atomically(file: Path, content: bytes) -> None:
    """Replace `file` with `content`, durable when this returns, mode 0600."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _id(text: str) -> bytes:
    value = bytes.fromhex(text.removeprefix("0x"))
    if len(value) != 32:
        raise ValueError(f"{text} is no 32-byte id")
    return value


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
