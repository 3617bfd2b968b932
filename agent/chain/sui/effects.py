"""What an endpoint says that a transaction did, read with suspicion: a receipt, or the error that it ended in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.chain.errors import ExecutionFailed, Malformed, SimulationFailed, TransactionError, aborted
from agent.chain.port import Created, Receipt
from agent.chain.sui.names import ObjectRef, from_base58, from_hex, type_of
from agent.chain.sui.pysui_parts import Message, v2
from agent.chain.transaction_log import TxDigest
from agent.protocol.bcs import BcsError
from agent.protocol.events import Event, decode_event
from agent.protocol.units import Address, Millis, Mist, ObjectId

READ: Final = ("digest", "effects", "events", "checkpoint", "timestamp")
"""Field mask under which a transaction is asked for."""

MAX_EVENTS: Final = 1_024
"""Events of one transaction (Sui's `max_num_event_emit`)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Gas of an execution, Mist."""

    computation: int
    storage: int
    rebate: int

    @property
    def gross(self) -> int:
        """What a budget has to cover."""
        return self.computation + self.storage

    @property
    def net(self) -> int:
        """What is paid in the end; negative if the rebate is larger."""
        return self.computation + self.storage - self.rebate


def effects_of(executed: Message) -> Message:
    """The effects, with their status.

    Raises:
        Malformed: the endpoint left them out.
    """
    effects = executed.effects if executed is not None else None
    if effects is None or effects.status is None or effects.status.success is None:
        raise Malformed("a transaction without effects: use another endpoint")
    return effects


def cost_of(executed: Message) -> Cost:
    """What it cost, or in a dry run would cost.

    Raises:
        Malformed
    """
    used = effects_of(executed).gas_used
    if used is None or used.computation_cost is None:
        raise Malformed("effects without the gas used: use another endpoint")
    return Cost(used.computation_cost, used.storage_cost or 0, used.storage_rebate or 0)


def ran_out_of_gas(executed: Message) -> bool:
    """Whether it failed for its budget only."""
    error = effects_of(executed).status.error
    return error is not None and error.kind == v2.ExecutionErrorExecutionErrorKind.INSUFFICIENT_GAS


def failure_of(executed: Message, packages: Collection[ObjectId], digest: TxDigest | None) -> TransactionError | None:
    """The error that it ended in; None if it took effect. `digest` is None for a dry run."""
    status = effects_of(executed).status
    if status.success:
        return None
    error = status.error or v2.ExecutionError()
    if error.abort is not None and error.abort.location is not None:
        location = error.abort.location
        where, name = from_hex(location.package), str(location.module)[:128]
        return aborted(
            name if where in packages else f"0x{where.hex()}::{name}",
            error.abort.abort_code or 0,
            function=str(location.function_name or "")[:128],
            command=error.command,
            digest=digest,
        )
    kind = getattr(error.kind, "name", None) or "unknown failure"
    reason = f"{kind}: {error.description or 'the endpoint says no more'}"[:1_000]
    return SimulationFailed(reason) if digest is None else ExecutionFailed(reason, digest)


def receipt_of(executed: Message, packages: Collection[ObjectId], digest: TxDigest) -> Receipt:
    """The receipt of a transaction that took effect.

    Raises:
        Malformed
    """
    effects = effects_of(executed)
    created = []
    for each in effects.changed_objects:
        if each.output_state == v2.ChangedObjectOutputObjectState.PACKAGE_WRITE:
            created.append(Created(ObjectId(from_hex(each.object_id)), "package", None, each.output_version or 1))
        elif each.id_operation == v2.ChangedObjectIdOperation.CREATED and _written(each) is not None:
            created.append(_created(each, packages))
    return Receipt(
        digest=digest,
        checkpoint=executed.checkpoint,
        events=tuple(event for _, _, event in events_of(executed, packages)),
        created=tuple(created),
        gas=Mist(cost_of(executed).net),
    )


def events_of(executed: Message, packages: Collection[ObjectId]) -> list[tuple[int, str, Event]]:
    """Our package's events of a transaction: index, module, event.

    Raises:
        Malformed
    """
    events = executed.events.events if executed.events is not None else []
    if len(events) > MAX_EVENTS:
        raise Malformed(f"{len(events)} events in one transaction, at most {MAX_EVENTS}: use another endpoint")
    found = []
    for index, each in enumerate(events):
        decoded = event_of(each, packages)
        if decoded is not None:
            found.append((index, *decoded))
    return found


def event_of(event: Message, packages: Collection[ObjectId]) -> tuple[str, Event] | None:
    """Module and contents of one of our package's events, None for another package's.

    The type decides: `package_id` and `module` of the message name who called our package, not who emitted.

    Raises:
        Malformed
    """
    where, kind = type_of(event.event_type)
    if where not in packages:
        return None
    module, name = kind.split("::")
    if event.contents is None or event.contents.value is None:
        raise Malformed(f"event {kind} without contents: use another endpoint")
    try:
        return module, decode_event(module, name, event.contents.value)
    except BcsError as error:
        raise Malformed(f"event {kind} cannot be read ({error}): use another endpoint") from error


def gas_coin_of(executed: Message) -> ObjectRef | None:
    """The gas coin as it is afterwards; None if the endpoint does not tell or it is gone."""
    coin = effects_of(executed).gas_object
    return None if coin is None else _written(coin)


def written_by(executed: Message) -> dict[ObjectId, ObjectRef]:
    """Every object that it wrote, as it is afterwards."""
    written = (_written(each) for each in effects_of(executed).changed_objects)
    return {each.id: each for each in written if each is not None}


def millis(moment: datetime | None) -> Millis | None:
    """A protobuf timestamp as milliseconds since 1970."""
    return None if moment is None else Millis(round(moment.timestamp() * 1000))


def _written(changed: Message) -> ObjectRef | None:
    if changed.output_state != v2.ChangedObjectOutputObjectState.OBJECT_WRITE or changed.output_version is None:
        return None
    return ObjectRef(ObjectId(from_hex(changed.object_id)), changed.output_version, from_base58(changed.output_digest))


def _created(changed: Message, packages: Collection[ObjectId]) -> Created:
    where, kind = type_of(changed.object_type)
    owner = changed.output_owner
    held = owner is not None and owner.kind == v2.OwnerOwnerKind.ADDRESS
    shared = owner is not None and owner.kind == v2.OwnerOwnerKind.SHARED
    return Created(
        id=ObjectId(from_hex(changed.object_id)),
        type=kind if where in packages else f"0x{where.hex()}::{kind}",
        owner=Address(from_hex(owner.address)) if held else None,
        version=(owner.version if shared else None) or changed.output_version,
    )
