"""How a ledger starts."""

from dataclasses import dataclass, field

from localnet.ledger.clock import Clock, SystemClock
from localnet.ledger.model import Mist


@dataclass(frozen=True, slots=True)
class GenesisConfig:
    """Two ledgers with the same configuration, clock readings and transactions are equal to the last byte."""

    seed: bytes = b"enclavia localnet"
    """Of on-chain randomness and of ids made at genesis. Anybody who knows it foresees every random number."""
    clock: Clock = field(default_factory=SystemClock)
    chain_name: str = "enclavia-localnet"
    reference_gas_price: Mist = Mist(1000)
    history: int = 100_000
    """Checkpoints kept; older transactions, and object versions that only they show, are dropped."""
