"""What a vendor takes back after evidence was made: found in what was collected since, and the record falls out."""

from collections.abc import AsyncIterator
from pathlib import Path

import nvidia_pki
import pytest
from amd_pki import Report
from chain_twin import record
from node_world import FOREVER, MEMBERS, POLICY, World
from simulated_world import BINDING
from synthetic_world import AT, MILAN, verifiers
from vendor_services import BOARD, CPU, GPU, Vendors, amd, collecting, nvidia

from agent.attestation.amd import SnpQuote
from agent.attestation.amd.evidence import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd.report import SigningKey
from agent.attestation.checklist import DeviceTrust
from agent.attestation.collection.errors import ArchiveError
from agent.attestation.collection.store import Store
from agent.attestation.evidence import Evidence, Quote
from agent.node.chain_time import ChainTime
from agent.node.verifier import Member
from agent.node.verifier.recheck import Recheck
from agent.node.verifier.vendor_revocations import revoked_since
from agent.protocol.records import Attestation, PolicyEntry
from agent.protocol.statements import RevocationReason, TeeKind
from agent.protocol.units import Millis

SNP = SnpQuote(Report(report_data=CPU).signed(), MILAN.chain(), MILAN.crl()).encode()
EVIDENCE = Evidence(BINDING.encode(), Quote(SNP_TYPE, SNP)).encode()
WITH_GPU = Evidence(BINDING.encode(), Quote(SNP_TYPE, SNP), devices=(GPU.item(0, CPU, opaque=BOARD),)).encode()
REVOKING = MILAN.crl(MILAN.intermediate(SigningKey.VCEK))
DEVICES = DeviceTrust(roots=nvidia_pki.ROOTS)


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    async with Vendors().serving() as running:
        running.put(amd())
        running.put(nvidia(GPU))
        yield running


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world")
    yield world
    await world.close()


async def collected(vendors: Vendors, folder: Path, data: bytes, at: Millis = AT) -> Store:
    async with collecting(vendors, folder, at) as (collector, store, _):
        await collector.collect(data)
    return store


def since(data: bytes, store: Store) -> str | None:
    return revoked_since(data, store, verifiers(), AT, DEVICES)


async def test_a_chips_authority_that_amd_revoked_since_is_found(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path, EVIDENCE)
    assert since(EVIDENCE, store) is None
    vendors.put(amd(crl=REVOKING))
    store = await collected(vendors, tmp_path, EVIDENCE, Millis(AT + 1))
    assert (since(EVIDENCE, store) or "").startswith("not-revoked: ")


async def test_a_gpu_that_nvidia_revoked_since_is_found(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path, WITH_GPU)
    assert since(WITH_GPU, store) is None
    vendors.put(nvidia(GPU, revoked=frozenset({int.from_bytes(b"A" + GPU.pdi, "big")})))
    store = await collected(vendors, tmp_path, WITH_GPU, Millis(AT + 1))
    assert (since(WITH_GPU, store) or "").startswith("gpu-not-revoked: ")


def test_nothing_collected_says_nothing(tmp_path: Path) -> None:
    assert since(EVIDENCE, Store(tmp_path)) is None


async def test_a_spoilt_archive_is_an_error_and_no_revocation(vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path, EVIDENCE)
    for file in (tmp_path / "blobs").iterdir():
        file.write_bytes(b"x")
    with pytest.raises(ArchiveError):
        since(EVIDENCE, store)


async def rechecked(world: World, store: Store) -> Recheck:
    """A member looks at a record whose evidence is `EVIDENCE`."""
    world.state.policies = (PolicyEntry(POLICY.digest(), Millis(0), FOREVER, ()),)
    node = await world.node(0)
    digest = await world.archive.put(EVIDENCE)
    known = record(Attestation, key_epoch=1, tee_kind=TeeKind.SEV_SNP, evidence_digest=digest, policy=POLICY.digest(), not_after=Millis(AT + 10**9))
    world.state.members[0] = record(type(world.state.members[0]), node=node.me.node, key_epoch=1, attestation=known)
    await world.verifier(0)
    chain = world.services[0][0]
    member = Member(MEMBERS[0], (POLICY,), verifiers())
    recheck = Recheck(
        member, world.orders(0), chain=chain, time=ChainTime(chain, world.clock), places=(world.archive,), clock=world.clock, collateral=store
    )
    await recheck.look()
    return recheck


async def test_a_record_whose_hardware_was_revoked_is_ordered_to_end(world: World, vendors: Vendors, tmp_path: Path) -> None:
    vendors.put(amd(crl=REVOKING))
    await rechecked(world, await collected(vendors, tmp_path / "store", EVIDENCE))
    (order,) = world.orders(0).revocations()
    assert (order.key_epoch, order.reason) == (1, RevocationReason.HARDWARE)
    assert "the vendor took it back" in order.why


async def test_a_record_whose_hardware_still_holds_stays(world: World, vendors: Vendors, tmp_path: Path) -> None:
    recheck = await rechecked(world, await collected(vendors, tmp_path / "store", EVIDENCE))
    assert world.orders(0).revocations() == ()
    assert recheck.complaints == frozenset()


async def test_a_spoilt_archive_is_complained_of(world: World, vendors: Vendors, tmp_path: Path) -> None:
    store = await collected(vendors, tmp_path / "store", EVIDENCE)
    for file in (tmp_path / "store" / "blobs").iterdir():
        file.write_bytes(b"x")
    recheck = await rechecked(world, store)
    assert any("archive of collateral" in each for each in recheck.complaints)
    assert world.orders(0).revocations() == ()
