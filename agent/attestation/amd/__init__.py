"""Evidence of AMD SEV-SNP: reports version 2 to 5 of Milan, Genoa and Turin, signed by VCEK or VLEK."""

from agent.attestation.amd.evidence import MEDIA_TYPE, SnpQuote
from agent.attestation.amd.report import GuestPolicy, PlatformInfo, SnpReport
from agent.attestation.amd.requirements import SnpCheck, SnpFinding, SnpRequirements, TcbStatus
from agent.attestation.amd.roots import AMD_ROOTS
from agent.attestation.amd.tcb import Product, Tcb
from agent.attestation.amd.verifier import SnpClaims, SnpVerifier, claims_of, verify_report

__all__ = [
    "AMD_ROOTS",
    "MEDIA_TYPE",
    "GuestPolicy",
    "PlatformInfo",
    "Product",
    "SnpCheck",
    "SnpClaims",
    "SnpFinding",
    "SnpQuote",
    "SnpReport",
    "SnpRequirements",
    "SnpVerifier",
    "Tcb",
    "TcbStatus",
    "claims_of",
    "verify_report",
]
