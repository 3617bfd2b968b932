"""Evidence, policies and keys in files, and `enclavia` run on them as a person would run it."""

import os
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

for _neighbour in ("attestation", "attestation_integration", "attestation_pki"):
    _folder = str(Path(__file__).parents[1] / _neighbour)
    if _folder not in sys.path:
        sys.path.append(_folder)

from simulated_world import AUTHORITY, BINDING, CODE, HOUR, LOCALNET, NOW, POLICY, Node

from agent.attestation.policy import Policy
from agent.attestation.policy_document import dump_policy
from agent.cli.main import app

__all__ = [
    "AUTHORITY", "BINDING", "CODE", "HOSTILE_TEXT", "HOUR", "KEY", "LOCALNET", "NOW", "POLICY", "SIGNER", "VECTORS", "Desk", "Node",
    "moves_the_cursor", "process", "ran", "said",
]  # fmt: skip

ROOT = Path(__file__).parents[3]
VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
SIGNER = KEY.public_key().public_bytes_raw().hex()
HOSTILE_TEXT = "\x1b[2J\x1b]0;title\x07\r\u202eevil\x9b31m"
_FRAME = re.compile(r"[\s│╭╮╰╯─]+")


def ran(*arguments: object) -> Result:
    """`enclavia` with these arguments; whatever is no refusal of ours is raised."""
    # colours are forced where tests run in some services: what is looked at here is what we print
    with patch("typer.rich_utils.FORCE_TERMINAL", False):
        done = CliRunner().invoke(app, [str(each) for each in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`enclavia` with these arguments as a process of its own, without a terminal."""
    command = [sys.executable, "-m", "agent.cli.main", *(str(each) for each in arguments)]
    plain = os.environ | {"_TYPER_FORCE_DISABLE_TERMINAL": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=plain, check=False, timeout=120, stdin=subprocess.DEVNULL)


def said(done: Result) -> str:
    """All that was printed, on one line: messages are wrapped and framed for people."""
    return _FRAME.sub(" ", done.output)


def moves_the_cursor(text: str) -> bool:
    """Whether a terminal would do anything else with `text` than show it."""
    return any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character != "\n" for character in text)


class Desk:
    """A folder with what a command wants: evidence of a simulated node, its root, a policy for it, a key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.evidence = self.file("evidence.cbor", Node().evidence())
        self.root = self.file("root.der", AUTHORITY.root)
        self.policy = self.policy_file("policy.json", POLICY)
        self.key = self.file("member.key", KEY.private_bytes_raw().hex().encode() + b"\n")
        self.key.chmod(0o600)

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def policy_file(self, name: str, policy: Policy, **changes: object) -> Path:
        return self.file(name, dump_policy(replace(policy, **changes)))  # type: ignore[arg-type]

    def verify(self, *more: object, file: Path | None = None, at: int = NOW) -> Result:
        """`attest verify` of the evidence, under the simulated root."""
        return ran("attest", "verify", file or self.evidence, "--simulated-root", self.root, "--at", at, *more)
