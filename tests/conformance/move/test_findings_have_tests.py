"""Every finding of docs/spec/protocol.md §10 names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "docs" / "spec" / "protocol.md").read_text().split("## 10. ")[1]
ROWS = [line.split(" | ") for line in SECTION.splitlines() if line.startswith("| ") and "`" in line]
PYTHON = {name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())} | {"TestMarket"}
MOVE = {
    name
    for file in (ROOT / "contracts" / "sui" / "tests").glob("*.move")
    for name in re.findall(r"#\[test[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:public )?fun (\w+)", file.read_text())
}


def test_every_finding_names_a_test() -> None:
    assert len(ROWS) >= 40
    assert not [row[0] for row in ROWS if not re.findall(r"`\w+`", row[2])]


def test_every_test_named_is_one() -> None:
    named = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[2])}
    assert named - PYTHON - MOVE == set()
