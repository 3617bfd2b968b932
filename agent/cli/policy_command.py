"""`enclavia policy`: write, sign, read, merge and explain the documents that say which evidence counts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.attest_command import document, summary, whose
from agent.cli.attest_inputs import (
    AT,
    COLLATERAL,
    EXPECT,
    FILE,
    JSON,
    KEY_BYTES,
    REPORT_DATA,
    SIGNER,
    SIMULATED_ROOT,
    content,
    judged,
    octets,
    policy_in,
)
from agent.cli.policy_new import new
from agent.cli.policy_words import gaps, words
from agent.cli.printing import printable
from agent.cli.user_files import member_key, write_new, write_regular

if TYPE_CHECKING:
    from agent.attestation.policy import Layer, Policy
    from agent.attestation.verdict import QuoteVerdict

app = typer.Typer(name="policy", help="Write, sign, read, merge and explain the policy: which evidence counts.", no_args_is_help=True)
app.command()(new)

POLICY = Annotated[Path, typer.Argument(help="A policy document: JSON, CBOR, or signed.")]
_LAYERS: Final = ("vendor", "network", "community")


@app.command()
def show(policy: POLICY, signer: SIGNER = None, as_json: JSON = False) -> None:
    """Print in words what the policy takes and refuses; with --json the document itself, checked."""
    from agent.attestation.policy_document import dump_policy  # noqa: PLC0415 - verifiers load only where they are needed

    found = policy_in(policy, signer, "POLICY")
    if as_json:
        typer.echo(dump_policy(found).decode(), nl=False)
    else:
        typer.echo("\n".join(printable(line) for line in words(found)))


@app.command("hash")
def hash_(policy: POLICY, signer: SIGNER = None) -> None:
    """Print the policy's hash, as `Network.policies` has it on chain."""
    typer.echo(policy_in(policy, signer, "POLICY").digest().hex())


@app.command()
def sign(
    policy: POLICY,
    key: Annotated[Path, typer.Option("--key", help="A member key, as `enclavia verifier init` writes.")],
    out: Annotated[Path, typer.Option("--out", help="Where the signed document goes (CBOR in COSE_Sign1).")],
) -> None:
    """Sign the policy; its hash stays."""
    from agent.attestation.policy_document import sign_policy  # noqa: PLC0415

    found, signer = policy_in(policy, None, "POLICY"), member_key(key, "--key")
    write_regular(out, sign_policy(found, signer), "--out")
    by = signer.public_key().public_bytes_raw().hex()
    typer.echo(f"wrote {printable(str(out))}: version {found.version}, hash {found.digest().hex()}, signed by {by}")


@app.command()
def verify(
    policy: POLICY,
    signer: Annotated[list[str], typer.Option("--signer", help="Whose signature counts: Ed25519 key, 64 hexadecimal digits; several times.")],
    wanted: Annotated[str | None, typer.Option("--hash", help="The hash that it has to have, as the chain records it.")] = None,
    as_json: JSON = False,
) -> None:
    """Say whether a --signer signed the policy. Exit code 0: yes, and its hash is the one given; 1: no; 2: wrong usage."""
    from agent.attestation.errors import PolicyError  # noqa: PLC0415
    from agent.attestation.policy_document import MAX_DOCUMENT, load_policy  # noqa: PLC0415

    keys = [octets(each, KEY_BYTES, "--signer") for each in signer]
    expected = None if wanted is None else octets(wanted, KEY_BYTES, "--hash")
    why, found = "", None
    try:
        found = load_policy(content(policy, "POLICY", MAX_DOCUMENT + 1), keys)
    except PolicyError as error:
        why = str(error)
    else:
        if expected is not None and expected != found.digest():
            why = f"its hash is {found.digest().hex()}, expected {expected.hex()}: it is another policy"
    named = None if found is None else found.digest().hex()
    if as_json:
        typer.echo(json.dumps({"verified": not why, "version": None if found is None else found.version, "hash": named, "otherwise": why or None}))
    else:
        typer.echo(printable(f"REFUSED: {why}" if why or found is None else f"verified: version {found.version}, hash {named}"))
    raise typer.Exit(1 if why else 0)


