"""Verification of a machine's GPUs and switches, chained from its CPU's verified evidence, at a given time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from cryptography import x509

from agent.attestation import certificates
from agent.attestation.binding import gpu_nonce
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import Quote
from agent.attestation.nvidia.device import Device, check_device
from agent.attestation.nvidia.errors import MalformedReport, Revoked
from agent.attestation.nvidia.evidence import MAX_DEVICES, MAX_RIMS, Collateral, DeviceItem, DeviceKind
from agent.attestation.nvidia.findings import Faults, GpuCheck, GpuFinding
from agent.attestation.nvidia.ocsp import OcspResponses
from agent.attestation.nvidia.report import DeviceReport
from agent.attestation.nvidia.rim import Rim, check_rim
from agent.attestation.nvidia.roots import NVIDIA_ROOTS, NvidiaRoots
from agent.protocol.units import Millis

_SWITCH_MODELS: Final = "LS"
"""How the names of switch chips begin."""
_DECODER_INDEX: Final = 35
"""Measurement of video decoder 0, meaningless while that is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRequirements:
    """What a policy asks of the devices."""

    gpus: int = 0
    """At least so many."""
    models: frozenset[str] = frozenset({"GH100", "GB100", "LS10"})
    """Chips that may count, as NVIDIA names them in their certificates; by default those whose evidence was tried."""
    drivers: frozenset[str] = frozenset()
    """Driver versions that may count; empty: every one with a manifest in force."""
    vbios: frozenset[str] = frozenset()
    """Firmware versions of GPUs and switches that may count; empty: every one with a manifest in force."""
    require_ocsp: bool = False
    """Every certificate below the root needs an OCSP response in the collateral: the authorities', the device's own (which
    names no responder; NVIDIA's answers for it), and the manifests' signers'."""
    rejected: frozenset[bytes] = frozenset()
    """`GpuClaims.hardware_id`s that must not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuClaims:
    """What one authentic device says."""

    index: int
    kind: DeviceKind
    model: str
    hardware_model: str
    hardware_id: bytes
    """Serial number of the device's own certificate: for reject lists."""
    ueid: str
    """As NVIDIA's services name it; changes with the firmware."""
    driver: str
    """Empty on a switch."""
    vbios: str
    report: DeviceReport


@dataclass(frozen=True, slots=True)
class GpuVerdict:
    """What was found: each check once, over all devices, and what those that are authentic say."""

    findings: tuple[GpuFinding, ...]
    devices: tuple[GpuClaims, ...]

    @property
    def ok(self) -> bool:
        """True: every check passed."""
        return all(finding.passed for finding in self.findings)


def verify_gpus(
    items: Sequence[Quote],
    report_data: bytes | None,
    at: Millis,
    collateral: Collateral,
    requirements: GpuRequirements | None = None,
    roots: NvidiaRoots = NVIDIA_ROOTS,
    *,
    brought: Collateral | None = None,
) -> GpuVerdict:
    """The verdict on the devices in `items` at `at`; never raises for what they or the collateral hold.

    `report_data` is the one of the accepted CPU evidence, None if there is none: then nothing here can count. The
    place of an item in `items` is its index in the nonce. `collateral` is the verifier's own, `brought` came with the
    evidence: whatever is wrong with that, what the verifier knows of revoked certificates counts.
    """
    verification = _Verification(at, requirements or GpuRequirements(), roots)
    return verification.verdict(items, report_data, [collateral] if brought is None else [collateral, brought])


