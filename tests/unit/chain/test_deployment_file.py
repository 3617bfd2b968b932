import json
from dataclasses import replace
from pathlib import Path

import pytest
from call_examples import CAP, DEPLOYMENT

from agent.chain.deployment import Deployment
from agent.chain.errors import DeploymentError


@pytest.mark.parametrize("deployment", [DEPLOYMENT, replace(DEPLOYMENT, admin_cap=CAP)])
def test_what_is_saved_is_loaded(tmp_path: Path, deployment: Deployment) -> None:
    deployment.save(tmp_path / "deployment.json")
    assert Deployment.load(tmp_path / "deployment.json") == deployment
    assert [each.name for each in tmp_path.iterdir()] == ["deployment.json"]


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="get the one of your network"):
        Deployment.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    "damage",
    [
        {"package": "0x12"},
        {"package": None},
        {"pool": {"id": "0x" + "1" * 64}},
        {"since": "soon"},
        {"format": 2},
        {"network": []},
    ],
)
def test_damaged_file_is_refused(tmp_path: Path, damage: dict[str, object]) -> None:
    file = tmp_path / "deployment.json"
    DEPLOYMENT.save(file)
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    with pytest.raises(DeploymentError):
        Deployment.load(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null"])
def test_what_is_no_deployment_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "deployment.json"
    file.write_text(text)
    with pytest.raises(DeploymentError):
        Deployment.load(file)
