"""Reads objects: BCS contents from the endpoint, decoded by `agent.protocol.records`."""

from collections.abc import Sequence
from typing import Final, TypeVar

from agent.chain.deployment import Deployment
from agent.chain.errors import Malformed, NotFound
from agent.chain.sui.gas import Coin
from agent.chain.sui.names import (
    CLOCK,
    SUI_COIN,
    TYPE_U64,
    ObjectRef,
    dynamic_field,
    from_base58,
    from_hex,
    struct_tag,
    to_hex,
    type_of,
)
from agent.chain.sui.pysui_parts import FieldMask, Message, v2
from agent.chain.sui.wire import Wire
from agent.protocol.bcs import BcsError, Reader
from agent.protocol.records import (
    MemberView,
    NetworkView,
    OwnerCap,
    PoolView,
    QueueView,
    Record,
    RequestView,
    RosterView,
    TaskView,
)
from agent.protocol.units import Address, Millis, Mist, NodeId, ObjectId, Slot, TaskId

MAX_CONTENTS: Final = 256_000
"""Bytes of one object (Sui's `max_move_object_size`)."""
MAX_COINS: Final = 2_000
"""Coins looked at; a wallet with more keeps the rest unused."""
MAX_CAPS: Final = 1_000
MAX_REMEMBERED: Final = 10_000
"""Initial versions kept; tasks come and go for months."""
BATCH: Final = 50
"""Objects of one request; servers take no more."""

_WITH_CONTENTS: Final = ["object_id", "version", "digest", "owner", "object_type", "contents"]
_REFERENCE: Final = ["object_id", "version", "digest", "owner"]
_COIN: Final = ["object_id", "version", "digest", "owner", "balance"]

R = TypeVar("R", bound=Record)


