"""The little XML that reference manifests are made of, and its canonical form (W3C Canonical XML 1.1, inclusive).

Written out because the two libraries that do this for signatures also do a hundred things that a hostile document
likes. Here there are elements, attributes, namespaces and text; no document type, hence no entities; no processing
instructions, no comments, no `xml:` attributes, and sizes have limits. Without those, canonicalization is one page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from agent.attestation.nvidia.errors import MalformedRim

MAX_XML: Final = 64 * 1024
"""Bytes; NVIDIA's manifests have about 21 KiB."""
MAX_ELEMENTS: Final = 1024
MAX_DEPTH: Final = 16
MAX_ATTRIBUTES: Final = 64
"""Of one element."""
MAX_NAMESPACES: Final = 16
"""In force at once; they are compared for every element."""

_TEXT: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_VALUE: Final = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}


@dataclass(slots=True, eq=False)
class Element:
    """An element as it was written, and the namespaces in force in it."""

    tag: str
    """With its prefix."""
    attributes: Mapping[str, str]
    """With their prefixes; without declarations of namespaces."""
    namespaces: Mapping[str, str]
    """In force here, by prefix; "" for the default one."""
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def name(self) -> tuple[str, str]:
        """Namespace ("" for none) and local name."""
        return self._expanded(self.tag, self.namespaces.get("", ""))

    @property
    def named_attributes(self) -> dict[tuple[str, str], str]:
        """The attributes by namespace and local name; without a prefix they have no namespace."""
        return {self._expanded(name, ""): value for name, value in self.attributes.items()}

    @property
    def elements(self) -> "list[Element]":
        """The children that are elements."""
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def text(self) -> str:
        """The text directly in it."""
        return "".join(child for child in self.children if isinstance(child, str))

    def _expanded(self, qualified: str, otherwise: str) -> tuple[str, str]:
        prefix, colon, local = qualified.rpartition(":")
        return (self.namespaces[prefix] if colon else otherwise), local


def parse(data: bytes) -> Element:
    """The root element of the document in `data`, UTF-8.

    Raises:
        MalformedRim: not well-formed, or outside of what is described above.
    """
    if len(data) > MAX_XML:
        raise MalformedRim(f"manifest of {len(data)} bytes, at most {MAX_XML}")
    builder = _Builder()
    try:
        # expat would follow a byte order mark into UTF-16
        builder.parse(data.decode())
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise MalformedRim(f"manifest is not well-formed XML in UTF-8: {error}") from None
    return builder.root


def canonical(element: Element, without: Element | None = None) -> bytes:
    """The canonical form of `element` and all in it, the element `without` left out, in UTF-8.

    As for any inclusive form, namespaces in force from outside are written at the top.
    """
    return "".join(_written(element, {}, without)).encode()


def _written(element: Element, outside: Mapping[str, str], without: Element | None) -> Iterator[str]:
    declared = [(prefix, uri) for prefix, uri in element.namespaces.items() if outside.get(prefix, "") != uri]
    yield f"<{element.tag}"
    for prefix, uri in sorted(declared):
        yield f" xmlns{':' if prefix else ''}{prefix}={_quoted(uri)}"
    for _, name in sorted((element._expanded(name, ""), name) for name in element.attributes):  # noqa: SLF001 - this module's own
        yield f" {name}={_quoted(element.attributes[name])}"
    yield ">"
    for child in element.children:
        if isinstance(child, str):
            yield child.translate(_TEXT_TABLE)
        elif child is not without:
            yield from _written(child, element.namespaces, without)
    yield f"</{element.tag}>"


_TEXT_TABLE: Final = str.maketrans(_TEXT)
_VALUE_TABLE: Final = str.maketrans(_VALUE)


def _quoted(value: str) -> str:
    return f'"{value.translate(_VALUE_TABLE)}"'


class _Builder:
    def __init__(self) -> None:
        self.root = Element("", {}, {})
        self._open = [self.root]
        self._count = 0

    def parse(self, data: str) -> None:
        parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.ProcessingInstructionHandler = self._refuse
        parser.CommentHandler = self._refuse
        parser.StartCdataSectionHandler = self._refuse
        parser.Parse(data, True)
        self.root = self.root.elements[0]

    def _start(self, tag: str, pairs: list[str]) -> None:
        self._count += 1
        attributes = dict(zip(pairs[::2], pairs[1::2], strict=True))
        if self._count > MAX_ELEMENTS or len(self._open) > MAX_DEPTH or len(attributes) > MAX_ATTRIBUTES:
            raise MalformedRim(f"manifest with more than {MAX_ELEMENTS} elements, {MAX_DEPTH} levels or {MAX_ATTRIBUTES} attributes")
        declared = {name.removeprefix("xmlns").removeprefix(":"): uri for name, uri in attributes.items() if _declares(name)}
        element = Element(
            tag,
            {name: value for name, value in attributes.items() if not _declares(name)},
            {**self._open[-1].namespaces, **declared},
        )
        if len(element.namespaces) > MAX_NAMESPACES:
            raise MalformedRim(f"manifest with more than {MAX_NAMESPACES} namespaces in force")
        for name in (tag, *element.attributes):
            prefix, colon, local = name.rpartition(":")
            if ":" in prefix or (colon and not (local and element.namespaces.get(prefix))):
                raise MalformedRim(f"manifest: the prefix of {name[:80]!r} stands for no namespace")
        if "xml" in declared or "xmlns" in declared or len(element.named_attributes) != len(element.attributes):
            raise MalformedRim(f"manifest: {tag[:80]!r} redefines xml, or has an attribute twice")
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].children.append(text)

    def _refuse(self, *_: object) -> NoReturn:
        raise MalformedRim("manifest with a document type, a comment, a CDATA section or a processing instruction")


def _declares(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")
