"""`enclavia attest`: check evidence of any vendor, offline, as of any time."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.attestation.moments import moment
from agent.cli.attest_collect import collateral as collateral_command
from agent.cli.attest_inputs import AT, COLLATERAL, EXPECT, FILE, JSON, REPORT_DATA, SIGNER, SIMULATED_ROOT, judged, policy_in
from agent.cli.attest_result import result as result_command
from agent.cli.attest_selftest import selftest
from agent.cli.printing import printable
from agent.cli.user_files import member_key, write_regular

if TYPE_CHECKING:
    from agent.attestation.verdict import QuoteVerdict

app = typer.Typer(name="attest", help="Check evidence of any vendor's hardware, offline, as of any time.", no_args_is_help=True)

app.command()(selftest)
app.command("collateral")(collateral_command)
app.command("result")(result_command)


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
    result: Annotated[Path | None, typer.Option("--result", help="Where the signed result goes (COSE_Sign1); read it with `attest result`.")] = None,
    as_json: JSON = False,
) -> None:
    """Print the verdict on FILE. Exit code 0: accepted under the policy; 1: refused, or judged by no policy; 2: wrong usage."""
    if authenticate_only and policy is not None:
        raise typer.BadParameter("a policy decides more than authenticity: give one of the two", param_hint="--authenticate-only")
    if (sign_with is None) is not (result is None):
        raise typer.BadParameter("a signed result needs both a key and a file: give both, or neither", param_hint="--sign-with, --result")
    if signer and policy is None:
        raise typer.BadParameter("it says whose signature the policy needs: give --policy too", param_hint="--signer")
    key = None if sign_with is None else member_key(sign_with, "--sign-with")
    verdict = judged(file, None if policy is None else policy_in(policy, signer), at, collateral, report_data, expect, simulated_root)
    if key is not None and result is not None:
        from agent.attestation.result import MAX_RESULT, AttestationResult  # noqa: PLC0415 - verifiers load only where they are needed

        signed = AttestationResult.of(verdict).sign(key)
        if len(signed) > MAX_RESULT:
            detail = f"the result has {len(signed)} bytes, and nobody reads more than {MAX_RESULT}: judge fewer devices at once"
            raise typer.BadParameter(detail, param_hint="--result")
        write_regular(result, signed, "--result")
    typer.echo(json.dumps(document(verdict)) if as_json else "\n".join(lines(verdict)))
    raise typer.Exit(0 if (verdict.authentic if authenticate_only else verdict.ok) else 1)


def document(verdict: "QuoteVerdict") -> dict[str, object]:
    """The verdict for programs; docs/attestation.md names every key."""
    claims, binding = verdict.claims, verdict.binding
    return {
        "accepted": verdict.ok,
        "authentic": verdict.authentic,
        "simulated": verdict.simulated,
        "what": verdict.what,
        "who": whose(verdict),
        "at": moment(verdict.at),
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
            "shared_key": claims.shared_key,
            "tcb_status": None if claims.tcb_status is None else str(claims.tcb_status),
            "tcb_evaluation": claims.tcb_evaluation,
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


def whose(verdict: "QuoteVerdict") -> str:
    """Whose evidence it is, as far as signatures say."""
    claims, binding = verdict.claims, verdict.binding
    if binding is not None:
        return f"node 0x{binding.node_id.hex()} of network 0x{binding.network_id.hex()}"
    if claims is None:
        names = ", ".join(each.hardware_id.hex() for each in verdict.devices)
        return f"devices {names}, and no CPU" if names else "nobody's: no signature was found to hold"
    if claims.hardware_id is None:
        return f"a {claims.kind.name} machine that this evidence does not name"
    shared = ", by the word of its provider" if claims.shared_key else ""
    return f"{claims.kind.name} chip {claims.hardware_id.hex()}{shared}"


def lines(verdict: "QuoteVerdict") -> list[str]:
    """The verdict for people."""
    found = [summary(verdict), f"  whose        {whose(verdict)}", f"  as of        {moment(verdict.at)}"]
    found.append(f"  policy       {'none' if verdict.policy is None else verdict.policy.hex()}")
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
    return [printable(line) for line in found]
