"""From bytes to a Module. Every index is checked; nothing is executed.

Source: move-binary-format `deserializer.rs`. This is no verifier: types, borrows and abilities inside functions are the compiler's word.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from localnet.movevm.bytecode.cursor import Cursor
from localnet.movevm.bytecode.functions import RawFunction, check_code, read_function
from localnet.movevm.bytecode.module import (
    Ability,
    CallTarget,
    Constant,
    DatatypeHandle,
    Definition,
    EnumDefinition,
    Field,
    FieldUse,
    Function,
    FunctionHandle,
    Module,
    StructDefinition,
    StructUse,
    TypeParameter,
    Variant,
    VariantUse,
)
from localnet.movevm.bytecode.signatures import check_parameters, read_type
from localnet.movevm.bytecode.tables import Table, Tables, read_tables
from localnet.movevm.errors import LinkError, MalformedModule, NonZeroAddress
from localnet.movevm.types import ADDRESS, ADDRESS_BYTES, Struct, Type, short_address

MAX_IDENTIFIER: Final = 128
MAX_FIELDS: Final = 64
MAX_VARIANTS: Final = 127
"""So that a tag fits one byte, as on Sui."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|<SELF>")
_MAX_CONSTANT: Final = 65_535
_ALL_ABILITIES: Final = 15
_REMEMBERED: Final = 512
"""Modules; the framework has 94."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Relocation:
    """Where the addresses in a module's bytecode lead. Raises LinkError for what it does not know."""

    code: Mapping[bytes, bytes]
    """Address of the code, by the original id that bytecode names."""
    origins: Mapping[bytes, Mapping[tuple[str, str], bytes]]
    """Defining ids by original id, then by module and name."""

    def function(self, address: bytes) -> bytes:
        """Where the functions of a package lie."""
        try:
            return self.code[address]
        except KeyError:
            raise LinkError(f"package {short_address(address)} is not among the dependencies") from None

    def datatype(self, address: bytes, module: str, name: str) -> bytes:
        """Which version of a package declared a type first."""
        try:
            return self.origins[address][module, name]
        except KeyError:
            raise LinkError(f"there is no type {short_address(address)}::{module}::{name}") from None


@lru_cache(maxsize=_REMEMBERED)
def parse_module(data: bytes) -> Module:
    """Return the module in `data`; modules never change, so one that was parsed lately is not parsed again.

    Raises:
        MalformedModule: it is none, or is over a limit.
    """
    return _Parser(read_tables(data)).module(len(data))


def link_module(data: bytes, relocation: Relocation) -> Module:
    """Return the module in `data`, its functions and those it calls at the addresses of their code, all types under their defining ids.

    Raises:
        MalformedModule: as `parse_module`. LinkError: it names what `relocation` does not know.
    """
    return _Parser(read_tables(data), relocation).module(len(data))


def with_address(data: bytes, address: bytes) -> bytes:
    """Return the module in `data` with its own address, which must be 0x0, replaced: what publishing does.

    Raises:
        MalformedModule: not a module. NonZeroAddress: compiled for some other address.
    """
    tables = read_tables(data)
    parser = _Parser(tables)
    index = parser.own_address_index()
    if parser.addresses[index] != bytes(ADDRESS_BYTES):
        raise NonZeroAddress("the module is compiled for an address other than 0x0: give the package that address")
    at = tables.get(Table.ADDRESSES).at + index * ADDRESS_BYTES
    return data[:at] + address + data[at + ADDRESS_BYTES :]


def with_addresses(data: bytes, replaced: Mapping[bytes, bytes]) -> bytes:
    """Return the module in `data` with other packages' addresses replaced, in its table of addresses and in constants of type address.

    For what was compiled before its dependencies were published, under addresses that merely stand for them.

    Raises:
        MalformedModule: not a module.
    """
    tables = read_tables(data)
    out = bytearray(data)
    for cursor in tables.entries(Table.ADDRESSES):
        old = cursor.take(ADDRESS_BYTES)
        out[cursor.at - ADDRESS_BYTES : cursor.at] = replaced.get(old, old)
    for cursor in tables.entries(Table.CONSTANTS):
        type_ = read_type(cursor, ())
        value = cursor.take(cursor.uleb(_MAX_CONSTANT))
        if type_ is ADDRESS:
            out[cursor.at - ADDRESS_BYTES : cursor.at] = replaced.get(value, value)
    return bytes(out)


def item(pool: Sequence[T], index: int, what: str) -> T:
    """`pool[index]`, or MalformedModule."""
    if index >= len(pool):
        raise MalformedModule(f"{what} {index} does not exist, there are {len(pool)}")
    return pool[index]


