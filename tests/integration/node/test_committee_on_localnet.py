"""Three members of a committee against the compiled contracts: two of them make a node's record, none makes one for code that
the policy does not know, two of them end it.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha384
from pathlib import Path

import pytest
from committee_stage import MEMBERS, THRESHOLD, Stage, committee
from node_world import CODE, MANIFEST, POLICY

from agent.attestation.binding import Binding
from agent.attestation.evidence import Evidence
from agent.attestation.policy_document import dump_policy
from agent.chain.calls import Attest
from agent.chain.sui import Wallet
from agent.delivery.file_store import FileBlobStore
from agent.node.verifier.config import VerifierConfig
from agent.node.verifier.member import MemberKeyFile
from agent.node.verifier.orders import Orders, RevocationOrder
from agent.protocol.statements import RevocationReason, TeeKind, VerdictStatement
from agent.protocol.units import Address, Slot

ROOT = Path(__file__).parents[3]


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
    assert await asyncio.to_thread(audited, stage) == (0, ["sound"], 2)
    told = json.loads((await asyncio.to_thread(run, "status", "--config", str(stage.member(0)), "--json"))[1])
    assert (told["place"], told["problems"]) == (0, [])
    assert any("loaded" in policy for policy in told["policies"])
    archives = [FileBlobStore(stage.member(number) / "archive") for number in range(MEMBERS)]
    held = [await archive.size(member.attestation.evidence_digest) is not None for archive in archives]
    assert sum(held) >= THRESHOLD, "what a member vouches for it archives first"

    for number in (0, 2):
        Orders(stage.member(number)).give(RevocationOrder(member.node, Slot(0), 1, RevocationReason.HARDWARE))

    async def revoked() -> bool:
        return await stage.key_epoch() == 0

    await stage.until(revoked)
    await stage.until(lambda: _gone(stage))


async def test_a_wrong_verdict_names_who_signed_it(stage: Stage) -> None:
    """Two members whose keys are in the wrong hands vouch for code that no policy knows; the chain takes it, an audit does not."""
    strangers_code = sha384(b"other code").digest()

    async def refused_by_all() -> bool:
        return len(await stage.refused()) == MEMBERS

    await stage.serve(stage.simulated(strangers_code), refused_by_all)
    member = await stage.chain.member(Slot(0))
    assert member is not None
    (digest,) = stage.evidence()
    binding = Binding.decode(Evidence.decode(await stage.blobs.fetch(digest, limit=1 << 20)).binding)
    network, pool = await stage.chain.network(), stage.deployment.pool.id
    lie = VerdictStatement(
        network=Address(network.id), pool=Address(pool), node=member.node, key_epoch=1, challenge=member.challenge, evidence_digest=digest,
        tee_kind=TeeKind.SIMULATED, measurement=CODE, manifest=MANIFEST, hpke_pk=binding.hpke_pk, sign_pk=binding.sign_pk,
        not_after=binding.not_after, policy=POLICY.digest(),
    )  # fmt: skip
    keys = [MemberKeyFile.load(stage.member(number) / "member.key") for number in (1, 2)]
    signatures = tuple(key.sign(lie.signing_bytes()) for key in keys)
    await stage.chain.submit(
        Attest(
            Slot(0), digest, TeeKind.SIMULATED, CODE, binding.hpke_pk, binding.sign_pk, binding.not_after, POLICY.digest(), 1, (1, 2), signatures
        ),
        purpose="lie",
    )
    assert await stage.key_epoch() == 1, "the contract counts signatures"
    code, told = await asyncio.to_thread(run, "audit", *where(stage), "--evidence", f"file://{stage.folder}/blobs", "--json")
    assert code == 1
    (record,) = json.loads(told)["records"]
    assert record["outcome"] == "wrong"
    assert record["signers"] == [key.public_key().public_bytes_raw().hex() for key in keys]
    assert any("measurement" in why for why in record["why"])

    code, told = await asyncio.to_thread(run, "audit", *where(stage), "--evidence", f"file://{stage.folder}/nowhere", "--json")
    assert (code, json.loads(told)["records"][0]["outcome"]) == (3, "gone")


async def test_status_names_everything_that_keeps_a_member_from_its_work(stage: Stage) -> None:
    stranger = stage.folder / "stranger"
    stranger.mkdir()
    MemberKeyFile.create(stranger / "member.key")
    Wallet(b"\x77" * 32).save(stranger / "wallet.json")
    stage.deployment.save(stranger / "deployment.json")
    (stranger / "policy.json").write_bytes(dump_policy(replace(POLICY, version=9)))
    (stranger / VerifierConfig.FILE).write_text(
        f'[chain]\nendpoint = "{stage.localnet.url}"\n[evidence]\narchive = "file://{stranger}/archive"\n'
        '[committee]\npeers = ["http://127.0.0.1:1"]\n'
    )
    code, told = await asyncio.to_thread(run, "status", "--config", str(stranger), "--json")
    problems = "\n".join(json.loads(told)["problems"])
    assert code == 1
    for part in ("not in the committee", "not loaded", "Mist are left", "http://127.0.0.1:1 does not answer", "never started"):
        assert part in problems
    assert json.loads(told)["place"] is None


def where(stage: Stage) -> list[str]:
    files = {"deployment": stage.member(0) / "deployment.json", "policy": stage.member(0) / "policy-0.json", "simulated-root": stage.member(0) / "root.der"}
    return ["--endpoint", stage.localnet.url, *(part for name, file in files.items() for part in (f"--{name}", str(file)))]


def audited(stage: Stage) -> tuple[int, list[str], int]:
    """As anybody would who was given the archives: exit code, outcomes, how many signed the first."""
    archives = [part for number in range(MEMBERS) for part in ("--evidence", f"file://{stage.member(number)}/archive")]
    code, told = run("audit", *where(stage), *archives, "--json")
    records = json.loads(told)["records"]
    return code, [each["outcome"] for each in records], len(records[0]["signers"])


def run(*arguments: str) -> tuple[int, str]:
    """`enclavia verifier …`, in a process of its own."""
    command = [sys.executable, "-m", "agent.cli.main", "verifier", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=ROOT)
    return done.returncode, done.stdout


async def _gone(stage: Stage) -> bool:
    return not any(Orders(stage.member(number)).revocations() for number in (0, 2))


async def test_code_that_the_policy_does_not_know_is_never_recorded(stage: Stage) -> None:
    async def refused_by_all() -> bool:
        return len(await stage.refused()) == MEMBERS

    await stage.serve(stage.simulated(sha384(b"other code").digest()), refused_by_all)
    assert await stage.key_epoch() == 0
    assert all("measurement" in reason for reason in await stage.refused())
