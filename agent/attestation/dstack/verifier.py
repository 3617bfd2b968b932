"""Verifies guests that dstack started: a TDX quote, and an event log that gives the very registers it signs."""

from dataclasses import dataclass
from typing import Final

from agent.attestation.dstack.application import Application
from agent.attestation.dstack.evidence import MEDIA_TYPE, DstackEvidence
from agent.attestation.errors import BadSignature, UnknownKind
from agent.attestation.intel.report import TdReport
from agent.attestation.intel.verifier import Authenticated, IntelTrust
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis


class LogMismatch(BadSignature):
    """The event log does not replay to the registers that the quote signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DstackGuest:
    """A guest whose quote and log hold."""

    authenticated: Authenticated
    report: TdReport
    application: Application

    def claims(self) -> Claims:
        """What it says; the measurement is `Application.measurement`."""
        return self.authenticated.claims(self.application.measurement(self.report))


class DstackVerifier(EvidenceVerifier):
    """Verifies `DstackEvidence`."""

    def __init__(self, trust: IntelTrust | None = None) -> None:
        self._trust: Final = trust or IntelTrust()

    @property
    def kind(self) -> TeeKind:
        return TeeKind.TDX

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        return self.guest(quote, at).claims()

    def guest(self, evidence: bytes, at: Millis) -> DstackGuest:
        """The guest that `evidence` vouches for, as of `at`.

        Raises:
            EvidenceError: it does not hold; the subclass says where it failed.
        """
        decoded = DstackEvidence.decode(evidence)
        report = decoded.intel.quote.report
        if not isinstance(report, TdReport):
            raise UnknownKind("dstack evidence with an SGX quote: dstack starts TDX guests")
        authenticated = self._trust.authenticate(decoded.intel, at)
        for index, (found, signed) in enumerate(zip(decoded.log.registers(), report.rtmr, strict=True)):
            if found != signed:
                raise LogMismatch(
                    f"the event log replays to {found.hex()[:16]}… for RTMR{index}, the quote signs {signed.hex()[:16]}…: "
                    "send the log that belongs to this quote"
                )
        return DstackGuest(authenticated=authenticated, report=report, application=Application.of(decoded.log.runtime))

    def claimed_time(self, quote: bytes) -> Millis | None:
        DstackEvidence.decode(quote)
        return None
