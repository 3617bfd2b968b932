"""Packages, functions and datatypes as messages."""

from collections.abc import Sequence
from typing import Any, Final

from localnet.ledger.ledger import Ledger
from localnet.ledger.model import Package
from localnet.movevm.bytecode.module import (
    Ability,
    Definition,
    EnumDefinition,
    Field,
    Function,
    Module,
    StructDefinition,
    Visibility,
)
from localnet.movevm.types import Parameter, Reference, Struct, Type, Vector, long_address
from localnet.rpc.modules import modules_of
from localnet.rpc.stubs import v2

_ABILITIES: Final = (
    (Ability.COPY, v2.Ability.COPY),
    (Ability.DROP, v2.Ability.DROP),
    (Ability.STORE, v2.Ability.STORE),
    (Ability.KEY, v2.Ability.KEY),
)
_VISIBILITIES: Final = {
    Visibility.PRIVATE: v2.FunctionDescriptorVisibility.PRIVATE,
    Visibility.PUBLIC: v2.FunctionDescriptorVisibility.PUBLIC,
    Visibility.FRIEND: v2.FunctionDescriptorVisibility.FRIEND,
}


def package_message(ledger: Ledger, package: Package) -> Any:
    """A package with its modules, its origins and what it is linked to."""
    modules = modules_of(ledger, package)
    return v2.Package(
        storage_id=long_address(package.id),
        original_id=long_address(package.original_id),
        version=package.version,
        modules=[_module(modules[name], package.modules[name]) for name in sorted(modules)],
        type_origins=[
            v2.TypeOrigin(module_name=origin.module, datatype_name=origin.name, package_id=long_address(origin.package))
            for origin in package.type_origins
        ],
        linkage=[
            v2.Linkage(original_id=long_address(original), upgraded_id=long_address(link.id), upgraded_version=link.version)
            for original, link in sorted(package.linkage.items())
        ],
    )


def function_message(function: Function) -> Any:
    """A function; `TxContext` is among the parameters, as the bytecode has it."""
    handle = function.handle
    return v2.FunctionDescriptor(
        name=function.name,
        visibility=_VISIBILITIES[function.visibility],
        is_entry=function.is_entry,
        type_parameters=[v2.TypeParameter(constraints=_abilities(held)) for held in handle.type_parameters],
        parameters=[_signature(type_) for type_ in handle.parameters],
        returns=[_signature(type_) for type_ in handle.returns],
    )


def datatype_message(definition: Definition) -> Any:
    """A struct or an enum."""
    handle = definition.handle
    kind = v2.DatatypeDescriptorDatatypeKind
    message = v2.DatatypeDescriptor(
        type_name=f"{long_address(handle.address)}::{handle.module}::{handle.name}",
        defining_id=long_address(handle.address),
        module=handle.module,
        name=handle.name,
        abilities=_abilities(handle.abilities),
        type_parameters=[
            v2.TypeParameter(constraints=_abilities(parameter.constraints), is_phantom=parameter.phantom)
            for parameter in handle.parameters
        ],
    )
    match definition:
        case StructDefinition():
            message.kind = kind.STRUCT
            message.fields = _fields(definition.fields)
        case EnumDefinition():
            message.kind = kind.ENUM
            message.variants = [
                v2.VariantDescriptor(name=variant.name, position=i, fields=_fields(variant.fields))
                for i, variant in enumerate(definition.variants)
            ]
    return message


def _module(module: Module, bytecode: bytes) -> Any:
    return v2.Module(
        name=module.name,
        contents=bytecode,
        datatypes=[datatype_message(definition) for definition in module.datatypes.values()],
        functions=[function_message(function) for function in module.functions.values()],
    )


def _fields(fields: Sequence[Field]) -> list[Any]:
    return [v2.FieldDescriptor(name=field.name, position=i, type=_body(field.type)) for i, field in enumerate(fields)]


def _abilities(held: Ability) -> list[Any]:
    return [message for ability, message in _ABILITIES if ability in held]


def _signature(type_: Type) -> Any:
    if isinstance(type_, Reference):
        kind = v2.OpenSignatureReference
        return v2.OpenSignature(reference=kind.MUTABLE if type_.mutable else kind.IMMUTABLE, body=_body(type_.target))
    return v2.OpenSignature(body=_body(type_))


def _body(type_: Type) -> Any:
    kind = v2.OpenSignatureBodyType
    match type_:
        case Vector():
            return v2.OpenSignatureBody(type=kind.VECTOR, type_parameter_instantiation=[_body(type_.element)])
        case Struct():
            return v2.OpenSignatureBody(
                type=kind.DATATYPE,
                type_name=f"{long_address(type_.address)}::{type_.module}::{type_.name}",
                type_parameter_instantiation=[_body(argument) for argument in type_.arguments],
            )
        case Parameter():
            return v2.OpenSignatureBody(type=kind.TYPE_PARAMETER, type_parameter=type_.index)
        case _:
            return v2.OpenSignatureBody(type=kind[str(type_).upper()])
