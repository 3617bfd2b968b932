"""How Move values look in Python.

    bool                      bool
    u8 … u256                 int
    address                   bytes, 32 of them
    vector<u8>                bytearray
    vector<T>                 list
    struct                    list of its fields
    enum                      list of its tag and the variant's fields
    &T, &mut T                (container, index): the value is container[index]

The list that is a struct is the value itself, never shared: moving moves the list, copying copies it.
"""

from typing import Any, TypeAlias

from localnet.movevm.types import U8, Type

Value: TypeAlias = Any
"""One of the above; which one, the type beside it tells."""
Ref: TypeAlias = tuple[Any, int]
"""A reference."""


def copy_value(value: Value) -> Value:
    """An independent copy."""
    kind = type(value)
    if kind is list:
        return [copy_value(part) if type(part) in _CONTAINERS else part for part in value]
    return value[:] if kind is bytearray else value


_CONTAINERS = frozenset({list, bytearray})


def new_vector(element: Type, items: list[Value]) -> Value:
    """A vector whose element type is known only when the code runs."""
    return bytearray(items) if element is U8 else items


def read(reference: Ref) -> Value:
    """What `reference` points at, not copied."""
    return reference[0][reference[1]]
