"""The Move compiler and test runner of Sui, as WebAssembly under node.

`builder.mjs` is our whole use of the npm package; this module starts it. The framework goes in with the request, so
that nothing is downloaded.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from localnet.toolchain.errors import BuilderFailed, ToolMissing

SourceFiles: TypeAlias = Mapping[str, str]
"""Text by path relative to the root of a Move package; `Move.toml` and `sources/*.move`."""

Framework: TypeAlias = Mapping[str, SourceFiles]
"""Sources of the framework's packages by name: MoveStdlib, Sui, SuiSystem."""

HERE: Final = Path(__file__).parent
NPM_PACKAGE: Final = "@zktx.io/sui-move-builder"
MINIMUM_NODE: Final = 20
TIME_LIMIT_S: Final = 480
"""A Move test that never ends must not hang CI; the longest honest run takes a few seconds."""


def builder_version() -> str:
    """Return name and version of the npm package, as pinned in package.json."""
    manifest = json.loads((HERE / "package.json").read_text())
    return f"{NPM_PACKAGE} {manifest['dependencies'][NPM_PACKAGE]}"


def run_builder(
    operation: Literal["compile", "test"],
    files: SourceFiles,
    framework: Framework,
    dependencies: Mapping[str, SourceFiles] | None = None,
) -> dict[str, Any]:
    """Return `{"versions": …, "result": …}` as builder.mjs describes it; `dependencies` are local packages by name.

    Raises:
        ToolMissing: node or the npm package is not installed.
        BuilderFailed: the builder crashed, hung, or answered no JSON.
    """
    node = _node()
    request = json.dumps(
        {"operation": operation, "files": files, "framework": framework, "dependencies": dependencies or {}}
    )
    try:
        done = subprocess.run(  # noqa: S603 - our own script, no shell, input on stdin
            [node, str(HERE / "builder.mjs")],
            input=request,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuilderFailed(
            f"the Move {operation} was stopped after {TIME_LIMIT_S} s: is there an endless loop?"
        ) from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise BuilderFailed(f"the Move builder broke (exit {done.returncode}):\n{done.stderr[-4000:]}") from None
    return answer


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise ToolMissing(f"node is not on PATH: install node.js {MINIMUM_NODE} or later")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - found by which
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < MINIMUM_NODE:
        raise ToolMissing(f"node {version.strip()} is too old: install node.js {MINIMUM_NODE} or later")
    if not (HERE / "node_modules" / NPM_PACKAGE).is_dir():
        raise ToolMissing(f"the Move compiler is not installed: run `make setup`, or `npm ci` in {HERE}")
    return node