class State:
    """Reads through one endpoint. Initial versions of shared objects never change and are remembered."""

    def __init__(self, wire: Wire, deployment: Deployment) -> None:
        self._wire = wire
        self._deployment = deployment
        self._initial: dict[ObjectId, int] = {}

    async def task(self, task: TaskId) -> TaskView:
        """The Task.

        Raises:
            NotFound: there is none.
        """
        return await self._record(ObjectId(task), "task::Task", TaskView)

    async def tasks(self, tasks: Sequence[TaskId]) -> dict[TaskId, TaskView]:
        """Those of `tasks` that exist."""
        found = {}
        for start in range(0, len(tasks), BATCH):
            ids = [ObjectId(task) for task in tasks[start : start + BATCH]]
            for each in await self._batch(ids, _WITH_CONTENTS):
                view = self._decode(each, "task::Task", TaskView)
                found[view.id] = view
        return found

    async def network(self) -> NetworkView:
        """The Network."""
        return await self._record(self._deployment.network.id, "network::Network", NetworkView)

    async def pool(self) -> PoolView:
        """The Pool."""
        return await self._record(self._deployment.pool.id, "pool::Pool", PoolView)

    async def roster(self) -> RosterView:
        """The Roster."""
        return await self._record(self._deployment.roster.id, "roster::Roster", RosterView)

    async def queue(self) -> QueueView:
        """The RosterQueue."""
        return await self._record(self._deployment.queue.id, "roster::RosterQueue", QueueView)

    async def request(self, request: ObjectId) -> RequestView:
        """The Request.

        Raises:
            NotFound: there is none, or it was opened or cancelled.
        """
        return await self._record(request, "request::Request", RequestView)

    async def member(self, slot: Slot) -> MemberView | None:
        """The member in `slot`; None if nobody is there."""
        value = await self._field(slot.to_bytes(8, "little"), TYPE_U64)
        return None if value is None else _decoded(MemberView, value)

    async def departed(self, node: NodeId) -> MemberView | None:
        """The record of a node whose slot another has taken; None if there is none."""
        value = await self._field(node, struct_tag(self._deployment.package, "pool", "Departed"))
        return None if value is None else _decoded(MemberView, value)

    async def slot_of(self, operator: Address) -> Slot | None:
        """The slot of an operator, who has at most one; None if it has none."""
        value = await self._field(operator, struct_tag(self._deployment.package, "pool", "OperatorKey"))
        if value is not None and len(value) != 8:
            raise Malformed("an operator's slot is no u64: use another endpoint")
        return None if value is None else Slot(int.from_bytes(value, "little"))

    async def now(self) -> Millis:
        """The chain's Clock."""
        contents = _contents(await self._object(CLOCK, _WITH_CONTENTS))
        try:
            reader = Reader(contents)
            reader.take(32)
            return Millis(reader.integer(8))
        except BcsError as error:
            raise Malformed(f"the Clock cannot be read ({error}): use another endpoint") from error

    async def initial_version(self, shared: ObjectId) -> int:
        """The version at which an object was shared.

        Raises:
            NotFound: no such object, or it is not shared.
        """
        if shared not in self._initial:
            self._remember(await self._object(shared, _REFERENCE))
        if shared not in self._initial:
            raise NotFound(f"{to_hex(shared)} is no shared object: check the id")
        return self._initial[shared]

    async def reference(self, owned: ObjectId) -> ObjectRef:
        """The present version of an object.

        Raises:
            NotFound
        """
        return _reference(await self._object(owned, _REFERENCE))

    async def coins(self, owner: Address) -> list[Coin]:
        """The SUI coins of `owner`, at most MAX_COINS."""
        return [_coin(each) for each in await self._owned(owner, SUI_COIN, _COIN, MAX_COINS)]

    async def coins_again(self, ids: Sequence[ObjectId], owner: Address) -> list[Coin]:
        """Those of the coins `ids` that exist and are still `owner`'s."""
        found: list[Coin] = []
        for start in range(0, len(ids), BATCH):
            some = await self._batch(ids[start : start + BATCH], _COIN)
            found += [_coin(each) for each in some if _owner(each) == owner]
        return found

    async def caps(self, owner: Address, kind: str) -> list[OwnerCap]:
        """The `NodeOwnerCap`s or `NodeOperatorCap`s of `owner`, of any Pool."""
        name = f"{to_hex(self._deployment.package)}::member::{kind}"
        found = await self._owned(owner, name, _WITH_CONTENTS, MAX_CAPS)
        return [self._decode(each, f"member::{kind}", OwnerCap) for each in found]

    async def _field(self, key: bytes, key_type: bytes) -> bytes | None:
        """The BCS value of the Pool's dynamic field `key`, whose id follows from its key; None if there is none."""
        try:
            found = await self._object(dynamic_field(self._deployment.pool.id, key, key_type), _WITH_CONTENTS)
        except NotFound:
            return None
        contents = _contents(found)
        # a Field<K, V> is its id, its name, its value
        if contents[32 : 32 + len(key)] != key:
            raise Malformed("a record of the Pool has another key than asked for: use another endpoint")
        return contents[32 + len(key) :]

    async def _record(self, identifier: ObjectId, kind: str, view: type[R]) -> R:
        return self._decode(await self._object(identifier, _WITH_CONTENTS), kind, view)

    def _decode(self, found: Message, kind: str, view: type[R]) -> R:
        package, name = type_of(found.object_type)
        if package not in self._deployment.packages or name != kind:
            raise NotFound(f"{found.object_id} is no {kind} of this deployment: check the id, or the deployment file")
        self._remember(found)
        return _decoded(view, _contents(found))

    def _remember(self, found: Message) -> None:
        if found.owner is not None and found.owner.kind == v2.OwnerOwnerKind.SHARED and found.owner.version is not None:
            self._initial[ObjectId(from_hex(found.object_id))] = found.owner.version
            if len(self._initial) > MAX_REMEMBERED:
                del self._initial[next(iter(self._initial))]

    async def _object(self, identifier: ObjectId, mask: list[str]) -> Message:
        request = v2.GetObjectRequest(object_id=to_hex(identifier), read_mask=FieldMask(paths=mask))
        answer = await self._wire.call("LedgerService/GetObject", request, v2.GetObjectResponse)
        if answer.object is None or from_hex(answer.object.object_id) != identifier:
            raise Malformed(f"asked for {to_hex(identifier)}, got another object: use another endpoint")
        return answer.object

    async def _batch(self, ids: Sequence[ObjectId], mask: list[str]) -> list[Message]:
        requests = [v2.GetObjectRequest(object_id=to_hex(each)) for each in ids]
        request = v2.BatchGetObjectsRequest(requests=requests, read_mask=FieldMask(paths=mask))
        answer = await self._wire.call("LedgerService/BatchGetObjects", request, v2.BatchGetObjectsResponse)
        found = [each.object for each in answer.objects if each.object is not None]
        if not {from_hex(each.object_id) for each in found} <= set(ids):
            raise Malformed("objects came that were not asked for: use another endpoint")
        return found

    async def _owned(self, owner: Address, kind: str, mask: list[str], most: int) -> list[Message]:
        found: list[Message] = []
        token = None
        while len(found) < most:
            request = v2.ListOwnedObjectsRequest(
                owner=to_hex(owner), object_type=kind, page_size=200, page_token=token, read_mask=FieldMask(paths=mask)
            )
            answer = await self._wire.call("StateService/ListOwnedObjects", request, v2.ListOwnedObjectsResponse)
            found += answer.objects
            # some servers end with an empty token, some with none, some would go on for ever
            if not answer.next_page_token or answer.next_page_token == token or not answer.objects:
                break
            token = answer.next_page_token
        return found[:most]


def _contents(found: Message) -> bytes:
    contents: bytes | None = found.contents.value if found.contents is not None else None
    if contents is None or len(contents) > MAX_CONTENTS:
        raise Malformed(f"{found.object_id} came without contents, or with too many: use another endpoint")
    return contents


def _decoded(view: type[R], contents: bytes) -> R:
    try:
        return view.decode(contents)
    except BcsError as error:
        raise Malformed(f"{view.__name__} cannot be read ({error}): is the deployment of another version?") from error


def _reference(found: Message) -> ObjectRef:
    if found.version is None:
        raise Malformed(f"{found.object_id} came without a version: use another endpoint")
    return ObjectRef(ObjectId(from_hex(found.object_id)), found.version, from_base58(found.digest))


def _owner(found: Message) -> bytes | None:
    owner = found.owner
    held = owner is not None and owner.kind == v2.OwnerOwnerKind.ADDRESS
    return from_hex(owner.address) if held else None


def _coin(found: Message) -> Coin:
    if found.balance is None:
        raise Malformed(f"coin {found.object_id} came without its balance: use another endpoint")
    return Coin(_reference(found), Mist(found.balance))
