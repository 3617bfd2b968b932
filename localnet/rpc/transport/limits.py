"""How much one client may ask of the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes, times are seconds."""

    request: int = 4 * 1024 * 1024
    """One request message; a Sui transaction is at most 128 KiB."""
    connections: int = 1_024
    """Open at once; further ones are closed on arrival."""
    first_bytes: float = 10.0
    """Until a connection must have shown which protocol it speaks, and a TLS handshake be done."""
    idle: float = 600.0
    """Until a connection without a call under way is closed."""
    grace: float = 2.0
    """At shutdown, until calls still under way are cancelled."""
    subscribers: int = 1_024
    mailbox: int = 1_024
    """Frames a subscriber may lag behind before it is dropped."""
