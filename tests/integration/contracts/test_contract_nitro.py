"""`attest_nitro`: a Nitro enclave recorded on the chain's own word, by documents of an authority that the ledger trusts."""

import hashlib
from functools import partial
from typing import Any

import protocol_world
import pytest
from protocol_world import CLOCK, FAR, MANIFEST, PCR0, POLICY, SUI, Aborted, Done, Node, Shared, World, label, u64, vec

from agent.attestation.simulated_platform import SimulatedAuthority, SimulatedPlatform
from agent.protocol.events import Attested
from agent.protocol.statements import TeeKind, native_digest
from agent.protocol.units import Address, Digest, Millis, NodeId
from localnet.ledger.clock import ManualClock
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.model import MoveCall
from localnet.ledger.model import ResultArgument as Result
from localnet.ledger.names import SUI_PACKAGE

EVIDENCE, REPORT = b"e" * 32, b"r" * 64
"""The digest of what is archived; the half of user_data that Move cannot recompute."""


def entropy(text: str) -> Any:
    return lambda size: hashlib.shake_256(text.encode()).digest(size)


BORN = Millis(ManualClock().now())
AUTHORITY = SimulatedAuthority.create("nitro", BORN, entropy("authority"))
PLATFORM: SimulatedPlatform = AUTHORITY.platform("node", BORN, entropy("platform"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(protocol_world, "GenesisConfig", partial(GenesisConfig, nitro_root=AUTHORITY.root))
    return World(nodes=0)


@pytest.fixture
def node(world: World) -> Node:
    """Registered, with a challenge, not attested yet."""
    node = world.register(0, 20 * SUI, attested=False)
    world.challenge(node)
    return node


def document(world: World, node: Node, /, *, pcr0: bytes = PCR0, nonce: bytes | None = None, short: int = 0, **bound: Any) -> bytes:
    """What the node's security module says; `bound` is otherwise in the binding than on the chain."""
    member = world.member(node.slot)
    binding: dict[str, Any] = {
        "network": Address(world.network), "pool": Address(world.pool), "node": node.node, "key_epoch": member.key_epoch,
        "challenge": member.challenge, "hpke_pk": node.hpke_pk, "sign_pk": node.sign_pk, "manifest": MANIFEST,
        "verifiers": tuple(key.public_key().public_bytes_raw() for key in world.verifiers), "threshold": world.threshold, "not_after": FAR,
    }  # fmt: skip
    user_data = (REPORT + native_digest(**(binding | bound)))[: 96 - short]
    return PLATFORM.document(
        pcr0, Millis(world.clock.now()), user_data=user_data, nonce=member.challenge if nonce is None else nonce, public_key=node.hpke_pk
    )


def attest(world: World, node: Node, said: bytes) -> Done:
    """Have the chain verify the document, and record the enclave, in one transaction."""
    values = [
        vec(said), Shared(CLOCK), Shared(world.pool, True), Shared(world.network), u64(node.slot), vec(EVIDENCE), vec(node.sign_pk), u64(FAR), vec(POLICY),
    ]  # fmt: skip
    inputs, (bytes_, clock, pool, network, slot, *rest) = world._inputs(values)
    load = MoveCall(SUI_PACKAGE, "nitro_attestation", "load_nitro_attestation", (), (bytes_, clock))
    return world.transact(node.address, inputs, [load, world.move("attestation::attest_nitro", [pool, network, slot, Result(0), *rest, clock])])


def test_document_becomes_a_record_without_the_committee(world: World, node: Node) -> None:
    attested = attest(world, node, document(world, node)).event(Attested)
    assert attested.by_chain
    record = world.member(node.slot).attestation
    assert (record.tee_kind, record.key_epoch, record.measurement, record.evidence_digest) == (TeeKind.NITRO, 1, PCR0, EVIDENCE)
    assert (record.hpke_pk, record.sign_pk, record.not_after, record.policy) == (node.hpke_pk, node.sign_pk, FAR, POLICY)


def refusal(world: World, node: Node, said: bytes) -> tuple[str, int]:
    with pytest.raises(Aborted) as refused:
        attest(world, node, said)
    assert world.member(node.slot).attestation.key_epoch == 0
    return refused.value.module, refused.value.code


def test_enclave_in_debug_mode_is_refused(world: World, node: Node) -> None:
    assert refusal(world, node, document(world, node, pcr0=bytes(48))) == ("attestation", 9)


def test_code_that_the_policy_does_not_take_natively_is_refused(world: World, node: Node) -> None:
    assert refusal(world, node, document(world, node, pcr0=b"?" * 48)) == ("attestation", 10)


def test_document_of_another_challenge_is_refused(world: World, node: Node) -> None:
    assert refusal(world, node, document(world, node, nonce=b"?" * 32)) == ("attestation", 8)


def test_user_data_of_another_size_is_refused(world: World, node: Node) -> None:
    assert refusal(world, node, document(world, node, short=1)) == ("attestation", 8)


@pytest.mark.parametrize(
    "bound",
    [
        {"network": Address(label("another network"))}, {"pool": Address(label("another pool"))}, {"node": NodeId(label("another node"))},
        {"key_epoch": 2}, {"challenge": b"?" * 32}, {"hpke_pk": b"?" * 32}, {"sign_pk": b"?" * 32}, {"manifest": Digest(b"?" * 32)},
        {"verifiers": (b"?" * 32,)}, {"threshold": 2}, {"not_after": Millis(FAR + 1)},
    ],
    ids=lambda bound: next(iter(bound)),
)  # fmt: skip
def test_document_that_is_bound_to_something_else_is_refused(world: World, node: Node, bound: dict[str, Any]) -> None:
    assert refusal(world, node, document(world, node, **bound)) == ("attestation", 8)


def test_document_of_another_authority_is_refused(world: World, node: Node) -> None:
    world.ledger.vm.__dict__["nitro_root"] = SimulatedAuthority.create("other", BORN, entropy("other")).root
    assert refusal(world, node, document(world, node)) == ("nitro_attestation", 2)


def test_document_is_good_once(world: World, node: Node) -> None:
    said = document(world, node)
    attest(world, node, said)
    with pytest.raises(Aborted) as refused:
        attest(world, node, said)
    assert (refused.value.module, refused.value.code) == ("attestation", 1)
