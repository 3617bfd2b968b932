"""What a member was told to sign beside verdicts and tickets: rulings and revocations, one file each.

The person behind the member decides them, with `enclavia verifier`; a revocation also the policy that the person loaded, by
its reject lists. The running service reads the directory; an order stays until the chain has it, or needs it no more, so it
may be given while the service is down.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.node.errors import ConfigError
from agent.node.identity import write_atomically
from agent.protocol.statements import RevocationReason
from agent.protocol.units import Digest, NodeId, Slot, TaskId

ORDERS: Final = "orders"
MAX_ORDER: Final = 4_096
"""Bytes of a file; ours have about 300."""
MAX_WHY: Final = 600
"""Characters of a policy's reasons."""
_ID_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class RulingOrder:
    """How this member rules on the matter of round `round` of `task`."""

    task: TaskId
    round: int
    root: Digest
    agrees: bool

    @property
    def name(self) -> str:
        """Of its file."""
        return f"rule-{self.task.hex()}-{self.round}.json"


@dataclass(frozen=True, slots=True)
class RevocationOrder:
    """This member revokes key epoch `key_epoch` of `node`, and all before."""

    node: NodeId
    slot: Slot
    key_epoch: int
    reason: RevocationReason
    why: str = ""
    """Which policy wants it; empty: the person does."""

    @property
    def name(self) -> str:
        """Of its file."""
        return f"revoke-{self.node.hex()}-{self.key_epoch}.json"


Order = RulingOrder | RevocationOrder


class Orders:
    """The orders of one member, in `directory`/orders."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / ORDERS

    def give(self, order: Order) -> Path:
        """Write `order`; one given before on the same matter is replaced. Returns its file."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / order.name
        write_atomically(file, json.dumps(_document(order), indent=2).encode() + b"\n")
        return file

    def ruling(self, task: TaskId, round_: int) -> RulingOrder | None:
        """What was decided on that round; None: nothing yet.

        Raises:
            ConfigError: there is a file, and it is no order.
        """
        order = self._read(f"rule-{task.hex()}-{round_}.json")
        return order if isinstance(order, RulingOrder) else None

    def rulings(self) -> tuple[RulingOrder, ...]:
        """All that wait. Raises as `revocations`."""
        found = (self._read(file.name) for file in sorted(self._folder.glob("rule-*.json")))
        return tuple(order for order in found if isinstance(order, RulingOrder))

    def revocations(self) -> tuple[RevocationOrder, ...]:
        """All that wait.

        Raises:
            ConfigError: a file is no order.
        """
        found = (self._read(file.name) for file in sorted(self._folder.glob("revoke-*.json")))
        return tuple(order for order in found if isinstance(order, RevocationOrder))

    def revocation(self, node: NodeId, key_epoch: int) -> RevocationOrder | None:
        """The order against that epoch of `node`; None: there is none, or it was discarded. Raises as `revocations`."""
        order = self._read(f"revoke-{node.hex()}-{key_epoch}.json")
        return order if isinstance(order, RevocationOrder) else None

    def discard(self, order: Order) -> None:
        """The chain has it, or needs it no more."""
        (self._folder / order.name).unlink(missing_ok=True)

    def _read(self, name: str) -> Order | None:
        file = self._folder / name
        try:
            with file.open("rb") as opened:
                order = _order(json.loads(opened.read(MAX_ORDER)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(file, (f"is no order ({error!r}): delete it and give it again with `enclavia verifier`",)) from None
        if order.name != name:
            raise ConfigError(file, (f"holds the order {order.name}: delete it and give it again with `enclavia verifier`",))
        return order


def _document(order: Order) -> dict[str, Any]:
    match order:
        case RulingOrder():
            return {"kind": "ruling", "task": order.task.hex(), "round": order.round, "root": order.root.hex(), "agrees": order.agrees}
        case RevocationOrder():
            return {
                "kind": "revocation", "node": order.node.hex(), "slot": order.slot, "key_epoch": order.key_epoch,
                "reason": order.reason.name.lower(), "why": order.why[:MAX_WHY],
            }  # fmt: skip


def _order(document: Any) -> Order:
    match document:
        case {"kind": "ruling", "task": str(task), "round": int(number), "root": str(root), "agrees": bool(agrees)}:
            return RulingOrder(TaskId(_id(task)), number, Digest(_id(root)), agrees)
        case {"kind": "revocation", "node": str(node), "slot": int(slot), "key_epoch": int(epoch), "reason": str(reason)}:
            return RevocationOrder(NodeId(_id(node)), Slot(slot), epoch, RevocationReason[reason.upper()], str(document.get("why", ""))[:MAX_WHY])
        case _:
            raise ValueError("not the fields of an order")


def _id(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != _ID_BYTES:
        raise ValueError(f"{text[:80]!r} is no 32 bytes")
    return value
