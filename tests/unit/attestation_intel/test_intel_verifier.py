"""Evidence of a test PKI in the very format of Intel's, through the same path: ours, and dcap-qvl under our root."""

from dataclasses import replace
from typing import Any

import pytest
from intel_pki import (
    CA,
    CA_NAME,
    CHAIN,
    DAY,
    FMSPC,
    NOW,
    PCK,
    PCK_NAME,
    PPID,
    ROOT,
    ROOT_NAME,
    TCB_NAME,
    TCB_SIGNER,
    Guest,
    Signing,
    certificate,
    collateral,
    enclave_report,
    evidence,
    key,
    level,
    pck_extension,
    qe_identity,
    revocation_list,
    rfc3339,
    sgx_quote,
    sign,
    tcb_info,
    tdx_quote,
)

from agent.attestation.errors import BadChain, BadSignature, EvidenceError, Malformed, NotValidThen, UnknownKind, UntrustedRoot
from agent.attestation.intel.collateral import Collateral
from agent.attestation.intel.errors import (
    CollateralMismatch,
    CollateralMissing,
    HostMayInterrupt,
    Revoked,
    UnsafeAttributes,
    UntrustedModule,
    UntrustedQuotingEnclave,
)
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote
from agent.attestation.intel.verifier import IntelTrust, SgxVerifier, TdxVerifier
from agent.attestation.verifier import Claims
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

TRUST = IntelTrust(root=ROOT)
TDX, SGX = TdxVerifier(TRUST), SgxVerifier(TRUST)
ENCLAVE = enclave_report(attributes=b"\x05".ljust(16, b"\0"), isv_prod_id=9)


def judged(guest: Guest | None = None, signing: Signing | None = None, at: int = NOW, **beside: Any) -> Claims:
    return TDX.authenticate(evidence(tdx_quote(guest, signing), collateral(**beside)), Millis(at))


@pytest.mark.parametrize("version", [4, 5])
def test_guest_is_authenticated_and_its_claims_are_the_quotes(version: int) -> None:
    guest = Guest(version=version)
    claims = judged(guest)
    assert claims == Claims(
        kind=TeeKind.TDX,
        measurement=Quote.decode(tdx_quote(guest)).report.measurement,
        report_data=guest.report_data,
        nonce=None,
        public_key=None,
        issued_at=None,
        debug=False,
        hardware_id=PPID,
        tcb_status="UpToDate",
        tcb_evaluation=20,
        advisories=(),
    )


def test_enclave_is_authenticated_as_intel_dcap() -> None:
    claims = SGX.authenticate(evidence(sgx_quote(ENCLAVE), collateral(tdx=False)), NOW)
    assert (claims.kind, claims.tcb_status, claims.debug) == (TeeKind.TDX, "UpToDate", False)
    assert claims.measurement == Quote.decode(sgx_quote(ENCLAVE)).report.measurement
    assert SGX.kind is TeeKind.TDX


def test_debug_guest_and_enclave_say_so() -> None:
    guest = judged(Guest(attributes=bytes.fromhex("0100001000000000")))
    report = enclave_report(attributes=b"\x07".ljust(16, b"\0"))
    enclave = SGX.authenticate(evidence(sgx_quote(report), collateral(tdx=False)), NOW)
    assert guest.debug
    assert enclave.debug
    assert guest.tcb_status == enclave.tcb_status == "Debug"


@pytest.mark.parametrize(
    "status",
    ["SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate", "Revoked"],
)
def test_patch_level_is_claimed_for_the_policy_to_judge(status: str) -> None:
    claims = judged(tcb_info=tcb_info(tcbLevels=[level(status, advisories=("INTEL-SA-2", "INTEL-SA-1"))]))
    assert claims.tcb_status == status
    # of a platform that it refuses, dcap-qvl does not tell the advisories
    assert claims.advisories == (() if status == "Revoked" else ("INTEL-SA-1", "INTEL-SA-2"))


def test_platform_below_every_level_is_claimed_as_such() -> None:
    assert judged(tcb_info=tcb_info(tcbLevels=[level(svn=6)])).tcb_status == "BelowEveryLevel"


def test_flags_of_a_platform_are_claimed_among_the_advisories() -> None:
    flags = pck_extension().replace(b"\x01\x01\x00", b"\x01\x01\xff")
    chain = (ROOT, CA, certificate(PCK_NAME, CA_NAME, authority=False, extension=flags))
    assert judged(None, Signing(chain=chain)).advisories == ("PCK-DYNAMIC-PLATFORM", "PCK-CACHED-KEYS", "PCK-SMT-ENABLED")


