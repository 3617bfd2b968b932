"""The patch level of a platform: Intel's rules as `dcap-qvl` applies them, and its refusals put in our words.

`dcap-qvl` checks every signature again on the way, so what it and `signature` disagree on is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import dcap_qvl

from agent.attestation.errors import BadChain, EvidenceError, Malformed, NotValidThen
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.errors import (
    CollateralMismatch,
    HostMayInterrupt,
    UnsafeAttributes,
    UntrustedModule,
    UntrustedQuotingEnclave,
)
from agent.attestation.intel.levels import platform_level
from agent.attestation.intel.quote import Quote, pem
from agent.attestation.intel.report import EnclaveReport, TdReport
from agent.attestation.intel.revocation import Statements
from agent.attestation.moments import moment
from agent.protocol.units import Millis

REVOKED: Final = "Revoked"
"""Intel's own word: keys of this platform are known to have leaked."""

UNLISTED: Final = "BelowEveryLevel"
"""Our word: the platform is older than anything that Intel still lists."""

DEBUG: Final = "Debug"
"""Our word: not evaluated, because a debug guest has nothing to protect."""

_STATUSES: Final = (
    ("Debug mode is enabled", DEBUG),
    ("No matching TCB level", UNLISTED),
    ("status is invalid: Revoked", REVOKED),
)
"""Refusals of `dcap-qvl` that are claims to us, for the policy to judge."""

_REFUSALS: Final[tuple[tuple[str, type[EvidenceError]], ...]] = (
    ("non-TDX TCB info", CollateralMismatch),
    ("non-SGX TCB info", CollateralMismatch),
    ("Unsupported QE Identity", CollateralMismatch),
    ("TDX module", UntrustedModule),
    ("SEPT_VE_DISABLE", HostMayInterrupt),
    ("Reserved bits", UnsafeAttributes),
    ("TD migration", UnsafeAttributes),
    ("MR service TD", UnsafeAttributes),
    ("QE report validation", UntrustedQuotingEnclave),
    ("QE MRSIGNER", UntrustedQuotingEnclave),
    ("QE ISV", UntrustedQuotingEnclave),
    ("QE MISCSELECT", UntrustedQuotingEnclave),
    ("QE ATTRIBUTES", UntrustedQuotingEnclave),
    ("certificate chain", BadChain),
)
"""Words in its other refusals; what stands nowhere here is malformed. Chains, revocation, times and signatures were
checked before, where they have names: it says no more of them than "Failed to verify certificate chain"."""

_FLAGS: Final = (
    ("1.2.840.113741.1.13.1.7.1", "PCK-DYNAMIC-PLATFORM"),
    ("1.2.840.113741.1.13.1.7.2", "PCK-CACHED-KEYS"),
    ("1.2.840.113741.1.13.1.7.3", "PCK-SMT-ENABLED"),
)
"""Booleans in the extension of a PCK certificate."""


@dataclass(frozen=True, slots=True)
class Tcb:
    """Intel's judgement of a platform."""

    status: str
    """Intel's word, or `UNLISTED` or `DEBUG`."""
    advisories: tuple[str, ...] = ()
    """Intel's advisories that concern it, sorted."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a PCK certificate says of its platform."""

    ppid: bytes
    """16 bytes: which one."""
    kind: bytes
    """FMSPC, 6 bytes: family, model, stepping."""
    cpu_svn: bytes
    pce_svn: int
    flags: tuple[str, ...]
    """Of PCK-DYNAMIC-PLATFORM, PCK-CACHED-KEYS and PCK-SMT-ENABLED those that are set."""

    @classmethod
    def of(cls, quote: Quote) -> "Platform":
        """The platform that made `quote`.

        Raises:
            Malformed: its certificate has no such extension.
        """
        try:
            found = dcap_qvl.parse_pck_extension_from_pem(pem(quote.chain).encode())
            flags = tuple(name for oid, name in _FLAGS if any(found.get_value(oid) or b""))
        except ValueError:
            raise Malformed("the PCK certificate has no extension of Intel's that can be read") from None
        return cls(bytes(found.ppid), bytes(found.fmspc), bytes(found.cpu_svn), found.pce_svn, flags)


def evaluate(quote: Quote, collateral: Collateral, root: bytes, at: Millis) -> Tcb:
    """The patch level of the platform that made `quote`.

    Raises:
        EvidenceError: `dcap-qvl` refuses; for a refusal about the patch level alone, that is the status instead.
    """
    seconds = at // 1000
    if not 0 <= seconds < 1 << 63:
        raise NotValidThen(f"no collateral counts at {moment(at)}")
    try:
        claims = dcap_qvl.QuoteVerifier(root_ca_der=root).verify_with_policy(
            quote.raw, _library_collateral(collateral, root), seconds, dcap_qvl.QuotePolicy.claims_only(seconds)
        )
        found = json.loads(claims.to_json())
    except BaseException as error:
        # a panic of the library's is no Exception, and nobody else's fault
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            return _refused(str(error))
        raise
    _check_same_report(quote, found)
    return Tcb(found["tcb"]["status"], tuple(sorted(found["tcb"]["advisory_ids"])))


def evaluate_paravisor(quote: Quote, platform: Platform, statements: Statements) -> Tcb:
    """The patch level of a platform whose guest `evaluate` refused with `HostMayInterrupt` and nothing else.

    Raises:
        HostMayInterrupt: the guest has other attributes than Azure's paravisor, which has none.
        Malformed: Intel's statements do not know the platform's module.
    """
    report = quote.report
    if not isinstance(report, TdReport) or any(report.attributes):
        raise HostMayInterrupt("SEPT_VE_DISABLE is off, and the guest is not a paravisor without attributes")
    level = platform_level(
        statements.tcb_info,
        statements.qe_identity,
        report,
        platform.cpu_svn,
        platform.pce_svn,
        EnclaveReport.decode(quote.qe_report).isv_svn,
    )
    return Tcb(UNLISTED) if level is None else Tcb(level.status, tuple(sorted(level.advisories)))


def _library_collateral(collateral: Collateral, root: bytes) -> Any:
    tcb_chain, qe_chain = (pem((root, signer)) for signer in (collateral.tcb_signer, collateral.qe_signer))
    return dcap_qvl.QuoteCollateralV3(
        pck_crl_issuer_chain="",  # not read: the quote's chain is
        root_ca_crl=collateral.root_crl,
        pck_crl=collateral.pck_crl,
        tcb_info_issuer_chain=tcb_chain,
        tcb_info=collateral.tcb_info.decode(),
        tcb_info_signature=collateral.tcb_info_signature,
        qe_identity_issuer_chain=qe_chain,
        qe_identity=collateral.qe_identity.decode(),
        qe_identity_signature=collateral.qe_identity_signature,
    )


def _refused(reason: str) -> Tcb:
    for words, status in _STATUSES:
        if words in reason:
            return Tcb(status)
    for words, error in _REFUSALS:
        if words in reason:
            raise error(f"dcap-qvl: {reason[:200]}") from None
    raise Malformed(f"dcap-qvl: {reason[:200]}") from None


def _check_same_report(quote: Quote, found: Mapping[str, Any]) -> None:
    (report,) = found["report"].values()
    read = report.get("base", report)["report_data"]
    if bytes.fromhex(read) != quote.report.report_data:
        raise Malformed("dcap-qvl reads another report in this quote than we do")
