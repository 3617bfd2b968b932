"""A kind of TEE that this release does not have, as a later one will add it: one verifier, and nothing else changes."""

from dataclasses import replace
from typing import Any

import pytest
from simulated_world import BINDING, NOW, POLICY, Node, expected, failed

from agent.attestation.binding import report_data
from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.nitro import MEDIA_TYPE as NITRO_TYPE
from agent.attestation.nitro import NitroVerifier
from agent.attestation.policy import Allowance, Layer, Rejection, Rejects
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.verify import verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

MRTD = b"\x42" * 48
CHIP = bytes.fromhex("cafe" * 8)


class TdxLike(EvidenceVerifier):
    """Takes the report data alone as quote; like TDX it has no clock, no nonce, no key field, but a patch level."""

    def __init__(self, **claims: Any) -> None:
        self._claims = claims

    @property
    def kind(self) -> TeeKind:
        return TeeKind.TDX

    @property
    def media_type(self) -> str:
        return "application/x-tdx-like"

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        if len(quote) != 64:
            raise Malformed("64 bytes")
        genuine: dict[str, Any] = {
            "kind": TeeKind.TDX,
            "measurement": MRTD,
            "report_data": quote,
            "nonce": None,
            "public_key": None,
            "issued_at": None,
            "debug": False,
            "hardware_id": CHIP,
            "tcb_status": "UpToDate",
            "advisories": ("INTEL-SA-1",),
        }
        return Claims(**(genuine | self._claims))

    def claimed_time(self, quote: bytes) -> Millis | None:
        return None


TDX_POLICY = replace(POLICY, allow_simulated=False, vendor=Layer(allow=frozenset({Allowance(TeeKind.TDX, MRTD)})))
EVIDENCE = Evidence(BINDING.encode(), Quote("application/x-tdx-like", report_data(BINDING.encode()))).encode()


def _judged(policy: Any = TDX_POLICY, at: int = NOW, **claims: Any) -> Verdict:
    return verify(EVIDENCE, policy, Millis(at), expected(), (NitroVerifier(), TdxLike(**claims)))


def test_new_kind_is_accepted_through_the_same_checks() -> None:
    verdict = _judged()
    assert verdict.ok, verdict.failed
    assert verdict.tee_kind is TeeKind.TDX
    assert not verdict.simulated


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"tcb_status": "OutOfDate"}, "tcb"),
        ({"debug": True}, "not-debug"),
        ({"measurement": b"\x43" * 48}, "measurement"),
        ({"report_data": b""}, "report-data"),
    ],
)
def test_what_the_new_kind_claims_is_judged_by_the_policy(claims: dict[str, Any], check: str) -> None:
    assert failed(_judged(**claims)) == {check}


@pytest.mark.parametrize(
    "rejection", [Rejection(Rejects.HARDWARE, "cafe" * 8, "stolen"), Rejection(Rejects.ADVISORY, "INTEL-SA-1", "open")]
)
def test_rejected_chip_or_advisory_refuses_the_platform(rejection: Rejection) -> None:
    policy = replace(TDX_POLICY, community=Layer(reject=frozenset({rejection})))
    assert failed(_judged(policy)) == {"not-rejected"}


def test_kind_without_a_clock_lives_from_when_it_is_judged() -> None:
    assert _judged(at=BINDING.not_after - TDX_POLICY.max_age).ok
    assert failed(_judged(at=BINDING.not_after - TDX_POLICY.max_age - 1)) == {"expiry"}


def test_kind_with_a_public_key_field_must_fill_it() -> None:
    assert failed(_judged(public_key=b"")) == {"public-key"}


class _Broken(TdxLike):
    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        raise EvidenceError("does not hold")


def test_verifier_that_refuses_makes_a_verdict_and_not_an_exception() -> None:
    assert failed(verify(EVIDENCE, TDX_POLICY, NOW, expected(), (_Broken(),))) == {"format"}


def test_quote_of_one_kind_is_not_read_by_the_verifier_of_another() -> None:
    disguised = Evidence(BINDING.encode(), Quote(NITRO_TYPE, Node().quote())).encode()
    assert failed(verify(disguised, TDX_POLICY, NOW, expected(), (TdxLike(),))) == {"kind"}
