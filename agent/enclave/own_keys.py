"""An enclave's own keys: born inside; they leave only in a sealed state."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.enclave.sealing import Random
from agent.protocol import keys
from agent.protocol.units import NodeId, TaskId


@dataclass(frozen=True, slots=True)
class EnclaveKeys:
    """What makes this enclave this one."""

    hpke: X25519PrivateKey = field(repr=False)
    sign: Ed25519PrivateKey = field(repr=False)
    blind: bytes = field(repr=False)
    """32 bytes that hide a vote until it is revealed, where the voter holds no key that could."""

    @classmethod
    def generate(cls, random: Random) -> "EnclaveKeys":
        """Fresh keys."""
        return cls.restored(random(keys.KEY_BYTES), random(keys.KEY_BYTES), random(keys.KEY_BYTES))

    @classmethod
    def restored(cls, hpke_sk: bytes, sign_sk: bytes, blind: bytes) -> "EnclaveKeys":
        """Keys from their private bytes.

        Raises:
            ValueError: one of them has not 32 bytes.
        """
        if len(blind) != keys.KEY_BYTES:
            raise ValueError(f"a blinding key has {keys.KEY_BYTES} bytes")
        return cls(X25519PrivateKey.from_private_bytes(hpke_sk), Ed25519PrivateKey.from_private_bytes(sign_sk), blind)

    @property
    def hpke_pk(self) -> bytes:
        """X25519, 32 bytes."""
        return self.hpke.public_key().public_bytes_raw()

    @property
    def sign_pk(self) -> bytes:
        """Ed25519, 32 bytes."""
        return self.sign.public_key().public_bytes_raw()

    def salt(self, task: TaskId, node: NodeId) -> bytes:
        """Salt of a vote without a data key or output secret; the same after a restart."""
        return keys.salt(self.blind, task, node)
