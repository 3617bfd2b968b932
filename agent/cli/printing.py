"""How commands answer: one JSON object for programs, a table or a line for people."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Column, Table

from agent.chain.port import Receipt

MIST_PER_SUI = 10**9


def answer(found: Mapping[str, object], *, as_json: bool) -> None:
    """Print `found`."""
    if as_json:
        typer.echo(json.dumps(found))
        return
    # folded, not cut: people copy measurements and ids from here
    table = Table("what", Column("value", overflow="fold"))
    for name, value in found.items():
        table.add_row(*_said(name, value))
    Console().print(table)


def done(what: str, receipt: Receipt, then: str, *, as_json: bool) -> None:
    """Print that `what` took effect, and what comes next."""
    if as_json:
        typer.echo(json.dumps({"done": what, "digest": receipt.digest, "gas_mist": receipt.gas, "next": then}))
        return
    typer.echo(f"{what}: done in {receipt.digest}, gas {receipt.gas} Mist")
    typer.echo(f"next: {then}")


def printable(line: str) -> str:
    """`line` with nothing in it that moves a terminal's cursor: parts of it may be what a stranger's file says."""
    return "".join(character if character.isprintable() else "?" for character in line)


def _said(name: str, value: object) -> tuple[str, str]:
    if value is None:
        return name.removesuffix("_ms").removesuffix("_mist"), "-"
    if isinstance(value, (tuple, list)):
        return name, "\n".join(map(str, value)) or "-"
    if isinstance(value, int) and name.endswith("_mist"):
        return name.removesuffix("_mist"), f"{value / MIST_PER_SUI:,.9f}".rstrip("0").rstrip(".") + " SUI"
    if isinstance(value, int) and name.endswith("_ms"):
        return name.removesuffix("_ms"), datetime.fromtimestamp(value / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    return name, str(value)
