"""Every kind of evidence against everything that may be wrong with it: which check names it, or why it cannot occur.

The evidence is the test PKIs', so all of this runs where no real vectors are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import synthetic_world as world
from amd_pki import Line
from intel_pki import (
    ROOT,
    certificate,
)
from nvidia_pki import RIM_ROOT, Device
from nvidia_pki import certificate as nvidia_certificate
from simulated_world import BINDING, NOW, Entropy, expected
from synthetic_world import AT, DEVICES, MILAN, RIMS, verifiers

from agent.attestation.amd import Product, SnpVerifier
from agent.attestation.binding import report_data
from agent.attestation.checklist import DeviceTrust
from agent.attestation.dstack.verifier import DstackVerifier
from agent.attestation.evidence import MAX_EVIDENCE, Evidence, Quote
from agent.attestation.intel.verifier import IntelTrust, SgxVerifier, TdxVerifier
from agent.attestation.nitro import NitroVerifier
from agent.attestation.nvidia import NvidiaRoots, verify_gpus
from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.simulated_platform import SimulatedAuthority
from agent.attestation.verdict import Verdict
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import HARDWARE, verify
from agent.attestation.vtpm.evidence import SNP_TYPE as VTPM_SNP_TYPE
from agent.attestation.vtpm.evidence import TDX_TYPE as VTPM_TDX_TYPE
from agent.attestation.vtpm.verifier import VtpmVerifier
from agent.protocol.units import Millis

CPU: Final = report_data(BINDING.encode())
HOUR: Final = 3_600_000
YEAR: Final = 366 * 24 * HOUR
GPU, SWITCH = Device(), Device(model="LS10", number=77)

FAILURES: Final = (
    "debug", "revoked", "expired", "not yet valid", "out-of-date TCB", "wrong measurement", "wrong binding", "vendor's roots", "a stranger's root",
    "truncated", "padded", "oversized", "unknown kind", "GPU of another CPU", "GPU of a refused CPU",
)  # fmt: skip

VENDORS: Final = DeviceTrust(collateral=RIMS)
"""NVIDIA's own roots."""


def cpu_verifiers(intel: bytes, amd: Line, nitro_root: bytes, simulated: EvidenceVerifier) -> tuple[EvidenceVerifier, ...]:
    """Those of every kind under such roots."""
    trust, chip = IntelTrust(root=intel), SnpVerifier(roots=amd.roots)
    paravisor = TdxVerifier(IntelTrust(root=intel, paravisor=True))
    return (
        NitroVerifier(nitro_root), TdxVerifier(trust), SgxVerifier(trust), DstackVerifier(trust), chip,
        VtpmVerifier(chip, VTPM_SNP_TYPE), VtpmVerifier(paravisor, VTPM_TDX_TYPE), simulated,
    )  # fmt: skip


OURS: Final = cpu_verifiers(ROOT, MILAN, world.nitro_certificate("root", "root"), verifiers()[-1])
STRANGER: Final = cpu_verifiers(
    certificate("Other Root CA", "Other Root CA", authority=True),
    Line(Product.MILAN, "stranger"),
    world.nitro_certificate("stranger", "stranger"),
    SimulatedVerifier(SimulatedAuthority.create("test", NOW, Entropy(b"stranger")).root),
)
"""The same kinds, under roots of somebody else."""
STRANGE_DEVICES: Final = replace(DEVICES, roots=NvidiaRoots(nvidia_certificate("Other CA", "Other CA"), RIM_ROOT))


@dataclass(frozen=True)
class Spoilt:
    """Evidence with one thing wrong, and the check that has to name it."""

    fails: str
    quote: Quote | None = None
    """The CPU's; None: the genuine one."""
    policy: Policy | None = None
    at: Millis = AT
    whole: bytes | None = None
    known: tuple[EvidenceVerifier, ...] = OURS
    devices: tuple[Quote, ...] = ()
    trust: DeviceTrust = DEVICES
    alone: bool = False
    """Devices only, beside a CPU whose evidence holds at any time."""


