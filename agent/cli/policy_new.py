"""`enclavia policy new`: every field that a policy has, as an option; what could never match is refused at once."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from agent.cli.attest_inputs import moment, octets
from agent.cli.policy_words import gaps
from agent.cli.printing import printable
from agent.cli.user_files import write_new

if TYPE_CHECKING:
    from agent.attestation.policy import Allowance, GpuRules, Machine, Rejection, SnpFloor
    from agent.protocol.statements import TeeKind
    from agent.protocol.units import Millis

HOUR: Final = 3_600_000
MEASUREMENT_BYTES: Final = 48
"""Every kind's measurement is one SHA-384."""
LEVELS: Final = (
    "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
    "OutOfDateConfigurationNeeded", "NoFloor",
)  # fmt: skip
"""Patch levels that a policy may accept: Intel's words, and ours for AMD."""
_U32: Final = (1 << 32) - 1
_U64: Final = (1 << 64) - 1
_DATES: Final = "@from/until behind it limits it in time"

TEXTS = list[str] | None
T = TypeVar("T")


def new(
    file: Annotated[Path, typer.Argument(help="Where the JSON goes.")],
    version: Annotated[int, typer.Option(min=0, max=_U64, help="Counts up with every change.")] = 1,
    max_age_hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="How long after the evidence its keys may count.")] = 24,
    active_from: Annotated[str | None, typer.Option("--active-from", help="From when the policy counts; always, if not given.")] = None,
    sunset: Annotated[str | None, typer.Option("--sunset", help="Until when; without end, if not given.")] = None,
    clock_skew_seconds: Annotated[int, typer.Option(min=0, max=86_400, help="How far clocks may lie apart.")] = 120,
    allow_simulated: Annotated[bool, typer.Option("--allow-simulated", help="For localnets: evidence that proves nothing counts.")] = False,
    layer: Annotated[str, typer.Option("--layer", help="Whose --allow, --reject and --machine these are: vendor, network or community.")] = "vendor",
    allow: Annotated[TEXTS, typer.Option("--allow", help=f"kind:measurement, such as nitro:ab12…; {_DATES}; several times.")] = None,
    reject: Annotated[
        TEXTS, typer.Option("--reject", help="what:value:reason, what being measurement, hardware or advisory; it always wins; several times.")
    ] = None,
    machine: Annotated[
        TEXTS, typer.Option("--machine", help=f"kind:chip, such as tdx:4f…: registers a chip, and then only registered ones count; {_DATES}.")
    ] = None,
    accept_tcb: Annotated[TEXTS, typer.Option("--accept-tcb", help=f"Patch levels that count, else UpToDate: {', '.join(LEVELS)}.")] = None,
    accept_advisory: Annotated[
        TEXTS, typer.Option("--accept-advisory", help="Such as INTEL-SA-00615: only these may concern a platform; any may, if not given.")
    ] = None,
    no_advisories: Annotated[bool, typer.Option("--no-advisories", help="No advisory may concern a platform.")] = False,
    intel_evaluation: Annotated[
        int | None, typer.Option(min=0, max=_U32, help="The oldest tcbEvaluationDataNumber of Intel's that counts; without, nothing of Intel's does.")
    ] = None,
    floor: Annotated[
        TEXTS, typer.Option("--snp-floor", help="Line:fmc,bootloader,tee,snp,microcode, such as Milan:0,4,0,24,219; several times.")
    ] = None,
    accept_vlek: Annotated[bool, typer.Option("--accept-vlek", help="AMD's keys of cloud providers count, beside those of single chips.")] = False,
    accept_missing_crl: Annotated[bool, typer.Option("--accept-missing-crl", help="SEV-SNP evidence without AMD's revocation list counts.")] = False,
    gpus: Annotated[int | None, typer.Option(min=0, max=16, help="How many GPUs each node must show.")] = None,
    gpu_model: Annotated[TEXTS, typer.Option("--gpu-model", help="Chips that count, GPUs and switches, such as GH100; several times.")] = None,
    gpu_driver: Annotated[TEXTS, typer.Option("--gpu-driver", help="Driver versions that count, such as 550.144.03; several times.")] = None,
    gpu_vbios: Annotated[TEXTS, typer.Option("--gpu-vbios", help="Firmware versions that count, of GPUs and switches; several times.")] = None,
    require_ocsp: Annotated[bool, typer.Option("--require-ocsp", help="Every certificate of a GPU needs an OCSP response beside it.")] = False,
) -> None:
    """Write a policy in JSON; what it cannot do yet is noted. Nothing that exists is overwritten."""
    from agent.attestation.errors import PolicyError  # noqa: PLC0415 - verifiers load only where they are needed
    from agent.attestation.policy import ALWAYS, FOREVER, Layer, Policy  # noqa: PLC0415
    from agent.attestation.policy_document import dump_policy  # noqa: PLC0415
    from agent.protocol.units import Millis  # noqa: PLC0415

    if no_advisories and accept_advisory:
        raise typer.BadParameter("says that none may concern a platform: leave out --accept-advisory", param_hint="--no-advisories")
    entries = Layer(
        allow=_entries(allow, "--allow", _allowance),
        reject=_entries(reject, "--reject", _rejection),
        machines=_entries(machine, "--machine", _machine),
    )
    rules = any((gpus is not None, gpu_model, gpu_driver, gpu_vbios, require_ocsp))
    try:
        policy = Policy(
            version=version,
            max_age=Millis(max_age_hours * HOUR),
            active_from=ALWAYS if active_from is None else moment(active_from, "--active-from"),
            sunset=FOREVER if sunset is None else moment(sunset, "--sunset"),
            clock_skew=Millis(clock_skew_seconds * 1000),
            allow_simulated=allow_simulated,
            accepted_tcb=_entries(accept_tcb or ["UpToDate"], "--accept-tcb", _level),
            accepted_advisories=frozenset() if no_advisories else _entries(accept_advisory, "--accept-advisory", _name) or None,
            intel_evaluation=intel_evaluation,
            snp_floors=_entries(floor, "--snp-floor", _floor),
            accept_vlek=accept_vlek,
            accept_missing_crl=accept_missing_crl,
            gpus=_gpus(gpus or 0, gpu_model, gpu_driver, gpu_vbios, require_ocsp=require_ocsp) if rules else None,
            **{_layer(layer): entries},
        )
    except PolicyError as error:
        raise typer.BadParameter(printable(str(error))) from None
    write_new(file, dump_policy(policy), "FILE")
    typer.echo(f"wrote {printable(str(file))}, hash {policy.digest().hex()}")
    for gap in gaps(policy):
        typer.echo(f"note: {printable(gap)}", err=True)


