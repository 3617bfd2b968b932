"""The command `enclavia`.

Exit codes: 0 done; 1 done, and the answer is no; 2 wrong usage or configuration; 3 the other side (chain, store, enclave) failed.
"""

import sys

import typer

from agent.cli import admin_command, attest_command, demo_command, economics_command, localnet_command, node_command, policy_command, verifier_command
from agent.cli.failures import exit_code, texts

app = typer.Typer(
    name="enclavia",
    help="Confidential AI on Sui: sealed inputs, attested enclaves, sampling consensus.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo_command.demo)
app.command("economics")(economics_command.economics)
app.add_typer(node_command.app, name="node")
app.add_typer(verifier_command.app, name="verifier")
app.add_typer(admin_command.app, name="admin")
app.add_typer(localnet_command.app, name="localnet")
app.add_typer(attest_command.app, name="attest")
app.add_typer(policy_command.app, name="policy")


def run() -> None:
    """Entry point: an expected failure is one readable text, never a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        for text in texts(error):
            typer.secho(f"enclavia: {text}", err=True, fg=typer.colors.RED)
        sys.exit(code)


if __name__ == "__main__":
    run()
