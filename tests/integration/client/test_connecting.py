"""A requester out of files, as the guide has it."""

from pathlib import Path

import pytest
from client_stage import SUI, entropy, staged

from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.policy_document import dump_policy
from agent.chain.errors import RosterTooSmall
from agent.chain.sui import Wallet
from agent.client.connect import connect
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis, Mist

POLICY = Policy(
    version=1, max_age=Millis(86_400_000), allow_simulated=False, vendor=Layer(allow=frozenset({Allowance(TeeKind.TDX, b"m" * 48)}))
)


async def test_requester_is_made_of_files_and_keeps_its_own(tmp_path: Path) -> None:
    async with staged(tmp_path, nodes=0) as stage:
        wallet = Wallet(entropy("a dApp"))
        stage.localnet.faucet(wallet.address, SUI)
        wallet.save(tmp_path / "wallet.json")
        stage.deployment.save(tmp_path / "deployment.json")
        (tmp_path / "policy.json").write_bytes(dump_policy(POLICY))
        files = (stage.localnet.url, tmp_path / "deployment.json", tmp_path / "wallet.json")
        blobs = f"file://{tmp_path}/blobs"
        (tmp_path / "blobs").mkdir()
        async with connect(*files, blobs=blobs, policy=tmp_path / "policy.json", directory=tmp_path / "dapp") as requester:
            assert await requester.quote() > Mist(0)
            assert await requester.unfinished() == ()
            with pytest.raises(RosterTooSmall):
                await requester.submit("a text")
    assert sorted(each.name for each in (tmp_path / "dapp").iterdir()) == ["tasks", "transactions"]
