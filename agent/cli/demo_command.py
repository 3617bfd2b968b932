"""`enclavia demo`."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.cli.demo.options import TEXTS, DemoError, DemoOptions
from agent.protocol.draw import BadProbability, probability


def demo(
    tasks: Annotated[int, typer.Option(min=1, max=10_000, help="How many tasks the dApp opens.")] = 20,
    nodes: Annotated[int, typer.Option(min=7, max=16, help="How many nodes serve; one lies, one dies when drawn.")] = 7,
    input: Annotated[Path, typer.Option(help="UTF-8 text file, one text a line.")] = TEXTS,  # noqa: A002  the flag's name
    audit_probability: Annotated[str, typer.Option(help="Overrides p: a decimal or fraction from 0 to 1.")] = "0.3",
    seed: Annotated[int | None, typer.Option(help="Makes the run repeatable: wallets, casting, draws.")] = None,
    workload: Annotated[str, typer.Option(help="What the enclaves run.")] = "minilm-f64",
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Inputs under way at the same time.")] = 4,
    forger: Annotated[bool, typer.Option("--forger", help="One more node misbehaves: it delivers another output than it committed to.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep configuration, journals and logs in this directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run the main job on an embedded localnet: sealed inputs, isolated enclaves, audits by chance, slashing. The TEE is SIMULATED."""
    from agent.cli.demo.stage import run_demo  # noqa: PLC0415  torch and pysui load only where they are needed

    try:
        probability(audit_probability)
    except BadProbability as bad:
        raise typer.BadParameter(str(bad), param_hint="--audit-probability") from None
    options = DemoOptions(tasks, nodes, input, audit_probability, seed, workload, at_once, forger, keep)
    if not options.texts():
        raise DemoError("nothing to do")
    # a pipe has no width of its own: 120 columns hold the tables
    console = Console(stderr=as_json, quiet=as_json and not os.environ.get("ENCLAVIA_VERBOSE"), width=None if sys.stdout.isatty() else 120)
    report = asyncio.run(run_demo(options, console))
    if as_json:
        typer.echo(json.dumps(report.json()))
    else:
        report.print(console)
    if report.broken_rules():
        raise typer.Exit(1)
