"""A node in a SEV-SNP guest, whose kernel and chip are the test PKI's: recorded, refused for other code, and out once its chip is
rejected. All but kernel and silicon is what runs in earnest: detection, provider, enclave process, evidence, committee, contracts.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

UNIT = Path(__file__).parents[2] / "unit"
for _neighbour in ("attestation_pki", "attestation", "attestation_integration", "attestation_nvidia", "attestation_providers"):
    sys.path.append(str(UNIT / _neighbour))

import pytest
from amd_pki import CHIP, LEVELS, MEASUREMENT
from committee_stage import MEMBERS, Stage, committee
from kernel_reports import KernelReports, snp
from node_world import POLICY
from synthetic_world import MILAN

from agent.attestation.amd import Product, SnpVerifier
from agent.attestation.policy import Allowance, Layer, Policy, Rejection, Rejects, SnpFloor
from agent.attestation.providers.detect import Platform
from agent.attestation.providers.machine import Machine
from agent.chain.calls import AddPolicy
from agent.cli.platform import open_platform
from agent.node.config import NodeConfig
from agent.node.supervisor import Node
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis, Slot

FIRST = Policy(
    version=1,
    max_age=POLICY.max_age,
    allow_simulated=False,
    vendor=Layer(allow=frozenset({Allowance(TeeKind.SEV_SNP, MEASUREMENT)})),
    snp_floors=frozenset({SnpFloor(Product.MILAN, LEVELS)}),
    accept_missing_crl=True,  # the host of these guests hands out certificates, and nobody asks AMD
)
STOLEN = Rejection(Rejects.HARDWARE, CHIP.hex(), "its key was extracted (TEE.fail)")
SECOND = replace(FIRST, version=2, community=Layer(reject=frozenset({STOLEN})))
TIMELOCK = Millis(3_000)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    mask = 1 << TeeKind.SEV_SNP
    hardware = (SnpVerifier(roots=MILAN.roots),)
    async with committee(tmp_path, FIRST, SECOND, hardware=hardware, tee_mask=mask, timelock_ms=TIMELOCK) as running:
        with (tmp_path / "node" / NodeConfig.FILE).open("a") as file:
            file.write("[tee]\noffline = true\n")
        yield running


@asynccontextmanager
async def guest(stage: Stage, measurement: bytes = MEASUREMENT) -> AsyncIterator[Node]:
    """The node in a guest that the chip measured so."""
    kernel = KernelReports(stage.folder / "configfs", "sev_guest", snp(measurement=measurement), floor=0)
    config = NodeConfig.load(stage.folder / "node")
    async with open_platform(config, Machine(root=stage.folder, reports=kernel)) as opened:
        assert opened.platform is Platform.SEV_SNP
        assert opened.provider.measurement == measurement
        yield stage.node(opened.launcher, opened.provider)
    assert kernel.left == [], "reports are the kernel's memory"


async def test_a_chip_counts_until_the_policy_in_force_rejects_it(stage: Stage) -> None:
    async def attested() -> bool:
        return await stage.key_epoch() == 1

    async def out() -> bool:
        return await stage.key_epoch() == 0

    async def refused() -> bool:
        return len([reason for reason in await stage.refused() if "TEE.fail" in reason]) == MEMBERS

    async def life() -> bool:
        """The node is recorded, its chip rejected, its record revoked, and what it posts next refused."""
        await stage.until(attested)
        member = await stage.chain.member(Slot(0))
        assert member is not None
        assert (member.attestation.tee_kind, member.attestation.measurement) == (TeeKind.SEV_SNP, MEASUREMENT)
        assert member.attestation.policy == FIRST.digest()
        activates = Millis((await stage.chain.network()).protocol_time(await stage.chain.now()) + TIMELOCK + 500)
        cap = stage.deployment.admin_cap
        assert cap is not None
        await stage.chain.submit(AddPolicy(cap, SECOND.digest(), (), activates), purpose="reject the chip")
        await stage.until(out)
        assert await stage.chain.now() >= activates, "not before the policy is in force"
        await stage.until(refused)
        return True

    async with guest(stage) as node:
        await stage.serve(node, life)
    member = await stage.chain.member(Slot(0))
    assert member is not None
    assert member.revoked_through == 1
    assert member.attestation.key_epoch == 1, "the policy before is in force too, and does not bring the chip back"


async def test_a_guest_that_runs_other_code_is_never_recorded(stage: Stage) -> None:
    async def refused_by_all() -> bool:
        return len(await stage.refused()) == MEMBERS

    async with guest(stage, measurement=b"\x99" * 48) as node:
        await stage.serve(node, refused_by_all)
    assert await stage.key_epoch() == 0
    assert all("measurement" in reason for reason in await stage.refused())
