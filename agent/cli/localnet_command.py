"""`enclavia localnet`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="localnet", help="The embedded localnet: real Move bytecode behind Sui's gRPC API, in one process.", no_args_is_help=True)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="0 takes any free one.")] = 9000,
    seed: Annotated[str | None, typer.Option(help="Randomness and ids derive from it: anybody who knows it foresees every draw.")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help="Where the certificates go.")] = None,
    nitro_root: Annotated[
        Path | None, typer.Option("--nitro-root", help="Certificate (PEM or DER) that sui::nitro_attestation trusts instead of Amazon's.")
    ] = None,
    manual_clock: Annotated[bool, typer.Option("--manual-clock", help="Time stands still until POST /localnet/clock/advance.")] = False,
) -> None:
    """Serve in the foreground until interrupted; prints one line of JSON (url, tls_url, ca_file, chain_id, faucet) when ready."""
    import sys  # noqa: PLC0415

    from localnet.__main__ import main  # noqa: PLC0415  the VM and pysui's stubs load only where they are needed

    arguments = ["localnet", "--port", str(port), *(["--seed", seed] if seed else []), *(["--dir", str(directory)] if directory else [])]
    arguments += ["--nitro-root", str(nitro_root)] if nitro_root else []
    sys.argv = [*arguments, *(["--manual-clock"] if manual_clock else [])]
    raise typer.Exit(main())
