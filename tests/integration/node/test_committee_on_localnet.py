"""Three members of a committee against the compiled contracts: two of them make a node's record, none makes one for code that
the policy does not know, two of them end it.
"""

from collections.abc import AsyncIterator
from hashlib import sha384
from pathlib import Path

import pytest
from committee_stage import MEMBERS, THRESHOLD, Stage, committee
from node_world import CODE, POLICY

from agent.delivery.file_store import FileBlobStore
from agent.node.verifier.orders import Orders, RevocationOrder
from agent.protocol.statements import RevocationReason
from agent.protocol.units import Slot


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with committee(tmp_path, POLICY) as running:
        yield running


async def test_two_of_three_members_make_a_record_and_end_it(stage: Stage) -> None:
    async def attested() -> bool:
        return await stage.key_epoch() == 1

    await stage.serve(stage.simulated(CODE), attested)
    member = await stage.chain.member(Slot(0))
    assert member is not None
    assert (member.attestation.measurement, member.attestation.policy) == (CODE, POLICY.digest())
    archives = [FileBlobStore(stage.member(number) / "archive") for number in range(MEMBERS)]
    held = [await archive.size(member.attestation.evidence_digest) is not None for archive in archives]
    assert sum(held) >= THRESHOLD, "what a member vouches for it archives first"

    for number in (0, 2):
        Orders(stage.member(number)).give(RevocationOrder(member.node, Slot(0), 1, RevocationReason.HARDWARE))

    async def revoked() -> bool:
        return await stage.key_epoch() == 0

    await stage.until(revoked)
    await stage.until(lambda: _gone(stage))


async def _gone(stage: Stage) -> bool:
    return not any(Orders(stage.member(number)).revocations() for number in (0, 2))


async def test_code_that_the_policy_does_not_know_is_never_recorded(stage: Stage) -> None:
    async def refused_by_all() -> bool:
        return len(await stage.refused()) == MEMBERS

    await stage.serve(stage.simulated(sha384(b"other code").digest()), refused_by_all)
    assert await stage.key_epoch() == 0
    assert all("measurement" in reason for reason in await stage.refused())
