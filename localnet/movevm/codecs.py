"""BCS of Move values: one encoder and one decoder per type, written as Python source and compiled once.

Generated code beats interpretation of layouts about three times, and objects are encoded in every transaction.
Only names that stand in this file reach the source; types enter it as numbers of bits and fields.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any, Final, TypeAlias

from localnet.movevm.errors import MalformedValue, PrimitiveError
from localnet.movevm.linker import Linker
from localnet.movevm.types import ADDRESS, ADDRESS_BYTES, BOOL, SIGNER, U8, Primitive, Struct, Type, Vector
from localnet.movevm.values import Value

Encoder: TypeAlias = Callable[[Value, bytearray], None]
Decoder: TypeAlias = Callable[[bytes, int], tuple[Value, int]]

MAX_DEPTH: Final = 128
"""Nesting of values, as on Sui."""
_REMEMBERED: Final = 4096
"""Sources that need no second compilation."""
_MAX_INLINE: Final = 60
"""Fields of nested structs that are written out in one function; more go into functions of their own."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions for one type."""

    encode: Encoder
    decode: Decoder


class Codecs:
    """All codecs made so far."""

    def __init__(self, linker: Linker) -> None:
        self._linker: Final = linker
        self._made: dict[Type, Codec] = {}

    def forget(self) -> None:
        """Drop all: a package has gone."""
        self._made.clear()

    def encode(self, type_: Type, value: Value) -> bytes:
        """BCS of `value`. Raises LinkError, PrimitiveError if it is no value of that type."""
        out = bytearray()
        encoder = self.of(type_).encode
        try:
            encoder(value, out)
        except (TypeError, AttributeError, IndexError, ValueError, OverflowError) as broken:
            # only bytecode that no Move verifier would pass mixes up types
            raise PrimitiveError(f"UNVERIFIED_BYTECODE: {broken!r}", None) from broken
        return bytes(out)

    def decode(self, type_: Type, data: bytes) -> Value:
        """The value in `data`, all of it.

        Raises:
            MalformedValue: not the BCS of such a value. LinkError: no such type.
        """
        try:
            value, at = self.of(type_).decode(data, 0)
        except IndexError:
            raise MalformedValue(f"{len(data)} bytes are too few for {type_}") from None
        if at != len(data):
            raise MalformedValue(f"{len(data)} bytes are not one {type_}, which would be {at}")
        return value

    def end(self, type_: Type, data: bytes, at: int) -> int:
        """Where the value of `type_` that starts `at` in `data` ends.

        Raises:
            MalformedValue: there is none. LinkError: no such type.
        """
        try:
            return self.of(type_).decode(data, at)[1]
        except IndexError:
            raise MalformedValue(f"{len(data)} bytes are too few for {type_}") from None

    def of(self, type_: Type, depth: int = 0) -> Codec:
        """Raises LinkError, MalformedValue if the type is nested too deep."""
        codec = self._made.get(type_)
        if codec is None:
            if depth > MAX_DEPTH:
                raise MalformedValue(f"a type nested deeper than {MAX_DEPTH}")
            codec = self._made[type_] = self._make(type_, depth)
        return codec

    def _make(self, type_: Type, depth: int) -> Codec:
        encoder, decoder = _Source("encode(value, out)"), _Source("decode(data, at)")
        self._write(encoder, type_, "value", depth)
        result = self._read(decoder, type_, depth)
        decoder.line("if at > len(data): raise IndexError")
        decoder.line(f"return {result}, at")
        return Codec(encoder.compile("encode"), decoder.compile("decode"))

    def _size(self, type_: Type, limit: int) -> int:
        """Number of fields in all nested structs, counted to `limit`."""
        if not isinstance(type_, Struct) or self._linker.is_enum(type_):
            return 1
        total = 1
        for field in self._linker.struct_layout(type_):
            if total > limit:
                break
            total += self._size(field, limit - total)
        return total

    def _inlined(self, type_: Type) -> bool:
        return isinstance(type_, Struct) and not self._linker.is_enum(type_) and self._size(type_, _MAX_INLINE) <= _MAX_INLINE

    # ---- writing

    def _write(self, source: "_Source", type_: Type, at: str, depth: int, *, top: bool = True) -> None:
        if isinstance(type_, Primitive):
            source.line(_write_primitive(type_, at))
        elif isinstance(type_, Vector):
            name = source.name()
            source.line(f"{name} = len({at})")
            source.line(f"if {name} < 128: out.append({name})")
            source.line(f"else: out += uleb({name})")
            if type_.element is U8:
                source.line(f"out += {at}")
            elif isinstance(type_.element, Primitive):
                source.line(f"for item in {at}: {_write_primitive(type_.element, 'item')}")
            else:
                source.line(f"for item in {at}: {source.constant(self.of(type_.element, depth + 1).encode)}(item, out)")
        elif not isinstance(type_, Struct):
            raise MalformedValue(f"{type_} has no BCS")
        elif self._linker.is_enum(type_):
            self._write_enum(source, type_, at, depth)
        elif top or self._inlined(type_):
            for index, field in enumerate(self._linker.struct_layout(type_)):
                self._write(source, field, f"{at}[{index}]", depth + 1, top=False)
        else:
            source.line(f"{source.constant(self.of(type_, depth + 1).encode)}({at}, out)")

    def _write_enum(self, source: "_Source", type_: Struct, at: str, depth: int) -> None:
        writers = []
        for variant in self._linker.enum_layout(type_):
            writer = _Source("encode(value, out)")
            for index, field in enumerate(variant, 1):
                self._write(writer, field, f"value[{index}]", depth + 1, top=False)
            writers.append(writer.compile("encode"))
        source.line(f"out.append({at}[0])")  # one byte: a type has at most 127 variants
        source.line(f"{source.constant(tuple(writers))}[{at}[0]]({at}, out)")

    # ---- reading

    def _read(self, source: "_Source", type_: Type, depth: int, *, top: bool = True) -> str:
        if isinstance(type_, Primitive):
            return _read_primitive(source, type_)
        if isinstance(type_, Vector):
            return self._read_vector(source, type_, depth)
        if not isinstance(type_, Struct):
            raise MalformedValue(f"{type_} has no BCS")
        if self._linker.is_enum(type_):
            return self._read_enum(source, type_, depth)
        if top or self._inlined(type_):
            fields = [self._read(source, field, depth + 1, top=False) for field in self._linker.struct_layout(type_)]
            return f"[{', '.join(fields)}]"
        name = source.name()
        source.line(f"{name}, at = {source.constant(self.of(type_, depth + 1).decode)}(data, at)")
        return name

    def _read_vector(self, source: "_Source", type_: Vector, depth: int) -> str:
        name, count = source.name(), source.name()
        source.line(f"{count} = data[at]; at += 1")
        source.line(f"if {count} > 127: {count}, at = read_length(data, at - 1)")
        source.line(f"if {count} > len(data) - at: raise IndexError")  # every element has at least one byte
        element = type_.element
        if element is U8:
            source.line(f"{name} = bytearray(data[at:at + {count}]); at += {count}")
            return name
        source.line(f"{name} = []")
        source.line(f"for _ in range({count}):")
        source.line(f"  item, at = {source.constant(self.of(element, depth + 1).decode)}(data, at)")
        source.line(f"  {name}.append(item)")
        return name

    def _read_enum(self, source: "_Source", type_: Struct, depth: int) -> str:
        readers = []
        for tag, variant in enumerate(self._linker.enum_layout(type_)):
            reader = _Source("decode(data, at)")
            fields = [str(tag), *(self._read(reader, field, depth + 1, top=False) for field in variant)]
            reader.line(f"return [{', '.join(fields)}], at")
            readers.append(reader.compile("decode"))
        name, tag_name = source.name(), source.name()
        source.line(f"{tag_name} = data[at]")
        source.line(f"if {tag_name} >= {len(readers)}: raise MalformedValue('no such variant')")
        source.line(f"{name}, at = {source.constant(tuple(readers))}[{tag_name}](data, at + 1)")
        return name


