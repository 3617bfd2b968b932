"""Where all the money is, counted coin by coin: what `minted = held + burnt + storage fund` is checked against."""

from dataclasses import dataclass
from typing import Final

from localnet.ledger.model import Mist, Object
from localnet.ledger.names import SUI_BALANCE
from localnet.ledger.store import ObjectStore
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.types import Struct, Type, Vector
from localnet.movevm.values import Value


@dataclass(frozen=True, slots=True)
class Supply:
    """All SUI of the ledger. `minted == held + burnt + storage_fund` always."""

    minted: Mist
    """By the faucet, with the deposits of the coins it made."""
    held: Mist
    """In every Balance<SUI> inside every live object, found by walking their bytes."""
    burnt: Mist
    """Computation, and the part of deposits that is not given back."""
    storage_fund: Mist
    """Deposits of all live objects, summed up object by object."""

    @property
    def is_conserved(self) -> bool:
        """Whether no Mist was made or lost."""
        return self.minted == self.held + self.burnt + self.storage_fund


class Census:
    """Counts SUI in objects."""

    def __init__(self, vm: VirtualMachine) -> None:
        self._vm: Final = vm
        self._holds: dict[Type, bool] = {}

    def held(self, store: ObjectStore) -> Mist:
        """In all live objects. Decodes from bytes: values kept in memory are not trusted."""
        total = 0
        for found in store.live():
            if isinstance(found, Object) and self._may_hold(found.type):
                total += self._count(found.type, self._vm.decode(found.type, found.contents))
        return Mist(total)

    def deposits(self, store: ObjectStore) -> Mist:
        """Of all live objects and packages."""
        return Mist(sum(found.storage_rebate for found in store.live()))

    def _may_hold(self, type_: Type) -> bool:
        known = self._holds.get(type_)
        if known is None:
            known = self._holds[type_] = self._find(type_)
        return known

    def _find(self, type_: Type) -> bool:
        if type_ is SUI_BALANCE:
            return True
        if isinstance(type_, Vector):
            return self._may_hold(type_.element)
        if not isinstance(type_, Struct):
            return False
        linker = self._vm.linker
        if linker.is_enum(type_):
            return any(self._may_hold(field) for variant in linker.enum_layout(type_) for field in variant)
        return any(map(self._may_hold, linker.struct_layout(type_)))

    def _count(self, type_: Type, value: Value) -> int:
        if type_ is SUI_BALANCE:
            return int(value[0])
        if isinstance(type_, Vector):
            return sum(self._count(type_.element, item) for item in value)
        assert isinstance(type_, Struct)
        linker = self._vm.linker
        if linker.is_enum(type_):
            fields, values = linker.enum_layout(type_)[value[0]], value[1:]
        else:
            fields, values = linker.struct_layout(type_), value
        pairs = zip(fields, values, strict=True)
        return sum(self._count(field, part) for field, part in pairs if self._may_hold(field))
