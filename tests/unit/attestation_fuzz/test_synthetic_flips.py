"""As with real evidence, for every kind that the test PKIs make: no changed byte is accepted but those of the isolation report.

`ENCLAVIA_FUZZ=2` or more changes every byte; docs/attestation-tests.md has the figures of such a run.
"""

import os
from dataclasses import replace

import pytest
from evidence_kinds import KINDS
from failure_matrix import Kind, Spoilt

from agent.attestation.evidence import Evidence
from agent.attestation.verdict import Verdict

EVERY = int(os.environ.get("ENCLAVIA_FUZZ", "1")) > 1
PLACES = 150
"""Of each kind, in the ordinary run, besides how it begins."""
HEAD = 32
ISOLATION = b"\xa1\x63uid\x00"


def whole(kind: Kind) -> bytes:
    """With the enclave's own report on its isolation, which nobody signs and no verdict depends on."""
    return replace(Evidence.decode(kind.evidence()), isolation=ISOLATION).encode()


def judged(kind: Kind, data: bytes) -> Verdict:
    return kind.judged(Spoilt("", whole=data))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_changed_byte_is_accepted_outside_the_isolation_report(kind: Kind) -> None:
    genuine = whole(kind)
    before = judged(kind, genuine)
    assert before.ok, before.failed
    unsigned = range(genuine.index(ISOLATION), genuine.index(ISOLATION) + len(ISOLATION))
    stride = max(1, len(genuine) // PLACES)
    places = range(len(genuine)) if EVERY else {*range(HEAD), *range(len(kind.name) % stride, len(genuine), stride), *unsigned}
    accepted = set()
    for place in places:
        spoilt = bytearray(genuine)
        spoilt[place] ^= 1 << place % 8
        after = judged(kind, bytes(spoilt))
        if after.ok:
            accepted.add(place)
            assert after.evidence_digest != before.evidence_digest
            assert (after.claims, after.binding, after.devices) == (before.claims, before.binding, before.devices), place
    print(f"{kind.name}: {len(places)} of {len(genuine)} bytes changed, {len(accepted)} accepted, all in the isolation report")
    assert accepted == set(unsigned)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_shortened_or_lengthened_evidence_is_accepted(kind: Kind) -> None:
    genuine = whole(kind)
    step = 7 if EVERY else max(1, len(genuine) // PLACES)
    assert not any(judged(kind, genuine[:length]).ok for length in range(0, len(genuine), step))
    assert not any(judged(kind, genuine + more).ok for more in (b"\0", b" ", genuine, bytes(4096)))
