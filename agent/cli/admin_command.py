"""`enclavia admin`: what the holder of the AdminCap may do. Pausing and ending a policy count at once; parameters,
committee, policies, prices and the treasury only after the timelock, so that whoever disagrees has time to leave.
"""

import asyncio
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agent.cli.printing import answer, done

if TYPE_CHECKING:
    from agent.chain.calls import Call
    from agent.chain.port import Chain
    from agent.protocol.units import Mist

app = typer.Typer(name="admin", help="Administer a Network and its Pool with the AdminCap.", no_args_is_help=True)

ENDPOINT = Annotated[str, typer.Option("--endpoint", help="gRPC endpoint of a Sui full node.")]
CA = Annotated[Path | None, typer.Option("--ca", help="CA certificate of the endpoint (PEM), if the system does not know it.")]
DEPLOYMENT = Annotated[Path, typer.Option("--deployment", help="Ids of package, Network, Pool and AdminCap.")]
WALLET = Annotated[Path, typer.Option("--wallet", help="The administrator's wallet; for `apply` anybody's.")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

AFTER: Final = "`enclavia admin apply {what}` once the timelock is over; nodes do it too"


class Access:
    """How to reach the chain: the options that every command has."""

    def __init__(self, endpoint: str, ca: Path | None, deployment: Path, wallet: Path) -> None:
        self.endpoint = endpoint
        self.ca = ca
        self.deployment = deployment
        self.wallet = wallet


@app.callback()
def access(
    context: typer.Context,
    endpoint: ENDPOINT = "http://127.0.0.1:9000",
    ca: CA = None,
    deployment: DEPLOYMENT = Path("deployment.json"),
    wallet: WALLET = Path("wallet.json"),
) -> None:
    """Administer a Network and its Pool with the AdminCap."""
    context.obj = Access(endpoint, ca, deployment, wallet)


@app.command()
def show(context: typer.Context, as_json: JSON = False) -> None:
    """Parameters, committee, policies, prices, treasury, and everything that is proposed."""

    async def read(chain: "Chain") -> dict[str, object]:
        network, pool = await chain.network(), await chain.pool()
        return {
            "network": "0x" + network.id.hex(),
            "version": network.version,
            "paused": network.paused,
            "params": {field.name: getattr(network.params, field.name) for field in fields(network.params)},
            "committee": _committee(network.committee),
            "previous_committee": _committee(network.previous) if network.previous.epoch else None,
            "policies": [
                {"digest": each.digest.hex(), "activates_at": each.activates_at, "sunset_at": each.sunset_at} for each in network.policies
            ],
            "prices": {field.name: getattr(pool.prices, field.name) for field in fields(pool.prices)},
            "treasury_mist": pool.treasury,
            "audit_fund_mist": pool.audit_fund,
            "fees_owed_mist": pool.fees_owed,
            "proposed": {
                "params": network.next_params.at if network.next_params.value else None,
                "committee": network.next_committee.at if network.next_committee.value else None,
                "prices": pool.next_prices.at if pool.next_prices.value else None,
                "withdrawal": pool.next_withdrawal.at if pool.next_withdrawal.value else None,
            },
        }

    answer(asyncio.run(_with(context, read)), as_json=as_json)


@app.command()
def pause(context: typer.Context, as_json: JSON = False) -> None:
    """Stop `open_task`, at once. Tasks under way go on."""
    from agent.chain.calls import SetPaused  # noqa: PLC0415

    _act(context, "pause", lambda cap: SetPaused(cap, paused=True), "`enclavia admin resume`", as_json)


@app.command()
def resume(context: typer.Context, as_json: JSON = False) -> None:
    """Allow `open_task` again."""
    from agent.chain.calls import SetPaused  # noqa: PLC0415

    _act(context, "resume", lambda cap: SetPaused(cap, paused=False), "nothing", as_json)


@app.command()
def propose_params(
    context: typer.Context,
    change: Annotated[list[str], typer.Argument(help="name=value, Mist and milliseconds; all others stay as they are.")],
    as_json: JSON = False,
) -> None:
    """Propose other parameters for tasks opened after the timelock, such as `propose-params bounty=1000000 grace_ms=5000`."""
    from agent.chain.calls import ProposeParams  # noqa: PLC0415

    async def act(chain: "Chain") -> "Call":
        known = (await chain.network()).params
        return ProposeParams(_cap(chain), replace(known, **_changes(change, known)))

    _submit(context, "propose-params", act, AFTER.format(what="params"), as_json)


@app.command()
def propose_committee(
    context: typer.Context,
    verifier: Annotated[list[str], typer.Argument(help="Public keys of the members, 64 hexadecimal digits each, in the order of their index.")],
    threshold: Annotated[int, typer.Option(min=1, help="How many have to sign.")],
    as_json: JSON = False,
) -> None:
    """Propose another verifier committee. Once in office, nodes attest anew; the old one counts for `rotation_ms` more."""
    from agent.chain.calls import ProposeCommittee  # noqa: PLC0415

    keys = tuple(_octets(each, 32, "VERIFIER") for each in verifier)
    if threshold > len(keys) or len(set(keys)) != len(keys):
        raise typer.BadParameter(f"{len(set(keys))} different members cannot give {threshold} signatures", param_hint="--threshold")
    _act(context, "propose-committee", lambda cap: ProposeCommittee(cap, keys, threshold), AFTER.format(what="committee"), as_json)


@app.command()
def cancel_proposals(context: typer.Context, as_json: JSON = False) -> None:
    """Withdraw what is proposed for parameters and committee."""
    from agent.chain.calls import CancelProposals  # noqa: PLC0415

    _act(context, "cancel-proposals", CancelProposals, "nothing", as_json)


@app.command()
def add_policy(
    context: typer.Context,
    document: Annotated[Path, typer.Argument(help="The policy document (JSON); its digest goes on chain.")],
    activates_at: Annotated[int, typer.Option(help="Milliseconds of protocol time; 0: as soon as the timelock allows.")] = 0,
    nitro: Annotated[list[str] | None, typer.Option(help="A PCR0 value that the native path takes; may be repeated.")] = None,
    as_json: JSON = False,
) -> None:
    """Add an attestation policy that verdicts may name from its activation on."""
    from agent.attestation.policy_document import load_policy  # noqa: PLC0415
    from agent.chain.calls import AddPolicy  # noqa: PLC0415
    from agent.protocol.units import Millis  # noqa: PLC0415

    digest = load_policy(_read(document)).digest()
    pcrs = tuple(_octets(each, 48, "--nitro") for each in nitro or ())

    async def act(chain: "Chain") -> "Call":
        network = await chain.network()
        # a minute more: the transaction is executed a little later than the clock was read
        soonest = network.protocol_time(await chain.now()) + network.params.timelock_ms + 60_000
        return AddPolicy(_cap(chain), digest, pcrs, Millis(activates_at or soonest))

    _submit(context, "add-policy", act, "committee members load the document; then `enclavia admin sunset-policy` ends the old one", as_json)


@app.command()
def sunset_policy(
    context: typer.Context,
    digest: Annotated[str, typer.Argument(help="The policy's digest, 64 hexadecimal digits (`enclavia admin show`).")],
    at: Annotated[int, typer.Option(help="Milliseconds of protocol time; 0: now. Records under it count no longer from then on.")] = 0,
    as_json: JSON = False,
) -> None:
    """End a policy; in an emergency at once."""
    from agent.chain.calls import SunsetPolicy  # noqa: PLC0415
    from agent.protocol.units import Digest, Millis  # noqa: PLC0415

    name = Digest(_octets(digest, 32, "DIGEST"))

    async def act(chain: "Chain") -> "Call":
        network = await chain.network()
        return SunsetPolicy(_cap(chain), name, Millis(at or network.protocol_time(await chain.now()) + 5_000))

    _submit(context, "sunset-policy", act, "nothing; nodes attest anew under a policy in force", as_json)


@app.command()
def propose_prices(
    context: typer.Context,
    price: Annotated[str, typer.Option(help='What a task costs, "0.01 SUI".')],
    auditor_fee: Annotated[str, typer.Option(help="What each auditor that was right gets.")],
    reservation_fee: Annotated[str, typer.Option(help="What is due whatever becomes of the task.")],
    as_json: JSON = False,
) -> None:
    """Propose other prices of the Pool."""
    from agent.chain.calls import ProposePrices  # noqa: PLC0415

    amounts = _mist(price, "--price"), _mist(auditor_fee, "--auditor-fee"), _mist(reservation_fee, "--reservation-fee")
    _act(context, "propose-prices", lambda cap: ProposePrices(cap, *amounts), AFTER.format(what="prices"), as_json)


@app.command()
def propose_withdrawal(
    context: typer.Context,
    amount: Annotated[str, typer.Argument(help='Of the treasury, "5 SUI".')],
    to: Annotated[str, typer.Argument(help="The address that gets it.")],
    as_json: JSON = False,
) -> None:
    """Propose a withdrawal from the Pool's treasury."""
    from agent.chain.calls import ProposeWithdrawal  # noqa: PLC0415
    from agent.protocol.units import Address  # noqa: PLC0415

    mist, whom = _mist(amount, "AMOUNT"), Address(_octets(to, 32, "TO"))
    _act(context, "propose-withdrawal", lambda cap: ProposeWithdrawal(cap, mist, whom), AFTER.format(what="withdrawal"), as_json)


@app.command()
def apply(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="params, committee, prices or withdrawal")],
    as_json: JSON = False,
) -> None:
    """Put in force what was proposed, once its timelock is over; anybody may."""
    from agent.chain.calls import ApplyCommittee, ApplyParams, ApplyPrices, ApplyWithdrawal  # noqa: PLC0415

    calls: dict[str, Call] = {
        "params": ApplyParams(), "committee": ApplyCommittee(), "prices": ApplyPrices(), "withdrawal": ApplyWithdrawal(),
    }  # fmt: skip
    if what not in calls:
        raise typer.BadParameter(f"{what!r} cannot be applied, only {', '.join(calls)}", param_hint="WHAT")

    async def act(_: "Chain") -> "Call":
        return calls[what]

    _submit(context, f"apply {what}", act, "nothing", as_json)


