"""Reading a policy from its document, JSON on disk.

Strict: an unknown or missing field is an error, because a misspelt reject rejects nothing.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from agent.attestation.errors import PolicyError
from agent.attestation.policy import FORMAT, Allowance, Layer, Policy, Rejection, Rejects
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

MAX_DOCUMENT: Final = 1024 * 1024
_LAYERS: Final = ("vendor", "network", "community")
_MILLIS: Final = ("max_age", "active_from", "sunset", "clock_skew")
_FIELDS: Final = frozenset({"format", "version", "allow_simulated", "accepted_tcb", *_MILLIS, *_LAYERS})
_U64: Final = 1 << 64


def load_policy(text: bytes) -> Policy:
    """The policy in a JSON document.

    Raises:
        PolicyError: not a policy document; the text names the field.
    """
    if len(text) > MAX_DOCUMENT:
        raise PolicyError(f"policy document of {len(text)} bytes, at most {MAX_DOCUMENT}")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise PolicyError("the policy document is not JSON") from None
    return from_document(document)


def dump_policy(policy: Policy) -> bytes:
    """The JSON document of `policy`, for people to read and `load_policy` to load."""
    return json.dumps(policy.to_document(), indent=2).encode() + b"\n"


def from_document(document: Any) -> Policy:
    """The policy that `Policy.to_document` wrote.

    Raises:
        PolicyError: a field is missing, unknown, or of another type.
    """
    fields = _exactly(document, _FIELDS, "policy")
    if fields["format"] != FORMAT:
        raise PolicyError(f"policy: format is not {FORMAT!r}: this release reads no other")
    millis = {name: Millis(_uint(fields, name, "policy")) for name in _MILLIS}
    vendor, network, community = (_layer(fields[name], name) for name in _LAYERS)
    return Policy(
        version=_uint(fields, "version", "policy"),
        max_age=millis["max_age"],
        active_from=millis["active_from"],
        sunset=millis["sunset"],
        clock_skew=millis["clock_skew"],
        allow_simulated=_bool(fields, "allow_simulated"),
        accepted_tcb=frozenset(_text(name, "policy.accepted_tcb") for name in _list(fields, "accepted_tcb", "policy")),
        vendor=vendor,
        network=network,
        community=community,
    )


def _layer(document: Any, name: str) -> Layer:
    fields = _exactly(document, frozenset({"allow", "reject"}), name)
    return Layer(
        allow=frozenset(_allowance(entry, f"{name}.allow") for entry in _list(fields, "allow", name)),
        reject=frozenset(_rejection(entry, f"{name}.reject") for entry in _list(fields, "reject", name)),
    )


def _allowance(document: Any, where: str) -> Allowance:
    fields = _exactly(document, frozenset({"kind", "measurement", "active_from", "sunset"}), where)
    try:
        kind = TeeKind[_text(fields["kind"], f"{where}.kind").upper()]
        measurement = bytes.fromhex(_text(fields["measurement"], f"{where}.measurement"))
    except (KeyError, ValueError):
        known = ", ".join(kind.name.lower() for kind in TeeKind)
        raise PolicyError(f"{where}: wants a kind out of {known}, and a measurement in hex") from None
    active_from, sunset = (Millis(_uint(fields, field, where)) for field in ("active_from", "sunset"))
    return Allowance(kind, measurement, active_from, sunset)


def _rejection(document: Any, where: str) -> Rejection:
    fields = _exactly(document, frozenset({"what", "value", "reason"}), where)
    what, value, reason = (_text(fields[field], f"{where}.{field}") for field in ("what", "value", "reason"))
    if what not in set(Rejects):
        raise PolicyError(f"{where}.what: {what!r} cannot be rejected, only {', '.join(Rejects)}")
    return Rejection(Rejects(what), value, reason)


def _exactly(document: Any, names: frozenset[str], where: str) -> Mapping[str, Any]:
    if type(document) is not dict or document.keys() != names:
        raise PolicyError(f"{where}: wants exactly the fields {', '.join(sorted(names))}")
    return document


def _uint(fields: Mapping[str, Any], name: str, where: str) -> int:
    value = fields[name]
    if type(value) is not int or not 0 <= value < _U64:
        raise PolicyError(f"{where}.{name}: wants an unsigned integer of 64 bits")
    return value


def _bool(fields: Mapping[str, Any], name: str) -> bool:
    value = fields[name]
    if type(value) is not bool:
        raise PolicyError(f"policy.{name}: wants true or false")
    return value


def _text(value: Any, where: str) -> str:
    if type(value) is not str:
        raise PolicyError(f"{where}: wants text")
    return value


def _list(fields: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = fields[name]
    if type(value) is not list:
        raise PolicyError(f"{where}.{name}: wants a list")
    return value