REFUSED: dict[str, tuple[type[EvidenceError], str, dict[str, Any]]] = {
    "service guest": (UnsafeAttributes, "attributes", {"guest": Guest(version=5, mr_service_td=b"\x01" * 48)}),
    "reserved TUD bit": (UnsafeAttributes, "attributes", {"guest": Guest(attributes=bytes.fromhex("0200001000000000"))}),
    "reserved SEC bit": (UnsafeAttributes, "attributes", {"guest": Guest(attributes=bytes.fromhex("0001001000000000"))}),
    "migratable": (UnsafeAttributes, "attributes", {"guest": Guest(attributes=bytes.fromhex("0000003000000000"))}),
    "no SEPT_VE_DISABLE": (HostMayInterrupt, "attributes", {"guest": Guest(attributes=bytes(8))}),
    "module of another signer": (UntrustedModule, "chain", {"guest": Guest(mr_signer_seam=b"\x01" * 48)}),
    "module with attributes": (UntrustedModule, "chain", {"guest": Guest(seam_attributes=b"\x01" + bytes(7))}),
    "module of unknown version": (UntrustedModule, "chain", {"guest": Guest(tee_tcb_svn=bytes([5, 6]).ljust(16, b"\0"))}),
    "module too old": (UntrustedModule, "chain", {"guest": Guest(tee_tcb_svn=bytes([0, 5]).ljust(16, b"\0"))}),
    "debug QE": (UntrustedQuotingEnclave, "chain", {"signing": Signing(qe={"attributes": b"\x13".ljust(16, b"\0")})}),
    "QE of another signer": (UntrustedQuotingEnclave, "chain", {"signing": Signing(qe={"mr_signer": bytes(32)})}),
    "another enclave of that signer": (UntrustedQuotingEnclave, "chain", {"signing": Signing(qe={"isv_prod_id": 7})}),
    "QE too old": (UntrustedQuotingEnclave, "chain", {"signing": Signing(qe={"isv_svn": 3})}),
    "key that the QE does not vouch for": (BadSignature, "signature", {"signing": Signing(bound_key="other")}),
    "quote signed with another key": (
        BadSignature,
        "signature",
        {"signing": Signing(attestation_key="other", bound_key="another")},
    ),
    "QE report signed with another key": (BadSignature, "signature", {"signing": Signing(pck_key="other")}),
    "PCK without Intel's extension": (
        Malformed,
        "format",
        {"signing": Signing(chain=(ROOT, CA, certificate(PCK_NAME, CA_NAME, authority=False)))},
    ),
    "PCK issued by nobody": (
        BadChain,
        "chain",
        {"signing": Signing(chain=(ROOT, CA, certificate(PCK_NAME, CA_NAME, authority=False, signer=key("x"))))},
    ),
    "revoked PCK": (Revoked, "not-revoked", {"pck_crl": revocation_list(CA_NAME, PCK)}),
    "revoked authority": (Revoked, "not-revoked", {"root_crl": revocation_list(ROOT_NAME, CA)}),
    "revoked signer of collateral": (Revoked, "not-revoked", {"root_crl": revocation_list(ROOT_NAME, TCB_SIGNER)}),
    "another authority's list": (CollateralMismatch, "collateral", {"pck_crl": revocation_list(ROOT_NAME)}),
    "list that is none": (Malformed, "format", {"root_crl": b"\x30\x00"}),
    "list not signed": (BadSignature, "signature", {"pck_crl": revocation_list(CA_NAME)[:-1] + b"\x00"}),
    "list from tomorrow": (NotValidThen, "certificates-valid", {"pck_crl": revocation_list(CA_NAME, from_days=1)}),
    "list until yesterday": (
        NotValidThen,
        "certificates-valid",
        {"root_crl": revocation_list(ROOT_NAME, from_days=-3, to_days=-1)},
    ),
    "another platform's TCB info": (CollateralMismatch, "collateral", {"tcb_info": tcb_info(fmspc="00" * 6)}),
    "SGX's collateral": (CollateralMismatch, "collateral", {"tdx": False}),
    "TCB info from tomorrow": (NotValidThen, "certificates-valid", {"tcb_info": tcb_info(issueDate=rfc3339(1))}),
    "TCB info until yesterday": (NotValidThen, "certificates-valid", {"tcb_info": tcb_info(nextUpdate=rfc3339(-1))}),
    "QE identity from tomorrow": (NotValidThen, "certificates-valid", {"qe_identity": qe_identity(issueDate=rfc3339(1))}),
    "QE identity until yesterday": (
        NotValidThen,
        "certificates-valid",
        {"qe_identity": qe_identity(nextUpdate=rfc3339(-1))},
    ),
    "TCB info not signed": (BadSignature, "signature", {"tcb_info_signature": b"\x01" * 64}),
    "QE identity not signed": (BadSignature, "signature", {"qe_identity_signature": b"\x01" * 64}),
    "TCB info signed by the PCK": (
        BadChain,
        "chain",
        {"tcb_signer": PCK, "tcb_info_signature": sign(key(PCK_NAME), b"{}")},
    ),
    "collateral of another root": (
        BadChain,
        "chain",
        {"qe_signer": certificate(TCB_NAME, "Another Root", authority=False)},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_hold_is_refused_by_name(name: str) -> None:
    error, check, parts = REFUSED[name]
    with pytest.raises(error) as caught:
        judged(**parts)
    assert caught.value.check.value == check
    assert str(caught.value)


def test_evidence_of_the_test_pki_is_refused_under_intels_root() -> None:
    with pytest.raises(UntrustedRoot):
        TdxVerifier().authenticate(evidence(), NOW)


def test_root_of_the_same_name_with_another_key_is_refused() -> None:
    other = certificate(ROOT_NAME, ROOT_NAME, authority=True, to_days=8999)
    with pytest.raises(UntrustedRoot):
        judged(None, Signing(chain=(other, CA, PCK)))


@pytest.mark.parametrize("at", [NOW - 2 * DAY, NOW + 30 * DAY, NOW + 400 * DAY, 0, 2**63, 2**64 - 1])
def test_evidence_holds_only_while_everything_beside_it_does(at: int) -> None:
    with pytest.raises(NotValidThen):
        judged(at=at)


def test_evidence_is_judged_as_of_the_time_given() -> None:
    assert judged(at=NOW + 28 * DAY) == judged(at=NOW)


def test_enclaves_quote_announced_as_a_guests_is_an_unknown_kind() -> None:
    with pytest.raises(UnknownKind):
        TDX.authenticate(evidence(sgx_quote(ENCLAVE), collateral(tdx=False)), NOW)
    with pytest.raises(UnknownKind):
        SGX.authenticate(evidence(), NOW)
    with pytest.raises(UnknownKind):
        TDX.claimed_time(evidence(sgx_quote(ENCLAVE)))


def test_quote_says_no_time() -> None:
    assert TDX.claimed_time(evidence()) is None
    assert SGX.claimed_time(evidence(sgx_quote(ENCLAVE))) is None


def test_collateral_may_come_from_the_verifier() -> None:
    bare = IntelEvidence(Quote.decode(tdx_quote()), None).encode()
    with pytest.raises(CollateralMissing):
        TDX.authenticate(bare, NOW)
    assert TdxVerifier(replace(TRUST, collateral=collateral())).authenticate(bare, NOW) == judged()


def test_collateral_of_an_old_evaluation_is_refused_where_a_newer_is_wanted() -> None:
    assert TdxVerifier(replace(TRUST, evaluation=20)).authenticate(evidence(), NOW)
    with pytest.raises(NotValidThen, match="evaluation 20, wants 21"):
        TdxVerifier(replace(TRUST, evaluation=21)).authenticate(evidence(), NOW)


def test_the_older_of_two_statements_is_the_one_that_counts() -> None:
    for beside in ({"tcb_info": tcb_info(tcbEvaluationDataNumber=3)}, {"qe_identity": qe_identity(tcbEvaluationDataNumber=3)}):
        assert judged(**beside).tcb_evaluation == 3


def test_modules_can_be_restricted() -> None:
    assert TdxVerifier(replace(TRUST, modules=frozenset({Guest().mr_seam}))).authenticate(evidence(), NOW)
    with pytest.raises(UntrustedModule):
        TdxVerifier(replace(TRUST, modules=frozenset({bytes(48)}))).authenticate(evidence(), NOW)


def test_paravisor_is_accepted_only_where_it_is_expected_and_has_no_attributes_at_all() -> None:
    paravisor = TdxVerifier(replace(TRUST, paravisor=True))
    bare = evidence(tdx_quote(Guest(attributes=bytes(8))))
    assert paravisor.authenticate(bare, NOW).tcb_status == "UpToDate"
    with pytest.raises(HostMayInterrupt):
        TDX.authenticate(bare, NOW)
    with pytest.raises(HostMayInterrupt):
        paravisor.authenticate(evidence(tdx_quote(Guest(attributes=bytes(7) + b"\x80"))), NOW)


def test_collateral_survives_its_encoding_and_comes_out_of_the_json_of_others() -> None:
    import json

    from agent.attestation.intel.quote import pem

    mine = collateral()
    chain = pem((ROOT, TCB_SIGNER))
    foreign = {
        "pck_crl_issuer_chain": pem(CHAIN[:2]),
        "root_ca_crl": mine.root_crl.hex(),
        "pck_crl": mine.pck_crl.hex(),
        "tcb_info_issuer_chain": chain,
        "tcb_info": mine.tcb_info.decode(),
        "tcb_info_signature": mine.tcb_info_signature.hex(),
        "qe_identity_issuer_chain": chain,
        "qe_identity": mine.qe_identity.decode(),
        "qe_identity_signature": mine.qe_identity_signature.hex(),
        "pck_certificate_chain": None,
    }
    assert Collateral.decode(mine.encode()) == mine
    assert Collateral.from_json(json.dumps(foreign).encode()) == mine
    for broken in ({}, foreign | {"extra": 1}, foreign | {"pck_crl": 1}, foreign | {"pck_crl": "xy"}, foreign | {"tcb_info": "\ud800"}):
        with pytest.raises(Malformed):
            Collateral.from_json(json.dumps(broken).encode())


def test_platform_that_the_evidence_names_is_the_certificates() -> None:
    chain = (ROOT, CA, certificate(PCK_NAME, CA_NAME, authority=False, extension=pck_extension(ppid=b"\x77" * 16)))
    assert judged(None, Signing(chain=chain)).hardware_id == b"\x77" * 16
    assert tcb_info()["fmspc"] == FMSPC.hex().upper()
