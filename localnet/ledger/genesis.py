"""How a ledger starts."""

from dataclasses import dataclass, field
from typing import Final

from localnet.ledger.clock import Clock, SystemClock
from localnet.ledger.model import Mist
from localnet.movevm.natives.aws_root import AWS_NITRO_ROOT

REFERENCE_GAS_PRICE: Final = Mist(1000)


@dataclass(frozen=True, slots=True)
class GenesisConfig:
    """Two ledgers with the same configuration, clock readings and transactions are equal to the last byte."""

    seed: bytes = b"enclavia localnet"
    """Of on-chain randomness and of ids made at genesis. Anybody who knows it foresees every random number."""
    clock: Clock = field(default_factory=SystemClock)
    repeatable: bool = False
    """Makes draws independent of timing (`localnet.ledger.repeatable`), and does not renew Random: concurrent clients get the same draws in
    every run with the same seed. No Sui network has anything like it.
    """
    nitro_root: bytes = AWS_NITRO_ROOT
    """Certificate (DER) that `sui::nitro_attestation` trusts. Sui networks trust the real one; another is for simulated enclaves."""
    chain_name: str = "enclavia-localnet"
    reference_gas_price: Mist = REFERENCE_GAS_PRICE
    history: int = 100_000
    """Checkpoints kept; older transactions, and object versions that only they show, are dropped."""
    history_bytes: int = 512 * 1024 * 1024
    """Contents of past object versions kept; history is cut earlier if they are more."""
