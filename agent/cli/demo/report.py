"""What a run of the demo came to: the figures, the rules it is held to, the table."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.cli.demo.options import SUI
from agent.protocol.lifecycle import Outcome


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task, from the dApp's side and from the chain's."""

    index: int
    task: str
    executor: int
    """Slot; -1 if nobody took it."""
    behaviour: str
    """honest, liar, absentee, forger: how the executor was cast."""
    audited: bool
    auditors: tuple[int, ...]
    arbiters: tuple[int, ...]
    outcome: str
    fee: int
    """Mist that left the requester for good."""
    seconds_to_result: float | None
    seconds_to_settlement: float | None
    result_correct: bool | None
    """None: there was no result."""
    lie: bool
    """The executor committed to a wrong output."""
    slashed: int
    """Mist, of the executor's stake."""
    agent_seconds: float | None = None
    """From `post_input` on chain to the delivered result."""
    model_seconds: float | None = None
    """A direct run of the same text, in this run."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node at the end."""

    slot: int
    node: str
    behaviour: str
    stake_before: int
    stake_after: int
    fees: int
    slashes: int
    slashed: int
    absences: int
    absences_slashed: int
    resident_mib: float | None = None
    """Of the node's process, without its enclave; None once it is dead."""


@dataclass(frozen=True, slots=True)
class Conservation:
    """All SUI of the localnet, in Mist."""

    minted: int
    held: int
    gas_burnt: int
    storage_fund: int

    @property
    def holds(self) -> bool:
        """Whether not one Mist came from nowhere or went there."""
        return self.minted == self.held + self.gas_burnt + self.storage_fund


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `--json` prints."""

    tasks: tuple[TaskRow, ...]
    nodes: tuple[NodeRow, ...]
    conservation: Conservation
    chain_transactions: int
    seed: int | None
    audit_probability: str
    exhibits: tuple[str, ...] = ()

    def figures(self) -> dict[str, Any]:
        """The summary; names are those of the README."""
        rows = self.tasks
        settled = [row for row in rows if row.seconds_to_settlement is not None]
        lies = [row for row in rows if row.lie]
        audited_lies = [row for row in lies if row.audited]
        forgeries = [row for row in rows if row.behaviour == "forger"]
        to_result = [row.seconds_to_result for row in rows if row.seconds_to_result is not None]
        names = {outcome.name for outcome in Outcome if outcome not in (Outcome.NONE, Outcome.ACCEPTED, Outcome.UPHELD)}
        return {
            "simulated": True,
            "tasks": len(rows),
            "settled": len(settled),
            "refunded": sum(row.outcome in names for row in rows),
            "audited": sum(row.audited for row in rows),
            "lies_told": len(lies),
            "lies_audited": len(audited_lies),
            "lies_slashed": sum(row.outcome in (Outcome.GUILTY.name, Outcome.REFUSED.name) and row.slashed > 0 for row in audited_lies),
            "forgeries": len(forgeries),
            "forgeries_convicted": sum(row.outcome == Outcome.FORGED.name and row.slashed > 0 for row in forgeries),
            "absences_as_executor": sum(row.outcome == Outcome.ABSENT.name for row in rows),
            "absences": sum(node.absences for node in self.nodes),
            "absences_slashed": sum(node.absences_slashed for node in self.nodes),
            "honest_slashed": sum(node.slashes for node in self.nodes if node.behaviour == "honest"),
            "results_correct": sum(
                bool(row.result_correct) and row.outcome in (Outcome.ACCEPTED.name, Outcome.UPHELD.name) for row in rows
            ),
            "funds_conserved": self.conservation.holds,
            "seconds_to_result_median": round(median(to_result), 3) if to_result else None,
            "chain_transactions": self.chain_transactions,
            "seed": self.seed,
            "audit_probability": self.audit_probability,
        }

    def broken_rules(self) -> list[str]:
        """Every way in which this run did not end as the rules say; empty means exit code 0."""
        f = self.figures()
        broken = []
        if f["settled"] != f["tasks"]:
            broken.append(f"{f['tasks'] - f['settled']} tasks were not settled")
        if f["lies_slashed"] != f["lies_audited"]:
            broken.append(f"{f['lies_audited']} lies were audited, {f['lies_slashed']} slashed")
        if f["forgeries_convicted"] != f["forgeries"]:
            broken.append(f"{f['forgeries']} deliveries were forged, {f['forgeries_convicted']} convicted")
        if f["absences_slashed"] != f["absences"]:
            broken.append(f"{f['absences']} absences, {f['absences_slashed']} slashed")
        if f["honest_slashed"]:
            broken.append(f"{f['honest_slashed']} slashes hit honest nodes")
        correct = f["tasks"] - f["refunded"] - (f["lies_told"] - f["lies_audited"])
        if f["results_correct"] != correct:
            broken.append(f"{f['results_correct']} results are correct, the rules promise {correct}")
        if not f["funds_conserved"]:
            c = self.conservation
            broken.append(f"minted {c.minted} Mist, found {c.held} held + {c.gas_burnt} burnt as gas + {c.storage_fund} in the storage fund")
        broken.extend(f"task {row.index}: {row.error}" for row in self.tasks if row.error)
        return broken

    def json(self) -> dict[str, Any]:
        """One object: figures, rules broken, rows."""
        return {
            **self.figures(),
            "broken_rules": self.broken_rules(),
            "conservation": asdict(self.conservation),
            "rows": [asdict(row) for row in self.tasks],
            "nodes": [asdict(node) for node in self.nodes],
        }

    def print(self, console: Console) -> None:
        """Tables for people."""
        console.print(self._tasks())
        console.print(self._nodes())
        c = self.conservation
        sign = "=" if c.holds else "≠"
        console.print(
            f"money: minted by the faucet {_exact(c.minted)} {sign} held by everybody {_exact(c.held)}"
            f" + gas burnt {_exact(c.gas_burnt)} + storage fund {_exact(c.storage_fund)} SUI",
            style="green" if c.holds else "bold red",
        )
        f = self.figures()
        console.print(
            f"{f['tasks']} tasks, {f['settled']} settled, {f['refunded']} refunded · {f['audited']} audited · lies: {f['lies_told']} told,"
            f" {f['lies_audited']} audited, {f['lies_slashed']} slashed · forgeries: {f['forgeries']}, {f['forgeries_convicted']} convicted"
            f" · absences: {f['absences']}, {f['absences_slashed']} slashed"
            f" · honest nodes slashed: {f['honest_slashed']} · results correct: {f['results_correct']}"
        )
        for line in self.exhibits:
            console.print(line, style="dim")
        for rule in self.broken_rules():
            console.print(f"✗ {rule}", style="bold red")

    def _tasks(self) -> Table:
        table = Table(title="Tasks (TEE: SIMULATED)", title_justify="left")
        for name in ("#", "task", "executor", "audited", "auditors", "verdict", "fee SUI", "to result s", "to settlement s"):
            table.add_column(name, justify="right" if name in ("#", "fee SUI", "to result s", "to settlement s") else "left")
        for row in self.tasks:
            panel = " ".join(map(str, row.auditors)) + (f" / {' '.join(map(str, row.arbiters))}" if row.arbiters else "")
            executor = "-" if row.executor < 0 else f"{row.executor}" + ("" if row.behaviour == "honest" else f" ({row.behaviour})")
            verdict = row.outcome + (" (unaudited lie)" if row.lie and not row.audited else "")
            table.add_row(
                str(row.index), row.task[:10], executor, "yes" if row.audited else "", panel, verdict, _sui(row.fee),
                _seconds(row.seconds_to_result), _seconds(row.seconds_to_settlement),
                style="red" if row.lie else "yellow" if row.outcome == Outcome.ABSENT.name else None,
            )
        return table

    def _nodes(self) -> Table:
        table = Table(title="Nodes", title_justify="left")
        for name in ("slot", "node", "cast as", "stake before", "stake after", "fees earned", "slashes", "slashed SUI"):
            table.add_column(name, justify="left" if name in ("node", "cast as") else "right")
        for node in self.nodes:
            table.add_row(
                str(node.slot), node.node[:10], node.behaviour, _sui(node.stake_before), _sui(node.stake_after), _sui(node.fees),
                str(node.slashes), _sui(node.slashed),
            )
        return table


def _sui(mist: int) -> str:
    return f"{mist / SUI:,.4f}"


def _exact(mist: int) -> str:
    return f"{mist // SUI:,}.{mist % SUI:09d}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
