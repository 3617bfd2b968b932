"""A module's header: where each table lies.

magic, version u32 (top byte: flavor), number of tables, then kind, offset and length of each; the tables; the module's own handle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from localnet.movevm.bytecode.cursor import Cursor
from localnet.movevm.errors import MalformedModule

MAGIC: Final = bytes.fromhex("a11ceb0b")
MAX_MODULE: Final = 100 * 1024
"""Bytes; Sui allows a whole package no more than this."""
OLDEST, NEWEST = 5, 7
_SUI_FLAVOR: Final = 5


class Table(IntEnum):
    """Kinds of tables."""

    MODULE_HANDLES = 0x1
    DATATYPE_HANDLES = 0x2
    FUNCTION_HANDLES = 0x3
    FUNCTION_INSTANTIATIONS = 0x4
    SIGNATURES = 0x5
    CONSTANTS = 0x6
    IDENTIFIERS = 0x7
    ADDRESSES = 0x8
    STRUCT_DEFINITIONS = 0xA
    STRUCT_INSTANTIATIONS = 0xB
    FUNCTION_DEFINITIONS = 0xC
    FIELD_HANDLES = 0xD
    FIELD_INSTANTIATIONS = 0xE
    FRIENDS = 0xF
    METADATA = 0x10
    ENUM_DEFINITIONS = 0x11
    ENUM_INSTANTIATIONS = 0x12
    VARIANT_HANDLES = 0x13
    VARIANT_INSTANTIATIONS = 0x14


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `at` to `end` of the module."""

    at: int
    end: int


_EMPTY: Final = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Tables:
    """The header, read."""

    data: bytes
    version: int
    own_module: int
    """Index of the module's own handle."""
    spans: Mapping[Table, Span]

    def get(self, table: Table) -> Span:
        """Where `table` lies; empty if the module has none."""
        return self.spans.get(table, _EMPTY)

    def entries(self, table: Table) -> Iterator[Cursor]:
        """The cursor once per entry; whoever gets it reads exactly one."""
        span = self.get(table)
        cursor = Cursor(self.data, span.at, span.end)
        while not cursor.exhausted():
            before = cursor.at
            yield cursor
            if cursor.at == before:
                raise MalformedModule(f"an empty entry in table {table.name}")


def read_tables(data: bytes) -> Tables:
    """Read the header.

    Raises:
        MalformedModule: this is no Move module of a version that we know.
    """
    if len(data) > MAX_MODULE:
        raise MalformedModule(f"a module of {len(data)} bytes, at most {MAX_MODULE}")
    cursor = Cursor(data)
    if cursor.take(4) != MAGIC:
        raise MalformedModule("not a Move module: its first four bytes are not a1 1c eb 0b")
    word = cursor.little_endian(4)
    version, flavor = word & 0xFFFFFF, word >> 24
    if not OLDEST <= version <= NEWEST or flavor not in {0, _SUI_FLAVOR}:
        raise MalformedModule(f"bytecode version {version} of flavor {flavor}: we run Sui's {OLDEST} to {NEWEST}")
    headers = [(cursor.u8(), cursor.uleb(), cursor.uleb()) for _ in range(cursor.uleb(255))]
    base = end = cursor.at
    spans: dict[Table, Span] = {}
    for kind, offset, length in sorted(headers, key=lambda header: header[1]):
        if kind not in Table.__members__.values() or kind in spans:
            raise MalformedModule(f"table {kind:#x} is unknown or there twice")
        if base + offset != end:
            raise MalformedModule(f"table {kind:#x} overlaps another, or leaves a gap")
        end = base + offset + length
        if end > len(data):
            raise MalformedModule(f"table {kind:#x} ends at {end}, the module at {len(data)}")
        spans[Table(kind)] = Span(base + offset, end)
    tail = Cursor(data, end)
    own = tail.uleb(0xFFFF)
    if not tail.exhausted():
        raise MalformedModule(f"{tail.end - tail.at} bytes too many")
    return Tables(data, version, own, spans)
