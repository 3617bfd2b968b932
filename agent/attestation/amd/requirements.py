"""What a policy asks of an authentic SEV-SNP report, and what was found: one named finding for each rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from agent.attestation.amd.report import GuestPolicy, PlatformInfo, SnpReport
from agent.attestation.amd.tcb import Product, Tcb

_NO_KEY: Final = bytes(48)
_NO_POLICY: Final = GuestPolicy(0)
_NO_PLATFORM: Final = PlatformInfo(0)


class SnpCheck(StrEnum):
    """What is checked besides authenticity; the value is what people and logs read."""

    VERSION = "snp-report-version"
    VMPL = "snp-vmpl"
    GUEST_POLICY = "snp-guest-policy"
    MIGRATION_AGENT = "snp-migration-agent"
    PLATFORM = "snp-platform-info"
    ID_KEY = "snp-id-key"
    AUTHOR_KEY = "snp-author-key"
    CHIP_ID = "snp-chip-id"
    MITIGATIONS = "snp-mitigations"
    TCB_FLOOR = "snp-tcb-floor"


@dataclass(frozen=True, slots=True)
class SnpFinding:
    """One rule and how the report stands to it."""

    name: SnpCheck
    passed: bool
    detail: str
    """What was found; for a failed one, what was expected."""


class TcbStatus(StrEnum):
    """How a platform's patch level stands to the floors; AMD itself judges nothing."""

    UP_TO_DATE = "UpToDate"
    OUT_OF_DATE = "OutOfDate"
    UNJUDGED = "NoFloor"
    """The requirements name no floor for this product line."""
    REFUSED = "Refused"
    """Another rule failed: whatever the patch level, the platform must not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpRequirements:
    """The rules; the defaults are what production needs, floors excepted: those are for a policy to name."""

    floors: Mapping[Product, Tcb] = field(default_factory=dict)
    """Lowest patch levels; reported, current, committed and launch TCB must all reach them."""
    max_vmpl: int = 0
    """Only this privilege level and better: what runs below may be the host's."""
    forbidden_policy: GuestPolicy = GuestPolicy.MIGRATE_MA | GuestPolicy.CXL_ALLOW
    """Debugging is not here: every verdict refuses it."""
    required_policy: GuestPolicy = _NO_POLICY
    forbidden_platform: PlatformInfo = _NO_PLATFORM
    required_platform: PlatformInfo = _NO_PLATFORM
    id_keys: frozenset[bytes] = frozenset()
    """Digests (48 bytes) of which the ID block's key must be one; empty: no matter which, the measurement decides."""
    author_keys: frozenset[bytes] = frozenset()
    """As `id_keys`, for the key that signed the ID key."""
    allow_masked_chip: bool = False
    """A VLEK's report with a masked chip id cannot be held against a reject list."""
    minimum_version: int = 2
    required_mitigations: int = 0
    """Bits of the mitigation vectors (report version 5) that must have been on at launch and be on now."""

    def judge(self, report: SnpReport, product: Product, hardware_id: bytes | None) -> tuple[SnpFinding, ...]:
        """A finding for every rule, in the order of `SnpCheck`.

        Raises:
            MalformedReport: a TCB version with reserved bytes set.
        """
        return (
            _at_least(SnpCheck.VERSION, "report version", report.version, self.minimum_version),
            _finding(SnpCheck.VMPL, report.vmpl <= self.max_vmpl, f"VMPL {report.vmpl}", f"at most {self.max_vmpl}"),
            self._guest_policy(report),
            _finding(
                SnpCheck.MIGRATION_AGENT,
                report.migration_agent is None,
                "no migration agent" if report.migration_agent is None else f"agent {report.migration_agent.hex()[:16]}…",
                "none: an agent takes the guest's memory elsewhere",
            ),
            self._platform(report),
            _one_of(SnpCheck.ID_KEY, report.id_key_digest, self.id_keys),
            _one_of(SnpCheck.AUTHOR_KEY, report.author_key_digest, self.author_keys),
            _finding(
                SnpCheck.CHIP_ID,
                hardware_id is not None or self.allow_masked_chip,
                "masked by the host" if hardware_id is None else f"chip {hardware_id.hex()[:16]}…",
                "a chip id: have the host unmask it, or use a VCEK",
            ),
            self._mitigations(report),
            self._floor(report, product),
        )

    def tcb_status(self, findings: tuple[SnpFinding, ...], product: Product) -> TcbStatus:
        """The one word of `findings` that `Policy.accepted_tcb` is compared with."""
        failed = {finding.name for finding in findings if not finding.passed}
        if failed - {SnpCheck.TCB_FLOOR}:
            return TcbStatus.REFUSED
        if failed:
            return TcbStatus.OUT_OF_DATE
        return TcbStatus.UP_TO_DATE if product in self.floors else TcbStatus.UNJUDGED

    def _guest_policy(self, report: SnpReport) -> SnpFinding:
        surplus, missing = report.policy & self.forbidden_policy, self.required_policy & ~report.policy
        return _finding(
            SnpCheck.GUEST_POLICY,
            not surplus and not missing,
            f"guest policy {report.policy:#x}",
            f"without {GuestPolicy(surplus)!r}, with {GuestPolicy(missing)!r}: launch the guest so",
        )

    def _platform(self, report: SnpReport) -> SnpFinding:
        surplus, missing = report.platform_info & self.forbidden_platform, self.required_platform & ~report.platform_info
        return _finding(
            SnpCheck.PLATFORM,
            not surplus and not missing,
            f"platform info {report.platform_info:#x}",
            f"without {PlatformInfo(surplus)!r}, with {PlatformInfo(missing)!r}: configure the host so",
        )

    def _mitigations(self, report: SnpReport) -> SnpFinding:
        launch, current = report.launch_mitigations or 0, report.current_mitigations or 0
        return _finding(
            SnpCheck.MITIGATIONS,
            not self.required_mitigations & ~(launch & current),
            f"mitigations {launch:#x} at launch, {current:#x} now",
            f"{self.required_mitigations:#x} in both: update the firmware and launch again",
        )

    def _floor(self, report: SnpReport, product: Product) -> SnpFinding:
        floor = self.floors.get(product)
        versions = {
            "reported": report.reported_tcb,
            "current": report.current_tcb,
            "committed": report.committed_tcb,
            "launch": report.launch_tcb,
        }
        levels = {name: Tcb.decode(raw, product) for name, raw in versions.items()}
        if floor is None:
            return SnpFinding(SnpCheck.TCB_FLOOR, passed=True, detail=f"no floor named for {product}")
        low = [f"{name} {each}" for name, level in levels.items() for each in level.below(floor)]
        return SnpFinding(
            SnpCheck.TCB_FLOOR, passed=not low, detail=f"{'; '.join(low)}: update the firmware" if low else f"reaches {floor}"
        )


def _finding(name: SnpCheck, passed: bool, found: str, expected: str) -> SnpFinding:
    return SnpFinding(name, passed, found if passed else f"is {found}, expected {expected}")


def _at_least(name: SnpCheck, what: str, found: int, floor: int) -> SnpFinding:
    return _finding(name, found >= floor, f"{what} {found}", f"at least {floor}")


def _one_of(name: SnpCheck, found: bytes, wanted: frozenset[bytes]) -> SnpFinding:
    what = "no key" if found == _NO_KEY else f"key {found.hex()[:16]}…"
    names = ", ".join(sorted(f"{digest.hex()[:16]}…" for digest in wanted))
    return _finding(name, not wanted or found in wanted, what, f"one of {names}")
