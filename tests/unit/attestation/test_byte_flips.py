"""Every byte of a simulated node's evidence, changed: only changes of the informative isolation report pass."""

from simulated_world import Node, judged

from agent.attestation.evidence import Evidence

ISOLATION = b"\xa1\x63uid\x00"
EVIDENCE = Node(isolation=ISOLATION).evidence()
UNSIGNED = range(EVIDENCE.index(ISOLATION), EVIDENCE.index(ISOLATION) + len(ISOLATION))
"""The value of the isolation item: nobody signs it, and no check reads it."""


def _flipped(at: int, mask: int) -> bytes:
    spoilt = bytearray(EVIDENCE)
    spoilt[at] ^= mask
    return bytes(spoilt)


def test_no_changed_byte_is_accepted_outside_the_isolation_report() -> None:
    assert judged(EVIDENCE).ok
    # one bit of each byte, a different one from byte to byte
    accepted = {at for at in range(len(EVIDENCE)) if judged(_flipped(at, 1 << at % 8)).ok}
    assert accepted <= set(UNSIGNED)


def test_changed_isolation_report_changes_nothing_but_the_digest() -> None:
    before, after = judged(EVIDENCE), judged(_flipped(UNSIGNED.start + 5, 1))
    assert after.ok
    assert after.claims == before.claims
    assert after.evidence_digest != before.evidence_digest


def test_no_shortened_evidence_is_accepted() -> None:
    assert not any(judged(EVIDENCE[:length]).ok for length in range(0, len(EVIDENCE), 7))


def test_isolation_report_is_marked_as_no_evidence() -> None:
    from agent.attestation import cbor

    items = cbor.decode(EVIDENCE)
    assert items["cpu"][2] == 4
    assert len(items["isolation"]) == 2
    assert Evidence.decode(EVIDENCE).isolation == ISOLATION
