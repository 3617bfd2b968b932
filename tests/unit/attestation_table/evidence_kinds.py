"""The kinds of evidence that the test PKIs make, and each with one thing wrong."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import synthetic_world as world
from amd_pki import LEVELS, Report
from dstack_guest import Started
from failure_matrix import CPU, GPU, OURS, STRANGE_DEVICES, SWITCH, VENDORS, YEAR, Cell, Kind, Never, Spoilt
from intel_pki import (
    CA_NAME,
    CHAIN,
    SEPT_VE_DISABLE,
    Guest,
    collateral,
    enclave_report,
    evidence,
    level,
    revocation_list,
    sgx_quote,
    tcb_info,
    tdx_quote,
)
from nvidia_pki import VBIOS_INDICES, Device, ocsp_response
from simulated_world import Node
from synthetic_world import AT, DEVICES, MILAN, RIMS, policy_for
from vtpm_pki import RUNTIME, Machine

from agent.attestation import cbor, cose
from agent.attestation.amd import Product, SnpQuote
from agent.attestation.amd.report import SigningKey
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.evidence import Quote
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.nvidia import Collateral
from agent.attestation.policy import Allowance, GpuRules, Layer, Policy, SnpFloor
from agent.attestation.vtpm.evidence import TDX_TYPE as VTPM_TDX_TYPE
from agent.protocol.units import Millis

OUTDATED: Final[dict[str, Any]] = {"tcb_info": tcb_info(tcbLevels=[level(svn=9), level("OutOfDate", svn=1)])}
REVOKED_PCK: Final[dict[str, Any]] = {"pck_crl": revocation_list(CA_NAME, CHAIN[2])}
DEBUG_TD: Final = (int.from_bytes(SEPT_VE_DISABLE, "little") | 1).to_bytes(8, "little")
DEBUG_SNP: Final = 0x30000 | 1 << 19
HIGHER: Final = replace(LEVELS, snp=LEVELS.snp + 1)


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


def nitro(**changes: object) -> Quote:
    genuine = world.quote("nitro")
    payload = dict(cbor.decode(cose.Sign1.decode(genuine.content).payload)) | changes
    return Quote(genuine.media_type, cose.sign(cbor.encode(payload), world.nitro_key("leaf")).encode())


def tdx(guest: Guest | None = None, **beside: Any) -> Quote:
    quote = tdx_quote(guest or Guest(report_data=CPU))
    return Quote(world.quote("tdx").media_type, evidence(quote, collateral(**beside)))


def sgx(report: bytes | None = None, **beside: Any) -> Quote:
    known = report or enclave_report(attributes=b"\x05".ljust(16, b"\0"), mr_signer=b"\x51" * 32, report_data=CPU)
    return Quote(world.quote("sgx").media_type, evidence(sgx_quote(known), collateral(tdx=False, **beside)))


def dstack(guest: Guest | None = None, **beside: Any) -> Quote:
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


def vtpm_tdx(attributes: bytes = bytes(8), **beside: Any) -> Quote:
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
