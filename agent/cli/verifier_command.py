"""`enclavia verifier`: serve as a member of the verifier committee, and decide what no machine decides."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.printing import answer, printable

if TYPE_CHECKING:
    from agent.node.verifier.audit import Audited
    from agent.protocol.records import TaskView

app = typer.Typer(
    name="verifier",
    help="Be a member of the verifier committee: judge evidence, confirm draws, rule and revoke. What counts is signed by k of n members.",
    no_args_is_help=True,
)

DIRECTORY = Annotated[Path, typer.Option("--config", "-c", help="The member's directory: verifier.toml, key, wallet, journal, orders.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def init(directory: DIRECTORY) -> None:
    """Write a commented verifier.toml, a signing key and a wallet into a directory. Nothing that exists is overwritten."""
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415  pysui loads only where it is needed
    from agent.node.verifier.config import CONFIG_FILE, VerifierConfig  # noqa: PLC0415
    from agent.node.verifier.member import MemberKeyFile  # noqa: PLC0415

    directory.mkdir(parents=True, exist_ok=True)
    config, key_file, wallet_file = (directory / name for name in (CONFIG_FILE, "member.key", "wallet.json"))
    if config.exists() or key_file.exists() or wallet_file.exists():
        raise typer.BadParameter(f"{directory} holds a member already: choose another directory", param_hint="--config")
    config.write_text(VerifierConfig.sample())
    key = MemberKeyFile.create(key_file)
    wallet = Wallet.generate()
    wallet.save(wallet_file)
    typer.echo(f"wrote {config}; member key {key.public_key().public_bytes_raw().hex()}, address 0x{wallet.address.hex()}")
    typer.echo("next: have the administrator put the key into the committee, send SUI to the address, correct verifier.toml, `enclavia verifier run`")


@app.command()
def run(
    directory: DIRECTORY,
    log_level: Annotated[str, typer.Option(help="debug, info, warning, error")] = "info",
) -> None:
    """Serve until SIGTERM: fetch posted evidence, verify it, sign, and post what k members agree on. Logs JSON lines to stderr."""
    from agent.cli.verifier_runner import run_verifier  # noqa: PLC0415
    from agent.telemetry.logs import configure_logs  # noqa: PLC0415

    configure_logs(level=log_level, node=directory.name)
    asyncio.run(run_verifier(directory))


@app.command()
def rule(
    directory: DIRECTORY,
    task: Annotated[str, typer.Argument(help="The task's id, 0x….")],
    agrees: Annotated[bool | None, typer.Option("--agrees/--differs", help="Whether the executor is right in the matter at hand.")] = None,
    root: Annotated[str | None, typer.Option(help="The root that is right, 64 hexadecimal digits; needed where the votes name several.")] = None,
    as_json: JSON = False,
) -> None:
    """Decide, of last resort, on a task that two rounds could not. Without a decision: show the votes. The running service sends it."""
    from agent.node.verifier.orders import Orders, RulingOrder  # noqa: PLC0415
    from agent.protocol.disputes import ruling_round  # noqa: PLC0415
    from agent.protocol.lifecycle import TaskState  # noqa: PLC0415
    from agent.protocol.units import TaskId, parse_address  # noqa: PLC0415

    view = asyncio.run(_task(directory, TaskId(parse_address(task))))
    found = _votes(view)
    if view.state is not TaskState.RULING:
        raise typer.BadParameter(f"the task is in state {view.state.name}, nobody waits for a ruling", param_hint="TASK")
    matter = ruling_round(view)
    if agrees is None:
        answer(found, as_json=as_json)
        typer.echo("decide with --agrees or --differs", err=True)
        raise typer.Exit(1)
    order = RulingOrder(view.id, matter, _root(view, agrees, root), agrees)
    file = Orders(directory).give(order)
    answer({**found, "ruled": "agrees" if agrees else "differs", "root": order.root.hex(), "order": str(file)}, as_json=as_json)


@app.command()
def revoke(
    directory: DIRECTORY,
    slot: Annotated[int, typer.Argument(min=0, help="The node's slot in the pool.")],
    reason: Annotated[str, typer.Option(help="hardware, code, keys, policy or other")],
    key_epoch: Annotated[int, typer.Option(help="This epoch and all before; 0: the newest.")] = 0,
    as_json: JSON = False,
) -> None:
    """End a node's records: tasks that wait for its commitment can be cancelled without a slash. The running service sends it."""
    from agent.node.verifier.orders import Orders, RevocationOrder  # noqa: PLC0415
    from agent.protocol.statements import RevocationReason  # noqa: PLC0415
    from agent.protocol.units import Slot  # noqa: PLC0415

    try:
        why = RevocationReason[reason.upper()]
    except KeyError:
        raise typer.BadParameter(f"{reason!r} is none of hardware, code, keys, policy, other", param_hint="--reason") from None

    async def read() -> Any:
        async with _chain(directory) as chain:
            return await chain.member(Slot(slot))

    member = asyncio.run(read())
    if member is None:
        raise typer.BadParameter(f"slot {slot} has no member", param_hint="SLOT")
    epoch = key_epoch or member.key_epoch
    if epoch > member.key_epoch or member.is_revoked(epoch):
        text = f"the node's epochs go to {member.key_epoch}, revoked are those to {member.revoked_through}"
        raise typer.BadParameter(text, param_hint="--key-epoch")
    file = Orders(directory).give(RevocationOrder(member.node, Slot(slot), epoch, why))
    answer({"node": "0x" + member.node.hex(), "slot": slot, "key_epoch": epoch, "reason": why.name.lower(), "order": str(file)}, as_json=as_json)