@app.command()
def merge(
    base: Annotated[Path, typer.Argument(help="The policy whose rules and version stay: JSON, CBOR, or signed.")],
    out: Annotated[Path, typer.Option("--out", help="Where the merged JSON goes; nothing that exists is overwritten.")],
    vendor: Annotated[Path | None, typer.Option("--vendor", help="A policy whose layer `vendor` is added.")] = None,
    network: Annotated[Path | None, typer.Option("--network", help="A policy whose layer `network` is added.")] = None,
    community: Annotated[Path | None, typer.Option("--community", help="A policy whose layer `community` is added.")] = None,
    signer: SIGNER = None,
    version: Annotated[int | None, typer.Option(min=0, help="The merged policy's version; the base's, if not given.")] = None,
) -> None:
    """Add others' layers to a policy: allowed is what any allows and none rejects. With --signer, the others have to be signed."""
    from agent.attestation.policy_document import dump_policy  # noqa: PLC0415
    from agent.attestation.signed import is_signed  # noqa: PLC0415

    merged = policy_in(base, signer if is_signed(content(base, "BASE", 1)) else None, "BASE")
    for name, file in zip(_LAYERS, (vendor, network, community), strict=True):
        if file is not None:
            merged = _with_layer(merged, name, policy_in(file, signer, f"--{name}"))
    if version is not None:
        merged = replace(merged, version=version)
    write_new(out, dump_policy(merged), "--out")
    typer.echo(f"wrote {printable(str(out))}: version {merged.version}, hash {merged.digest().hex()}")
    for gap in gaps(merged):
        typer.echo(f"note: {printable(gap)}", err=True)


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
    else:
        typer.echo("\n".join(printable(line) for line in _explained(verdict, found)))
    raise typer.Exit(0 if verdict.ok else 1)


def _explained(verdict: "QuoteVerdict", policy: "Policy") -> list[str]:
    from agent.attestation.meanings import MEANINGS  # noqa: PLC0415
    from agent.attestation.moments import moment  # noqa: PLC0415

    said = [
        summary(verdict),
        f"Whose: {whose(verdict)}.",
        f"Judged as of {moment(verdict.at)} by policy version {policy.version}, hash {policy.digest().hex()}.",
    ]
    if verdict.ok:
        said.append("Every check passed. What the policy decided:")
        decided = [check for check in verdict.checks if check.name.value in _DECISIONS]
        return said + [line for check in decided for line in (f"  - {check.name.value}: {MEANINGS[check.name]}.", f"    {check.detail}.")]
    said.append(f"{len(verdict.failed)} of {len(verdict.checks)} checks failed:")
    for check in verdict.failed:
        said += [f"  - {check.name.value}: {MEANINGS[check.name]}.", f"    {check.detail}."]
    if verdict.claims is None:
        said.append("What follows authentication was not looked at: nobody vouches for it.")
    return said


_DECISIONS: Final = frozenset(
    {
        "policy-active", "measurement", "not-rejected", "hardware-registered", "chip-key", "revocation-list", "tcb", "tcb-evaluation",
        "advisories", "age", "expiry", "simulated-allowed",
    }
)  # fmt: skip


def _with_layer(policy: "Policy", name: str, other: "Policy") -> "Policy":
    """`policy`, what the layer `name` of `other` says added to its own."""
    besides = [each for each, layer in other.layers if each != name and (layer.allow or layer.reject or layer.machines)]
    if besides:
        detail = f"says something in the layer {', '.join(besides)} too, which would be lost: give it for that as well, or take it out"
        raise typer.BadParameter(detail, param_hint=f"--{name}")
    own, added = (dict(each.layers)[name] for each in (policy, other))
    layers: dict[str, Layer] = {
        name: replace(own, allow=own.allow | added.allow, reject=own.reject | added.reject, machines=own.machines | added.machines)
    }
    return replace(policy, **layers)  # type: ignore[arg-type]  # the names of its three layers
