import subprocess
import sys
from pathlib import Path

import pytest

from agent.enclave import measurement
from agent.enclave.errors import WorkloadError
from agent.enclave.identity import MEASUREMENT_BYTES
from agent.enclave.measurement import ROOT, code_files, measure

LOADED = """
import sys
from agent.enclave import process
from agent.enclave.workloads import load_workload
process.warm_up(load_workload("sha256-stream"))
print(*(m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "agent"), sep="\\n")
"""


def test_everything_of_ours_that_runs_inside_is_measured() -> None:
    run = subprocess.run([sys.executable, "-B", "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {Path(line) for line in run.stdout.split()}
    assert loaded
    assert loaded <= set(code_files("sha256-stream"))


def test_nothing_of_the_host_runs_inside() -> None:
    folders = {path.relative_to(ROOT).parts[1] for path in code_files("minilm-f64")}
    assert folders == {"__init__.py", "enclave", "protocol", "attestation"}


def test_a_changed_file_changes_the_measurement(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "agent"
    for path in code_files("sha256-stream"):
        target = copy / path.relative_to(ROOT / "agent")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    same = measure.__wrapped__("sha256-stream")
    monkeypatch.setattr(measurement, "ROOT", tmp_path)
    assert measure.__wrapped__("sha256-stream") == same, "the folder it lies in is no part of it"
    with (copy / "enclave" / "engine.py").open("a") as file:
        file.write("\n")
    assert measure.__wrapped__("sha256-stream") != same


def test_another_wheel_changes_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    before = measure.__wrapped__("sha256-stream")
    monkeypatch.setattr(measurement, "PACKAGES", ("cbor2",))
    assert measure.__wrapped__("sha256-stream") != before


def test_a_measurement_has_the_length_of_a_pcr() -> None:
    assert len(measure("sha256-stream")) == MEASUREMENT_BYTES


def test_an_unknown_workload_is_named() -> None:
    with pytest.raises(WorkloadError, match="sha256-stream"):
        measure("gpt-9")
