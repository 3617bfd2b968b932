"""StateService: what there is now."""

from collections import Counter
from typing import Any, ClassVar, Final

from localnet.ledger.model import Address, DynamicField, Object, ObjectId
from localnet.movevm.types import Struct, canonical, long_address
from localnet.rpc.errors import InvalidArgument, NotFound
from localnet.rpc.masks import Mask
from localnet.rpc.modules import definition_of
from localnet.rpc.node import Node
from localnet.rpc.pages import page
from localnet.rpc.render.objects import FRAMEWORK, SUI, coin_balance, coin_type, object_message
from localnet.rpc.stubs import v2
from localnet.rpc.transport.methods import Service
from localnet.rpc.type_tags import parse_address, parse_type

OWNED_DEFAULT: Final = "object_id,version,object_type"
FIELDS_DEFAULT: Final = "parent,field_id"


class StateService(Service):
    """Owned objects, balances, dynamic fields."""

    name: ClassVar[str] = "StateService"

    def __init__(self, node: Node) -> None:
        self._ledger: Final = node.ledger

    async def list_owned_objects(self, request: Any) -> Any:
        """Objects of an address, perhaps of one type or of all instances of a generic one."""
        mask = Mask.parse(request.read_mask, OWNED_DEFAULT)
        of_type = parse_type(request.object_type) if request.object_type else None
        owned = self._ledger.owned_by(Address(parse_address(request.owner)), of_type)
        chosen, token = page(owned, _id, request.page_size, request.page_token)
        return v2.ListOwnedObjectsResponse(
            objects=[object_message(self._ledger, thing, mask) for thing in chosen], next_page_token=token
        )

    async def list_dynamic_fields(self, request: Any) -> Any:
        """Dynamic fields of an object."""
        mask = Mask.parse(request.read_mask, FIELDS_DEFAULT)
        fields = self._ledger.dynamic_fields(ObjectId(parse_address(request.parent)))
        chosen, token = page(fields, lambda field: _id(field.field), request.page_size, request.page_token)
        return v2.ListDynamicFieldsResponse(
            dynamic_fields=[self._field(request.parent, field, mask) for field in chosen], next_page_token=token
        )

    async def get_balance(self, request: Any) -> Any:
        """What an address has of one coin."""
        type_ = _struct(request.coin_type)
        balances = self._balances(request.owner)
        return v2.GetBalanceResponse(balance=_balance(type_, balances[type_]))

    async def list_balances(self, request: Any) -> Any:
        """What an address has of every coin."""
        balances = sorted(self._balances(request.owner).items(), key=lambda item: canonical(item[0]))
        chosen, token = page(
            balances, lambda item: canonical(item[0]).encode(), request.page_size, request.page_token
        )
        return v2.ListBalancesResponse(
            balances=[_balance(type_, amount) for type_, amount in chosen], next_page_token=token
        )

    async def get_coin_info(self, request: Any) -> Any:
        """Metadata of a coin: of SUI only, the localnet keeps no index of the others."""
        type_ = _struct(request.coin_type)
        definition_of(self._ledger, type_)
        if type_ is not SUI:
            raise NotFound(f"the localnet has no metadata of {canonical(type_)}: read its CoinMetadata object")
        return v2.GetCoinInfoResponse(
            coin_type=canonical(type_),
            metadata=v2.CoinMetadata(decimals=9, name="Sui", symbol="SUI", description=""),
        )

    def _balances(self, owner: str | None) -> Counter[Struct]:
        balances: Counter[Struct] = Counter()
        for coin in self._ledger.owned_by(Address(parse_address(owner)), Struct(FRAMEWORK, "coin", "Coin")):
            type_ = coin_type(coin.type)
            if type_ is not None:
                balances[type_] += coin_balance(coin)
        return balances

    def _field(self, parent: str, field: DynamicField, mask: Mask) -> Any:
        kind = v2.DynamicFieldDynamicFieldKind
        name_type, value_type = field.field.type.arguments[0], field.field.type.arguments[1]
        child = field.value
        makers = {
            "kind": lambda: kind.FIELD if child is None else kind.OBJECT,
            "parent": lambda: long_address(parse_address(parent)),
            "field_id": lambda: long_address(field.field.id),
            "field_object": lambda: object_message(self._ledger, field.field, mask.below("field_object")),
            "name": lambda: v2.Bcs(
                name=canonical(name_type if child is None else field.name.type), value=field.name.bcs
            ),
        }
        if child is None:
            makers |= {
                "value_type": lambda: canonical(value_type),
                "value": lambda: v2.Bcs(name=canonical(value_type), value=_value(field)),
            }
        else:
            makers |= {
                "value_type": lambda: canonical(child.type),
                "value": lambda: v2.Bcs(name=canonical(child.type), value=child.contents),
                "child_id": lambda: long_address(child.id),
                "child_object": lambda: object_message(self._ledger, child, mask.below("child_object")),
            }
        return mask.build(v2.DynamicField, makers)


def _id(thing: Object) -> bytes:
    return thing.id


def _value(field: DynamicField) -> bytes:
    """BCS of a plain field's value: what follows id and name in the Field object."""
    return field.field.contents[32 + len(field.name.bcs) :]


def _struct(text: str | None) -> Struct:
    type_ = parse_type(text or "")
    if not isinstance(type_, Struct):
        raise InvalidArgument(f"{text!r} is no type of a coin")
    return type_


def _balance(type_: Struct, amount: int) -> Any:
    return v2.Balance(coin_type=canonical(type_), balance=amount, coin_balance=amount, address_balance=0)
