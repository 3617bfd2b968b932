"""`python -m localnet`: a localnet in the foreground, until interrupted.

Prints one line of JSON when it serves: url, tls_url, ca_file, chain_id, faucet.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from localnet.ledger.clock import ManualClock
from localnet.rpc.localnet import LOOPBACK, Localnet


def main() -> int:
    """Parse, run; returns the exit status."""
    asyncio.run(_serve(_arguments()))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localnet", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one (default)")
    parser.add_argument("--seed", help="text that on-chain randomness and ids derive from")
    parser.add_argument("--dir", type=Path, help="where the certificates go (default: a temporary directory)")
    parser.add_argument("--repeatable", action="store_true", help="draws depend on the seed and not on timing (docs/localnet.md)")
    parser.add_argument(
        "--nitro-root", type=Path, help="certificate (PEM or DER) that sui::nitro_attestation trusts instead of Amazon's: for simulated enclaves"
    )
    parser.add_argument("--manual-clock", action="store_true", help="time stands still until told to move on")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    localnet = Localnet(
        host=arguments.host,
        port=arguments.port,
        clock=ManualClock() if arguments.manual_clock else None,
        seed=None if arguments.seed is None else arguments.seed.encode(),
        directory=arguments.dir,
        repeatable=arguments.repeatable,
        nitro_root=None if arguments.nitro_root is None else certificate_in(arguments.nitro_root),
    )
    async with localnet:
        ready = {
            "url": localnet.url,
            "tls_url": localnet.tls_url,
            "ca_file": str(localnet.ca_file),
            "chain_id": localnet.chain_id,
            "faucet": f"{localnet.url}/v2/gas",
        }
        print(json.dumps(ready), flush=True)  # noqa: T201 - the one line that callers read
        await stopped.wait()


def certificate_in(file: Path) -> bytes:
    """The DER of a certificate in a file. Raises SystemExit."""
    try:
        data = file.read_bytes()
        certificate = load_pem_x509_certificate(data) if data.startswith(b"-----BEGIN") else load_der_x509_certificate(data)
    except (OSError, ValueError) as unusable:
        raise SystemExit(f"--nitro-root {file}: no certificate in PEM or DER ({unusable})") from None
    return certificate.public_bytes(Encoding.DER)


if __name__ == "__main__":
    sys.exit(main())
