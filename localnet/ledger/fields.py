"""Dynamic fields, as a reader from outside sees them."""

from collections.abc import Iterator

from localnet.ledger.model import DynamicField, Object, ObjectId, TypedValue
from localnet.ledger.names import SUI_PACKAGE, is_instance
from localnet.ledger.store import ObjectStore
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.types import ADDRESS_BYTES, Struct


def dynamic_fields(parent: ObjectId, store: ObjectStore, vm: VirtualMachine) -> Iterator[DynamicField]:
    """The fields of `parent`, sorted by id of the Field object."""
    for found in store.children_of(parent):
        if is_instance(found.type, SUI_PACKAGE, "dynamic_field", "Field"):
            yield _field(found, store, vm)


def _field(found: Object, store: ObjectStore, vm: VirtualMachine) -> DynamicField:
    name_type = found.type.arguments[0]
    # Field { id, name, value }: of the value, which may be large, nothing is decoded
    end = vm.codecs.end(name_type, found.contents, ADDRESS_BYTES)
    encoded = found.contents[ADDRESS_BYTES:end]
    if not is_instance(name_type, SUI_PACKAGE, "dynamic_object_field", "Wrapper"):
        return DynamicField(found, TypedValue(name_type, encoded), None)
    assert isinstance(name_type, Struct)
    child = store.get(ObjectId(found.contents[end : end + ADDRESS_BYTES]))  # the field's value is the ID of the child; Wrapper<N> has the BCS of N
    return DynamicField(
        found, TypedValue(name_type.arguments[0], encoded), child if isinstance(child, Object) else None
    )
