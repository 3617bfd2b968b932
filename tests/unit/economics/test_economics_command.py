"""`enclavia economics`, as people and scripts see it."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agent.cli.economics_command import economics
from agent.economics.defaults import DEFAULT
from agent.protocol.deterrence import required_probability
from agent.protocol.draw import ALWAYS
from agent.protocol.units import Mist

app = typer.Typer()
app.command()(economics)


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def found(*arguments: str) -> dict[str, object]:
    return dict(json.loads(run(*arguments, "--json")[1]))


def test_the_defaults_deter() -> None:
    code, text, _ = run("--json")
    assert code == 0
    said = json.loads(text)
    assert said["deterred"] is True
    assert said["p_min"] == required_probability(DEFAULT, DEFAULT.max_price, Mist(0)) / ALWAYS


def test_the_game_by_flags_is_the_paper_s() -> None:
    code, text, _ = run("--reward", "1.2", "--cost", "1", "--stake", "250", "--controlled", "1/2", "--audit-probability", "0.007", "--json")
    said = json.loads(text)
    assert (code, said["deterred"]) == (1, False)
    assert said["p_min"] == pytest.approx(0.00796, abs=5e-6)
    assert said["s_min"] == pytest.approx(284.51, abs=0.01)


def test_money_in_another_unit_is_the_same_game() -> None:
    small = found("--reward", "1.2", "--stake", "250", "--w1", "10", "--w2", "20")
    assert found("--cost", "100", "--reward", "120", "--stake", "25000", "--w1", "1000", "--w2", "2000") == small


def test_a_smaller_lock_deters_less() -> None:
    code, text, _ = run("--executor-lock", "1000000000", "--json")
    assert (code, json.loads(text)["deterred"]) == (1, False)


def test_more_value_wants_more_audits_and_too_much_is_not_deterred() -> None:
    assert found("--value", "1000000000")["p_min"] > found()["p_min"]
    assert found("--value", "1000000000")["deterred"] is True
    assert run("--value", "1000000000000", "--json")[0] == 1


def test_without_json_it_is_a_table() -> None:
    code, text, _ = run()
    assert code == 0
    assert "least audit probability" in text


@pytest.mark.parametrize("grouped", [True, False])
def test_parameters_come_from_a_file(tmp_path: Path, grouped: bool) -> None:
    names = asdict(DEFAULT) | {"executor_lock": 50 * 10**9, "audit_probability": "0.004"}
    file = tmp_path / "params.json"
    file.write_text(json.dumps({"amounts": names} if grouped else names))
    said = found("--params", str(file))
    assert said["audit_probability"] == 0.004
    assert said["slash"] > 500


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"executor_lock": 1}', json.dumps(asdict(DEFAULT) | {"colour": 1}), json.dumps(asdict(DEFAULT) | {"bounty": -1}),
             json.dumps(asdict(DEFAULT) | {"bounty": True}), json.dumps(asdict(DEFAULT) | {"audit_probability": "much"})],
)  # fmt: skip
def test_a_file_that_holds_no_parameters_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.json"
    file.write_text(text)
    code, _, error = run("--params", str(file))
    assert code == 2
    assert "params.json" in error


@pytest.mark.parametrize("flag", [("--controlled", "x"), ("--controlled", "2"), ("--reward", "1e9"), ("--cost", "0"), ("--stake", "-1"), ("--w1", "1/0")])
def test_numbers_that_are_none_are_refused(flag: tuple[str, str]) -> None:
    code, out, error = run(*flag, "--json")
    assert (code, out) == (2, "")
    assert error.startswith("enclavia economics: ")


def test_simulation_adds_strategies_honesty_first() -> None:
    code, text, error = run("--simulate", "--tasks", "2000", "--nodes", "200", "--json")
    assert (code, error) == (0, "")
    strategies = json.loads(text)["strategies"]
    assert strategies[0]["strategy"] == "honest"
    assert len(strategies) == 18
    assert all({"strategy", "profit_per_task", "honest_slash_rate", "victim_loss_per_task"} <= set(each) for each in strategies)


def test_simulation_plays_the_game_of_the_flags() -> None:
    """With S = 250 C and p = 0.2 % laziness pays (p (R + S) < C), with 2 % it does not."""
    flags = ("--simulate", "--reward", "1.2", "--stake", "250", "--tasks", "50000", "--nodes", "500", "--strategy", "lazy")
    low, high = (json.loads(run(*flags, "--audit-probability", p, "--json")[1])["strategies"] for p in ("0.002", "0.02"))
    assert low[1]["profit_per_task"] > low[0]["profit_per_task"]
    assert high[1]["profit_per_task"] < high[0]["profit_per_task"]


def test_an_unknown_strategy_is_named_with_those_there_are() -> None:
    code, _, error = run("--simulate", "--strategy", "greedy")
    assert code == 2
    assert "griefing auditor" in error


def test_a_plot_is_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "region.png"
    assert run("--plot", str(file), "--json")[0] == 0
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("module", "flag"), [("numpy", "--simulate"), ("matplotlib.figure", "--plot=x.png")])
def test_a_missing_extra_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch, module: str, flag: str) -> None:
    for name in [name for name in sys.modules if name.startswith("agent.economics.") and name.rsplit(".", 1)[1] in ("simulate", "world", "settlement")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    code, _, error = run(flag)
    assert code == 2
    assert "pip install 'enclavia[economics]'" in error
