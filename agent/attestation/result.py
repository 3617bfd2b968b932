"""A verdict that travels: EAT-style claims (RFC 9711) in deterministic CBOR, signed by whoever judged.

    6 iat, 263 dbgstat, 265 eat_profile   as registered
    "at", "ok", "evidence", "policy", "node", "tee", "devices", "checks", "until"   ours

`ok` is written for whoever reads without counting; a result whose `ok` is not what its checks say is refused.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.attestation import cbor, signed
from agent.attestation.amd import SnpCheck
from agent.attestation.checks import OF_QUOTES, OPTIONAL, CheckName
from agent.attestation.errors import Malformed
from agent.attestation.nvidia import GpuCheck
from agent.attestation.verdict import Check, QuoteVerdict, Verdict
from agent.protocol.statements import TeeKind
from agent.protocol.units import BlobId, Digest, Millis, NodeId

PROFILE: Final = "tag:enclavia,2026:verdict/1"
CONTENT_TYPE: Final = "application/vnd.enclavia.verdict+cbor"
MAX_RESULT: Final = 64 * 1024
"""Bytes; real ones have about 4,000."""

_IAT, _DEBUG_STATUS, _PROFILE = 6, 263, 265
_DEBUG_ENABLED, _DEBUG_DISABLED = 0, 1
_DIGEST: Final = 32
_NAMES: Final = {name.value: name for kind in (CheckName, SnpCheck, GpuCheck) for name in kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tee:
    """What the hardware said."""

    kind: TeeKind
    measurement: bytes
    report_data: bytes
    debug: bool
    hardware_id: bytes | None
    tcb_status: str | None
    advisories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a GPU or switch said."""

    model: str
    hardware_id: bytes
    driver: str
    vbios: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationResult:
    """A verdict without the evidence's own bytes.

    Raises:
        ValueError: a check stands here twice, or all passed under a policy and one that acceptance needs was not made.
    """

    at: Millis
    """As of when the evidence was judged."""
    evidence_digest: BlobId
    policy: Digest | None
    """None: judged by no policy, so never accepted."""
    node: NodeId | None
    """Whose evidence was expected; None: a quote judged for itself."""
    checks: tuple[Check, ...]
    tee: Tee | None
    """None unless the signatures hold."""
    devices: tuple[Device, ...]
    valid_until: Millis | None
    """When the keys stop counting; None where the evidence has none."""

    def __post_init__(self) -> None:
        names = {check.name for check in self.checks}
        if len(names) != len(self.checks):
            raise ValueError("a result shows each check once")
        if self.tee is not None and any(check.name is CheckName.DEBUG and check.passed is self.tee.debug for check in self.checks):
            raise ValueError("what is said of debugging and its check contradict each other")
        if not self.ok:
            return
        needed: set[CheckName | SnpCheck | GpuCheck] = set(OF_QUOTES if self.node is None else set(CheckName) - OPTIONAL)
        if self.tee is not None and self.tee.kind is TeeKind.SEV_SNP:
            needed |= set(SnpCheck)
        if self.devices:
            needed |= set(GpuCheck)
        missing = needed - names
        if missing or self.tee is None:
            raise ValueError(f"a result that accepts must show all checks; not made: {sorted(missing)}")

    @property
    def ok(self) -> bool:
        """True: there was a policy, and every check passed."""
        return self.policy is not None and all(check.passed for check in self.checks)

    @classmethod
    def of(cls, verdict: Verdict | QuoteVerdict) -> "AttestationResult":
        """The result that says what `verdict` does."""
        claims, binding = verdict.claims, verdict.binding
        tee = None if claims is None else Tee(
            kind=claims.kind,
            measurement=claims.measurement,
            report_data=claims.report_data,
            debug=claims.debug,
            hardware_id=claims.hardware_id,
            tcb_status=None if claims.tcb_status is None else str(claims.tcb_status),
            advisories=claims.advisories,
        )
        return cls(
            at=verdict.at,
            evidence_digest=verdict.evidence_digest,
            policy=verdict.policy,
            node=verdict.node if isinstance(verdict, Verdict) else None,
            checks=verdict.checks,
            tee=tee,
            devices=tuple(
                Device(model=each.model, hardware_id=each.hardware_id, driver=each.driver, vbios=each.vbios) for each in verdict.devices
            ),
            valid_until=None if binding is None else binding.not_after,
        )

    def encode(self) -> bytes:
        """Deterministic CBOR of the claims."""
        claims: dict[Any, Any] = {
            _IAT: self.at // 1000,
            _PROFILE: PROFILE,
            "at": self.at,
            "ok": self.ok,
            "evidence": self.evidence_digest,
            "policy": self.policy,
            "node": self.node,
            "until": self.valid_until,
            "checks": [[check.name.value, check.passed, check.detail] for check in self.checks],
            "devices": [[each.model, each.hardware_id, each.driver, each.vbios] for each in self.devices],
            "tee": None,
        }
        if self.tee is not None:
            tee = self.tee
            claims[_DEBUG_STATUS] = _DEBUG_ENABLED if tee.debug else _DEBUG_DISABLED
            claims["tee"] = [int(tee.kind), tee.measurement, tee.report_data, tee.hardware_id, tee.tcb_status, list(tee.advisories)]
        return cbor.encode(claims)

    @classmethod
    def decode(cls, data: bytes) -> "AttestationResult":
        """The result in `data`.

        Raises:
            Malformed: not claims of this profile in their one encoding, or such as no verdict makes.
        """
        if len(data) > MAX_RESULT:
            raise Malformed(f"result of {len(data)} bytes, at most {MAX_RESULT}")
        claims = cbor.decode(data)
        if type(claims) is not dict or claims.get(_PROFILE) != PROFILE:
            raise Malformed(f"not a result of profile {PROFILE}")
        try:
            result = _result(claims)
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"result: {error}") from None
        if result.encode() != data:
            raise Malformed("result: its claims contradict each other, or are not in their one encoding")
        return result

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """The result in a COSE_Sign1 of `key`."""
        return signed.seal(self.encode(), key, CONTENT_TYPE)

    @classmethod
    def open_signed(cls, data: bytes, signers: Collection[bytes]) -> "AttestationResult":
        """The result in `data`, which one of `signers` (Ed25519, 32 bytes each) signed.

        Raises:
            Malformed, UntrustedSigner, BadSignature
        """
        if len(data) > MAX_RESULT:
            raise Malformed(f"signed result of {len(data)} bytes, at most {MAX_RESULT}")
        return cls.decode(signed.open_sealed(data, CONTENT_TYPE, signers).payload)


