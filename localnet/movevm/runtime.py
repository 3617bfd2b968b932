"""What natives ask of whoever runs Move code: the seam between the VM and a ledger."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from localnet.movevm.types import Struct, Type
from localnet.movevm.values import Ref, Value


@dataclass(frozen=True, slots=True)
class TransactionFacts:
    """What `tx_context` tells."""

    sender: bytes
    digest: bytes
    epoch: int
    epoch_timestamp: int
    """Milliseconds."""
    reference_gas_price: int
    gas_price: int
    gas_budget: int
    sponsor: bytes | None


class Runtime(ABC):
    """One transaction under way. A method that the Move side may not ask raises NativeAbort with the framework's own code."""

    facts: TransactionFacts
    gas: int
    """Units of computation left; generated code subtracts, and fails below zero."""
    ids_created: int

    # ---- ids

    @abstractmethod
    def fresh_id(self) -> bytes:
        """A new object id, which counts as created."""

    @abstractmethod
    def record_new_id(self, object_id: bytes) -> None:
        """An id made otherwise (derived objects) counts as created."""

    @abstractmethod
    def delete_id(self, object_id: bytes) -> None:
        """The object's UID was taken apart for good."""

    # ---- ownership

    @abstractmethod
    def transfer(self, type_: Struct, value: Value, recipient: bytes) -> None:
        """The object belongs to `recipient` from now on."""

    @abstractmethod
    def share(self, type_: Struct, value: Value) -> None:
        """The object is everybody's from now on; it must be new, or shared already."""

    @abstractmethod
    def freeze(self, type_: Struct, value: Value) -> None:
        """The object never changes again."""

    @abstractmethod
    def receive(self, type_: Type, parent: bytes, object_id: bytes, version: int) -> Value:
        """Take an object out of the address `parent`, of which the caller holds the UID."""

    # ---- events

    @abstractmethod
    def emit(self, type_: Struct, value: Value) -> None:
        """Record an event."""

    # ---- dynamic fields

    @abstractmethod
    def add_child(self, parent: bytes, type_: Struct, value: Value) -> None:
        """Hang the object `value` under `parent`."""

    @abstractmethod
    def borrow_child(self, parent: bytes, object_id: bytes, type_: Type, *, mutable: bool) -> Ref:
        """A reference to a child."""

    @abstractmethod
    def remove_child(self, parent: bytes, object_id: bytes, type_: Type) -> Value:
        """Take a child away."""

    @abstractmethod
    def has_child(self, parent: bytes, object_id: bytes, type_: Type | None) -> bool:
        """Whether there is such a child, of `type_` if given."""

    def charge(self, units: int) -> None:
        """Pay for work done outside bytecode.

        Raises:
            OutOfGas: by the caller, who sees `gas` below zero.
        """
        self.gas -= units
