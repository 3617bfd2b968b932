"""Which chains have real money on them: there, simulated evidence is refused whatever a policy says."""

from typing import Final

_PUBLIC: Final = {
    # the first four bytes of the genesis checkpoint's digest, as `sui client chain-identifier` prints them
    "35834a8a": "mainnet",
    "4c78adac": "testnet",
    # the whole digest, as the gRPC API's GetServiceInfo tells it
    "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S": "mainnet",
    "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD": "testnet",
}
_NAMES: Final = frozenset(_PUBLIC.values())


def public_chain(chain_id: str) -> str | None:
    """The name of the public chain that `chain_id` identifies, in any of its spellings; None for every other chain."""
    plain = chain_id.strip().removeprefix("0x")
    if plain.lower() in _NAMES:
        return plain.lower()
    return _PUBLIC.get(plain) or _PUBLIC.get(plain.lower())
