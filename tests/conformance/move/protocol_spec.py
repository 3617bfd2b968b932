"""docs/spec/protocol.md, read: what its tables and blocks say of structs, calls, events and abort codes."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SPEC = (ROOT / "docs" / "spec" / "protocol.md").read_text()

Fields = list[tuple[str, str]]
"""Names and types, as the spec writes them."""


def section(number: int) -> str:
    return SPEC.split(f"\n## {number}. ")[1].split("\n## ")[0]


def table(number: int) -> list[list[str]]:
    rows = [line.strip("|").split("|") for line in section(number).splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row] for row in rows[2:]]


def code(number: int) -> str:
    return section(number).split("```")[1]


def fields(text: str) -> Fields:
    """Read `a, b: u64; c: bytes`: a name without a type has that of the next name that has one."""
    text = re.sub(r"\{[^{}]*\}|\([^()]*\)", "", text)  # what follows a type's name, remarks
    read: Fields = []
    type_ = "?"
    for part in reversed(re.split(r"[;,]", text)):
        name, _, said = part.partition(":")
        type_ = said.strip() or type_
        read.append((name.strip(), "UID" if name.strip() == "id" else type_))
    return read[::-1]


def objects() -> dict[str, Fields]:
    """§5: the structs that stand at the beginning of a line, and those spelled out inside another."""
    found = re.findall(r"^(\w+)\s*(?:\([^)]*\)\s*)?\{((?:[^{}]|\{[^{}]*\})*)\}", code(5), re.MULTILINE)
    return {name: fields(body) for name, body in found} | inner(code(5))


def inner(text: str) -> dict[str, Fields]:
    return {name: fields(body) for name, body in re.findall(r"(\w+)\{([^{}]*)\}", text)}


def statements() -> dict[str, Fields]:
    """§4, with the scope in front."""
    return {name: [("scope", "u8"), *fields(rest)] for _, name, rest in table(4)} | inner(section(4).split("\n### ")[0])


def native_binding() -> Fields:
    """§4.1: what `native` is the hash of."""
    return fields(re.search(r'"enclavia-native/1:" \|\| BCS \{(.*?)\}', section(4))[1])


def input_facts() -> Fields:
    """§4: what `facts` is the hash of."""
    return fields(re.search(r"`facts` = blake2b256 of BCS \{(.*?)\}", section(4))[1])


def calls() -> dict[str, tuple[bool, list[str], str]]:
    """§7: name; whether private entry, parameters, what it returns ("" for nothing)."""
    pattern = r"^(E )?(\w+::\w+)\((.*?)\)(?:: (\([^)]*\)|[\w<>]+))?(?:$|\s\s)"
    found = re.findall(pattern, code(7), re.MULTILINE)
    return {
        name: (bool(private), [p.strip() for p in parameters.split(",")], returns)
        for private, name, parameters, returns in found
    }


def events() -> dict[str, Fields]:
    """§8."""
    return {event: fields(rest) for _, event, rest in table(8)}


def event_modules() -> list[tuple[str, str]]:
    """§8: module and name of each event."""
    return [(row[0], row[1]) for row in table(8)]


def abort_codes() -> dict[str, set[tuple[int, str]]]:
    """§9: by module."""
    return {module: {(int(c), name) for c, name in re.findall(r"(\d+)[ |]+(E\w+)", " ".join(rest))} for module, *rest in table(9)}
