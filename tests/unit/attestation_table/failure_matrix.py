"""Every kind of evidence against everything that may be wrong with it: which check names it, or why it cannot occur.

The evidence is the test PKIs', so all of this runs where no real vectors are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import synthetic_world as world
from amd_pki import LEVELS, Line, Report
from dstack_guest import Started
from intel_pki import (
    CA_NAME,
    CHAIN,
    ROOT,
    SEPT_VE_DISABLE,
    Guest,
    certificate,
    collateral,
    enclave_report,
    evidence,
    level,
    revocation_list,
    sgx_quote,
    tcb_info,
    tdx_quote,
)
from nvidia_pki import RIM_ROOT, VBIOS_INDICES, Device, ocsp_response
from nvidia_pki import certificate as nvidia_certificate
from simulated_world import BINDING, NOW, Entropy, Node, expected
from synthetic_world import AT, DEVICES, MILAN, RIMS, policy_for, verifiers
from vtpm_pki import RUNTIME, Machine

from agent.attestation.amd import Product, SnpQuote, SnpVerifier
from agent.attestation.amd.report import SigningKey
from agent.attestation.binding import report_data
from agent.attestation.checklist import DeviceTrust
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.dstack.verifier import DstackVerifier
from agent.attestation.evidence import MAX_EVIDENCE, Evidence, Quote
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.verifier import IntelTrust, SgxVerifier, TdxVerifier
from agent.attestation.nitro import NitroVerifier
from agent.attestation.nvidia import Collateral, NvidiaRoots, verify_gpus
from agent.attestation.policy import Allowance, GpuRules, Layer, Policy, SnpFloor
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
OUTDATED: Final = {"tcb_info": tcb_info(tcbLevels=[level(svn=9), level("OutOfDate", svn=1)])}
REVOKED_PCK: Final = {"pck_crl": revocation_list(CA_NAME, CHAIN[2])}
DEBUG_TD: Final = (int.from_bytes(SEPT_VE_DISABLE, "little") | 1).to_bytes(8, "little")
DEBUG_SNP: Final = 0x30000 | 1 << 19
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
        whole = of.whole or Evidence(BINDING.encode(), of.quote or self.quote(), devices=of.devices or self.devices).encode()
        return verify(whole, of.policy or self.policy(), of.at, expected(), of.known, of.trust)


def kinds() -> Iterator[Kind]:
    nitro_own: dict[str, Cell] = {
        "debug": Spoilt("not-debug", quote=nitro(pcrs={0: bytes(48)})),
        "revoked": Never("AWS publishes no revocation list; a document's certificates live for hours"),
        "out-of-date TCB": Never("AWS tells no patch level"),
    }
    yield Kind("AWS Nitro", lambda: world.quote("nitro"), lambda: policy_for("nitro"), nitro_own)
    yield Kind(
        "Intel TDX", lambda: world.quote("tdx"), lambda: policy_for("tdx"),
        {
            "debug": Spoilt("not-debug", quote=tdx(Guest(report_data=CPU, attributes=DEBUG_TD))),
            "revoked": Spoilt("not-revoked", quote=tdx(**REVOKED_PCK)),
            "out-of-date TCB": Spoilt("tcb", quote=tdx(**OUTDATED)),
        },
    )  # fmt: skip
    debug = enclave_report(attributes=b"\x07".ljust(16, b"\0"), mr_signer=b"\x51" * 32, report_data=CPU)
    sgx_levels = tcb_info(tdx=False, tcbLevels=[level(svn=9, tdx=False), level("OutOfDate", svn=1, tdx=False)])
    yield Kind(
        "Intel SGX", lambda: world.quote("sgx"), lambda: policy_for("sgx"),
        {
            "debug": Spoilt("not-debug", quote=sgx(debug)),
            "revoked": Spoilt("not-revoked", quote=sgx(**REVOKED_PCK)),
            "out-of-date TCB": Spoilt("tcb", quote=sgx(tcb_info=sgx_levels)),
        },
    )  # fmt: skip
    yield Kind(
        "dstack", lambda: world.quote("dstack"), lambda: policy_for("dstack"),
        {
            "debug": Spoilt("not-debug", quote=dstack(guest=Guest(report_data=CPU, attributes=DEBUG_TD))),
            "revoked": Spoilt("not-revoked", quote=dstack(**REVOKED_PCK)),
            "out-of-date TCB": Spoilt("tcb", quote=dstack(**OUTDATED)),
        },
    )  # fmt: skip
    for key in SigningKey:
        yield Kind(f"AMD SEV-SNP, {key.name}", lambda key=key: snp(key), snp_policy, snp_own(key))  # type: ignore[misc]
    machine_own: dict[str, Cell] = {
        "debug": Spoilt("not-debug", quote=vtpm(Report(report_data=bound_to_runtime(), policy=DEBUG_SNP))),
        "revoked": Spoilt("not-revoked", quote=vtpm(crl=MILAN.crl(MILAN.intermediate(SigningKey.VCEK)))),
        "out-of-date TCB": Spoilt("tcb", policy=replace(policy_for("vtpm"), snp_floors=frozenset({SnpFloor(Product.MILAN, HIGHER)}))),
    }
    yield Kind("Azure vTPM on SEV-SNP", lambda: world.quote("vtpm"), lambda: policy_for("vtpm"), machine_own)
    yield Kind(
        "Azure vTPM on TDX", vtpm_tdx, vtpm_tdx_policy,
        {
            "debug": Spoilt("not-debug", quote=vtpm_tdx(b"\x01".ljust(8, b"\0"))),
            "revoked": Spoilt("not-revoked", quote=vtpm_tdx(**REVOKED_PCK)),
            "out-of-date TCB": Spoilt("tcb", quote=vtpm_tdx(**OUTDATED)),
        },
    )  # fmt: skip
    yield Kind(
        "simulated", lambda: world.quote("simulated"), lambda: policy_for("simulated"),
        {
            "debug": Spoilt("not-debug", quote=Quote(world.quote("simulated").media_type, Node(code=bytes(48)).quote())),
            "revoked": Never("a localnet's authority revokes nothing"),
            "out-of-date TCB": Never("there is no firmware"),
        },
        root="kind",
    )  # fmt: skip
    for device in (GPU, SWITCH):
        yield Kind(f"NVIDIA {device.kind.name}", lambda: world.quote("snp"), gpu_policy, device_own(device), devices=devices(device))


HIGHER: Final = replace(LEVELS, snp=LEVELS.snp + 1)


def nitro(**changes: object) -> Quote:
    from agent.attestation import cbor, cose

    genuine = world.quote("nitro")
    payload = dict(cbor.decode(cose.Sign1.decode(genuine.content).payload)) | changes
    return Quote(genuine.media_type, cose.sign(cbor.encode(payload), world.nitro_key("leaf")).encode())


def tdx(guest: Guest | None = None, **beside: object) -> Quote:
    quote = tdx_quote(guest or Guest(report_data=CPU))
    return Quote(world.quote("tdx").media_type, evidence(quote, collateral(**beside)))


def sgx(report: bytes | None = None, **beside: object) -> Quote:
    known = report or enclave_report(attributes=b"\x05".ljust(16, b"\0"), mr_signer=b"\x51" * 32, report_data=CPU)
    return Quote(world.quote("sgx").media_type, evidence(sgx_quote(known), collateral(tdx=False, **beside)))


def dstack(guest: Guest | None = None, **beside: object) -> Quote:
    started = Started(guest=guest or Guest(report_data=CPU))
    decoded = DstackEvidence.decode(started.evidence())
    return Quote(world.quote("dstack").media_type, replace(decoded, intel=IntelEvidence(decoded.intel.quote, collateral(**beside))).encode())


def snp(key: SigningKey = SigningKey.VCEK, crl: bytes | None = None, **changes: object) -> Quote:
    report = Report(**{"report_data": CPU, "kind": int(key)} | changes)  # type: ignore[arg-type]
    return Quote(world.quote("snp").media_type, SnpQuote(report.signed(), MILAN.chain(key), crl).encode())


def snp_policy() -> Policy:
    return replace(policy_for("snp"), accept_vlek=True)


def snp_own(key: SigningKey) -> dict[str, Cell]:
    return {
        "debug": Spoilt("not-debug", quote=snp(key, policy=DEBUG_SNP)),
        "revoked": Spoilt("not-revoked", quote=snp(key, MILAN.crl(MILAN.intermediate(key)))),
        "out-of-date TCB": Spoilt("tcb", policy=replace(snp_policy(), snp_floors=frozenset({SnpFloor(Product.MILAN, HIGHER)}))),
    }


def bound_to_runtime() -> bytes:
    return sha256(RUNTIME).digest() + bytes(32)


def vtpm(report: Report | None = None, crl: bytes | None = None) -> Quote:
    cpu = SnpQuote((report or Report(report_data=bound_to_runtime())).signed(), MILAN.chain(), crl).encode()
    return Quote(world.quote("vtpm").media_type, Machine(cpu=cpu, report_data=CPU).evidence())


def vtpm_tdx(attributes: bytes = bytes(8), **beside: object) -> Quote:
    """On a paravisor, which has SEPT_VE_DISABLE off."""
    cpu = evidence(tdx_quote(Guest(report_data=bound_to_runtime(), attributes=attributes)), collateral(**beside))
    return Quote(VTPM_TDX_TYPE, Machine(cpu=cpu, report_data=CPU).evidence())


def vtpm_tdx_policy() -> Policy:
    verifier = next(each for each in OURS if each.media_type == VTPM_TDX_TYPE)
    claims = verifier.authenticate(vtpm_tdx().content, AT)
    return replace(policy_for("tdx"), vendor=Layer(allow=frozenset({Allowance(claims.kind, claims.measurement)})))


def devices(device: Device) -> tuple[Quote, ...]:
    """A switch counts beside a GPU only."""
    return (device.item(0, CPU),) if device is GPU else (GPU.item(0, CPU, opaque={22: SWITCH.pdi}), SWITCH.item(1, CPU))


def gpu_policy() -> Policy:
    return replace(policy_for("snp"), gpus=GpuRules(count=1))


def device_own(device: Device) -> dict[str, Cell]:
    place = len(devices(device)) - 1
    before = devices(device)[:place]

    def item(**changes: object) -> tuple[Quote, ...]:
        return (*before, device.item(place, CPU, **changes))

    genuine = devices(device)[place]
    revoked = ocsp_response(device.chain[1], device.chain[2], f"{device.model} ICA", revoked=True)
    knows = replace(DEVICES, collateral=Collateral(RIMS.rims, (revoked,)))
    return {
        # before Blackwell the report has no such bit: firmware in debug mode measures otherwise
        "debug": Spoilt("gpu-not-debug", devices=item(measurements={VBIOS_INDICES[0]: b"\x99" * 48})),
        "revoked": Spoilt("gpu-not-revoked", trust=knows),
        "expired": Spoilt("gpu-certificates-valid", at=Millis(AT + 12 * YEAR), alone=True),
        "not yet valid": Spoilt("gpu-certificates-valid", at=Millis(AT - 12 * YEAR), alone=True),
        "out-of-date TCB": Spoilt("gpu-rim", devices=item(opaque={6: b"\x01\x02\x03\x04\x05\0\0\0" if device is GPU else b"01.02.03.04.05\0"})),
        "wrong measurement": Spoilt("gpu-measurements", devices=item(measurements={VBIOS_INDICES[0]: b"\x99" * 48})),
        "wrong binding": Spoilt("gpu-nonce", devices=(*before, device.item(place, b"\x77" * 64))),
        "vendor's roots": Spoilt("gpu-root", trust=VENDORS, alone=True),
        "a stranger's root": Spoilt("gpu-root", trust=STRANGE_DEVICES, alone=True),
        "GPU of another CPU": Spoilt("gpu-nonce", devices=(*before, device.item(place, b"\x77" * 64))),
        "truncated": Spoilt("gpu-format", devices=(*before, Quote(genuine.media_type, genuine.content[:-300]))),
        "padded": Spoilt("gpu-format", devices=(*before, Quote(genuine.media_type, genuine.content + b"\x01"))),
        "unknown kind": Spoilt("gpu-format", devices=(*before, Quote("application/x-unheard-of", genuine.content))),
    }


KINDS: Final = tuple(kinds())


def matrix() -> str:
    """As docs/attestation-tests.md has it."""
    head = "| | " + " | ".join(FAILURES) + " |\n|" + "---|" * (len(FAILURES) + 1) + "\n"
    notes: list[str] = []

    def said(cell: Cell) -> str:
        if isinstance(cell, Spoilt):
            return f"`{cell.fails}`"
        if cell.why not in notes:
            notes.append(cell.why)
        return f"never ({notes.index(cell.why) + 1})"

    rows = "".join(f"| {kind.name} | " + " | ".join(said(kind.cell(failure)) for failure in FAILURES) + " |\n" for kind in KINDS)
    return head + rows + "\n" + "".join(f"{number}. {why}\n" for number, why in enumerate(notes, 1))
