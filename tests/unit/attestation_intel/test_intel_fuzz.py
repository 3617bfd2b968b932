"""Hostile bytes where Intel's evidence is expected: refused by name and at once, whatever they are."""

import json
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_flips import flip
from intel_pki import NOW, ROOT, collateral, evidence, tdx_quote

from agent.attestation import cbor
from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.intel.collateral import MAX_COLLATERAL, Collateral
from agent.attestation.intel.evidence import MAX_EVIDENCE, IntelEvidence
from agent.attestation.intel.verifier import IntelTrust, TdxVerifier

TDX = TdxVerifier(IntelTrust(root=ROOT))
EVIDENCE = evidence()
UNSIGNED: tuple[int, ...] = ()
"""Places in encoded evidence that nobody signs: none. (Whoever re-encodes it may leave the NUL behind the certificates,
or replace s by n - s in a signature; no change of a byte does either.)"""

FIELDS = cbor.decode(EVIDENCE)
PARTS = cbor.decode(FIELDS["collateral"])
JUNK = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.binary(max_size=40), st.text(max_size=10), st.lists(st.integers(0, 9), max_size=3))


def test_no_changed_byte_is_accepted_outside_the_unsigned_places() -> None:
    flips = flip(EVIDENCE, lambda spoilt: TDX.authenticate(spoilt, NOW))
    print(f"synthetic TDX: {flips.tried} of {len(EVIDENCE)} bytes changed, refused by {dict(flips.refused)}")
    assert flips.accepted == UNSIGNED
    assert flips.tried == flips.refused.total() >= 250
    # refused for as many reasons as there are kinds of bytes
    assert flips.refused.keys() >= {"format", "chain", "signature"}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(EVIDENCE)), st.integers(0, 100))
def test_spliced_evidence_gives_typed_errors_only(junk: bytes, at: int, cut: int) -> None:
    spliced = EVIDENCE[:at] + junk + EVIDENCE[at + cut :]
    if spliced != EVIDENCE:
        with pytest.raises(EvidenceError):
            TDX.authenticate(spliced, NOW)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PARTS)), JUNK)
def test_collateral_of_strange_fields_gives_typed_errors_only(name: str, value: object) -> None:
    encoded = cbor.encode(PARTS | {name: value})
    if encoded != FIELDS["collateral"]:
        with pytest.raises(EvidenceError):
            TDX.authenticate(cbor.encode(FIELDS | {"collateral": encoded}), NOW)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["v", "quote", "collateral", "more"]), JUNK, max_size=4))
def test_evidence_of_strange_fields_is_malformed(fields: dict[str, object]) -> None:
    with pytest.raises(EvidenceError):
        IntelEvidence.decode(cbor.encode(fields))


@settings(max_examples=100, deadline=None)
@given(st.recursive(JUNK.filter(lambda junk: type(junk) is not bytes), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8))
def test_json_that_is_no_collateral_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        Collateral.from_json(json.dumps(value).encode())


@pytest.mark.parametrize(
    "hostile",
    [
        bytes(MAX_EVIDENCE + 1),
        b"\x81" * 100_000,
        b"\xbf" * 100_000,
        b"\x9b" + b"\xff" * 8,
        b"\xa2" + b"\x61v\x01" + b"\x65quote" + b"\x5b" + b"\x7f" * 8,
        EVIDENCE + b"\0",
        EVIDENCE[:-1],
    ],
    ids=["oversized", "nested arrays", "nested maps", "endless array", "endless bytes", "padded", "truncated"],
)
def test_hostile_file_is_refused_by_name(hostile: bytes) -> None:
    with pytest.raises(Malformed):
        TDX.authenticate(hostile, NOW)
    with pytest.raises(Malformed):
        TDX.claimed_time(hostile)


@pytest.mark.parametrize("text", [b"[" * 200_000, b'{"a":' * 40_000, b"1" * 5000, b"\xff", bytes(2 * MAX_COLLATERAL + 1)])
def test_hostile_json_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(Malformed):
        Collateral.from_json(text)


def test_statement_nested_beyond_reason_is_refused_even_if_signed() -> None:
    from intel_pki import TCB_NAME, key, sign

    text = b'{"a":' * 20_000
    signed = collateral(tcb_info_signature=sign(key(TCB_NAME), text))
    spoilt = cbor.encode(cbor.decode(signed.encode()) | {"tcb_info": text})
    with pytest.raises(Malformed):
        TDX.authenticate(cbor.encode(FIELDS | {"collateral": spoilt}), NOW)


def test_hostile_evidence_costs_no_more_than_good_evidence() -> None:
    def cost(data: bytes) -> float:
        begin = perf_counter()
        for _ in range(5):
            try:
                TDX.authenticate(data, NOW)
            except EvidenceError:
                pass
        return perf_counter() - begin

    good = min(cost(EVIDENCE) for _ in range(3))
    worst = bytes(cbor.encode({"v": 1, "quote": tdx_quote()[:1000] + b"-" * 15_000, "collateral": bytes(MAX_COLLATERAL)}))
    # relative, so that a busy machine fails nothing; hostile bytes never reach the costly part
    assert min(cost(worst) for _ in range(3)) < 5 * good