@app.command()
def status(directory: DIRECTORY, as_json: JSON = False) -> None:
    """Show whether this member can do its work. Exit code 0: it can; 1: something is to be done, and `problems` says what."""
    from agent.cli.verifier_audit import status as look  # noqa: PLC0415

    found = asyncio.run(look(directory))
    answer(found, as_json=as_json)
    raise typer.Exit(1 if found["problems"] else 0)


@app.command()
def audit(
    endpoint: Annotated[str, typer.Option(help="gRPC endpoint of a Sui full node that has the history, https://….")],
    deployment: Annotated[Path, typer.Option(help="The network's deployment.json.")],
    policy: Annotated[list[Path], typer.Option("--policy", "-p", help="The document of a policy that counted; may be given several times.")],
    evidence: Annotated[
        list[str], typer.Option("--evidence", help="Where evidence lies: http://…, or file:///directory, such as a member's archive; several times.")
    ],
    simulated_root: Annotated[Path | None, typer.Option("--simulated-root", help="The root of a localnet's simulated hardware (DER).")] = None,
    ca: Annotated[Path | None, typer.Option(help="CA certificate of the endpoint (PEM), if the system does not know it.")] = None,
    slot: Annotated[int | None, typer.Option(min=0, help="Only the records of this slot.")] = None,
    as_json: JSON = False,
) -> None:
    """Judge again every record that a Pool ever got, and name who signed a wrong one. Anybody may.

    Exit code 0: all are sound; 1: one is wrong; 3: none is wrong, but one could not be judged.
    """
    from agent.attestation.errors import AttestationError  # noqa: PLC0415
    from agent.chain.errors import ChainError  # noqa: PLC0415
    from agent.cli.connect import Endpoint  # noqa: PLC0415
    from agent.cli.verifier_audit import audit as judge_again  # noqa: PLC0415
    from agent.node.verifier.audit import Outcome  # noqa: PLC0415

    try:
        found = asyncio.run(judge_again(Endpoint(endpoint, ca), deployment, policy, evidence, simulated_root, slot))
    except (AttestationError, ChainError, OSError, ValueError) as error:
        raise typer.BadParameter(printable(str(error))) from None
    outcomes = {each.outcome for each in found}
    code = 1 if Outcome.WRONG in outcomes else 3 if outcomes - {Outcome.SOUND} else 0
    if as_json:
        typer.echo(json.dumps({"records": [_audited(each) for each in found], "exit_code": code}))
        raise typer.Exit(code)
    for each in found:
        who = "the chain itself" if each.by_chain else f"committee {each.committee}: " + ", ".join(key.hex()[:16] + "…" for key in each.signers)
        typer.echo(f"{each.outcome.upper():9} slot {each.slot}, epoch {each.key_epoch}, vouched for by {who}")
        for why in each.why:
            typer.echo(printable(f"          {why}"))
    counts = ", ".join(f"{sum(each.outcome is outcome for each in found)} {outcome}" for outcome in Outcome)
    typer.echo(f"{len(found)} records: {counts}")
    raise typer.Exit(code)


