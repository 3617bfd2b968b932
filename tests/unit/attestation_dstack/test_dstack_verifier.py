"""Whole evidence of dstack's guests: synthetic under the test PKI's root, real as far as there is collateral."""

import json
from dataclasses import replace

import pytest
from dstack_guest import EVENTS, Started
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_flips import flip
from intel_pki import DAY, NOW, ROOT, Guest, collateral, enclave_report, sgx_quote
from intel_vectors import content, day
from simulated_world import BINDING, POLICY, expected, failed

from agent.attestation import cbor
from agent.attestation.binding import report_data
from agent.attestation.dstack.events import EventLog, RuntimeEvent
from agent.attestation.dstack.evidence import MAX_EVIDENCE, MEDIA_TYPE, DstackEvidence
from agent.attestation.dstack.verifier import DstackVerifier, LogMismatch
from agent.attestation.errors import EvidenceError, Malformed, NotValidThen, UnknownKind, UntrustedRoot
from agent.attestation.evidence import Evidence
from agent.attestation.evidence import Quote as Item
from agent.attestation.intel.errors import CollateralMissing
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote, without_padding
from agent.attestation.intel.verifier import IntelTrust
from agent.attestation.policy import Allowance, Layer
from agent.attestation.verifier import Claims
from agent.attestation.verify import verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

DSTACK = DstackVerifier(IntelTrust(root=ROOT))
EVIDENCE = Started().evidence()


def claims(started: Started) -> Claims:
    return DSTACK.authenticate(started.evidence(), NOW)


def test_guest_and_its_application_are_authenticated() -> None:
    guest = DSTACK.guest(EVIDENCE, NOW)
    assert guest.application.key_provider.name == "kms"
    found = claims(Started())
    assert (found.kind, found.tcb_status, found.measurement) == (
        TeeKind.TDX,
        "UpToDate",
        guest.application.measurement(guest.report),
    )
    assert found.measurement != guest.report.measurement


@pytest.mark.parametrize("name", ["instance-id", "ours"])
def test_measurement_is_the_same_for_every_instance_of_an_application(name: str) -> None:
    other = tuple((event, b"other" if event == name else payload) for event, payload in EVENTS)
    assert claims(Started(events=other)).measurement == claims(Started()).measurement


@pytest.mark.parametrize(
    "other",
    [
        Started(events=tuple(("compose-hash", b"\xc1" * 32) if event[0] == "compose-hash" else event for event in EVENTS)),
        Started(events=tuple(("app-id", b"\xc1" * 20) if event[0] == "app-id" else event for event in EVENTS)),
        Started(events=tuple(("key-provider", b'{"name":"none","id":""}') if event[0] == "key-provider" else event for event in EVENTS)),
        *(
            Started(boot=tuple((bytes(48),) if register == index else digests for register, digests in enumerate(Started().boot)))
            for index in range(3)
        ),
        Started(guest=Guest(mr_td=b"\x01" * 48)),
    ],
    ids=["compose hash", "app id", "key provider", "RTMR0", "RTMR1", "RTMR2", "MRTD"],
)
def test_another_application_or_image_has_another_measurement(other: Started) -> None:
    assert claims(other).measurement != claims(Started()).measurement


@pytest.mark.parametrize("register", range(4))
def test_log_of_other_registers_is_refused_by_the_register(register: int) -> None:
    log = Started().log
    if register == 3:
        lying = replace(log, runtime=(*log.runtime, RuntimeEvent("more", b"")))
    else:
        boot = [*log.boot]
        boot[register] = (*boot[register], bytes(48))
        lying = replace(log, boot=tuple(boot))
    with pytest.raises(LogMismatch, match=f"RTMR{register}") as caught:
        DSTACK.authenticate(Started().evidence(log=lying), NOW)
    assert caught.value.check.value == "signature"


def test_log_that_claims_another_application_is_refused() -> None:
    lying = tuple(("compose-hash", b"\xc1" * 32) if event[0] == "compose-hash" else event for event in EVENTS)
    with pytest.raises(LogMismatch):
        DSTACK.authenticate(Started().evidence(log=Started(events=lying).log), NOW)


def test_evidence_holds_only_under_its_root_and_in_its_time() -> None:
    with pytest.raises(UntrustedRoot):
        DstackVerifier().authenticate(EVIDENCE, NOW)
    with pytest.raises(NotValidThen):
        DSTACK.authenticate(EVIDENCE, Millis(NOW + 30 * DAY))
    assert DSTACK.claimed_time(EVIDENCE) is None


def test_enclaves_are_not_started_by_dstack() -> None:
    sgx = IntelEvidence(Quote.decode(sgx_quote(enclave_report())), collateral(tdx=False))
    with pytest.raises(UnknownKind):
        DSTACK.authenticate(DstackEvidence(sgx, Started().log).encode(), NOW)


def test_verdict_names_the_application_that_no_layer_allows() -> None:
    started = Started(guest=Guest(report_data=report_data(BINDING.encode())))
    evidence = Evidence(BINDING.encode(), Item(MEDIA_TYPE, started.evidence())).encode()
    measurement = claims(started).measurement
    allowing = replace(
        POLICY, allow_simulated=False, vendor=Layer(allow=frozenset({Allowance(TeeKind.TDX, measurement)}))
    )
    assert verify(evidence, allowing, NOW, expected(), (DSTACK,)).ok
    assert failed(verify(evidence, replace(allowing, vendor=Layer()), NOW, expected(), (DSTACK,))) == {"measurement"}


def test_real_guest_lacks_only_its_collateral() -> None:
    found = json.loads(content("dstack/quote-report.json"))
    quote = Quote.decode(without_padding(bytes.fromhex(found["quote"])))
    evidence = DstackEvidence(IntelEvidence(quote, None), EventLog.from_json(found["event_log"].encode()))
    assert DstackEvidence.decode(evidence.encode()) == evidence
    with pytest.raises(CollateralMissing):
        DstackVerifier().authenticate(evidence.encode(), day("2026-01-15"))


def test_no_changed_byte_is_accepted() -> None:
    flips = flip(EVIDENCE, lambda spoilt: DSTACK.authenticate(spoilt, NOW))
    print(f"synthetic dstack: {flips.tried} of {len(EVIDENCE)} bytes changed, refused by {dict(flips.refused)}")
    assert flips.accepted == ()
    assert flips.tried == flips.refused.total() >= 250


def test_every_changed_byte_of_the_log_breaks_it() -> None:
    start = EVIDENCE.index(b"runtime")
    for place in range(start, len(EVIDENCE)):
        spoilt = bytearray(EVIDENCE)
        spoilt[place] ^= 1 << place % 8
        with pytest.raises(EvidenceError):
            DSTACK.authenticate(bytes(spoilt), NOW)


FIELDS = cbor.decode(EVIDENCE)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.binary(max_size=50) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["v", "intel", "boot", "runtime", "more"]), JUNK)
def test_evidence_of_strange_fields_gives_typed_errors_only(name: str, value: object) -> None:
    strange = cbor.encode(FIELDS | {name: value})
    if strange != EVIDENCE:
        with pytest.raises(EvidenceError):
            DSTACK.authenticate(strange, NOW)


@pytest.mark.parametrize("hostile", [b"", bytes(MAX_EVIDENCE + 1), b"\x9f" * 1000, EVIDENCE + b"\0", EVIDENCE[:-1]])
def test_hostile_file_is_refused_by_name(hostile: bytes) -> None:
    with pytest.raises(Malformed):
        DSTACK.authenticate(hostile, NOW)
