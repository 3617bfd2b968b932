"""Verification of SEV-SNP reports under AMD's roots, or others given as explicitly, at a given time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from agent.attestation.amd.endorsement import Endorsement, check_endorsement
from agent.attestation.amd.evidence import MEDIA_TYPE, SnpQuote
from agent.attestation.amd.report import SIGNED_SIZE, SigningKey, SnpReport
from agent.attestation.amd.requirements import SnpFinding, SnpRequirements
from agent.attestation.amd.roots import AMD_ROOTS
from agent.attestation.amd.tcb import Product
from agent.attestation.errors import BadSignature
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

PRODUCTION: Final = SnpRequirements()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpClaims(Claims):
    """What an authentic report says, and how it stands to the requirements."""

    report: SnpReport
    product: Product
    findings: tuple[SnpFinding, ...]
    """Failed ones keep `tcb_status` from being "UpToDate", so that no policy takes them for good."""


def verify_report(
    report: bytes,
    chain: Sequence[bytes],
    at: Millis,
    *,
    crl: bytes | None = None,
    roots: Mapping[Product, bytes] = AMD_ROOTS,
) -> SnpReport:
    """The report in `report`, authentic at `at`: signed by the VCEK or VLEK in `chain` (DER, any order), which belongs
    to the report's chip and patch level and leads to one of `roots`.

    What it says is the caller's to judge: debugging, VMPL, patch level. `claims_of` judges all of that.

    Raises:
        Malformed, UntrustedRoot, BadChain (also CertificateMismatch, Revoked), NotValidThen, BadSignature
    """
    return _authenticate(report, chain, at, crl, roots)[0]


def claims_of(
    report: bytes,
    chain: Sequence[bytes],
    at: Millis,
    *,
    crl: bytes | None = None,
    roots: Mapping[Product, bytes] = AMD_ROOTS,
    requirements: SnpRequirements = PRODUCTION,
) -> SnpClaims:
    """What an authentic report says (`verify_report`), with a finding for each of the `requirements`.

    Raises:
        EvidenceError: as `verify_report`.
    """
    parsed, endorsement = _authenticate(report, chain, at, crl, roots)
    hardware_id = parsed.chip_id if any(parsed.chip_id) else endorsement.chip_id
    findings = requirements.judge(parsed, endorsement.product, hardware_id)
    return SnpClaims(
        kind=TeeKind.SEV_SNP,
        measurement=parsed.measurement,
        report_data=parsed.report_data,
        nonce=None,
        public_key=None,
        issued_at=None,
        debug=parsed.debug,
        hardware_id=hardware_id,
        tcb_status=requirements.tcb_status(findings, endorsement.product),
        shared_key=endorsement.kind is SigningKey.VLEK,
        revocation_list=crl is not None,
        report=parsed,
        product=endorsement.product,
        findings=findings,
    )


class SnpVerifier(EvidenceVerifier):
    """Verifies `SnpQuote`s. The roots are AMD's, or others that have to be given as explicitly."""

    def __init__(
        self, requirements: SnpRequirements = PRODUCTION, roots: Mapping[Product, bytes] = AMD_ROOTS
    ) -> None:
        self._requirements = requirements
        self._roots = roots

    @property
    def kind(self) -> TeeKind:
        return TeeKind.SEV_SNP

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    def authenticate(self, quote: bytes, at: Millis) -> SnpClaims:
        parts = SnpQuote.decode(quote)
        return claims_of(
            parts.report, parts.chain, at, crl=parts.crl, roots=self._roots, requirements=self._requirements
        )

    def claimed_time(self, quote: bytes) -> Millis | None:
        SnpQuote.decode(quote)
        return None


def _authenticate(
    raw: bytes, chain: Sequence[bytes], at: Millis, crl: bytes | None, roots: Mapping[Product, bytes]
) -> tuple[SnpReport, Endorsement]:
    report = SnpReport.decode(raw)
    endorsement = check_endorsement(chain, roots, at, crl)
    endorsement.check_report(report)
    try:
        endorsement.key.verify(
            encode_dss_signature(*report.signature), report.raw[:SIGNED_SIZE], ec.ECDSA(hashes.SHA384())
        )
    except (InvalidSignature, ValueError):
        raise BadSignature(f"SEV-SNP report is not signed by its {endorsement.kind.name}") from None
    return report, endorsement