def _result(claims: dict[Any, Any]) -> AttestationResult:
    tee = claims["tee"]
    policy, node, until = claims["policy"], claims["node"], claims["until"]
    return AttestationResult(
        at=Millis(_whole(claims["at"])),
        evidence_digest=BlobId(_octets(claims["evidence"], _DIGEST)),
        policy=None if policy is None else Digest(_octets(policy, _DIGEST)),
        node=None if node is None else NodeId(_octets(node, _DIGEST)),
        checks=tuple(_check(entry) for entry in claims["checks"]),
        tee=None if tee is None else _tee(tee, claims[_DEBUG_STATUS]),
        devices=tuple(_device(entry) for entry in claims["devices"]),
        valid_until=None if until is None else Millis(_whole(until)),
    )


def _check(entry: Any) -> Check:
    match entry:
        case [str(name), bool(passed), str(detail)]:
            return Check(_NAMES[name], passed=passed, detail=detail)
        case _:
            raise ValueError("a check is not a name, whether it passed, and a text")


def _tee(entry: Any, debug: Any) -> Tee:
    match entry:
        case [int(kind), bytes(measurement), bytes(report), bytes() | None as chip, str() | None as status, list(advisories)]:
            pass
        case _:
            raise ValueError("what the hardware said has another shape")
    if not all(type(each) is str for each in advisories):
        raise ValueError("an advisory is not text")
    return Tee(
        kind=TeeKind(kind),
        measurement=measurement,
        report_data=report,
        debug=debug == _DEBUG_ENABLED,
        hardware_id=chip,
        tcb_status=status,
        advisories=tuple(advisories),
    )


def _device(entry: Any) -> Device:
    match entry:
        case [str(model), bytes(hardware), str(driver), str(vbios)]:
            return Device(model=model, hardware_id=hardware, driver=driver, vbios=vbios)
        case _:
            raise ValueError("what a device said has another shape")


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a time is not a whole number of milliseconds")
    return value


def _octets(value: Any, size: int) -> bytes:
    if type(value) is not bytes or len(value) != size:
        raise ValueError(f"a digest is not {size} bytes")
    return value