def _write_primitive(type_: Primitive, at: str) -> str:
    if type_.bits:
        return f"out += {at}.to_bytes({type_.bits // 8}, 'little')" if type_ is not U8 else f"out.append({at})"
    return f"out.append({at})" if type_ is BOOL else f"out += {at}"


def _read_primitive(source: "_Source", type_: Primitive) -> str:
    name = source.name()
    if type_ in {ADDRESS, SIGNER}:
        source.line(f"{name} = data[at:at + {ADDRESS_BYTES}]; at += {ADDRESS_BYTES}")
    elif type_ is BOOL:
        source.line(f"{name} = data[at]; at += 1")
        source.line(f"if {name} > 1: raise MalformedValue('a bool is 0 or 1')")
        source.line(f"{name} = {name} == 1")
    elif type_ is U8:
        source.line(f"{name} = data[at]; at += 1")
    else:
        size = type_.bits // 8
        source.line(f"{name} = from_bytes(data[at:at + {size}], 'little'); at += {size}")
    return name


class _Source:
    """A function being written."""

    def __init__(self, signature: str) -> None:
        self._lines = [f"def {signature}:"]
        self._names = 0
        self._scope: dict[str, Any] = {
            "uleb": encode_length,
            "read_length": _read_length,
            "from_bytes": int.from_bytes,
            "MalformedValue": MalformedValue,
        }

    def line(self, text: str) -> None:
        self._lines.append(" " + text)

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def constant(self, value: object) -> str:
        name = f"C{len(self._scope)}"
        self._scope[name] = value
        return name

    def compile(self, name: str) -> Any:
        text = "\n".join([*self._lines, " pass"])
        exec(_code(text), self._scope)  # noqa: S102 - source from this file alone
        return self._scope[name]


@lru_cache(maxsize=_REMEMBERED)
def _code(text: str) -> CodeType:
    """Types of the same shape have the same source, in every VM."""
    return compile(text, "<bcs>", "exec")


def encode_length(number: int) -> bytes:
    """ULEB128, as BCS writes lengths and variants."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if not byte and shift:
                raise MalformedValue("a length is not in its shortest form")
            return value, at
        shift += 7
        if shift > 28:
            raise MalformedValue("a length is over 32 bits")
