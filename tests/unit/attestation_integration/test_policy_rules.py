"""What a policy can ask besides a measurement, each rule alone; and its documents, each in one spelling."""

from dataclasses import replace

import pytest
from amd_pki import CHIP, LEVELS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from intel_pki import PPID
from simulated_world import POLICY
from synthetic_world import AT, failed, judged, policy_for

from agent.attestation import cbor, signed
from agent.attestation.amd import Product, Tcb
from agent.attestation.errors import PolicyError
from agent.attestation.policy import GpuRules, Layer, Machine, Policy, Rejection, Rejects, SnpFloor
from agent.attestation.policy_document import CONTENT_TYPE, decode_policy, dump_policy, from_document, load_policy, sign_policy
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

KEY = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
SIGNER = KEY.public_key().public_bytes_raw()
RICH = replace(
    POLICY,
    snp_floors=frozenset({SnpFloor(Product.TURIN, Tcb(fmc=1, snp=2)), SnpFloor(Product.MILAN, LEVELS)}),
    accepted_advisories=frozenset({"INTEL-SA-1"}),
    gpus=GpuRules(count=8, models=frozenset({"GH100"}), drivers=frozenset({"580.1"}), require_ocsp=True),
    network=Layer(machines=frozenset({Machine(TeeKind.SEV_SNP, CHIP, Millis(1), Millis(9))})),
)


def machines(policy: Policy, *entries: Machine) -> Policy:
    return replace(policy, network=Layer(machines=frozenset(entries)))


@pytest.mark.parametrize("kind", ["snp", "vtpm"])
def test_platform_below_the_policys_floor_is_out_of_date(kind: str) -> None:
    higher = frozenset({SnpFloor(Product.MILAN, replace(LEVELS, microcode=220))})
    assert failed(judged(kind, replace(policy_for(kind), snp_floors=higher))) == {"tcb", "snp-tcb-floor"}


@pytest.mark.parametrize("floors", [frozenset(), frozenset({SnpFloor(Product.GENOA, Tcb())})], ids=["none", "another line's"])
def test_platform_without_a_floor_is_refused_with_the_advice_to_name_one(floors: frozenset[SnpFloor]) -> None:
    verdict = judged("snp", replace(policy_for("snp"), snp_floors=floors))
    assert failed(verdict) == {"tcb"}
    assert "snp_floors" in verdict.failed[0].detail


def test_registered_chip_counts_and_another_does_not() -> None:
    policy = policy_for("snp")
    assert judged("snp", machines(policy, Machine(TeeKind.SEV_SNP, CHIP))).ok
    assert failed(judged("snp", machines(policy, Machine(TeeKind.SEV_SNP, CHIP[::-1])))) == {"hardware-registered"}
    assert judged("tdx", machines(policy_for("tdx"), Machine(TeeKind.TDX, PPID))).ok


def test_register_of_one_kind_leaves_the_others_alone() -> None:
    assert judged("tdx", machines(policy_for("tdx"), Machine(TeeKind.SEV_SNP, CHIP))).ok


def test_registration_begins_and_ends_and_an_ended_one_opens_nothing() -> None:
    policy = policy_for("snp")
    assert judged("snp", machines(policy, Machine(TeeKind.SEV_SNP, CHIP, AT, Millis(AT + 1)))).ok
    for begins, ends in ((AT + 1, AT + 2), (AT - 2, AT)):
        ended = machines(policy, Machine(TeeKind.SEV_SNP, CHIP, Millis(begins), Millis(ends)))
        assert failed(judged("snp", ended)) == {"hardware-registered"}


def test_kind_that_names_no_chip_is_refused_by_a_register_of_its_kind() -> None:
    assert failed(judged("nitro", machines(policy_for("nitro"), Machine(TeeKind.NITRO, b"\x01")))) == {"hardware-registered"}


def test_reject_wins_over_the_register() -> None:
    both = Layer(machines=frozenset({Machine(TeeKind.SEV_SNP, CHIP)}), reject=frozenset({Rejection(Rejects.HARDWARE, CHIP.hex(), "opened")}))
    assert failed(judged("snp", replace(policy_for("snp"), community=both))) == {"not-rejected"}


def test_advisories_that_are_not_accepted_are_refused_by_name() -> None:
    # the flags of Intel's platforms stand among the advisories
    found = judged("tdx").claims.advisories
    policy = policy_for("tdx")
    assert judged("tdx", replace(policy, accepted_advisories=frozenset(found))).ok
    verdict = judged("tdx", replace(policy, accepted_advisories=frozenset()))
    assert failed(verdict) == ({"advisories"} if found else set())