class _Verification:
    def __init__(self, at: Millis, requirements: GpuRequirements, roots: NvidiaRoots) -> None:
        self._at = at
        self._requirements = requirements
        self._roots = roots
        self._faults = Faults()
        self._rims: list[Rim] = []
        self._unusable: list[str] = []
        self._ocsp: list[OcspResponses] = []
        self._seen: dict[bytes, int] = {}

    def verdict(self, items: Sequence[Quote], report_data: bytes | None, sources: Sequence[Collateral]) -> GpuVerdict:
        if len(items) > MAX_DEVICES:
            self._faults.add(GpuCheck.COUNT, f"{len(items)} devices, at most {MAX_DEVICES}")
            return GpuVerdict(self._faults.findings(0), ())
        if report_data is None:
            self._faults.add(
                GpuCheck.CPU, "no CPU evidence was accepted: a GPU counts only for the enclave that it is chained to"
            )
        for source in sources:
            self._load_responses(source)
        for source in sources:
            self._load_manifests(source)
        found = [self._device(index, item, report_data) for index, item in enumerate(items)]
        claims = tuple(each for each in found if each is not None)
        gpus = sum(each.kind is DeviceKind.GPU for each in claims)
        if gpus < self._requirements.gpus:
            self._faults.add(GpuCheck.COUNT, f"{gpus} authentic GPUs, expected at least {self._requirements.gpus}")
        self._check_switches(claims)
        return GpuVerdict(self._faults.findings(len(items)), claims)

    def _load_responses(self, collateral: Collateral) -> None:
        try:
            self._ocsp.append(OcspResponses(collateral.ocsp))
        except EvidenceError as error:
            self._faults.add(GpuCheck.COLLATERAL, str(error))

    def _load_manifests(self, collateral: Collateral) -> None:
        if len(collateral.rims) > MAX_RIMS:
            self._faults.add(GpuCheck.COLLATERAL, f"{len(collateral.rims)} manifests, at most {MAX_RIMS}")
            return
        for data in collateral.rims:
            try:
                rim = check_rim(data, self._roots.rim, self._at)
                self._check_revocation([certificates.load(der) for der in rim.chain])
            except EvidenceError as error:
                # one that nobody needs is no fault; whoever misses one is told
                self._unusable.append(f"{error.check}: {error}")
            else:
                self._rims.append(rim)

    def _device(self, index: int, item: Quote, report_data: bytes | None) -> GpuClaims | None:
        try:
            kind, report, device = self._authenticate(item)
        except EvidenceError as error:
            self._faults.add_error(f"device {index}", error)
            return None
        claims = GpuClaims(
            index=index,
            kind=kind,
            model=device.model,
            hardware_model=device.hardware_model,
            hardware_id=device.hardware_id,
            ueid=device.ueid,
            driver=report.driver_version,
            vbios=report.vbios_version,
            report=report,
        )
        if report_data is not None:
            self._expect(GpuCheck.NONCE, index, report.nonce.hex(), gpu_nonce(report_data, index).hex())
        if report.firmware_id is not None and device.dice.firmware_id is not None:
            self._expect(GpuCheck.FIRMWARE_ID, index, report.firmware_id.hex(), device.dice.firmware_id.hex())
        first = self._seen.setdefault(device.key, index)
        if first != index:
            self._faults.add(GpuCheck.DISTINCT, f"device {index} is device {first} once more: expected one report for each")
        self._check_model(claims)
        matched = self._check_measurements(claims)
        self._check_debug(claims, device, matched=matched)
        if claims.hardware_id in self._requirements.rejected:
            self._faults.add(GpuCheck.REJECTED, f"device {index}: the policy rejects hardware {claims.hardware_id.hex()}")
        return claims

    def _authenticate(self, item: Quote) -> tuple[DeviceKind, DeviceReport, Device]:
        try:
            kind = DeviceKind(item.media_type)
        except ValueError:
            raise MalformedReport(f"item of type {item.media_type[:80]!r}, expected {' or '.join(DeviceKind)}") from None
        parts = DeviceItem.decode(item.content)
        report = DeviceReport.decode(parts.report)
        device = check_device(parts.chain, self._roots.device, self._at)
        # the last certificate is the device's own word on its firmware; no authority answers for it
        self._check_revocation(device.chain[:-1])
        device.check_signature(report)
        return kind, report, device

    def _check_revocation(self, chain: Sequence[x509.Certificate]) -> None:
        for issuer, certificate in pairwise(chain):
            # each source is asked: one may know of a revocation of which the other is silent
            answers = [source.covers(certificate, issuer, self._at) for source in self._ocsp]
            if self._requirements.require_ocsp and not any(answers):
                name = certificate.subject.rfc4514_string()[:80]
                raise Revoked(f"no OCSP response in force vouches for {name!r}, expected one in the collateral")

    def _expect(self, name: GpuCheck, index: int, found: str, expected: str) -> None:
        if found != expected:
            self._faults.add(name, f"device {index}: is {found[:32]}, expected {expected[:32]}")

    def _check_model(self, claims: GpuClaims) -> None:
        is_switch = claims.model.startswith(_SWITCH_MODELS)
        if claims.model not in self._requirements.models or is_switch is not (claims.kind is DeviceKind.SWITCH):
            self._faults.add(
                GpuCheck.MODEL,
                f"device {claims.index}: {claims.hardware_model!r} in an item of a {claims.kind.name}, "
                f"expected one of {', '.join(sorted(self._requirements.models))}",
            )
        if claims.kind is DeviceKind.GPU and self._requirements.drivers and claims.driver not in self._requirements.drivers:
            self._faults.add(
                GpuCheck.MODEL,
                f"device {claims.index}: driver {claims.driver}, expected {', '.join(sorted(self._requirements.drivers))}",
            )
        if self._requirements.vbios and claims.vbios not in self._requirements.vbios:
            self._faults.add(
                GpuCheck.MODEL,
                f"device {claims.index}: VBIOS {claims.vbios}, expected {', '.join(sorted(self._requirements.vbios))}",
            )

    def _check_measurements(self, claims: GpuClaims) -> bool:
        """Whether the report has the values of manifests in force; what is wrong is noted."""
        versions = {"VBIOS": claims.vbios} | ({"driver": claims.driver} if claims.kind is DeviceKind.GPU else {})
        manifests = [
            [rim for rim in self._rims if (rim.model, rim.version) == (claims.model, version)]
            for version in versions.values()
        ]
        for (name, version), found in zip(versions.items(), manifests, strict=True):
            if not found:
                self._faults.add(
                    GpuCheck.RIM,
                    f"device {claims.index}: expected a manifest of {claims.model} {name} {version}; "
                    f"given are {[f'{rim.model} {rim.version}' for rim in self._rims]}, "
                    f"unusable {self._unusable or 'none'}",
                )
        if not all(manifests):
            return False
        # boards of one chip and version may have manifests of their own: the best one speaks
        faults = min((_mismatches(claims.report, chosen) for chosen in product(*manifests)), key=len)
        for fault in faults:
            self._faults.add(GpuCheck.MEASUREMENTS, f"device {claims.index}: {fault}")
        return not faults

    def _check_debug(self, claims: GpuClaims, device: Device, *, matched: bool) -> None:
        if device.dice.flags:
            self._faults.add(GpuCheck.DEBUG, f"device {claims.index}: {', '.join(device.dice.flags)}, expected production mode")
        elif not matched:
            # reports have no bit for it; what runs in debug mode measures otherwise, so NVIDIA infers it likewise
            self._faults.add(
                GpuCheck.DEBUG, f"device {claims.index}: unknown, expected the measurements of production firmware"
            )

    def _check_switches(self, claims: Sequence[GpuClaims]) -> None:
        attested = {each.report.switch_id for each in claims if each.kind is DeviceKind.SWITCH}
        for each in claims:
            if each.kind is DeviceKind.GPU and each.report.protected_pcie:
                missing = each.report.linked_switches - attested
                if missing or not attested:
                    self._faults.add(
                        GpuCheck.SWITCHES,
                        f"device {each.index} sends in clear through switches {sorted(pdi.hex() for pdi in missing)}, "
                        "expected evidence of each",
                    )


def _mismatches(report: DeviceReport, manifests: Iterable[Rim]) -> list[str]:
    golden: dict[int, frozenset[bytes]] = {}
    for rim in manifests:
        if golden.keys() & rim.golden.keys() or not rim.golden:
            return [f"manifest {rim.version} has no values, or some for what another has values for"]
        golden |= rim.golden
    return [
        f"measurement {index} is {report.measurements.get(index + 1, b'').hex()[:32] or 'missing'}, "
        f"expected {' or '.join(sorted(value.hex()[:32] for value in values))}"
        for index, values in golden.items()
        if report.measurements.get(index + 1) not in values and not (index == _DECODER_INDEX and report.decoder_disabled)
    ]
