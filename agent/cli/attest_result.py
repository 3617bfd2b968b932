"""`enclavia attest result`: read what somebody who judged evidence signed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.attest_inputs import JSON, KEY_BYTES, content, octets
from agent.cli.printing import printable

if TYPE_CHECKING:
    from agent.attestation.errors import EvidenceError
    from agent.attestation.result import AttestationResult
    from agent.protocol.units import BlobId

_CLOSE: Final = 4096
"""Bytes read beyond the limit, so that a larger file is refused as such and not cut."""


def result(
    file: Annotated[Path, typer.Argument(help="A signed result, as `attest verify --result` writes it.")],
    signer: Annotated[list[str], typer.Option("--signer", help="Whose word counts: Ed25519 key, 64 hexadecimal digits; may be given several times.")],
    evidence: Annotated[Path | None, typer.Option("--evidence", help="The evidence that it has to speak of.")] = None,
    policy_hash: Annotated[str | None, typer.Option("--policy-hash", help="The policy that it has to be judged by, as `policy hash` prints.")] = None,
    as_json: JSON = False,
) -> None:
    """Print what a signed result says. Exit code 0: signed by a --signer, and accepted; 1: not signed so, or refused; 2: wrong usage."""
    from agent.attestation.errors import EvidenceError  # noqa: PLC0415 - verifiers load only where they are needed
    from agent.attestation.result import MAX_RESULT, AttestationResult  # noqa: PLC0415

    signers = [octets(each, KEY_BYTES, "--signer") for each in signer]
    wanted = None if policy_hash is None else octets(policy_hash, KEY_BYTES, "--policy-hash")
    digest = None if evidence is None else _digest(evidence)
    try:
        said = AttestationResult.open_signed(content(file, "FILE", MAX_RESULT + _CLOSE), signers)
    except EvidenceError as error:
        typer.echo(json.dumps(_unread(error)) if as_json else printable(f"NOT SIGNED by whom you named: {error.check}: {error}"))
        raise typer.Exit(1) from None
    others = []
    if digest is not None and digest != said.evidence_digest:
        others.append(f"it speaks of evidence {said.evidence_digest.hex()}, expected {digest.hex()}: it is about another file")
    if wanted is not None and wanted != said.policy:
        found = "no policy" if said.policy is None else f"policy {said.policy.hex()}"
        others.append(f"it was judged by {found}, expected {wanted.hex()}: have it judged again")
    counts = said.ok and not others
    if as_json:
        typer.echo(json.dumps({"accepted": counts, "signed": True, "otherwise": others, **document(said)}))
    else:
        typer.echo("\n".join(printable(line) for line in _lines(said, others)))
    raise typer.Exit(0 if counts else 1)


def _digest(evidence: Path) -> "BlobId":
    from agent.attestation.evidence import evidence_digest  # noqa: PLC0415
    from agent.attestation.raw import MAX_FILE  # noqa: PLC0415

    data = content(evidence, "--evidence", MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise typer.BadParameter(f"more than {MAX_FILE} bytes are no evidence", param_hint="--evidence")
    return evidence_digest(data)


def _unread(error: "EvidenceError") -> dict[str, object]:
    return {"accepted": False, "signed": False, "error": {"check": error.check.value, "detail": str(error)}}


def document(said: "AttestationResult") -> dict[str, object]:
    """What a signed result says, for programs; docs/attestation.md names every key."""
    tee = said.tee
    return {
        "judged_accepted": said.ok,
        "simulated": _simulated(said),
        "at_ms": said.at,
        "evidence_digest": said.evidence_digest.hex(),
        "policy": None if said.policy is None else said.policy.hex(),
        "node": None if said.node is None else "0x" + said.node.hex(),
        "valid_until_ms": said.valid_until,
        "failed": [check.name.value for check in said.checks if not check.passed],
        "checks": [{"name": check.name.value, "passed": check.passed, "detail": check.detail} for check in said.checks],
        "claims": None
        if tee is None
        else {
            "kind": tee.kind.name.lower(),
            "measurement": tee.measurement.hex(),
            "report_data": tee.report_data.hex(),
            "debug": tee.debug,
            "hardware_id": None if tee.hardware_id is None else tee.hardware_id.hex(),
            "tcb_status": tee.tcb_status,
            "advisories": list(tee.advisories),
        },
        "devices": [
            {"model": each.model, "hardware_id": each.hardware_id.hex(), "driver": each.driver, "vbios": each.vbios} for each in said.devices
        ],
    }


def _lines(said: "AttestationResult", others: list[str]) -> list[str]:
    from agent.attestation.moments import moment  # noqa: PLC0415

    simulated = "SIMULATED, no hardware vouches for anything: " if _simulated(said) else ""
    judged = "ACCEPTED" if said.ok else "judged by no policy" if said.policy is None else "REFUSED"
    found = [f"{simulated}signed as you asked; it says {judged}", *(f"  but {each}" for each in others)]
    found.append(f"  as of        {moment(said.at)}; what happened since, it does not know")
    found.append(f"  evidence     {said.evidence_digest.hex()}")
    found.append(f"  policy       {'none' if said.policy is None else said.policy.hex()}")
    found.append(f"  node         {'none was expected' if said.node is None else '0x' + said.node.hex()}")
    if said.valid_until is not None:
        found.append(f"  keys until   {moment(said.valid_until)}")
    if said.tee is not None:
        tee = said.tee
        found.append(f"  kind         {tee.kind.name}{', DEBUG' if tee.debug else ''}")
        found.append(f"  measurement  {tee.measurement.hex()}")
        found.append(f"  chip         {'-' if tee.hardware_id is None else tee.hardware_id.hex()}")
        found.append(f"  patch level  {tee.tcb_status or '-'}{''.join(', ' + each for each in tee.advisories)}")
    found += [f"  device       {each.model}, {each.hardware_id.hex()}" for each in said.devices]
    return found + [f"  {'pass' if check.passed else 'FAIL'}  {check.name.value:24} {check.detail}" for check in said.checks]


def _simulated(said: "AttestationResult") -> bool:
    from agent.protocol.statements import TeeKind  # noqa: PLC0415

    return said.tee is not None and said.tee.kind is TeeKind.SIMULATED
