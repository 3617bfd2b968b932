"""Reading a policy from its document: JSON that people write, the deterministic CBOR that is hashed, or that CBOR signed.

Strict: an unknown or missing field is an error, because a misspelt reject rejects nothing.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation import cbor, signed
from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.errors import EvidenceError, PolicyError
from agent.attestation.policy import FORMAT, Allowance, GpuRules, Layer, Machine, Policy, Rejection, Rejects, SnpFloor
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

MAX_DOCUMENT: Final = 1024 * 1024
_CBOR_MAP: Final = 5
MAX_VALUES: Final = 64 * 1024
"""CBOR values; some 7,000 entries."""
CONTENT_TYPE: Final = "application/vnd.enclavia.policy+cbor"
_LAYERS: Final = ("vendor", "network", "community")
_MILLIS: Final = ("max_age", "active_from", "sunset", "clock_skew")
_FIELDS: Final = frozenset({"format", "version", "allow_simulated", "accepted_tcb", *_MILLIS, *_LAYERS})
_OPTIONAL: Final = frozenset(
    {"snp_floors", "accepted_advisories", "intel_evaluation", "accept_vlek", "accept_missing_crl", "gpus"}
)
_LEVELS: Final = ("fmc", "bootloader", "tee", "snp", "microcode")
_U64: Final = 1 << 64


def load_policy(text: bytes, signers: Collection[bytes] = ()) -> Policy:
    """The policy in `text`: JSON, CBOR, or CBOR signed by one of `signers` (Ed25519, 32 bytes each).

    Raises:
        PolicyError: not a policy document, and the text names the field; or signed by nobody of `signers`.
    """
    if len(text) > MAX_DOCUMENT:
        raise PolicyError(f"policy document of {len(text)} bytes, at most {MAX_DOCUMENT}")
    if signed.is_signed(text):
        return _signed_policy(text, signers)
    if signers:
        raise PolicyError("the policy is not signed: give the signed document, or no signers")
    if text[:1] and text[0] >> 5 == _CBOR_MAP:
        return decode_policy(text)
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise PolicyError("the policy document is not JSON") from None
    return from_document(document)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON lets the last of two win: a second "reject" would silently undo the first
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise PolicyError(f"the policy document has the field {twice[:40]!r} twice in one place: leave one")
    return document


def dump_policy(policy: Policy) -> bytes:
    """The JSON document of `policy`, for people to read and `load_policy` to load."""
    return json.dumps(policy.to_document(), indent=2).encode() + b"\n"


def decode_policy(data: bytes) -> Policy:
    """The policy whose `Policy.encode` is `data`, and no other spelling of it: its hash is that of the bytes.

    Raises:
        PolicyError: it is none.
    """
    if len(data) > MAX_DOCUMENT:
        raise PolicyError(f"policy document of {len(data)} bytes, at most {MAX_DOCUMENT}")
    try:
        policy = from_document(cbor.decode(data, items=MAX_VALUES))
    except EvidenceError as error:
        raise PolicyError(f"the policy document is not deterministic CBOR: {error}") from None
    if policy.encode() != data:
        raise PolicyError("the policy document spells something twice or out of order: encode it with `enclavia policy sign`")
    return policy


def sign_policy(policy: Policy, key: Ed25519PrivateKey) -> bytes:
    """`policy` in CBOR, in a COSE_Sign1 of `key`."""
    return signed.seal(policy.encode(), key, CONTENT_TYPE)


def _signed_policy(data: bytes, signers: Collection[bytes]) -> Policy:
    try:
        envelope = signed.open_sealed(data, CONTENT_TYPE, signers, items=MAX_VALUES)
    except EvidenceError as error:
        raise PolicyError(f"the signed policy cannot be used: {error}") from None
    return decode_policy(envelope.payload)


def from_document(document: Any) -> Policy:
    """The policy that `Policy.to_document` wrote.

    Raises:
        PolicyError: a field is missing, unknown, or of another type.
    """
    fields = _exactly(document, _FIELDS, "policy", _OPTIONAL)
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
        accepted_tcb=_texts(fields, "accepted_tcb", "policy"),
        vendor=vendor,
        network=network,
        community=community,
        snp_floors=_floors(fields["snp_floors"]) if "snp_floors" in fields else frozenset(),
        accepted_advisories=_texts(fields, "accepted_advisories", "policy") if "accepted_advisories" in fields else None,
        intel_evaluation=_uint(fields, "intel_evaluation", "policy") if "intel_evaluation" in fields else None,
        accept_vlek=_bool(fields, "accept_vlek") if "accept_vlek" in fields else False,
        accept_missing_crl=_bool(fields, "accept_missing_crl") if "accept_missing_crl" in fields else False,
        gpus=_gpus(fields["gpus"]) if "gpus" in fields else None,
    )


def _floors(document: Any) -> frozenset[SnpFloor]:
    known = {product.value for product in Product}
    if type(document) is not dict or not document or not document.keys() <= known:
        raise PolicyError(f"policy.snp_floors: wants levels for some of {', '.join(sorted(known))}")
    floors = set()
    for name, levels in document.items():
        where = f"policy.snp_floors.{name}"
        entries = _exactly(levels, frozenset(_LEVELS), where)
        values = {level: _uint(entries, level, where) for level in _LEVELS}
        if max(values.values()) > 255:
            raise PolicyError(f"{where}: levels are 0 to 255")
        floors.add(SnpFloor(Product(name), Tcb(**values)))
    return frozenset(floors)


def _gpus(document: Any) -> GpuRules:
    fields = _exactly(document, frozenset({"count", "models", "drivers", "require_ocsp"}), "gpus", frozenset({"vbios"}))
    return GpuRules(
        count=_uint(fields, "count", "gpus"),
        models=_texts(fields, "models", "gpus"),
        drivers=_texts(fields, "drivers", "gpus"),
        vbios=_texts(fields, "vbios", "gpus") if "vbios" in fields else frozenset(),
        require_ocsp=_bool(fields, "require_ocsp"),
    )


def _layer(document: Any, name: str) -> Layer:
    fields = _exactly(document, frozenset({"allow", "reject"}), name, frozenset({"machines"}))
    machines = _list(fields, "machines", name) if "machines" in fields else []
    return Layer(
        allow=frozenset(_allowance(entry, f"{name}.allow") for entry in _list(fields, "allow", name)),
        reject=frozenset(_rejection(entry, f"{name}.reject") for entry in _list(fields, "reject", name)),
        machines=frozenset(_machine(entry, f"{name}.machines") for entry in machines),
    )


def _allowance(document: Any, where: str) -> Allowance:
    return Allowance(*_dated(document, "measurement", where))


def _machine(document: Any, where: str) -> Machine:
    return Machine(*_dated(document, "hardware", where))


def _dated(document: Any, what: str, where: str) -> tuple[TeeKind, bytes, Millis, Millis]:
    fields = _exactly(document, frozenset({"kind", what, "active_from", "sunset"}), where)
    try:
        kind = TeeKind[_text(fields["kind"], f"{where}.kind").upper()]
        value = bytes.fromhex(_text(fields[what], f"{where}.{what}"))
    except (KeyError, ValueError):
        known = ", ".join(kind.name.lower() for kind in TeeKind)
        raise PolicyError(f"{where}: wants a kind out of {known}, and a {what} in hex") from None
    return kind, value, Millis(_uint(fields, "active_from", where)), Millis(_uint(fields, "sunset", where))


def _rejection(document: Any, where: str) -> Rejection:
    fields = _exactly(document, frozenset({"what", "value", "reason"}), where)
    what, value, reason = (_text(fields[field], f"{where}.{field}") for field in ("what", "value", "reason"))
    if what not in set(Rejects):
        raise PolicyError(f"{where}.what: {what!r} cannot be rejected, only {', '.join(Rejects)}")
    return Rejection(Rejects(what), value, reason)


def _exactly(document: Any, names: frozenset[str], where: str, optional: frozenset[str] = frozenset()) -> Mapping[str, Any]:
    if type(document) is not dict or not names <= document.keys() <= names | optional:
        besides = f", and at most {', '.join(sorted(optional))} besides" if optional else ""
        raise PolicyError(f"{where}: wants exactly the fields {', '.join(sorted(names))}{besides}")
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


def _texts(fields: Mapping[str, Any], name: str, where: str) -> frozenset[str]:
    return frozenset(_text(value, f"{where}.{name}") for value in _list(fields, name, where))


def _list(fields: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = fields[name]
    if type(value) is not list:
        raise PolicyError(f"{where}.{name}: wants a list")
    return value
