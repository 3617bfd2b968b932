"""A policy in words: what it takes, what it refuses, and what it says in vain."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.attestation.policy import GpuRules, Layer, Policy
    from agent.protocol.units import Millis

_HOUR: Final = 3_600_000
_SECOND: Final = 1000


def words(policy: "Policy") -> Iterator[str]:
    """What `policy` says, line by line."""
    yield f"Policy version {policy.version}, hash {policy.digest().hex()}"
    yield f"In force {_window(policy.active_from, policy.sunset)}."
    yield f"Keys count for at most {policy.max_age / _HOUR:g} hours after the evidence; clocks may lie {policy.clock_skew / _SECOND:g} s apart."
    if policy.allow_simulated:
        yield "SIMULATED evidence counts, which proves nothing: for localnets only."
    else:
        yield "Simulated evidence does not count."
    yield f"Patch levels that count: {_names(policy.accepted_tcb) or 'none, so only kinds without one do'}."
    yield f"Advisories that may concern a platform: {_advisories(policy)}."
    yield f"Intel: {_intel(policy)}."
    yield from _amd(policy)
    yield from _devices(policy.gpus)
    for name, layer in policy.layers:
        yield from _layer(name, layer)
    yield "Code counts if any layer allows it and none rejects it; a reject wins, whoever wrote it."
    yield from (f"NOTE: {gap}." for gap in gaps(policy))


def gaps(policy: "Policy") -> Iterator[str]:
    """What `policy` says in vain, or leaves out so that nothing counts."""
    from agent.attestation.policy import Rejects  # noqa: PLC0415 - verifiers load only where they are needed
    from agent.protocol.statements import TeeKind  # noqa: PLC0415

    allowed = {entry for _, layer in policy.layers for entry in layer.allow}
    kinds = {entry.kind for entry in allowed}
    registered = {entry.kind for _, layer in policy.layers for entry in layer.machines}
    rejected = {entry.value for _, layer in policy.layers for entry in layer.reject if entry.what is Rejects.MEASUREMENT}
    if not allowed:
        yield "no layer allows any measurement, so by itself it accepts nothing: add some with --allow, or merge it into one that does"
    if TeeKind.TDX in kinds and policy.intel_evaluation is None:
        yield "measurements of Intel's are allowed, and without intel_evaluation none of them counts: name it with --intel-evaluation"
    if TeeKind.SEV_SNP in kinds and not policy.snp_floors and "NoFloor" not in policy.accepted_tcb:
        yield "measurements of SEV-SNP are allowed, and without a floor for their product line none of them counts: name it with --snp-floor"
    if TeeKind.SIMULATED in kinds and not policy.allow_simulated:
        yield "a simulated measurement is allowed, and simulated evidence is not: it needs --allow-simulated, on a localnet"
    for kind in sorted(registered & {TeeKind.NITRO, TeeKind.SIMULATED}):
        yield f"a chip of {kind.name} is registered, and quotes of that kind name no chip: none of them counts any more"
    if policy.accept_vlek and TeeKind.SEV_SNP in registered:
        yield "keys of providers (VLEK) are accepted, and SEV-SNP chips are registered: a provider's key is no registered chip's"
    for entry in sorted(allowed):
        if entry.measurement.hex() in rejected:
            yield f"measurement {entry.measurement.hex()} is allowed and rejected: it does not count"


def _window(begins: "Millis", ends: "Millis") -> str:
    from agent.attestation.moments import moment  # noqa: PLC0415
    from agent.attestation.policy import ALWAYS, FOREVER  # noqa: PLC0415

    start = "always" if begins == ALWAYS else f"from {moment(begins)}"
    return start if ends == FOREVER else f"{'' if begins == ALWAYS else start + ' '}until {moment(ends)}"


def _names(names: "frozenset[str]") -> str:
    return ", ".join(sorted(names))


def _advisories(policy: "Policy") -> str:
    if policy.accepted_advisories is None:
        return "all that no layer rejects"
    return _names(policy.accepted_advisories) or "none"


def _intel(policy: "Policy") -> str:
    if policy.intel_evaluation is None:
        return "nothing counts, because no oldest evaluation is named"
    if not policy.intel_evaluation:
        return "every evaluation counts, however old"
    return f"patch levels count by Intel's evaluation {policy.intel_evaluation} or later"


def _amd(policy: "Policy") -> Iterator[str]:
    for floor in sorted(policy.snp_floors, key=lambda each: each.product):
        tcb = floor.tcb
        levels = f"fmc {tcb.fmc}, bootloader {tcb.bootloader}, tee {tcb.tee}, snp {tcb.snp}, microcode {tcb.microcode}"
        yield f"AMD {floor.product}: at least {levels}."
    otherwise = "count too" if "NoFloor" in policy.accepted_tcb else "do not count"
    yield f"AMD: product lines without a floor {otherwise}."
    yield f"AMD: keys of providers (VLEK), which one leak makes everybody's, {'count too' if policy.accept_vlek else 'do not count'}."
    yield f"AMD: evidence without AMD's revocation list {'counts too' if policy.accept_missing_crl else 'does not count'}."


def _devices(rules: "GpuRules | None") -> Iterator[str]:
    if rules is None:
        yield "GPUs: none are needed; those that come along are checked."
        return
    yield f"GPUs: at least {rules.count}, chained from the CPU's evidence; no CPU signature says that they sit in its machine."
    yield f"GPUs: chips {_names(rules.models) or 'that this release was tried with'}; drivers {_names(rules.drivers) or 'with a manifest in force'};"
    yield f"      firmware {_names(rules.vbios) or 'with a manifest in force, also an older one'}."
    yield f"GPUs: an OCSP response is {'needed for every certificate' if rules.require_ocsp else 'not needed: a revocation can be left out'}."


def _layer(name: str, layer: "Layer") -> Iterator[str]:
    if not (layer.allow or layer.reject or layer.machines):
        yield f"The layer {name} says nothing."
        return
    yield f"The layer {name}:"
    for entry in sorted(layer.allow):
        yield f"  allows    {entry.kind.name} measurement {entry.measurement.hex()}, {_window(entry.active_from, entry.sunset)}"
    for rejection in sorted(layer.reject):
        yield f"  REJECTS   {rejection.what} {rejection.value}: {rejection.reason}"
    for machine in sorted(layer.machines):
        yield f"  registers {machine.kind.name} chip {machine.hardware.hex()}, {_window(machine.active_from, machine.sunset)}"
    for kind in sorted({each.kind for each in layer.machines}):
        yield f"  and so no {kind.name} chip counts that no layer registers"
