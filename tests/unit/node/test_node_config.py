from pathlib import Path

import pytest

from agent.node.config import CONFIG_FILE, NodeConfig, parse_mist, sample
from agent.node.errors import ConfigError

MINIMAL = """
[chain]
endpoint = "http://127.0.0.1:9000"
[blobs]
url = "http://127.0.0.1:9100"
[stake]
pool = "0x5e7"
amount = "10 SUI"
[enclave]
workload = "minilm-embed"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / CONFIG_FILE).write_text(MINIMAL)
    return tmp_path


def problems(directory: Path, text: str) -> tuple[str, ...]:
    (directory / CONFIG_FILE).write_text(text)
    with pytest.raises(ConfigError) as refused:
        NodeConfig.load(directory)
    return refused.value.problems


def test_a_minimal_file_is_enough(directory: Path) -> None:
    config = NodeConfig.load(directory)
    assert (config.stake.amount, config.stake.pool) == (10 * 10**9, bytes(30) + b"\x05\xe7")


def test_paths_are_relative_to_the_directory(directory: Path) -> None:
    config = NodeConfig.load(directory)
    assert config.path(config.wallet.file) == directory.resolve() / "wallet.json"


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="enclavia node init"):
        NodeConfig.load(tmp_path)


def test_a_missing_key_is_named_with_what_to_write(directory: Path) -> None:
    assert problems(directory, MINIMAL.replace('amount = "10 SUI"', "")) == (
        'stake.amount: missing; write for instance amount = "10 SUI"',
    )


def test_a_missing_table_is_named(directory: Path) -> None:
    assert problems(directory, MINIMAL.replace('[enclave]\nworkload = "minilm-embed"', "")) == (
        "enclave: missing; write a table [enclave]",
    )


def test_an_unknown_key_is_refused(directory: Path) -> None:
    assert problems(directory, MINIMAL + "wrokload = 1\n") == ("enclave.wrokload: unknown key, remove it or mend its spelling",)


def test_every_problem_is_told_at_once(directory: Path) -> None:
    broken = MINIMAL.replace("0x5e7", "pool").replace("10 SUI", "10")
    assert [problem.split(":")[0] for problem in problems(directory, broken)] == ["stake.pool", "stake.amount"]


def test_an_amount_without_a_unit_is_refused(directory: Path) -> None:
    (problem,) = problems(directory, MINIMAL.replace('"10 SUI"', "10"))
    assert problem.endswith('write for instance amount = "10 SUI"')


def test_a_broken_file_is_called_no_toml(directory: Path) -> None:
    assert "not TOML" in problems(directory, "[chain")[0]


def test_the_environment_wins_over_the_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCLAVIA_NODE__STAKE__AMOUNT", "5 SUI")
    config = NodeConfig.load(directory)
    assert (config.stake.amount, config.enclave.workload) == (5 * 10**9, "minilm-embed")


def test_the_sample_becomes_a_config_once_its_pool_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(sample().replace("0x5e7…", "0x5e7"))
    assert NodeConfig.load(tmp_path).admission.max_concurrent_tasks == 1


def test_a_denied_requester_stays_denied_though_allowed(directory: Path) -> None:
    lists = '[admission]\nrequesters_allow = ["0x1", "0x2"]\nrequesters_deny = ["0x2"]\n'
    (directory / CONFIG_FILE).write_text(MINIMAL + lists)
    admission = NodeConfig.load(directory).admission
    admitted = [admission.admits(number.to_bytes(32, "big")) for number in (1, 2, 3)]
    assert admitted == [True, False, False]


@pytest.mark.parametrize(
    ("text", "mist"), [("10 SUI", 10**10), ("0.000000001 sui", 1), ("250_000 Mist", 250_000), (" 1SUI ", 10**9)]
)
def test_amounts_are_read_with_their_unit(text: str, mist: int) -> None:
    assert parse_mist(text) == mist


@pytest.mark.parametrize("text", ["10", 10, "-1 SUI", "0.0000000001 SUI", "1e9 Mist", "1.5 Mist", "99999999999 SUI", "SUI", None])
def test_amounts_that_could_be_misread_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"unit|Mist"):
        parse_mist(text)