def test_policy_outside_its_time_accepts_nothing() -> None:
    for begins, ends in ((AT + 1, AT + 2), (AT - 2, AT)):
        assert failed(judged("snp", replace(policy_for("snp"), active_from=Millis(begins), sunset=Millis(ends)))) == {"policy-active"}


def test_two_floors_for_one_line_are_an_error() -> None:
    with pytest.raises(PolicyError, match="two floors"):
        replace(POLICY, snp_floors=frozenset({SnpFloor(Product.MILAN, LEVELS), SnpFloor(Product.MILAN, Tcb())}))


@pytest.mark.parametrize("chip", [b"", bytes(64), b"\x01" * 65])
def test_chip_that_no_hardware_has_cannot_be_registered(chip: bytes) -> None:
    with pytest.raises(PolicyError):
        Machine(TeeKind.SEV_SNP, chip)


@pytest.mark.parametrize("policy", [POLICY, RICH], ids=["plain", "rich"])
def test_policy_survives_json_cbor_and_signature_with_one_hash(policy: Policy) -> None:
    sealed = sign_policy(policy, KEY)
    for document, signers in ((dump_policy(policy), ()), (policy.encode(), ()), (sealed, (SIGNER,))):
        found = load_policy(document, signers)
        assert found == policy
        assert found.digest() == policy.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"snp_floors": frozenset()},
        {"snp_floors": frozenset({SnpFloor(Product.MILAN, LEVELS)})},
        {"accepted_advisories": None},
        {"accepted_advisories": frozenset()},
        {"gpus": None},
        {"gpus": GpuRules()},
        {"network": Layer()},
    ],
    ids=str,
)
def test_every_rule_counts_in_the_hash(change: dict[str, object]) -> None:
    assert replace(RICH, **change).digest() != RICH.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"snp_floors": {}},
        {"snp_floors": {"Rome": {}}},
        {"snp_floors": {"Milan": {"snp": 1}}},
        {"snp_floors": {"Milan": {"fmc": 0, "bootloader": 0, "tee": 0, "snp": 256, "microcode": 0}}},
        {"accepted_advisories": "INTEL-SA-1"},
        {"gpus": {"count": 17, "models": [], "drivers": [], "require_ocsp": False}},
        {"gpus": {"count": 1, "models": [], "drivers": []}},
        {"network": {"allow": [], "reject": [], "machines": [{"kind": "tdx", "hardware": "zz", "active_from": 0, "sunset": 1}]}},
        {"accepted_tcb": ["UpToDate", "Revoked"]},
    ],
    ids=str,
)
def test_document_with_a_misspelt_rule_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        from_document(RICH.to_document() | change)


def test_cbor_that_spells_the_policy_otherwise_is_refused() -> None:
    document = RICH.to_document()
    document["accepted_tcb"] = [*document["accepted_tcb"], *document["accepted_tcb"]]
    assert from_document(document) == RICH
    with pytest.raises(PolicyError, match="twice or out of order"):
        decode_policy(cbor.encode(document))
    for spoilt in (RICH.encode() + b"\0", RICH.encode()[:-1], b"\xa0", b""):
        with pytest.raises(PolicyError):
            decode_policy(spoilt)


def test_signed_policy_counts_only_under_keys_that_count() -> None:
    sealed = sign_policy(RICH, KEY)
    for signers in ((), (b"\x01" * 32,)):
        with pytest.raises(PolicyError, match="not among"):
            load_policy(sealed, signers)
    with pytest.raises(PolicyError, match="not signed"):
        load_policy(RICH.encode(), (SIGNER,))
    with pytest.raises(PolicyError, match="where"):
        load_policy(signed.seal(RICH.encode(), KEY, "application/vnd.enclavia.verdict+cbor"), (SIGNER,))
    with pytest.raises(PolicyError):
        load_policy(signed.seal(b"\xa0", KEY, CONTENT_TYPE), (SIGNER,))


def test_no_changed_byte_of_a_signed_policy_is_accepted() -> None:
    sealed = sign_policy(RICH, KEY)
    for place in range(len(sealed)):
        spoilt = bytearray(sealed)
        spoilt[place] ^= 1
        with pytest.raises(PolicyError):
            load_policy(bytes(spoilt), (SIGNER,))