@app.command()
def fund_audits(
    context: typer.Context, amount: Annotated[str, typer.Argument(help='"20 SUI"; anybody may.')], as_json: JSON = False
) -> None:
    """Give to the audit fund of the Pool, out of which auditors are paid."""
    from agent.chain.calls import FundAudits  # noqa: PLC0415

    mist = _mist(amount, "AMOUNT")

    async def act(_: "Chain") -> "Call":
        return FundAudits(mist)

    _submit(context, "fund-audits", act, "nothing", as_json)


@app.command()
def launch(context: typer.Context, as_json: JSON = False) -> None:
    """Launch the Roster with the members that wait in its queue; once. Before it nobody is drawn."""
    from agent.chain.calls import LaunchRoster  # noqa: PLC0415

    _act(context, "launch", LaunchRoster, "tasks can be opened", as_json)


@app.command()
def upgrade(
    context: typer.Context,
    code: Annotated[Path, typer.Option("--code", help="The next version, compiled: the directory with package.json and the modules.")],
    as_json: JSON = False,
) -> None:
    """Publish the next version of the contracts and write it into the deployment file; nothing changes for anybody before `migrate`."""
    from agent.chain.deployment import Deployment  # noqa: PLC0415  pysui loads only where it is needed
    from agent.chain.sui import Deployer, PackageCode, Wallet  # noqa: PLC0415
    from agent.cli.connect import Endpoint  # noqa: PLC0415

    found: Access = context.obj
    wallet, deployment, next_version = Wallet.load(found.wallet), Deployment.load(found.deployment), PackageCode.load(code)

    async def publish() -> Deployment:
        async with Deployer(Endpoint(found.endpoint, found.ca), wallet) as deployer:
            return await deployer.upgrade(deployment, next_version)

    upgraded = asyncio.run(publish())
    upgraded.save(found.deployment)
    answer({"package": "0x" + upgraded.package.hex(), "code": "0x" + upgraded.called.hex(), "deployment": str(found.deployment)}, as_json=as_json)
    if not as_json:
        typer.echo("next: give the deployment file to node runners and clients, then `enclavia admin migrate`")


