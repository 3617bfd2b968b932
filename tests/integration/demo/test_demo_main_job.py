"""The main job as a person runs it: seven node processes, seven enclaves, the real model, a liar, a forger, an absentee."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytest.importorskip("torch", reason="the real model needs the extra [torch]")


@pytest.mark.torch
def test_with_every_task_audited_no_lie_and_no_forged_delivery_survives(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "agent.cli.main", "demo", "--tasks", "10", "--audit-probability", "1", "--seed", "7", "--forger", "--keep", str(tmp_path / "demo"), "--json",
        ],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=900,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["broken_rules"] == []
    assert done.returncode == 0
    assert found["simulated"] is True
    assert found["audited"] == found["tasks"] - found["absences_as_executor"]
    assert found["lies_told"] == found["lies_audited"] == found["lies_slashed"] > 0
    assert found["forgeries"] == found["forgeries_convicted"] > 0
    assert found["honest_slashed"] == 0
    assert found["funds_conserved"] is True
    logs = b"".join(path.read_bytes() for path in (tmp_path / "demo").rglob("*.log"))
    assert b"The lease may be ended" not in logs
