"""`enclavia policy`: write, sign, read and explain the documents that say which evidence counts."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.attest_command import document, summary
from agent.cli.attest_inputs import AT, COLLATERAL, EXPECT, FILE, JSON, REPORT_DATA, SIGNER, SIMULATED_ROOT, judged, octets, policy_in

if TYPE_CHECKING:
    from agent.attestation.policy import Allowance, SnpFloor

app = typer.Typer(name="policy", help="Write, sign, read and explain the policy: which evidence counts.", no_args_is_help=True)

POLICY = Annotated[Path, typer.Argument(help="A policy document: JSON, CBOR, or signed.")]
HOUR: Final = 3_600_000


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Where the JSON goes.")],
    version: Annotated[int, typer.Option(min=0, help="Counts up with every change.")] = 1,
    max_age_hours: Annotated[int, typer.Option(min=1, help="How long after the evidence its keys may count.")] = 24,
    allow: Annotated[list[str] | None, typer.Option("--allow", help="kind:measurement, such as nitro:ab12…; may be given several times.")] = None,
    floor: Annotated[
        list[str] | None, typer.Option("--snp-floor", help="Line:fmc,bootloader,tee,snp,microcode, such as Milan:0,4,0,24,219; several times.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=0, max=16, help="How many GPUs each node must show.")] = 0,
) -> None:
    """Write a policy in JSON, to be completed by hand. Nothing that exists is overwritten."""
    from agent.attestation.errors import PolicyError  # noqa: PLC0415 - verifiers load only where they are needed
    from agent.attestation.policy import GpuRules, Layer, Policy  # noqa: PLC0415
    from agent.attestation.policy_document import dump_policy  # noqa: PLC0415
    from agent.protocol.units import Millis  # noqa: PLC0415

    try:
        policy = Policy(
            version=version,
            max_age=Millis(max_age_hours * HOUR),
            allow_simulated=False,
            vendor=Layer(allow=frozenset(_allowance(each) for each in allow or ())),
            snp_floors=frozenset(_floor(each) for each in floor or ()),
            gpus=GpuRules(count=gpus) if gpus else None,
        )
        with file.open("xb") as opened:
            opened.write(dump_policy(policy))
    except PolicyError as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint="FILE") from None
    typer.echo(f"wrote {file}, hash {policy.digest().hex()}")


@app.command()
def show(policy: POLICY, signer: SIGNER = None) -> None:
    """Print the policy as JSON, checked."""
    from agent.attestation.policy_document import dump_policy  # noqa: PLC0415

    typer.echo(dump_policy(policy_in(policy, signer)).decode(), nl=False)


@app.command("hash")
def hash_(policy: POLICY, signer: SIGNER = None) -> None:
    """Print the policy's hash, as `Network.policy` has it on chain."""
    typer.echo(policy_in(policy, signer).digest().hex())


@app.command()
def sign(
    policy: POLICY,
    key: Annotated[Path, typer.Option("--key", help="A member key, as `enclavia verifier init` writes.")],
    out: Annotated[Path, typer.Option("--out", help="Where the signed document goes (CBOR in COSE_Sign1).")],
) -> None:
    """Sign the policy; its hash stays."""
    from agent.attestation.policy_document import sign_policy  # noqa: PLC0415
    from agent.node.verifier.member import MemberKeyFile  # noqa: PLC0415

    found, signer = policy_in(policy, None), MemberKeyFile.load(key)
    try:
        out.write_bytes(sign_policy(found, signer))
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written: {error.strerror}", param_hint="--out") from None
    typer.echo(f"wrote {out}: version {found.version}, hash {found.digest().hex()}, signed by {signer.public_key().public_bytes_raw().hex()}")


@app.command()
def explain(
    evidence: FILE,
    policy: Annotated[Path, typer.Option("--policy", "-p", help="The policy that decides.")],
    signer: SIGNER = None,
    at: AT = None,
    collateral: COLLATERAL = None,
    report_data: REPORT_DATA = None,
    expect: EXPECT = None,
    simulated_root: SIMULATED_ROOT = None,
    as_json: JSON = False,
) -> None:
    """Say in words why the policy accepts or refuses the evidence. Exit code 0: accepted; 1: refused."""
    from agent.attestation.meanings import MEANINGS  # noqa: PLC0415

    found = policy_in(policy, signer)
    verdict = judged(evidence, found, at, collateral, report_data, expect, simulated_root)
    if as_json:
        reasons = [{"name": check.name.value, "asks": MEANINGS[check.name], "found": check.detail} for check in verdict.failed]
        typer.echo(json.dumps({**document(verdict), "reasons": reasons}))
        raise typer.Exit(0 if verdict.ok else 1)
    said = [summary(verdict), f"Judged by policy version {found.version}, hash {found.digest().hex()}."]
    if verdict.ok:
        said.append("Every check passed. What the policy decided:")
        said += [f"  - {check.name.value}: {check.detail}." for check in verdict.checks if check.name.value in _DECISIONS]
    else:
        said.append(f"{len(verdict.failed)} of {len(verdict.checks)} checks failed:")
        for check in verdict.failed:
            said += [f"  - {check.name.value}: {MEANINGS[check.name]}.", f"    {check.detail}."]
        if verdict.claims is None:
            said.append("What follows authentication was not looked at: nobody vouches for it.")
    typer.echo("\n".join("".join(each if each.isprintable() else "?" for each in line) for line in said))
    raise typer.Exit(0 if verdict.ok else 1)


_DECISIONS: Final = frozenset({"policy-active", "measurement", "not-rejected", "hardware-registered", "tcb", "advisories", "age", "expiry"})


def _allowance(text: str) -> "Allowance":
    from agent.attestation.policy import Allowance  # noqa: PLC0415
    from agent.protocol.statements import TeeKind  # noqa: PLC0415

    kind, _, measurement = text.partition(":")
    try:
        return Allowance(TeeKind[kind.upper()], octets(measurement, None, "--allow"))
    except KeyError:
        known = ", ".join(each.name.lower() for each in TeeKind)
        raise typer.BadParameter(f"{kind!r} is none of {known}", param_hint="--allow") from None


def _floor(text: str) -> "SnpFloor":
    from agent.attestation.amd import Product, Tcb  # noqa: PLC0415
    from agent.attestation.policy import SnpFloor  # noqa: PLC0415

    line, _, levels = text.partition(":")
    try:
        # bytes, because a level is one
        fmc, bootloader, tee, snp, microcode = bytes(int(each) for each in levels.split(","))
        return SnpFloor(Product(line), Tcb(fmc=fmc, bootloader=bootloader, tee=tee, snp=snp, microcode=microcode))
    except ValueError:
        raise typer.BadParameter(f"{text!r}: wants a line such as Milan, then : and five levels of 0 to 255", param_hint="--snp-floor") from None