def _audited(each: "Audited") -> dict[str, object]:
    return {
        "outcome": each.outcome.value, "slot": each.slot, "node": "0x" + each.node.hex(), "key_epoch": each.key_epoch, "at_ms": each.at,
        "policy": each.policy.hex(), "evidence": each.evidence.hex(), "by_chain": each.by_chain, "committee": each.committee,
        "signers": [key.hex() for key in each.signers], "why": list(each.why), "transaction": each.transaction,
    }  # fmt: skip


def _votes(view: "TaskView") -> dict[str, object]:
    """What the rounds of a task revealed, for whoever has to rule."""
    from agent.protocol.disputes import ruling_round  # noqa: PLC0415

    votes = [
        f"round {int(each.kind)}, slot {seat.slot}, {seat.votes} vote{'s' if seat.votes > 1 else ''}: {seat.mark.name.lower()}"
        + (f", root {seat.root.hex()}" if seat.root else "")
        for each in view.rounds
        for seat in each.seats
    ]
    return {
        "task": "0x" + view.id.hex(), "state": view.state.name, "round": ruling_round(view), "deadline_ms": view.deadline,
        "commitment": view.commitment.hex(), "votes": votes,
    }  # fmt: skip


def _root(view: "TaskView", agrees: bool, root: str | None) -> Any:
    """The root of the ruling: the one given, or the only one that seats voted for."""
    from agent.protocol.lifecycle import Mark  # noqa: PLC0415
    from agent.protocol.statements import FORGED  # noqa: PLC0415
    from agent.protocol.units import Digest, parse_address  # noqa: PLC0415

    if root is not None:
        return Digest(bytes(parse_address("0x" + root.removeprefix("0x"))))
    delivery = view.delivery.disputed
    if delivery and not agrees:
        return FORGED
    mark = Mark.AGREES if agrees else Mark.DIFFERS
    known = {seat.root for each in view.rounds if each.kind.judges_delivery == delivery for seat in each.seats if seat.mark is mark}
    if len(known) != 1:
        raise typer.BadParameter(f"the votes name {len(known)} such roots: say which one is right", param_hint="--root")
    return known.pop()


async def _task(directory: Path, task: Any) -> "TaskView":
    async with _chain(directory) as chain:
        view: TaskView = await chain.task(task)
        return view


def _chain(directory: Path) -> Any:
    from agent.chain.deployment import Deployment  # noqa: PLC0415
    from agent.chain.port import MemoryTransactionLog  # noqa: PLC0415
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415
    from agent.cli.connect import Endpoint, open_endpoint  # noqa: PLC0415
    from agent.node.verifier.config import VerifierConfig  # noqa: PLC0415

    config = VerifierConfig.load(directory)
    wallet, deployment = Wallet.load(config.path(config.wallet.file)), Deployment.load(config.path(config.chain.deployment))
    ca = None if config.chain.ca is None else config.path(config.chain.ca)
    return open_endpoint(Endpoint(config.chain.endpoint, ca), deployment, wallet, MemoryTransactionLog())