def _entries(texts: TEXTS, hint: str, read: Callable[[str], T]) -> frozenset[T]:
    """What `read` makes of each of `texts`, which the option `hint` gave."""
    from agent.attestation.errors import PolicyError  # noqa: PLC0415

    found = set()
    for text in texts or ():
        try:
            found.add(read(text))
        except PolicyError as error:
            raise typer.BadParameter(printable(f"{text[:60]!r}: {error}"), param_hint=hint) from None
    return frozenset(found)


def _layer(name: str) -> str:
    known = ("vendor", "network", "community")
    if name not in known:
        raise typer.BadParameter(f"{name[:40]!r} is none of {', '.join(known)}", param_hint="--layer")
    return name


def _allowance(text: str) -> "Allowance":
    from agent.attestation.errors import PolicyError  # noqa: PLC0415
    from agent.attestation.policy import Allowance  # noqa: PLC0415

    kind, measurement, begins, ends = _dated(text, "--allow")
    if len(measurement) != MEASUREMENT_BYTES:
        raise PolicyError(f"a measurement of {len(measurement)} bytes; every kind's has {MEASUREMENT_BYTES}: copy it from `attest verify`")
    return Allowance(kind, measurement, begins, ends)


def _machine(text: str) -> "Machine":
    from agent.attestation.policy import Machine  # noqa: PLC0415

    return Machine(*_dated(text, "--machine"))


def _dated(text: str, hint: str) -> "tuple[TeeKind, bytes, Millis, Millis]":
    from agent.attestation.policy import ALWAYS, FOREVER  # noqa: PLC0415
    from agent.protocol.statements import TeeKind  # noqa: PLC0415

    entry, _, dates = text.partition("@")
    begins, _, ends = dates.partition("/")
    kind, _, value = entry.partition(":")
    try:
        found = TeeKind[kind.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(each.name.lower() for each in TeeKind)
        raise typer.BadParameter(f"{kind[:40]!r} is none of {known}: write it, then : and its hexadecimal digits", param_hint=hint) from None
    return found, octets(value, None, hint), moment(begins, hint) if begins else ALWAYS, moment(ends, hint) if ends else FOREVER


def _rejection(text: str) -> "Rejection":
    from agent.attestation.errors import PolicyError  # noqa: PLC0415
    from agent.attestation.policy import Rejection, Rejects  # noqa: PLC0415

    what, _, rest = text.partition(":")
    value, _, reason = rest.partition(":")
    if what not in set(Rejects) or not reason.strip():
        raise PolicyError(f"wants one of {', '.join(Rejects)}, then : its value : and the reason, for people")
    return Rejection(Rejects(what), value, reason.strip())


def _level(text: str) -> str:
    from agent.attestation.errors import PolicyError  # noqa: PLC0415
    from agent.attestation.policy_rules import NEVER_ACCEPTED  # noqa: PLC0415

    # what must never count, the policy itself refuses, with the reason
    if text not in LEVELS and text not in NEVER_ACCEPTED:
        raise PolicyError(f"no vendor has such a patch level; there are {', '.join(LEVELS)}")
    return text


def _name(text: str) -> str:
    from agent.attestation.errors import PolicyError  # noqa: PLC0415

    if not text.strip() or text != text.strip():
        raise PolicyError("write it as `attest verify` shows it, without spaces around it: it would match nothing")
    return text


def _floor(text: str) -> "SnpFloor":
    from agent.attestation.amd import Product, Tcb  # noqa: PLC0415
    from agent.attestation.errors import PolicyError  # noqa: PLC0415
    from agent.attestation.policy import SnpFloor  # noqa: PLC0415

    line, _, levels = text.partition(":")
    try:
        # bytes, because a level is one
        fmc, bootloader, tee, snp, microcode = bytes(int(each) for each in levels.split(","))
        return SnpFloor(Product(line), Tcb(fmc=fmc, bootloader=bootloader, tee=tee, snp=snp, microcode=microcode))
    except ValueError:
        lines = ", ".join(Product)
        raise PolicyError(f"wants one of {lines}, then : and five levels of 0 to 255, such as Milan:0,4,0,24,219") from None


def _gpus(count: int, models: TEXTS, drivers: TEXTS, vbios: TEXTS, *, require_ocsp: bool) -> "GpuRules":
    from agent.attestation.policy import GpuRules  # noqa: PLC0415

    return GpuRules(
        count=count,
        models=_entries(models, "--gpu-model", _name),
        drivers=_entries(drivers, "--gpu-driver", _name),
        vbios=_entries(vbios, "--gpu-vbios", _name),
        require_ocsp=require_ocsp,
    )
