"""Which evidence is judged, and against which committee."""

from dataclasses import dataclass, replace

import pytest
from client_world import Enclave, World

from agent.attestation.binding import committee_hash
from agent.attestation.evidence import MAX_EVIDENCE
from agent.client.evidence import MAX_REMEMBERED, EvidenceCheck
from agent.delivery.errors import StoreUnreachable
from agent.protocol.blob import blob_digest
from agent.protocol.records import Committee
from agent.protocol.units import Millis

OLD, NEW = Committee(1, (b"o" * 32,), 1), Committee(2, (b"n" * 32,), 1)


@dataclass
class Found:
    ok: bool
    committee: bytes
    evidence: bytes


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """Evidence is accepted whose enclave is bound to the committee that its bytes name."""
    found: list[Found] = []

    def judge(evidence, record, policy, at, place, verifiers):
        found.append(Found(evidence == place.committee, place.committee, evidence))
        return found[-1]

    monkeypatch.setattr("agent.client.evidence.verify_record", judge)
    return found


async def check(world: World, bound_to: Committee | None, at: int = 0) -> Found:
    evidence = b"" if bound_to is None else committee_hash(bound_to.threshold, bound_to.verifiers)
    member = Enclave(0).member()
    digest = blob_digest(evidence)
    if bound_to is not None:
        await world.blobs.put(evidence)
    member = replace(member, attestation=replace(member.attestation, evidence_digest=digest))
    network = replace(world.chain.views.network, committee=NEW, previous=OLD, previous_until=Millis(world.chain.clock + 100))
    checking = EvidenceCheck(world.chain, world.blobs, None)
    return await checking.of(member, world.chain.views.pool, network, Millis(world.chain.clock + at))


async def test_enclave_bound_to_the_committee_in_office_is_accepted(judged: list[Found]) -> None:
    assert (await check(World(0), NEW)).ok
    assert len(judged) == 1


async def test_enclave_bound_to_the_committee_before_is_accepted_while_that_counts(judged: list[Found]) -> None:
    assert (await check(World(0), OLD, at=99)).ok
    assert not (await check(World(0), OLD, at=100)).ok


async def test_evidence_that_cannot_be_had_is_judged_as_empty(judged: list[Found]) -> None:
    world = World(0)
    member = Enclave(0).member()
    found = await EvidenceCheck(world.chain, world.blobs, None).of(member, world.chain.views.pool, world.chain.views.network, world.chain.clock)
    assert (found.ok, found.evidence) == (False, b"")


async def test_evidence_of_a_store_that_does_not_answer_is_not_judged(judged: list[Found]) -> None:
    world = World(0)
    member = Enclave(0).member()

    async def down(blob, limit):
        raise StoreUnreachable(blob, "no route")

    world.blobs.read = down  # type: ignore[method-assign]
    with pytest.raises(StoreUnreachable):
        await EvidenceCheck(world.chain, world.blobs, None).of(member, world.chain.views.pool, world.chain.views.network, world.chain.clock)
    assert judged == []


async def test_evidence_is_fetched_once_and_not_kept_for_ever(judged: list[Found]) -> None:
    world = World(0)
    checking = EvidenceCheck(world.chain, world.blobs, None)
    reads = []
    fetch = world.blobs.fetch

    async def counted(blob, *, limit: int):
        assert limit == MAX_EVIDENCE
        reads.append(blob)
        return await fetch(blob, limit=limit)

    world.blobs.fetch = counted  # type: ignore[method-assign]
    for number in [*range(MAX_REMEMBERED + 1), MAX_REMEMBERED, 0]:
        digest = await world.blobs.put(b"evidence %d" % number)
        member = Enclave(0).member()
        member = replace(member, attestation=replace(member.attestation, evidence_digest=digest))
        await checking.of(member, world.chain.views.pool, world.chain.views.network, world.chain.clock)
    # the last was still known, the first was not any more
    assert len(reads) == MAX_REMEMBERED + 2
