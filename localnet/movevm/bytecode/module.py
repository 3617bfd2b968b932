"""A parsed module: names and types resolved, code as instructions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import TYPE_CHECKING, TypeAlias

from localnet.movevm.bytecode.opcodes import Instruction
from localnet.movevm.types import Struct, Type

if TYPE_CHECKING:
    from localnet.movevm.compiler.template import Template


class Ability(IntFlag):
    """What may be done with values of a type."""

    NONE = 0
    COPY = 1
    DROP = 2
    STORE = 4
    KEY = 8


class Visibility(Enum):
    """Who may call a function."""

    PRIVATE = 0
    PUBLIC = 1
    FRIEND = 3
    """`public(package)`, or of a friend."""


@dataclass(frozen=True, slots=True)
class TypeParameter:
    """Of a datatype: what its arguments must be able to; phantom ones occur in no field."""

    constraints: Ability
    phantom: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct or variant."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class DatatypeHandle:
    """A datatype that the module declares or uses."""

    address: bytes
    """Defining id, once linked."""
    module: str
    name: str
    abilities: Ability
    parameters: tuple[TypeParameter, ...]


@dataclass(frozen=True, slots=True)
class StructDefinition:
    """A struct that the module declares."""

    handle: DatatypeHandle
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One case of an enum."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class EnumDefinition:
    """An enum that the module declares."""

    handle: DatatypeHandle
    variants: tuple[Variant, ...]


Definition: TypeAlias = StructDefinition | EnumDefinition


@dataclass(frozen=True, slots=True)
class FunctionHandle:
    """A function that the module declares or calls."""

    address: bytes
    module: str
    name: str
    type_parameters: tuple[Ability, ...]
    parameters: tuple[Type, ...]
    returns: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the module declares; natives have no code."""

    index: int
    handle: FunctionHandle
    visibility: Visibility
    is_entry: bool
    is_native: bool
    locals: tuple[Type, ...]
    """Parameters first."""
    code: tuple[Instruction, ...]
    jump_tables: tuple[tuple[int, ...], ...]
    """Per VARIANT_SWITCH: the target for each tag."""

    @property
    def name(self) -> str:
        """Within its module."""
        return self.handle.name


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: BCS of a value of `type`."""

    type: Type
    data: bytes


@dataclass(frozen=True, slots=True)
class StructUse:
    """A struct as PACK_G or UNPACK_G names it."""

    definition: StructDefinition
    type: Struct


@dataclass(frozen=True, slots=True)
class VariantUse:
    """A variant as the variant instructions name it."""

    definition: EnumDefinition
    tag: int
    type: Struct


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field as the borrow instructions name it."""

    definition: StructDefinition
    index: int


@dataclass(frozen=True, slots=True)
class CallTarget:
    """A function as CALL_G names it."""

    handle: FunctionHandle
    type_arguments: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """One module; the pools are what instructions index."""

    address: bytes
    """Of its code: the storage id of its package once it is linked, and more bytes if it is linked otherwise than on its own."""
    name: str
    version: int
    size: int
    dependencies: frozenset[tuple[bytes, str]]
    """Modules whose types or functions it names, as bytecode does: by original ids."""
    datatypes: Mapping[str, Definition]
    functions: Mapping[str, Function]
    foreign_functions: tuple[FunctionHandle, ...]
    foreign_datatypes: tuple[DatatypeHandle, ...]
    constants: tuple[Constant, ...] = field(repr=False)
    call_targets: tuple[FunctionHandle, ...] = field(repr=False)
    generic_call_targets: tuple[CallTarget, ...] = field(repr=False)
    structs: tuple[StructDefinition, ...] = field(repr=False)
    generic_structs: tuple[StructUse, ...] = field(repr=False)
    fields: tuple[FieldUse, ...] = field(repr=False)
    generic_fields: tuple[FieldUse, ...] = field(repr=False)
    variants: tuple[VariantUse, ...] = field(repr=False)
    generic_variants: tuple[VariantUse, ...] = field(repr=False)
    signatures: tuple[tuple[Type, ...], ...] = field(repr=False)
    templates: dict[str, "Template"] = field(default_factory=dict, repr=False, compare=False)
    """Functions by name, translated to Python as far as they have been called: kept here, where they live as long as the module."""
