"""Intel's rules for patch levels, for the one case in which `dcap-qvl` gives none: a guest without SEPT_VE_DISABLE.

It refuses those last of all, when everything else held, and tells no level then. Azure's guests are such: their
paravisor answers the exceptions that the attribute would forbid. Tests hold these rules against `dcap-qvl`'s wherever
both speak.

Source: Intel, "API reference, get TDX TCB info"; a module of version 1 and above is judged by its own identity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.attestation.errors import Malformed
from agent.attestation.intel.report import TdReport

_ORDER: Final = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
)
"""From best to worst."""

_TO_CONFIGURE: Final = frozenset({"ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"})
_MODULE_COMPONENTS: Final = 2


@dataclass(frozen=True, slots=True)
class Level:
    """A status in Intel's words, and its advisories."""

    status: str
    advisories: frozenset[str]

    def with_part(self, part: "Level") -> "Level":
        """The level of a platform of this level with a part of that level."""
        status = max(self.status, part.status, key=_rank)
        if part.status == "OutOfDate" and self.status in _TO_CONFIGURE:
            status = "OutOfDateConfigurationNeeded"
        return Level(status, self.advisories | part.advisories)


def platform_level(
    info: Mapping[str, Any], identity: Mapping[str, Any], report: TdReport, cpu_svn: bytes, pce_svn: int, qe_svn: int
) -> Level | None:
    """The level of a TDX platform by Intel's `info` and `identity` (both signed); None if it is below every one.

    Raises:
        Malformed: Intel names no such module.
    """
    level = _first(info["tcbLevels"], report, cpu_svn, pce_svn)
    module = _module(info, report)
    enclave = _by_version(identity["tcbLevels"], qe_svn)
    if level is None or enclave is None:
        return None
    if module is not None:
        level = level.with_part(module)
    # of the quoting enclave Intel says only whether it is out of date
    return level.with_part(enclave if enclave.status == "OutOfDate" else Level("UpToDate", enclave.advisories))


def _first(levels: Sequence[Any], report: TdReport, cpu_svn: bytes, pce_svn: int) -> Level | None:
    skipped = _MODULE_COMPONENTS if report.tee_tcb_svn[1] else 0
    found = (*cpu_svn, pce_svn)
    for entry in sorted(levels, key=_components, reverse=True):
        sgx, pce, tdx = _components(entry)
        reached = all(has >= wants for has, wants in zip(found, (*sgx, pce), strict=True))
        if reached and all(has >= wants for has, wants in zip(report.tee_tcb_svn[skipped:], tdx[skipped:], strict=True)):
            return _level(entry)
    return None


def _module(info: Mapping[str, Any], report: TdReport) -> Level | None:
    version, svn = report.tee_tcb_svn[1], report.tee_tcb_svn[0]
    if not version or not info.get("tdxModuleIdentities"):
        return None
    for entry in info["tdxModuleIdentities"]:
        if entry["id"].upper() == f"TDX_{version:02X}":
            level = _by_version(entry["tcbLevels"], svn)
            if level is not None:
                return level
    raise Malformed(f"Intel's TCB info names no TDX module of version {version} and security version {svn}")


def _by_version(levels: Sequence[Any], svn: int) -> Level | None:
    return next((_level(entry) for entry in levels if svn >= entry["tcb"]["isvsvn"]), None)


def _components(entry: Any) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    tcb = entry["tcb"]
    sgx, tdx = (tuple(part["svn"] for part in tcb[name]) for name in ("sgxtcbcomponents", "tdxtcbcomponents"))
    return sgx, tcb["pcesvn"], tdx


def _level(entry: Any) -> Level:
    return Level(entry["tcbStatus"], frozenset(entry.get("advisoryIDs", ())))


def _rank(status: str) -> int:
    if status not in _ORDER:
        raise Malformed(f"Intel's TCB info has the status {status[:40]!r}, which this release does not know")
    return _ORDER.index(status)
