"""What people see of a command that cannot do what they ask: one text that says what to do, and an exit code."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from agent.cli.main import app

ROOT = Path(__file__).parents[3]


def enclavia(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "agent.cli.main", *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


def test_node_without_configuration_says_what_to_run(tmp_path: Path) -> None:
    done = enclavia("node", "run", "-c", str(tmp_path))
    assert done.returncode == 2
    assert "enclavia node init" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_a_wallet_that_only_its_owner_reads(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["node", "init", "-c", str(tmp_path / "node")])
    assert done.exit_code == 0
    assert (tmp_path / "node" / "wallet.json").stat().st_mode & 0o777 == 0o600


def test_init_never_overwrites_a_wallet(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["node", "init", "-c", str(tmp_path)])
    before = (tmp_path / "wallet.json").read_bytes()
    assert CliRunner().invoke(app, ["node", "init", "-c", str(tmp_path)]).exit_code == 2
    assert (tmp_path / "wallet.json").read_bytes() == before


def test_wallet_that_others_can_read_is_refused(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["node", "init", "-c", str(tmp_path)])
    (tmp_path / "node.toml").write_text(
        '[chain]\nendpoint = "http://127.0.0.1:1"\n[blobs]\nurl = "http://127.0.0.1:2"\n[stake]\npool = "0x1"\namount = "10 SUI"\n[enclave]\nworkload = "sha256-stream"\n'
    )
    (tmp_path / "wallet.json").chmod(0o644)
    done = enclavia("node", "check", "-c", str(tmp_path))
    assert done.returncode == 2
    assert "chmod 600" in done.stderr


def test_probability_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(app, ["demo", "--audit-probability", "often"])
    assert done.exit_code == 2
    assert "probability" in done.output
