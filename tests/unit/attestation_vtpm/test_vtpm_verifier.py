"""Virtual TPMs on a CPU that a test stands in for, and on the test PKIs of AMD and Intel."""

from dataclasses import replace
from typing import Any

import amd_pki
import intel_pki
import pytest
from amd_pki import Line, Report
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_flips import flip
from simulated_world import BINDING, POLICY, expected, failed
from vtpm_pki import (
    EVERY,
    PARAVISOR,
    PCRS,
    REPORT_DATA,
    RUNTIME,
    FakeCpu,
    Machine,
    attestation_key,
    bound,
    hcl_report,
    jwk,
    runtime_data,
)

from agent.attestation import cbor
from agent.attestation.amd import Product, SnpQuote, SnpRequirements, SnpVerifier
from agent.attestation.binding import report_data
from agent.attestation.errors import BadSignature, EvidenceError, Malformed, NotValidThen
from agent.attestation.evidence import Evidence
from agent.attestation.evidence import Quote as Item
from agent.attestation.intel.errors import HostMayInterrupt
from agent.attestation.intel.verifier import IntelTrust, TdxVerifier
from agent.attestation.policy import Allowance, Layer
from agent.attestation.verifier import Claims
from agent.attestation.verify import verify
from agent.attestation.vtpm.errors import KeyUnbound, RegistersUnbound, UnfitKey
from agent.attestation.vtpm.evidence import MAX_EVIDENCE, SNP_TYPE, TDX_TYPE
from agent.attestation.vtpm.hcl import HclReport
from agent.attestation.vtpm.tpm import Scheme
from agent.attestation.vtpm.verifier import MEASURED, VtpmVerifier, measurement
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

NOW = intel_pki.NOW
VTPM = VtpmVerifier(FakeCpu(), SNP_TYPE)
EVIDENCE = Machine().evidence()


def claims(machine: Machine) -> Claims:
    return VTPM.authenticate(machine.evidence(), NOW)


@pytest.mark.parametrize("scheme", Scheme)
def test_machine_is_authenticated_and_measured_with_all_that_it_booted(scheme: Scheme) -> None:
    assert claims(Machine(scheme=scheme)) == Claims(
        kind=TeeKind.SEV_SNP,
        measurement=measurement(PARAVISOR, dict(enumerate(PCRS))),
        report_data=REPORT_DATA,
        nonce=None,
        public_key=None,
        issued_at=None,
        debug=False,
        hardware_id=b"chip",
        tcb_status="UpToDate",
        advisories=("AMD-SB-1",),
    )


@pytest.mark.parametrize("index", EVERY)
def test_measured_registers_and_only_those_change_the_measurement(index: int) -> None:
    pcrs = tuple(b"\x01" * 32 if at == index else pcr for at, pcr in enumerate(PCRS))
    changed = claims(Machine(pcrs=pcrs)).measurement != claims(Machine()).measurement
    assert changed == (index in MEASURED)


def test_another_paravisor_has_another_measurement() -> None:
    registers = dict(enumerate(PCRS))
    assert len({measurement(cpu, registers) for cpu in (PARAVISOR, b"\xab" * 48, PARAVISOR[:-1])}) == 3


def test_debugging_of_the_cpu_is_the_machines() -> None:
    assert VtpmVerifier(FakeCpu(debug=True), SNP_TYPE).authenticate(EVIDENCE, NOW).debug


