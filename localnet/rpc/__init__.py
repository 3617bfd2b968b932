"""Sui's gRPC API over the localnet's ledger.

Speaks `sui.rpc.v2` to pysui (native gRPC) and to @mysten/sui (gRPC-web), both unmodified, with and without TLS, all on
one port.
"""

from localnet.rpc.localnet import Localnet, NotRunning
from localnet.rpc.transport.limits import Limits

__all__ = ["Limits", "Localnet", "NotRunning"]
