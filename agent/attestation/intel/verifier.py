"""Verifiers of TDX guests and SGX enclaves.

SGX has no number of its own in the protocol. It reports as kind TDX, read as "Intel DCAP": root, collateral and
quoting enclave are the same, and measurements carry a tag, so that a policy has to name an enclave to allow it.
"""

from dataclasses import dataclass
from typing import Final

from agent.attestation.errors import NotValidThen, UnknownKind
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.errors import CollateralMismatch, CollateralMissing, HostMayInterrupt, UntrustedModule
from agent.attestation.intel.evidence import SGX_TYPE, TDX_TYPE, IntelEvidence
from agent.attestation.intel.quote import Quote, Tee
from agent.attestation.intel.report import TdReport
from agent.attestation.intel.revocation import check_collateral
from agent.attestation.intel.root import INTEL_ROOT
from agent.attestation.intel.signature import check_chain, check_signatures
from agent.attestation.intel.tcb import Platform, Tcb, evaluate, evaluate_paravisor
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """A quote whose signatures and collateral hold."""

    quote: Quote
    platform: Platform
    tcb: Tcb
    evaluation: int
    """Of Intel's, by which `tcb` was judged."""

    def claims(self, measurement: bytes | None = None) -> Claims:
        """What it says; `measurement`, where another than the report's own counts."""
        return Claims(
            kind=TeeKind.TDX,
            measurement=self.quote.report.measurement if measurement is None else measurement,
            report_data=self.quote.report.report_data,
            nonce=None,
            public_key=None,
            issued_at=None,
            debug=self.quote.report.debug,
            hardware_id=self.platform.ppid,
            tcb_status=self.tcb.status,
            tcb_evaluation=self.evaluation,
            # the platform's flags stand among the advisories, so that a policy can reject them
            advisories=self.tcb.advisories + self.platform.flags,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntelTrust:
    """Under which root, with which collateral, Intel's evidence is judged."""

    root: bytes = INTEL_ROOT
    """DER."""
    collateral: Collateral | None = None
    """For quotes that bring none; what comes with a quote is preferred."""
    evaluation: int = 0
    """The least `tcbEvaluationDataNumber`: refuses collateral from before a recovery that still has its time."""
    modules: frozenset[bytes] = frozenset()
    """The TDX modules (MRSEAM, 48 bytes) that count; empty for all that Intel vouches for."""
    paravisor: bool = False
    """True: the guest is a paravisor, as on Azure, and handles what SEPT_VE_DISABLE would forbid."""

    def authenticate(self, evidence: IntelEvidence, at: Millis) -> Authenticated:
        """Return the quote in `evidence` once everything but its content is checked, as of `at`.

        Raises:
            EvidenceError: it does not hold; the subclass says where it failed.
        """
        quote, collateral = evidence.quote, evidence.collateral or self.collateral
        pck = check_chain(quote, self.root, at)
        if collateral is None:
            raise CollateralMissing
        platform = Platform.of(quote)
        statements = check_collateral(collateral, quote, self.root, at)
        if statements.platform != platform.kind:
            raise CollateralMismatch(
                f"collateral for platforms {statements.platform.hex()}, the quote is from a {platform.kind.hex()}: fetch its own"
            )
        if statements.evaluation < self.evaluation:
            raise NotValidThen(f"collateral of evaluation {statements.evaluation}, wants {self.evaluation}: fetch anew")
        check_signatures(quote, pck)
        report = quote.report
        if isinstance(report, TdReport) and self.modules and report.mr_seam not in self.modules:
            raise UntrustedModule(f"TDX module {report.mr_seam.hex()} is not one of the {len(self.modules)} allowed")
        try:
            tcb = evaluate(quote, collateral, self.root, at)
        except HostMayInterrupt:
            if not self.paravisor:
                raise
            tcb = evaluate_paravisor(quote, platform, statements)
        return Authenticated(quote=quote, platform=platform, tcb=tcb, evaluation=statements.evaluation)


class TdxVerifier(EvidenceVerifier):
    """Verifies quotes of TDX guests; the measurement is `TdReport.measurement`."""

    def __init__(self, trust: IntelTrust | None = None) -> None:
        self._trust: Final = trust or IntelTrust()

    @property
    def kind(self) -> TeeKind:
        return TeeKind.TDX

    @property
    def media_type(self) -> str:
        return TDX_TYPE

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        return self._trust.authenticate(_of_kind(quote, Tee.TDX), at).claims()

    def claimed_time(self, quote: bytes) -> Millis | None:
        _of_kind(quote, Tee.TDX)
        return None


class SgxVerifier(EvidenceVerifier):
    """Verifies quotes of SGX enclaves; the measurement is `EnclaveReport.measurement`."""

    def __init__(self, trust: IntelTrust | None = None) -> None:
        self._trust: Final = trust or IntelTrust()

    @property
    def kind(self) -> TeeKind:
        return TeeKind.TDX

    @property
    def media_type(self) -> str:
        return SGX_TYPE

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        return self._trust.authenticate(_of_kind(quote, Tee.SGX), at).claims()

    def claimed_time(self, quote: bytes) -> Millis | None:
        _of_kind(quote, Tee.SGX)
        return None


def _of_kind(data: bytes, tee: Tee) -> IntelEvidence:
    evidence = IntelEvidence.decode(data)
    if evidence.quote.tee is not tee:
        raise UnknownKind(f"a quote of {evidence.quote.tee.name} where one of {tee.name} was announced")
    return evidence
