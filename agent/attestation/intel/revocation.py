"""Intel's revocation lists, and its signed statements with their times.

`dcap-qvl` reads them too, but asks only whether a list or statement is too old, not whether the list was there yet at
the time asked about. Here both ends count, so that an audit sees what a verifier could have seen.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agent.attestation import certificates
from agent.attestation.errors import BadSignature, Malformed, NotValidThen
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.errors import CollateralMismatch, Revoked
from agent.attestation.intel.quote import Quote
from agent.attestation.intel.signature import check_signed, p256_key
from agent.attestation.moments import moment
from agent.protocol.units import Millis

_SECOND: Final = 1000


@dataclass(frozen=True, slots=True)
class Statements:
    """What Intel says about a kind of platform and about its quoting enclave; signatures and times hold."""

    tcb_info: Mapping[str, Any]
    qe_identity: Mapping[str, Any]

    @property
    def evaluation(self) -> int:
        """The number of Intel's evaluation of patch levels; it grows with each recovery of the TCB. The lower one, where
        the two statements are of different evaluations: who sends them chooses.
        """
        return min(_whole(each, "tcbEvaluationDataNumber") for each in (self.tcb_info, self.qe_identity))

    @property
    def platform(self) -> bytes:
        """FMSPC: 6 bytes naming the family, model and stepping."""
        try:
            return bytes.fromhex(_text(self.tcb_info, "fmspc"))
        except ValueError:
            raise Malformed("TCB info: fmspc is not hex") from None


def check_collateral(collateral: Collateral, quote: Quote, root: bytes, at: Millis) -> Statements:
    """Return what `collateral` says, once all of it holds at `at`, and nothing that vouches for `quote` is revoked.

    Raises:
        Malformed, UntrustedRoot, BadChain, NotValidThen, BadSignature, Revoked
    """
    tcb_signer = certificates.check_chain((root, collateral.tcb_signer), root, at)
    qe_signer = certificates.check_chain((root, collateral.qe_signer), root, at)
    chain = [certificates.load(der) for der in quote.chain]
    lists = (
        check_list(collateral.root_crl, chain[0], at, "root's"),
        check_list(collateral.pck_crl, chain[-2], at, "PCK authority's"),
    )
    for certificate in (*chain[1:-1], tcb_signer, qe_signer):
        _check_not_revoked(certificate, lists[0])
    _check_not_revoked(chain[-1], lists[1])
    return Statements(
        check_statement(collateral.tcb_info, collateral.tcb_info_signature, tcb_signer, at, "TCB info"),
        check_statement(collateral.qe_identity, collateral.qe_identity_signature, qe_signer, at, "QE identity"),
    )


def check_list(der: bytes, issuer: x509.Certificate, at: Millis, whose: str) -> x509.CertificateRevocationList:
    """The list in `der`, signed by `issuer` and in force at `at`; `whose` is for people.

    Raises:
        Malformed, CollateralMismatch, BadSignature, NotValidThen
    """
    key = p256_key(issuer)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_crl(der)
            begins, ends, named = found.last_update_utc, found.next_update_utc, found.issuer
            signed = found.is_signature_valid(key)
            # the byte before the signature counts unused bits: there are none
            same = found.public_bytes(Encoding.DER) == der and not der[-len(found.signature) - 1]
    except Exception as error:  # noqa: BLE001 - a hostile list raises whatever its broken part raises
        raise Malformed(f"the {whose} revocation list cannot be read ({type(error).__name__})") from None
    if not same:
        raise Malformed(f"the {whose} revocation list is not in its DER encoding")
    if named != issuer.subject:
        raise CollateralMismatch(f"the {whose} revocation list is {named.rfc4514_string()[:80]!r}'s: wants the PCK's own")
    if not signed:
        raise BadSignature(f"the {whose} revocation list is not signed by its issuer")
    if ends is None:
        raise Malformed(f"the {whose} revocation list does not say until when it counts")
    _check_window(begins, ends, at, f"the {whose} revocation list")
    return found


def check_statement(text: bytes, signature: bytes, signer: x509.Certificate, at: Millis, name: str) -> Mapping[str, Any]:
    """What Intel's statement `text` says, signed by `signer` and in force at `at`; `name` is for people.

    Raises:
        Malformed, BadSignature, NotValidThen
    """
    check_signed(p256_key(signer), signature, text, f"Intel's {name}")
    try:
        statement = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed(f"{name} is not JSON") from None
    if type(statement) is not dict:
        raise Malformed(f"{name} is not a JSON object")
    begins, ends = (_moment(statement, field, name) for field in ("issueDate", "nextUpdate"))
    _check_window(begins, ends, at, f"Intel's {name}")
    return statement


def _check_not_revoked(certificate: x509.Certificate, revoked: x509.CertificateRevocationList) -> None:
    entry = revoked.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is not None:
        name = certificate.subject.rfc4514_string()[:80]
        raise Revoked(f"Intel has revoked {name!r} on {entry.revocation_date_utc:%F}: this platform cannot be trusted")


def _check_window(begins: datetime, ends: datetime, at: Millis, what: str) -> None:
    # integers, so that a time beyond the year 9999 compares like any other
    first, last = (int(moment.timestamp()) * _SECOND for moment in (begins, ends))
    if not first <= at <= last:
        valid = f"{begins:%F %T} to {ends:%F %T} UTC"
        raise NotValidThen(f"{what} counts {valid}, not at {moment(at)}: collect collateral of that time")


def _moment(statement: Mapping[str, Any], field: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(statement, field))
    except ValueError:
        raise Malformed(f"{name}: {field} is not a date") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _text(statement: Mapping[str, Any], field: str) -> str:
    value = statement.get(field)
    if type(value) is not str:
        raise Malformed(f"Intel's statement has no text {field!r}")
    return value


def _whole(statement: Mapping[str, Any], field: str) -> int:
    value = statement.get(field)
    if type(value) is not int:
        raise Malformed(f"Intel's statement has no number {field!r}")
    return value
