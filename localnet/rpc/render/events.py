"""Events as messages."""

from typing import Any

from localnet.ledger.ledger import Ledger
from localnet.ledger.model import Event, Placement
from localnet.movevm.types import canonical, long_address
from localnet.rpc.digests import base58
from localnet.rpc.masks import Mask
from localnet.rpc.render.values import json_value
from localnet.rpc.stubs import v2


def event_message(ledger: Ledger, event: Event, placement: Placement | None, mask: Mask) -> Any:
    """An event, as far as `mask` wants it; one of a simulation has no place in the ledger.

    Raises:
        InvalidArgument: the mask names an unknown field.
    """
    makers = {
        "package_id": lambda: long_address(event.package),
        "module": lambda: event.module,
        "sender": lambda: long_address(event.sender),
        "event_type": lambda: canonical(event.type),
        "contents": lambda: v2.Bcs(name=canonical(event.type), value=event.contents),
        "json": lambda: json_value(ledger, event.type, event.contents),
        "transaction_digest": lambda: base58(event.transaction),
        "event_index": lambda: event.sequence,
    }
    if placement is not None:
        makers |= {"checkpoint": lambda: placement.checkpoint, "transaction_index": lambda: placement.index}
    return mask.build(v2.Event, makers)