@app.command()
def migrate(context: typer.Context, as_json: JSON = False) -> None:
    """Raise Network, Pool and Roster to the package's version after an upgrade; older packages refuse them from then on."""
    from agent.chain.calls import MigrateNetwork, MigratePool, MigrateRoster  # noqa: PLC0415

    async def act(chain: "Chain") -> "list[Call]":
        return [MigrateNetwork(_cap(chain)), MigratePool(), MigrateRoster()]

    _submit(context, "migrate", act, "tell node runners to install the agent of this version", as_json)


def _act(context: typer.Context, what: str, call: Any, then: str, as_json: bool) -> None:
    async def act(chain: "Chain") -> "Call":
        made: Call = call(_cap(chain))
        return made

    _submit(context, what, act, then, as_json)


def _submit(context: typer.Context, what: str, act: Any, then: str, as_json: bool) -> None:
    async def run(chain: "Chain") -> Any:
        made = await act(chain)
        calls = made if isinstance(made, list) else [made]
        return await chain.submit(*calls, purpose=f"admin:{what}")

    done(what, asyncio.run(_with(context, run)), then, as_json=as_json)


async def _with(context: typer.Context, work: Any) -> Any:
    from agent.chain.deployment import Deployment  # noqa: PLC0415  pysui loads only where it is needed
    from agent.chain.port import MemoryTransactionLog  # noqa: PLC0415
    from agent.chain.sui.keys import Wallet  # noqa: PLC0415
    from agent.cli.connect import Endpoint, open_endpoint  # noqa: PLC0415

    found: Access = context.obj
    wallet, deployment = Wallet.load(found.wallet), Deployment.load(found.deployment)
    async with open_endpoint(Endpoint(found.endpoint, found.ca), deployment, wallet, MemoryTransactionLog()) as chain:
        return await work(chain)