OTHER = runtime_data(jwk(attestation_key("other").public_key()))
REFUSED: dict[str, tuple[type[EvidenceError], str, Machine]] = {
    "key that the CPU does not vouch for": (KeyUnbound, "signature", Machine(runtime=OTHER)),
    "report data with more than the hash": (KeyUnbound, "signature", Machine(cpu=bound(RUNTIME)[:-1] + b"\x01")),
    "quote signed with another key": (BadSignature, "signature", Machine(key=attestation_key("other"))),
    "no attestation key": (UnfitKey, "format", Machine(runtime=runtime_data(), cpu=bound(runtime_data()))),
    "other registers": (RegistersUnbound, "signature", Machine(sent=(*PCRS[:-1], bytes(32)))),
    "too few registers": (RegistersUnbound, "signature", Machine(sent=PCRS[:-1])),
    "measured register not quoted": (Malformed, "format", Machine(selected=tuple(range(12)))),
    "no register quoted": (Malformed, "format", Machine(selected=())),
    "CPU evidence that is none": (Malformed, "format", Machine(cpu=b"")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_hold_is_refused_by_name(name: str) -> None:
    error, check, machine = REFUSED[name]
    with pytest.raises(error) as caught:
        claims(machine)
    assert caught.value.check.value == check


def test_only_measured_registers_have_to_be_quoted() -> None:
    assert claims(Machine(selected=MEASURED)).measurement == claims(Machine()).measurement


def test_foreign_nonce_is_claimed_as_it_is() -> None:
    assert claims(Machine(extra=b"challenge")).report_data == b"challenge"
    assert claims(Machine(extra=b"challenge", report_data=b"")).report_data == b"challenge"
    # the empty report data have a digest too, and it must not stand for them
    assert claims(Machine(report_data=b"")).report_data != b""


def test_verdict_names_what_is_wrong() -> None:
    machine = Machine(report_data=report_data(BINDING.encode()))
    allowing = Layer(allow=frozenset({Allowance(TeeKind.SEV_SNP, claims(machine).measurement)}))
    policy = replace(POLICY, allow_simulated=False, vendor=allowing)

    def judged(changed: Machine) -> set[str]:
        whole = Evidence(BINDING.encode(), Item(SNP_TYPE, changed.evidence())).encode()
        return failed(verify(whole, policy, NOW, expected(), (VTPM,)))

    assert judged(machine) == set()
    assert judged(replace(machine, report_data=REPORT_DATA)) == {"report-data"}
    assert judged(replace(machine, extra=b"challenge")) == {"report-data"}
    assert judged(replace(machine, pcrs=(b"\x01" * 32, *PCRS[1:]))) == {"measurement"}
    assert judged(replace(machine, runtime=OTHER)) == {"signature"}


MILAN = Line(Product.MILAN)
CURRENT = SnpRequirements(floors=dict.fromkeys(Product, amd_pki.LEVELS))
SNP = VtpmVerifier(SnpVerifier(CURRENT, MILAN.roots), SNP_TYPE)


def snp_machine(**changes: Any) -> Machine:
    report = Report(product=Product.MILAN, **({"report_data": bound(RUNTIME)} | changes)).signed()
    hcl = HclReport.decode(hcl_report(report))
    return Machine(cpu=SnpQuote(hcl.hardware, MILAN.chain()).encode(), runtime=hcl.runtime)


def test_machine_on_sev_snp_is_authenticated_down_to_the_root() -> None:
    found = SNP.authenticate(snp_machine().evidence(), amd_pki.AT)
    assert (SNP.kind, found.kind, found.hardware_id, found.tcb_status) == (TeeKind.SEV_SNP, TeeKind.SEV_SNP, amd_pki.CHIP, "UpToDate")
    assert found.measurement == measurement(amd_pki.MEASUREMENT, dict(enumerate(PCRS)))
    assert found.report_data == REPORT_DATA
    with pytest.raises(NotValidThen):
        SNP.authenticate(snp_machine().evidence(), Millis(amd_pki.AT + 10_000 * intel_pki.DAY))


def test_report_that_the_guest_itself_could_have_asked_for_does_not_count() -> None:
    assert SNP.authenticate(snp_machine(vmpl=2).evidence(), amd_pki.AT).tcb_status == "Refused"


PARAVISOR_TRUST = IntelTrust(root=intel_pki.ROOT, paravisor=True)


def tdx_machine() -> Machine:
    guest = intel_pki.Guest(report_data=bound(RUNTIME), attributes=bytes(8))
    return Machine(cpu=intel_pki.evidence(intel_pki.tdx_quote(guest)))


def test_machine_on_tdx_is_authenticated_down_to_the_root() -> None:
    verifier = VtpmVerifier(TdxVerifier(PARAVISOR_TRUST), TDX_TYPE)
    found = verifier.authenticate(tdx_machine().evidence(), NOW)
    assert (verifier.kind, found.hardware_id, found.tcb_status) == (TeeKind.TDX, intel_pki.PPID, "UpToDate")
    assert found.report_data == REPORT_DATA
    assert verifier.claimed_time(tdx_machine().evidence()) is None
    with pytest.raises(HostMayInterrupt):
        VtpmVerifier(TdxVerifier(IntelTrust(root=intel_pki.ROOT)), TDX_TYPE).authenticate(tdx_machine().evidence(), NOW)


@pytest.mark.parametrize(
    ("name", "verifier", "machine", "at"),
    [
        ("SEV-SNP", SNP, snp_machine(), amd_pki.AT),
        ("TDX", VtpmVerifier(TdxVerifier(PARAVISOR_TRUST), TDX_TYPE), tdx_machine(), NOW),
    ],
)
def test_no_changed_byte_is_accepted(name: str, verifier: VtpmVerifier, machine: Machine, at: Millis) -> None:
    evidence = machine.evidence()
    good = verifier.authenticate(evidence, at)
    flips = flip(evidence, lambda spoilt: _unless_other_claims(verifier.authenticate(spoilt, at), good))
    print(f"synthetic vTPM on {name}: {flips.tried} of {len(evidence)} bytes changed, refused by {dict(flips.refused)}")
    assert flips.accepted == ()
    assert flips.tried == flips.refused.total() >= 250


class OtherClaims(EvidenceError):
    """The evidence holds, but for something else, which a verdict refuses."""


def _unless_other_claims(found: Claims, good: Claims) -> None:
    if found.report_data != good.report_data:
        raise OtherClaims


def test_changed_report_data_are_not_claimed() -> None:
    spoilt = EVIDENCE.replace(REPORT_DATA, b"\x0c" + REPORT_DATA[1:])
    assert VTPM.authenticate(spoilt, NOW).report_data not in {REPORT_DATA, b"\x0c" + REPORT_DATA[1:]}


FIELDS = cbor.decode(EVIDENCE)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.binary(max_size=70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*sorted(FIELDS), "more"]), JUNK)
def test_evidence_of_strange_fields_gives_typed_errors_or_foreign_report_data(name: str, value: object) -> None:
    strange = cbor.encode(FIELDS | {name: value})
    if strange != EVIDENCE:
        with pytest.raises(EvidenceError):
            _unless_other_claims(VTPM.authenticate(strange, NOW), claims(Machine()))


@pytest.mark.parametrize("hostile", [b"", bytes(MAX_EVIDENCE + 1), b"\x9f" * 1000, EVIDENCE + b"\0", EVIDENCE[:-1]])
def test_hostile_file_is_refused_by_name(hostile: bytes) -> None:
    with pytest.raises(Malformed):
        VTPM.authenticate(hostile, NOW)
