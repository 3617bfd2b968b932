"""The modules that are loaded, and what follows from them: layouts, abilities, well-formed types."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from localnet.movevm.bytecode.module import Ability, Definition, Function, Module, StructDefinition
from localnet.movevm.errors import LinkError
from localnet.movevm.packages import PackageCode, Packages
from localnet.movevm.types import SIGNER, Parameter, Primitive, Reference, Struct, Type, Vector, short_address, substitute

StructLayout: TypeAlias = tuple[Type, ...]
EnumLayout: TypeAlias = tuple[StructLayout, ...]

_REQUIRED: Final = (
    (Ability.COPY, Ability.COPY),
    (Ability.DROP, Ability.DROP),
    (Ability.STORE, Ability.STORE),
    (Ability.KEY, Ability.STORE),
)
"""A struct that declares the left keeps it only if its type arguments have the right."""


class Linker:
    """Resolves names; every answer about a type is remembered."""

    def __init__(self) -> None:
        self.packages: Final = Packages()
        self._modules: dict[tuple[bytes, str], Module] = {}
        self._structs: dict[Struct, StructLayout] = {}
        self._enums: dict[Struct, EnumLayout] = {}
        self._abilities: dict[Type, Ability] = {}

    @property
    def modules(self) -> Mapping[tuple[bytes, str], Module]:
        """All, by address of their code and name."""
        return self._modules

    def add(self, package: PackageCode) -> list[Module]:
        """Load a package whose dependencies are loaded; returns its modules, linked.

        Raises:
            MalformedModule, LinkError: nothing is loaded.
        """
        linked = self.packages.link(package)
        for modules in linked.values():
            for module in modules:
                self._modules[module.address, module.name] = module
        self.packages.add(package)
        return linked[package.id]

    def remove(self, address: bytes) -> None:
        """Forget a package, with all that was derived from it."""
        self.packages.remove(address)
        for key in [key for key in self._modules if key[0] == address]:
            del self._modules[key]
        for cache in (self._structs, self._enums, self._abilities):
            cache.clear()

    def module(self, address: bytes, name: str) -> Module:
        """Raises LinkError."""
        try:
            return self._modules[address, name]
        except KeyError:
            raise LinkError(f"there is no module {short_address(address)}::{name}") from None

    def function(self, address: bytes, module: str, name: str) -> Function:
        """Raises LinkError."""
        try:
            return self.module(address, module).functions[name]
        except KeyError:
            raise LinkError(f"there is no function {short_address(address)}::{module}::{name}") from None

    def definition(self, type_: Struct) -> Definition:
        """Raises LinkError."""
        try:
            return self.module(type_.address, type_.module).datatypes[type_.name]
        except KeyError:
            raise LinkError(f"there is no type {type_}") from None

    def canonical(self, type_: Type) -> Type:
        """`type_` under defining ids; it may have been named by any version of a package that has it. Raises LinkError."""
        if isinstance(type_, Vector):
            return Vector(self.canonical(type_.element))
        if not isinstance(type_, Struct):
            return type_
        defining = self.definition(type_).handle.address
        return Struct(defining, type_.module, type_.name, tuple(map(self.canonical, type_.arguments)))

    def original(self, type_: Type) -> Type:
        """`type_` under original ids, as `type_name::with_original_ids` tells it."""
        if isinstance(type_, Vector):
            return Vector(self.original(type_.element))
        if not isinstance(type_, Struct):
            return type_
        arguments = tuple(map(self.original, type_.arguments))
        return Struct(self.packages.original(type_.address), type_.module, type_.name, arguments)

    def is_enum(self, type_: Struct) -> bool:
        """Raises LinkError."""
        return not isinstance(self.definition(type_), StructDefinition)

    def struct_layout(self, type_: Struct) -> StructLayout:
        """Types of the fields. Raises LinkError."""
        layout = self._structs.get(type_)
        if layout is None:
            definition = self.definition(type_)
            assert isinstance(definition, StructDefinition)
            layout = tuple(substitute(field.type, type_.arguments) for field in definition.fields)
            self._structs[type_] = layout
        return layout

    def enum_layout(self, type_: Struct) -> EnumLayout:
        """Types of the fields of each variant. Raises LinkError."""
        layout = self._enums.get(type_)
        if layout is None:
            definition = self.definition(type_)
            assert not isinstance(definition, StructDefinition)
            layout = tuple(
                tuple(substitute(field.type, type_.arguments) for field in variant.fields)
                for variant in definition.variants
            )
            self._enums[type_] = layout
        return layout

    def abilities(self, type_: Type) -> Ability:
        """What may be done with values of `type_`. Raises LinkError."""
        abilities = self._abilities.get(type_)
        if abilities is None:
            abilities = self._abilities[type_] = self._find_abilities(type_)
        return abilities

    def _find_abilities(self, type_: Type) -> Ability:
        if isinstance(type_, Vector):
            return self.abilities(type_.element) & ~Ability.KEY
        if isinstance(type_, Reference):
            return Ability.COPY | Ability.DROP
        if not isinstance(type_, Struct):
            return Ability.DROP if type_ is SIGNER else Ability.COPY | Ability.DROP | Ability.STORE
        handle = self.definition(type_).handle
        abilities = handle.abilities
        for parameter, argument in zip(handle.parameters, type_.arguments, strict=True):
            if parameter.phantom:
                continue
            has = self.abilities(argument)
            for declared, needed in _REQUIRED:
                if not has & needed:
                    abilities &= ~declared
        return abilities

    def check_type(self, type_: Type) -> None:
        """Check that `type_` is a value's type, exists, and its arguments can what they must.

        Raises:
            LinkError: it is not, or they cannot.
        """
        if isinstance(type_, Vector):
            self.check_type(type_.element)
        elif isinstance(type_, Struct):
            parameters = self.definition(type_).handle.parameters
            self.check_arguments(type_.arguments, [p.constraints for p in parameters], str(type_))
        elif isinstance(type_, Reference | Parameter):
            raise LinkError(f"{type_} is no type of a value")

    def check_arguments(self, arguments: Sequence[Type], constraints: Sequence[Ability], of: str) -> None:
        """Raises LinkError."""
        if len(arguments) != len(constraints):
            raise LinkError(f"{of} takes {len(constraints)} type arguments, {len(arguments)} are given")
        for argument, constraint in zip(arguments, constraints, strict=True):
            self.check_type(argument)
            missing = constraint & ~self.abilities(argument)
            if missing:
                names = ", ".join(ability.name.lower() for ability in Ability if ability & missing and ability.name)
                raise LinkError(f"{of}: {argument} lacks {names}")


def is_scalar(type_: Type) -> bool:
    """Whether values of `type_` are immutable in Python and need no copying."""
    return isinstance(type_, Primitive | Reference)