def _cap(chain: "Chain") -> Any:
    cap = chain.deployment.admin_cap
    if cap is None:
        raise typer.BadParameter("the deployment file names no admin_cap: add it", param_hint="--deployment")
    return cap


def _changes(change: list[str], known: Any) -> dict[str, Any]:
    names = {field.name for field in fields(known)}
    found: dict[str, Any] = {}
    for each in change:
        name, _, value = each.partition("=")
        if name not in names or not value.replace("_", "").isdecimal():
            raise typer.BadParameter(f"{each!r}: wants name=number, with a name out of {', '.join(sorted(names))}", param_hint="CHANGE")
        found[name] = int(value)
    return found


def _committee(committee: Any) -> dict[str, object]:
    return {"epoch": committee.epoch, "threshold": committee.threshold, "verifiers": [key.hex() for key in committee.verifiers]}


def _octets(text: str, size: int, where: str) -> bytes:
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != size:
        raise typer.BadParameter(f"{text[:80]!r}: wants {2 * size} hexadecimal digits", param_hint=where)
    return value


def _mist(text: str, where: str) -> "Mist":
    from agent.node.config import parse_mist  # noqa: PLC0415

    try:
        return parse_mist(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=where) from None


def _read(file: Path) -> bytes:
    from agent.attestation.policy_document import MAX_DOCUMENT  # noqa: PLC0415
    from agent.cli.user_files import read_regular  # noqa: PLC0415

    # one byte more, so that a larger one is refused as such and not cut
    return read_regular(file, "DOCUMENT", MAX_DOCUMENT + 1)