@dataclass(frozen=True)
class Never:
    """Why a kind cannot fail so."""

    why: str


Cell = Spoilt | Never


@dataclass(frozen=True)
class Kind:
    """One kind of evidence."""

    name: str
    quote: Callable[[], Quote]
    policy: Callable[[], Policy]
    own: dict[str, Cell]
    """What is particular to it; all else is made from the genuine one."""
    devices: tuple[Quote, ...] = ()
    root: str = "root"

    def evidence(self) -> bytes:
        return Evidence(BINDING.encode(), self.quote(), devices=self.devices).encode()

    def cell(self, failure: str) -> Cell:
        return self.own[failure] if failure in self.own else self._of_any_kind()[failure]

    def _of_any_kind(self) -> dict[str, Cell]:
        genuine, policy = self.quote(), self.policy()
        allowed = frozenset(Allowance(each.kind, b"\x99" * len(each.measurement)) for each in policy.vendor.allow)
        other = replace(BINDING, hpke_pk=b"\xd1" * 32)
        return {
            "expired": Spoilt("certificates-valid", at=Millis(AT + 12 * YEAR)),
            "not yet valid": Spoilt("certificates-valid", at=Millis(AT - 12 * YEAR)),
            "wrong measurement": Spoilt("measurement", policy=replace(policy, vendor=Layer(allow=allowed))),
            "wrong binding": Spoilt("report-data", whole=Evidence(other.encode(), genuine, devices=self.devices).encode()),
            "vendor's roots": Spoilt(self.root, known=HARDWARE),
            "a stranger's root": Spoilt("root", known=STRANGER),
            "truncated": Spoilt("format", quote=Quote(genuine.media_type, genuine.content[: len(genuine.content) * 2 // 3])),
            "padded": Spoilt("format", quote=Quote(genuine.media_type, genuine.content + b"\x01")),
            "oversized": Spoilt("size", whole=self.evidence() + bytes(MAX_EVIDENCE)),
            "unknown kind": Spoilt("kind", quote=Quote("application/x-unheard-of", genuine.content)),
            "GPU of another CPU": Spoilt("gpu-nonce", devices=(GPU.item(0, b"\x77" * 64),)),
            "GPU of a refused CPU": Spoilt(
                "gpu-cpu-evidence", devices=self.devices or (GPU.item(0, CPU),), policy=replace(policy, vendor=Layer(allow=allowed))
            ),
        }

    def failed(self, spoilt: Spoilt) -> dict[str, str]:
        """The checks that fail, and what they say."""
        if spoilt.alone:
            found = verify_gpus(spoilt.devices or self.devices, CPU, spoilt.at, RIMS, roots=spoilt.trust.roots)
            return {each.name.value: each.detail for each in found.findings if not each.passed}
        return {check.name.value: check.detail for check in self.judged(spoilt).failed}

    def judged(self, spoilt: Spoilt | None = None) -> Verdict:
        of = spoilt or Spoilt("")
        parts = Evidence(BINDING.encode(), of.quote or self.quote(), devices=of.devices or self.devices)
        whole = parts.encode() if of.whole is None else of.whole
        return verify(whole, of.policy or self.policy(), of.at, expected(), of.known, of.trust)


def matrix(kinds: Iterable[Kind]) -> str:
    """As docs/attestation-tests.md has it: one row a kind."""
    head = "| | " + " | ".join(FAILURES) + " |\n|" + "---|" * (len(FAILURES) + 1) + "\n"
    notes: list[str] = []

    def said(cell: Cell) -> str:
        if isinstance(cell, Spoilt):
            return f"`{cell.fails}`"
        if cell.why not in notes:
            notes.append(cell.why)
        return f"never ({notes.index(cell.why) + 1})"

    rows = "".join(f"| {kind.name} | " + " | ".join(said(kind.cell(failure)) for failure in FAILURES) + " |\n" for kind in kinds)
    return head + rows + "\n" + "".join(f"{number}. {why}\n" for number, why in enumerate(notes, 1))
