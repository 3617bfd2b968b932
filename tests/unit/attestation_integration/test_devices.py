"""GPUs and switches in a node's evidence: they count with the CPU that they are chained from, and never without."""

from dataclasses import replace

import pytest
from nvidia_pki import ROOTS, Device
from simulated_world import BINDING
from synthetic_world import DEVICES, RIMS, failed, judged, policy_for, quote

from agent.attestation import cbor
from agent.attestation.binding import report_data
from agent.attestation.checklist import DeviceTrust
from agent.attestation.errors import Malformed
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.nvidia import COLLATERAL_TYPE, GpuCheck
from agent.attestation.policy import GpuRules, Layer, Policy, Rejection, Rejects
from agent.attestation.result import AttestationResult

CPU = report_data(BINDING.encode())
GPUS = tuple(Device(number=number + 1).item(number, CPU) for number in range(2))
BROUGHT = Quote(COLLATERAL_TYPE, RIMS.encode())
NOTHING_KNOWN = DeviceTrust(roots=ROOTS)


def policy(**rules: object) -> Policy:
    return replace(policy_for("snp"), gpus=GpuRules(**rules))


def test_gpus_chained_from_the_cpu_are_accepted_and_told() -> None:
    verdict = judged("snp", policy(count=2, models=frozenset({"GH100"})), items=GPUS)
    assert verdict.ok, failed(verdict)
    assert [device.model for device in verdict.devices] == ["GH100", "GH100"]
    assert AttestationResult.of(verdict).devices[1].hardware_id == verdict.devices[1].hardware_id


def test_accepting_verdict_cannot_leave_out_a_check_of_the_devices() -> None:
    verdict = judged("snp", items=GPUS)
    with pytest.raises(ValueError, match="gpu-nonce"):
        replace(verdict, checks=tuple(check for check in verdict.checks if check.name is not GpuCheck.NONCE))


def test_collateral_counts_whoever_brings_it() -> None:
    assert failed(judged("snp", items=GPUS, trust=NOTHING_KNOWN)) == {"gpu-rim", "gpu-not-debug"}
    assert judged("snp", items=GPUS, trust=NOTHING_KNOWN, brought=BROUGHT).ok


def test_collateral_of_an_unknown_type_is_malformed() -> None:
    assert failed(judged("snp", items=GPUS, brought=Quote("text/plain", b""))) == {"format"}


def test_devices_of_the_test_pki_fail_at_nvidias_root() -> None:
    assert "gpu-root" in failed(judged("snp", items=GPUS, trust=DeviceTrust(collateral=DEVICES.collateral)))


def test_gpus_of_a_refused_cpu_do_not_count() -> None:
    refused = replace(policy_for("nitro"), gpus=GpuRules(count=2))
    assert failed(judged("snp", refused, items=GPUS)) == {"measurement", "gpu-cpu-evidence"}


def test_devices_of_a_refused_cpu_are_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(*_args: object, **_named: object) -> None:
        raise AssertionError

    monkeypatch.setattr("agent.attestation.checklist.verify_gpus", looked)
    verdict = judged("snp", policy_for("nitro"), items=GPUS)
    assert failed(verdict) == {"measurement", "gpu-cpu-evidence"}
    assert verdict.devices == ()


def test_gpus_chained_from_another_cpu_or_at_another_place_do_not_count() -> None:
    elsewhere = [Device().item(0, b"\x09" * 64)]
    assert failed(judged("snp", items=elsewhere)) == {"gpu-nonce"}
    assert failed(judged("snp", items=GPUS[::-1])) == {"gpu-nonce"}


def test_too_few_gpus_or_none_are_refused() -> None:
    assert failed(judged("snp", policy(count=3), items=GPUS)) == {"gpu-count"}
    assert failed(judged("snp", policy(count=1))) == {"gpu-count"}


def test_other_models_and_drivers_are_refused() -> None:
    assert failed(judged("snp", policy(models=frozenset({"GB100"})), items=GPUS)) == {"gpu-model"}
    assert failed(judged("snp", policy(drivers=frozenset({"1.2.3"})), items=GPUS)) == {"gpu-model"}


def test_ocsp_that_the_policy_asks_for_is_missed() -> None:
    assert "gpu-not-revoked" in failed(judged("snp", policy(require_ocsp=True), items=GPUS))


def test_rejected_gpu_falls_out() -> None:
    gpu = judged("snp", items=GPUS).devices[0]
    rejecting = Layer(reject=frozenset({Rejection(Rejects.HARDWARE, gpu.hardware_id.hex(), "opened")}))
    assert failed(judged("snp", replace(policy(), community=rejecting), items=GPUS)) == {"gpu-not-rejected"}


def test_devices_have_numbers_without_gaps_and_not_too_many() -> None:
    whole = Evidence(BINDING.encode(), quote("snp"), devices=GPUS, collateral=BROUGHT)
    assert Evidence.decode(whole.encode()) == whole
    items = cbor.decode(whole.encode())
    items["device-2"] = items.pop("device-1")
    with pytest.raises(Malformed, match="without gaps"):
        Evidence.decode(cbor.encode(items))
    with pytest.raises(Malformed, match="at most 16"):
        Evidence(BINDING.encode(), quote("snp"), devices=GPUS[:1] * 17).encode()


@pytest.mark.parametrize("name", ["device-16", "device-00", "device-", "gpu-0"])
def test_item_of_another_name_is_refused(name: str) -> None:
    items = cbor.decode(Evidence(BINDING.encode(), quote("snp"), devices=GPUS[:1]).encode())
    items[name] = items["device-0"]
    with pytest.raises(Malformed):
        Evidence.decode(cbor.encode(items))
