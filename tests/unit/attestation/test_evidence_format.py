import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_world import BINDING, Node

from agent.attestation import cbor
from agent.attestation.binding import Binding, committee_hash, gpu_nonce, report_data
from agent.attestation.errors import Malformed, Oversized
from agent.attestation.evidence import MAX_EVIDENCE, MAX_ISOLATION, Evidence, Quote

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _depth(value: object) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + max(map(_depth, inner), default=0)


@given(values)
def test_what_is_encoded_is_decoded(value: object) -> None:
    if _depth(value) <= cbor.MAX_DEPTH:
        assert cbor.decode(cbor.encode(value)) == value
    else:
        with pytest.raises(Malformed):
            cbor.decode(cbor.encode(value))


@given(st.binary(max_size=64))
def test_strict_reading_accepts_one_spelling_only(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except Malformed:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        "1800",
        "190001",
        "a2616201616100",
        "a2616100616101",
        "9f00ff",
        "bf616100ff",
        "5f4100ff",
        "f90000",
        "c000",
        "ff",
        "61ff",
        "a1410000",
    ],
)
def test_strict_reading_refuses_other_spellings_and_other_types(data: str) -> None:
    with pytest.raises(Malformed):
        cbor.decode(bytes.fromhex(data))


def test_lenient_reading_admits_endless_maps_and_long_integers_only() -> None:
    assert cbor.decode(bytes.fromhex("bf61620061611801ff"), strict=False) == {"b": 0, "a": 1}
    for refused in ("a2616100616101", "5f4100ff", "c000", "bf6161"):
        with pytest.raises(Malformed):
            cbor.decode(bytes.fromhex(refused), strict=False)


def test_binding_survives_its_encoding() -> None:
    assert Binding.decode(BINDING.encode()) == BINDING


@pytest.mark.parametrize(
    "name", ["network_id", "node_id", "challenge", "hpke_pk", "sign_pk", "workload_manifest_hash", "committee_hash"]
)
@pytest.mark.parametrize("value", [b"\x01" * 31, b"\x01" * 33, "0" * 32, None])
def test_binding_with_a_field_of_another_length_is_refused(name: str, value: object) -> None:
    fields = cbor.decode(BINDING.encode()) | {name: value}
    with pytest.raises(Malformed, match=name):
        Binding.decode(cbor.encode(fields))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"extra": 1},
        {"key_epoch": -1},
        {"key_epoch": True},
        {"not_after": "soon"},
        {"chain_id": ""},
    ],
)
def test_binding_of_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        Binding.decode(cbor.encode(cbor.decode(BINDING.encode()) | change))


def test_report_data_and_gpu_nonce_are_those_of_the_specification() -> None:
    from hashlib import sha256, sha512

    encoded = BINDING.encode()
    assert report_data(encoded) == sha512(b"enclavia-attest/1:" + encoded).digest()
    assert gpu_nonce(b"\x05" * 64, 1) == sha256(b"enclavia-gpu/1:" + b"\x05" * 64 + b"\x01\0\0\0").digest()


def test_committee_hash_tells_threshold_and_order_apart() -> None:
    keys = (b"\x01" * 32, b"\x02" * 32)
    assert len({committee_hash(1, keys), committee_hash(2, keys), committee_hash(2, keys[::-1])}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"gpu": ["application/x", b""]},
        {"__cmwc_t": "tag:else"},
        {"cpu": ["application/x", b""]},
        {"cpu": ["application/x", b"", 2]},
        {"cpu": ["application/x", "text", 4]},
        {"binding": ["application/x", b""]},
        {"isolation": ["application/x", b""]},
        {"isolation": b""},
    ],
)
def test_collection_of_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        Evidence.decode(cbor.encode(cbor.decode(Node().evidence()) | change))


def test_evidence_too_large_to_be_read_is_never_written() -> None:
    with pytest.raises(Oversized):
        Evidence(BINDING.encode(), Quote("application/x", bytes(MAX_EVIDENCE))).encode()
    with pytest.raises(Malformed):
        Evidence(BINDING.encode(), Quote("application/x", b""), bytes(MAX_ISOLATION + 1)).encode()