class _Parser:
    """Reads the tables in the order in which they need each other."""

    def __init__(self, tables: Tables, relocation: Relocation | None = None) -> None:
        self.tables = tables
        self.relocation = relocation
        self.identifiers = [self._identifier(c) for c in tables.entries(Table.IDENTIFIERS)]
        self.addresses = [c.take(ADDRESS_BYTES) for c in tables.entries(Table.ADDRESSES)]
        self.modules = [self._module_name(c) for c in tables.entries(Table.MODULE_HANDLES)]

    def own_address_index(self) -> int:
        """Index of the module's own address among the addresses."""
        own = tuple(c.uleb() for c in self._own_handle() for _ in range(2))
        return own[0]

    def _own_handle(self) -> Iterator[Cursor]:
        for index, cursor in enumerate(self.tables.entries(Table.MODULE_HANDLES)):
            if index == self.tables.own_module:
                yield cursor
                return
            cursor.uleb()
            cursor.uleb()
        raise MalformedModule(f"the module's own handle {self.tables.own_module} does not exist")

    def module(self, size: int) -> Module:
        """Everything."""
        own = item(self.modules, self.tables.own_module, "module handle")
        address, name = self._code(own[0]), own[1]
        self.homes: list[tuple[bytes, str]] = []
        self.datatypes = [self._datatype(c) for c in self.tables.entries(Table.DATATYPE_HANDLES)]
        signatures = self._all(Table.SIGNATURES, self._signature)
        self.signatures = signatures
        handles = self._all(Table.FUNCTION_HANDLES, self._function_handle)
        constants = self._all(Table.CONSTANTS, self._constant)
        structs = self._all(Table.STRUCT_DEFINITIONS, self._struct)
        enums = self._all(Table.ENUM_DEFINITIONS, self._enum)
        fields = self._all(
            Table.FIELD_HANDLES, lambda c: self._field_use(item(structs, c.uleb(), "struct"), c.uleb())
        )
        enum_uses = self._all(
            Table.ENUM_INSTANTIATIONS, lambda c: (item(enums, c.uleb(), "enum"), self._arguments(c.uleb()))
        )
        raw = [read_function(c, self.tables.version) for c in self.tables.entries(Table.FUNCTION_DEFINITIONS)]
        functions = [self._function(index, f, handles) for index, f in enumerate(raw)]
        foreign = [handle for home, handle in zip(self.homes, self.datatypes, strict=True) if home != own]
        datatypes: list[Definition] = [*structs, *enums]
        module = Module(
            address=address,
            name=name,
            version=self.tables.version,
            size=size,
            dependencies=frozenset(self.modules) - {own},
            datatypes={d.handle.name: d for d in datatypes},
            functions={f.name: f for f in functions},
            foreign_functions=tuple(h for h in handles if (h.address, h.module) != (address, name)),
            foreign_datatypes=tuple(foreign),
            constants=tuple(constants),
            call_targets=tuple(handles),
            generic_call_targets=tuple(
                self._all(
                    Table.FUNCTION_INSTANTIATIONS,
                    lambda c: CallTarget(item(handles, c.uleb(), "function handle"), self._arguments(c.uleb())),
                )
            ),
            structs=tuple(structs),
            generic_structs=tuple(
                self._all(Table.STRUCT_INSTANTIATIONS, lambda c: self._struct_use(item(structs, c.uleb(), "struct"), c))
            ),
            fields=tuple(fields),
            generic_fields=tuple(
                self._all(Table.FIELD_INSTANTIATIONS, lambda c: (item(fields, c.uleb(), "field"), c.uleb())[0])
            ),
            variants=tuple(
                self._all(Table.VARIANT_HANDLES, lambda c: _variant_use(item(enums, c.uleb(), "enum"), c.uleb(), ()))
            ),
            generic_variants=tuple(
                self._all(
                    Table.VARIANT_INSTANTIATIONS,
                    lambda c: _variant_use(*_swap(item(enum_uses, c.uleb(), "enum instantiation"), c.uleb())),
                )
            ),
            signatures=tuple(signatures),
        )
        check_code(module)
        return module

    def _all(self, table: Table, read: Callable[[Cursor], T]) -> list[T]:
        return [read(cursor) for cursor in self.tables.entries(table)]

    # ---- names and types

    def _identifier(self, cursor: Cursor) -> str:
        raw = cursor.take(cursor.uleb(MAX_IDENTIFIER))
        name = raw.decode("ascii", "replace")
        if not _IDENTIFIER.fullmatch(name):
            raise MalformedModule(f"{raw!r} is no identifier")
        return name

    def _name(self, index: int) -> str:
        return item(self.identifiers, index, "identifier")

    def _module_name(self, cursor: Cursor) -> tuple[bytes, str]:
        return item(self.addresses, cursor.uleb(), "address"), self._name(cursor.uleb())

    def _code(self, address: bytes) -> bytes:
        return address if self.relocation is None else self.relocation.function(address)

    def _datatype(self, cursor: Cursor) -> DatatypeHandle:
        address, module = item(self.modules, cursor.uleb(), "module handle")
        self.homes.append((address, module))
        name, abilities = self._name(cursor.uleb()), Ability(cursor.uleb(_ALL_ABILITIES))
        if self.relocation is not None:
            address = self.relocation.datatype(address, module, name)
        parameters = tuple(
            TypeParameter(Ability(cursor.uleb(_ALL_ABILITIES)), bool(cursor.u8())) for _ in range(cursor.uleb(255))
        )
        return DatatypeHandle(address, module, name, abilities, parameters)

    def _type(self, cursor: Cursor) -> Type:
        return read_type(cursor, self.datatypes)

    def _signature(self, cursor: Cursor) -> tuple[Type, ...]:
        return tuple(self._type(cursor) for _ in range(cursor.uleb(255)))

    def _arguments(self, index: int) -> tuple[Type, ...]:
        return item(self.signatures, index, "signature")

    def _constant(self, cursor: Cursor) -> Constant:
        return Constant(self._type(cursor), cursor.take(cursor.uleb(_MAX_CONSTANT)))

    # ---- datatypes

    def _handle(self, index: int) -> DatatypeHandle:
        return item(self.datatypes, index, "datatype handle")

    def _fields(self, cursor: Cursor, handle: DatatypeHandle) -> tuple[Field, ...]:
        names = range(cursor.uleb(MAX_FIELDS))
        fields = tuple(Field(self._name(cursor.uleb()), self._type(cursor)) for _ in names)
        check_parameters((field.type for field in fields), len(handle.parameters))
        return fields

    def _own_datatype(self, index: int) -> DatatypeHandle:
        handle = self._handle(index)
        if self.homes[index] != self.modules[self.tables.own_module]:
            raise MalformedModule(f"type {handle.name} is defined in another module than its own")
        return handle

    def _struct(self, cursor: Cursor) -> StructDefinition:
        handle = self._own_datatype(cursor.uleb())
        if cursor.u8() != 2:  # 1 is a native struct, which no compiler emits
            raise MalformedModule(f"struct {handle.name} is not declared")
        return StructDefinition(handle, self._fields(cursor, handle))

    def _enum(self, cursor: Cursor) -> EnumDefinition:
        handle = self._own_datatype(cursor.uleb())
        cursor.u8()
        return EnumDefinition(
            handle,
            tuple(
                Variant(self._name(cursor.uleb()), self._fields(cursor, handle)) for _ in range(cursor.uleb(MAX_VARIANTS))
            ),
        )

    def _field_use(self, definition: StructDefinition, index: int) -> FieldUse:
        item(definition.fields, index, "field")
        return FieldUse(definition, index)

    def _struct_use(self, definition: StructDefinition, cursor: Cursor) -> StructUse:
        handle = definition.handle
        return StructUse(definition, Struct(handle.address, handle.module, handle.name, self._arguments(cursor.uleb())))

    # ---- functions

    def _function_handle(self, cursor: Cursor) -> FunctionHandle:
        address, module = item(self.modules, cursor.uleb(), "module handle")
        name = self._name(cursor.uleb())
        parameters, returns = self._arguments(cursor.uleb()), self._arguments(cursor.uleb())
        constraints = tuple(Ability(cursor.uleb(_ALL_ABILITIES)) for _ in range(cursor.uleb(255)))
        check_parameters((*parameters, *returns), len(constraints))
        return FunctionHandle(self._code(address), module, name, constraints, parameters, returns)

    def _function(self, index: int, raw: RawFunction, handles: Sequence[FunctionHandle]) -> Function:
        handle = item(handles, raw.handle, "function handle")
        own, module = self.modules[self.tables.own_module]
        if (handle.address, handle.module) != (self._code(own), module):
            raise MalformedModule(f"function {handle.name} is defined in another module than its own")
        locals_ = handle.parameters + (() if raw.is_native else self._arguments(raw.locals))
        check_parameters(locals_, len(handle.type_parameters))
        return Function(
            index=index,
            handle=handle,
            visibility=raw.visibility,
            is_entry=raw.is_entry,
            is_native=raw.is_native,
            locals=locals_,
            code=raw.code,
            jump_tables=raw.jump_tables,
        )


def _swap(use: tuple[EnumDefinition, tuple[Type, ...]], tag: int) -> tuple[EnumDefinition, int, tuple[Type, ...]]:
    return use[0], tag, use[1]


def _variant_use(definition: EnumDefinition, tag: int, arguments: tuple[Type, ...]) -> VariantUse:
    item(definition.variants, tag, "variant")
    handle = definition.handle
    return VariantUse(definition, tag, Struct(handle.address, handle.module, handle.name, arguments))
