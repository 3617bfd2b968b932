"""What a committee member writes, and the key that it keeps."""

from pathlib import Path

import pytest

from agent.node.errors import ConfigError
from agent.node.verifier.config import CONFIG_FILE, VerifierConfig
from agent.node.verifier.member import MemberKeyFile

LEAST = '[chain]\nendpoint = "http://127.0.0.1:9000"\n[evidence]\narchive = "file:///archive"\n'


def written(folder: Path, text: str) -> Path:
    (folder / CONFIG_FILE).write_text(text)
    return folder


def test_the_sample_needs_but_its_values(tmp_path: Path) -> None:
    config = VerifierConfig.load(written(tmp_path, VerifierConfig.sample()))
    assert config.committee.peers == ()
    assert config.chain.endpoint.startswith("https://")


def test_little_has_to_be_said(tmp_path: Path) -> None:
    config = VerifierConfig.load(written(tmp_path, LEAST))
    assert config.path(config.committee.key) == tmp_path.resolve() / "member.key"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "chain: missing"),
        (LEAST.replace("archive", "archives"), "evidence.archive: missing"),
        (LEAST + '[committee]\nlisten = "9470"\n', "committee.listen"),
        (LEAST + '[committee]\npeer = "http://x"\n', "unknown key"),
        (LEAST.replace("file:///", "ftp://"), "evidence.archive"),
    ],
)
def test_every_slip_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        VerifierConfig.load(written(tmp_path, text))


def test_without_a_file_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="enclavia verifier init"):
        VerifierConfig.load(tmp_path)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCLAVIA_VERIFIER__CHAIN__ENDPOINT", "http://other:1")
    assert VerifierConfig.load(written(tmp_path, LEAST)).chain.endpoint == "http://other:1"


def test_a_key_is_kept_and_never_overwritten(tmp_path: Path) -> None:
    key = MemberKeyFile.create(tmp_path / "member.key")
    assert MemberKeyFile.load(tmp_path / "member.key").private_bytes_raw() == key.private_bytes_raw()
    with pytest.raises(ConfigError, match="never overwritten"):
        MemberKeyFile.create(tmp_path / "member.key")


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, b"00" * 33, b"\xff" * 64])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "member.key"
    file.touch(mode=0o600)
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        MemberKeyFile.load(file)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    MemberKeyFile.create(tmp_path / "member.key")
    (tmp_path / "member.key").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        MemberKeyFile.load(tmp_path / "member.key")


def test_a_missing_key_is_told_how_to_make(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="enclavia verifier init"):
        MemberKeyFile.load(tmp_path / "member.key")
