"""Types as bytecode spells them."""

from collections.abc import Iterable, Sequence
from typing import Final

from localnet.movevm.bytecode.cursor import Cursor
from localnet.movevm.bytecode.module import DatatypeHandle
from localnet.movevm.errors import MalformedModule
from localnet.movevm.types import (
    ADDRESS,
    BOOL,
    SIGNER,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Parameter,
    Reference,
    Struct,
    Type,
    Vector,
)

MAX_DEPTH: Final = 128

_PRIMITIVES: Final = {0x1: BOOL, 0x2: U8, 0x3: U64, 0x4: U128, 0x5: ADDRESS, 0xC: SIGNER, 0xD: U16, 0xE: U32, 0xF: U256}
_REFERENCE, _MUT_REFERENCE, _STRUCT, _PARAMETER, _VECTOR, _STRUCT_INSTANCE = 0x6, 0x7, 0x8, 0x9, 0xA, 0xB


def read_type(cursor: Cursor, datatypes: Sequence[DatatypeHandle], depth: int = 0) -> Type:
    """Read one type.

    Raises:
        MalformedModule: unknown, too deep, or of a datatype that is not there.
    """
    if depth > MAX_DEPTH:
        raise MalformedModule(f"a type nested deeper than {MAX_DEPTH}")
    code = cursor.u8()
    if code in _PRIMITIVES:
        return _PRIMITIVES[code]
    if code == _VECTOR:
        return Vector(read_type(cursor, datatypes, depth + 1))
    if code == _PARAMETER:
        return Parameter(cursor.uleb(0xFFFF))
    if code in {_REFERENCE, _MUT_REFERENCE}:
        if depth:
            raise MalformedModule("a reference inside a type")
        return Reference(read_type(cursor, datatypes, depth + 1), code == _MUT_REFERENCE)
    if code not in {_STRUCT, _STRUCT_INSTANCE}:
        raise MalformedModule(f"{code:#x} starts no type")
    index = cursor.uleb(0xFFFF)
    if index >= len(datatypes):
        raise MalformedModule(f"datatype handle {index} does not exist")
    handle = datatypes[index]
    count = cursor.uleb(255) if code == _STRUCT_INSTANCE else 0
    if count != len(handle.parameters):
        raise MalformedModule(f"{handle.name} has {len(handle.parameters)} type parameters, {count} are given")
    arguments = tuple(read_type(cursor, datatypes, depth + 1) for _ in range(count))
    return Struct(handle.address, handle.module, handle.name, arguments)


def check_parameters(types: Iterable[Type], count: int) -> None:
    """Check that `types` use none but the first `count` type parameters.

    Raises:
        MalformedModule: they do.
    """
    for type_ in types:
        if isinstance(type_, Parameter) and type_.index >= count:
            raise MalformedModule(f"type parameter {type_.index} does not exist, there are {count}")
        if isinstance(type_, Struct):
            check_parameters(type_.arguments, count)
        elif isinstance(type_, Vector):
            check_parameters((type_.element,), count)
        elif isinstance(type_, Reference):
            check_parameters((type_.target,), count)
