"""`enclavia attest`: check evidence of any vendor, offline, as of any time."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.attest_collect import collateral as collateral_command
from agent.cli.attest_inputs import AT, COLLATERAL, EXPECT, FILE, JSON, REPORT_DATA, SIGNER, SIMULATED_ROOT, judged, policy_in
from agent.cli.attest_selftest import selftest

if TYPE_CHECKING:
    from agent.attestation.verdict import QuoteVerdict

app = typer.Typer(name="attest", help="Check evidence of any vendor's hardware, offline, as of any time.", no_args_is_help=True)

app.command()(selftest)
app.command("collateral")(collateral_command)


@app.callback()
def attest() -> None:
    """Check evidence of any vendor's hardware, offline, as of any time."""


@app.command()
def verify(
    file: FILE,
    policy: Annotated[Path | None, typer.Option("--policy", "-p", help="The policy that decides; without one nothing is accepted.")] = None,
    signer: SIGNER = None,
    at: AT = None,
    collateral: COLLATERAL = None,
    report_data: REPORT_DATA = None,
    expect: EXPECT = None,
    simulated_root: SIMULATED_ROOT = None,
    authenticate_only: Annotated[
        bool, typer.Option("--authenticate-only", help="Ask only whether the vendor's hardware signed this; exit 0 if it did, whatever it says.")
    ] = False,
    sign_with: Annotated[Path | None, typer.Option("--sign-with", help="A member key, as `enclavia verifier init` writes: sign the result.")] = None,
    result: Annotated[Path | None, typer.Option("--result", help="Where the signed result goes (COSE_Sign1).")] = None,
    as_json: JSON = False,
) -> None:
    """Print the verdict on FILE. Exit code 0: accepted under the policy; 1: refused, or judged by no policy; 2: wrong usage."""
    if authenticate_only and policy is not None:
        raise typer.BadParameter("a policy decides more than authenticity: give one of the two", param_hint="--authenticate-only")
    if (sign_with is None) is not (result is None):
        raise typer.BadParameter("a signed result needs both a key and a file", param_hint="--sign-with, --result")
    verdict = judged(file, None if policy is None else policy_in(policy, signer), at, collateral, report_data, expect, simulated_root)
    typer.echo(json.dumps(document(verdict)) if as_json else "\n".join(lines(verdict)))
    if sign_with is not None and result is not None:
        _sign(verdict, sign_with, result)
    raise typer.Exit(0 if (verdict.authentic if authenticate_only else verdict.ok) else 1)


def document(verdict: "QuoteVerdict") -> dict[str, object]:
    """The verdict for programs."""
    claims, binding = verdict.claims, verdict.binding
    return {
        "accepted": verdict.ok,
        "authentic": verdict.authentic,
        "simulated": verdict.simulated,
        "what": verdict.what,
        "at_ms": verdict.at,
        "evidence_digest": verdict.evidence_digest.hex(),
        "policy": None if verdict.policy is None else verdict.policy.hex(),
        "failed": [check.name.value for check in verdict.failed],
        "checks": [{"name": check.name.value, "passed": check.passed, "detail": check.detail} for check in verdict.checks],
        "claims": None
        if claims is None
        else {
            "kind": claims.kind.name.lower(),
            "measurement": claims.measurement.hex(),
            "report_data": claims.report_data.hex(),
            "nonce": None if claims.nonce is None else claims.nonce.hex(),
            "debug": claims.debug,
            "issued_at_ms": claims.issued_at,
            "hardware_id": None if claims.hardware_id is None else claims.hardware_id.hex(),
            "tcb_status": None if claims.tcb_status is None else str(claims.tcb_status),
            "advisories": list(claims.advisories),
        },
        "binding": None
        if binding is None
        else {
            "chain_id": binding.chain_id,
            "network": "0x" + binding.network_id.hex(),
            "node": "0x" + binding.node_id.hex(),
            "key_epoch": binding.key_epoch,
            "hpke_key": binding.hpke_pk.hex(),
            "signing_key": binding.sign_pk.hex(),
            "not_after_ms": binding.not_after,
        },
        "devices": [
            {"model": each.model, "hardware_id": each.hardware_id.hex(), "driver": each.driver, "vbios": each.vbios} for each in verdict.devices
        ],
    }


def summary(verdict: "QuoteVerdict") -> str:
    """The verdict in one line."""
    simulated = "SIMULATED, no hardware vouches for anything: " if verdict.simulated else ""
    if verdict.ok:
        return f"{simulated}ACCEPTED: {verdict.what}"
    if verdict.policy is None and verdict.authentic:
        return f"{simulated}authentic, but judged by no policy: {verdict.what}"
    return f"{simulated}REFUSED: {verdict.what}"


def lines(verdict: "QuoteVerdict") -> list[str]:
    """The verdict for people."""
    found = [summary(verdict)]
    claims, binding = verdict.claims, verdict.binding
    if claims is not None:
        found.append(f"  kind         {claims.kind.name}{', DEBUG' if claims.debug else ''}")
        found.append(f"  measurement  {claims.measurement.hex()}")
        found.append(f"  report data  {claims.report_data.hex() or '-'}")
        found.append(f"  chip         {'-' if claims.hardware_id is None else claims.hardware_id.hex()}")
        found.append(f"  patch level  {claims.tcb_status or '-'}{''.join(', ' + each for each in claims.advisories)}")
    if binding is not None:
        found.append(f"  bound to     node 0x{binding.node_id.hex()}, key epoch {binding.key_epoch}, network 0x{binding.network_id.hex()}")
        found.append(f"               on chain {binding.chain_id}; compare with --expect, nobody else did")
    found += [f"  device {each.index:<5} {each.hardware_model}, {each.hardware_id.hex()}" for each in verdict.devices]
    found += [f"  {'pass' if check.passed else 'FAIL'}  {check.name.value:24} {check.detail}" for check in verdict.checks]
    # what a hostile file says must not move the cursor
    return ["".join(character if character.isprintable() else "?" for character in line) for line in found]


def _sign(verdict: "QuoteVerdict", key: Path, file: Path) -> None:
    from agent.attestation.result import AttestationResult  # noqa: PLC0415
    from agent.node.verifier.member import MemberKeyFile  # noqa: PLC0415

    signed = AttestationResult.of(verdict).sign(MemberKeyFile.load(key))
    try:
        file.write_bytes(signed)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}", param_hint="--result") from None
