"""What runs inside, as one number: the files of ours that the enclave imports, the packages it imports them from, and
the model.

On hardware the platform measures the image. For a simulated enclave the launcher does, in the same spirit: the same
release with the same packages has the same measurement on every machine, and any other file has another. Third-party
code is measured by the RECORD of its wheel, which lists the digest of each file; the interpreter by its version.
"""

import ast
import importlib.util
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha384
from importlib.metadata import Distribution, packages_distributions
from pathlib import Path
from typing import Final

from agent.enclave.errors import EnclaveStartFailed
from agent.enclave.identity import Measurement
from agent.enclave.workloads import entry_named

ENTRY: Final = "agent.enclave.process"
OURS: Final = "agent"
ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder that `agent` lies in: site-packages, or a checkout."""

PACKAGES: Final = ("cbor2", "cryptography")
"""Imported by every enclave; workloads add theirs."""

_TAG: Final = b"enclavia-simulated-measurement/1:"


def packages_of(workload: str) -> tuple[str, ...]:
    """Import names of the third-party packages that an enclave with this workload needs.

    Raises:
        WorkloadError: there is no such workload.
    """
    return PACKAGES + entry_named(workload).packages


def package_folder(package: str) -> Path:
    """The folder that `package` is imported from, found without importing it.

    Raises:
        EnclaveStartFailed: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EnclaveStartFailed(f"the package {package} is not installed: install the extra that the workload names")
    return Path(spec.origin).resolve().parents[1]


def code_files(workload: str) -> tuple[Path, ...]:
    """Our files that the enclave may import.

    The closure of imports, function-level ones included, from the process and the workload's module.
    """
    waiting, seen = [ENTRY, entry_named(workload).module], set[Path]()
    while waiting:
        for module in _with_parents(waiting.pop()):
            path = _file_of(module)
            if path is not None and path not in seen:
                seen.add(path)
                waiting += _imports(path)
    return tuple(sorted(seen))


@cache
def measure(workload: str) -> Measurement:
    """SHA-384 over the sorted lines `name digest` of everything above; computed once per process, the files are taken
    as they are now.

    Raises:
        EnclaveStartFailed: a package is missing.
        WorkloadError: there is no such workload.
    """
    lines = [f"python {platform.python_implementation()} {platform.python_version()} {platform.machine()}"]
    lines += [_measured(path) for path in code_files(workload)]
    lines += [line for package in packages_of(workload) for line in _recorded(package)]
    return Measurement(sha384(_TAG + "\n".join(lines).encode()).digest())


def _measured(path: Path) -> str:
    return f"{path.relative_to(ROOT).as_posix()} {sha384(path.read_bytes()).hexdigest()}"


def _recorded(package: str) -> Iterator[str]:
    """`file digest` of each file of the wheel that `package` came in.

    What installers add differs by machine and is left out.
    """
    package_folder(package)
    for name in sorted(set(packages_distributions().get(package, ()))):
        distribution = Distribution.from_name(name)
        yield f"{name} {distribution.version}"
        for file in sorted(distribution.files or (), key=str):
            installed = file.parts[0] == ".." or file.parts[0].endswith(".dist-info")
            if not installed and file.hash is not None:
                yield f"{file} {file.hash.value}"


def _imports(path: Path) -> Iterator[str]:
    waiting: list[ast.AST] = [ast.parse(path.read_bytes())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue  # never imported
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            # `from package import module`
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _with_parents(module: str) -> Iterable[str]:
    parts = module.split(".")
    if parts[0] != OURS:
        return ()
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _file_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)
