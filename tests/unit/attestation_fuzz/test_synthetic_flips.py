"""As with real evidence, for every kind that the test PKIs make: whatever is changed, nothing else is believed."""

import os

import pytest
from simulated_world import BINDING, expected
from synthetic_world import AT, DEVICES, KINDS, policy_for, quote, verifiers
from vendor_services import CPU, GPU

from agent.attestation.evidence import Evidence, Quote
from agent.attestation.verdict import Verdict
from agent.attestation.verify import verify

EVERY = int(os.environ.get("ENCLAVIA_FUZZ", "1")) > 1
PLACES = 150


def evidence(kind: str) -> bytes:
    devices: tuple[Quote, ...] = (GPU.item(0, CPU),) if kind == "snp+gpu" else ()
    return Evidence(BINDING.encode(), quote(kind.removesuffix("+gpu")), devices=devices).encode()


def judged(kind: str, data: bytes) -> Verdict:
    return verify(data, policy_for(kind.removesuffix("+gpu")), AT, expected(), verifiers(), DEVICES)


@pytest.mark.parametrize("kind", [*KINDS, "snp+gpu"])
def test_no_changed_byte_makes_evidence_say_anything_else(kind: str) -> None:
    genuine = evidence(kind)
    before = judged(kind, genuine)
    assert before.ok, before.failed
    step = 1 if EVERY else max(1, len(genuine) // PLACES)
    accepted, executions = 0, 0
    for place in range(sum(kind.encode()) % step, len(genuine), step):
        spoilt = bytearray(genuine)
        spoilt[place] ^= 1 << place % 8
        after = judged(kind, bytes(spoilt))
        executions += 1
        accepted += after.ok
        if after.ok:
            assert after.evidence_digest != before.evidence_digest
            assert (after.claims, after.binding) == (before.claims, before.binding), place
            assert [device.report for device in after.devices] == [device.report for device in before.devices], place
    print(f"{kind}: {executions} executions, {accepted} accepted, none of them with another content")


@pytest.mark.parametrize("kind", [*KINDS, "snp+gpu"])
def test_no_shortened_or_lengthened_evidence_is_accepted(kind: str) -> None:
    genuine = evidence(kind)
    step = max(1, len(genuine) // PLACES)
    assert not any(judged(kind, genuine[:length]).ok for length in range(0, len(genuine), step))
    assert not any(judged(kind, genuine + more).ok for more in (b"\0", b" ", genuine, bytes(4096)))
