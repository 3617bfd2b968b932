"""Move types: what they are, how they are written, and their BCS.

Types are interned: equal types are the same object, so that comparing and hashing them costs nothing.
`Parameter` and `Reference` occur in signatures only; a value's type has neither.
"""

from collections.abc import Sequence
from typing import Any, Final, final
from weakref import WeakValueDictionary

ADDRESS_BYTES: Final = 32


class Type:
    """One Move type. Compare with `is` or `==`, both mean the same."""

    __slots__ = ("__weakref__",)

    def __repr__(self) -> str:
        return f"<{self}>"


class Primitive(Type):
    """bool, u8 … u256, address, signer: eleven objects, made below."""

    __slots__ = ("bits", "name", "tag")

    def __init__(self, name: str, tag: int, bits: int = 0) -> None:
        self.name: Final = name
        self.tag: Final = tag
        """The BCS variant of Rust's `TypeTag`."""
        self.bits: Final = bits
        """Width of an unsigned integer, 0 for others."""

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return _primitive, (self.name,)


@final
class Vector(Type):
    """`vector<element>`."""

    __slots__ = ("element",)
    element: Type

    def __new__(cls, element: Type) -> "Vector":
        found = _vectors.get(element)
        if found is None:
            found = _vectors[element] = super().__new__(cls)
            found.element = element
        return found

    def __str__(self) -> str:
        return f"vector<{self.element}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Vector, (self.element,)


@final
class Struct(Type):
    """A struct or enum type, with its type arguments; `address` is the defining package's, 32 bytes."""

    __slots__ = ("address", "arguments", "module", "name")
    address: bytes
    module: str
    name: str
    arguments: tuple[Type, ...]

    def __new__(cls, address: bytes, module: str, name: str, arguments: Sequence[Type] = ()) -> "Struct":
        key = (address, module, name, tuple(arguments))
        found = _structs.get(key)
        if found is None:
            found = _structs[key] = super().__new__(cls)
            found.address, found.module, found.name, found.arguments = key
        return found

    def __str__(self) -> str:
        return _struct_text(self, short_address(self.address), ", ".join(map(str, self.arguments)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Struct, (self.address, self.module, self.name, self.arguments)


@final
class Parameter(Type):
    """The `index`-th type parameter of the generic at hand."""

    __slots__ = ("index",)
    index: int

    def __new__(cls, index: int) -> "Parameter":
        found = _parameters.get(index)
        if found is None:
            found = _parameters[index] = super().__new__(cls)
            found.index = index
        return found

    def __str__(self) -> str:
        return f"T{self.index}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameter, (self.index,)


@final
class Reference(Type):
    """`&target` or `&mut target`."""

    __slots__ = ("mutable", "target")
    target: Type
    mutable: bool

    def __new__(cls, target: Type, mutable: bool) -> "Reference":
        key = (target, mutable)
        found = _references.get(key)
        if found is None:
            found = _references[key] = super().__new__(cls)
            found.target, found.mutable = key
        return found

    def __str__(self) -> str:
        return f"&{'mut ' if self.mutable else ''}{self.target}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Reference, (self.target, self.mutable)


_vectors: "WeakValueDictionary[Type, Vector]" = WeakValueDictionary()
_structs: "WeakValueDictionary[tuple[bytes, str, str, tuple[Type, ...]], Struct]" = WeakValueDictionary()
_parameters: "WeakValueDictionary[int, Parameter]" = WeakValueDictionary()
_references: "WeakValueDictionary[tuple[Type, bool], Reference]" = WeakValueDictionary()

BOOL: Final = Primitive("bool", 0)
U8: Final = Primitive("u8", 1, 8)
U64: Final = Primitive("u64", 2, 64)
U128: Final = Primitive("u128", 3, 128)
ADDRESS: Final = Primitive("address", 4)
SIGNER: Final = Primitive("signer", 5)
U16: Final = Primitive("u16", 8, 16)
U32: Final = Primitive("u32", 9, 32)
U256: Final = Primitive("u256", 10, 256)
PRIMITIVES: Final = (BOOL, U8, U16, U32, U64, U128, U256, ADDRESS, SIGNER)
BYTES: Final = Vector(U8)

_BY_NAME: Final = {primitive.name: primitive for primitive in PRIMITIVES}


def _primitive(name: str) -> Primitive:
    return _BY_NAME[name]


def substitute(type_: Type, arguments: Sequence[Type]) -> Type:
    """Return `type_` with its parameters replaced by `arguments`."""
    if isinstance(type_, Parameter):
        return arguments[type_.index]
    if isinstance(type_, Struct):
        return Struct(
            type_.address, type_.module, type_.name, tuple(substitute(argument, arguments) for argument in type_.arguments)
        ) if type_.arguments else type_
    if isinstance(type_, Vector):
        return Vector(substitute(type_.element, arguments))
    if isinstance(type_, Reference):
        return Reference(substitute(type_.target, arguments), type_.mutable)
    return type_


def is_generic(type_: Type) -> bool:
    """Whether a type parameter occurs in `type_`."""
    if isinstance(type_, Parameter):
        return True
    if isinstance(type_, Struct):
        return any(is_generic(argument) for argument in type_.arguments)
    if isinstance(type_, Vector):
        return is_generic(type_.element)
    return isinstance(type_, Reference) and is_generic(type_.target)


def short_address(address: bytes) -> str:
    """`0x2` for the address 0x0…02."""
    return f"0x{int.from_bytes(address, 'big'):x}"


def long_address(address: bytes) -> str:
    """`0x` and 64 hex digits."""
    return "0x" + address.hex()


def canonical(type_: Type, *, prefix: str = "0x") -> str:
    """`type_` with 64-digit addresses and no spaces: the form in which Sui's RPC names types.

    `prefix=""` is the form of `std::type_name`.
    """
    if isinstance(type_, Struct):
        arguments = ",".join(canonical(argument, prefix=prefix) for argument in type_.arguments)
        return _struct_text(type_, prefix + type_.address.hex(), arguments)
    if isinstance(type_, Vector):
        return f"vector<{canonical(type_.element, prefix=prefix)}>"
    return str(type_)


def _struct_text(struct: Struct, address: str, arguments: str) -> str:
    text = f"{address}::{struct.module}::{struct.name}"
    return f"{text}<{arguments}>" if arguments else text
