"""The data key, wrapped for those drawn to audit a task.

A wrap has 80 bytes, goes on chain, and is recomputable by every holder of the data key [H1].
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.enclave import hpke
from agent.protocol import keys
from agent.protocol.statements import TicketSeat
from agent.protocol.tags import HANDOFF
from agent.protocol.units import Address, NodeId, TaskId

WRAP_BYTES: Final = 80


def wrap(data_key: bytes, network: Address, task: TaskId, seat: TicketSeat) -> bytes:
    """`data_key` for `seat`: HPKE with the ephemeral key that `data_key`, task and node determine.

    Raises:
        SealBroken: the seat's X25519 key is not usable.
    """
    return hpke.seal(
        seat.hpke_pk,
        data_key,
        info=handoff_info(network, task, seat.node, seat.key_epoch),
        ephemeral_ikm=keys.wrap_ephemeral(data_key, task, seat.node),
    )


def unwrap(
    wrapped: bytes, private: X25519PrivateKey, network: Address, task: TaskId, node: NodeId, key_epoch: int
) -> bytes:
    """The data key that was wrapped for `node`.

    Raises:
        SealBroken: the wrap was made for another seat, or is none.
    """
    return hpke.open_sealed(private, wrapped, info=handoff_info(network, task, node, key_epoch))


def handoff_info(network: Address, task: TaskId, node: NodeId, key_epoch: int) -> bytes:
    """HPKE info of a wrap."""
    return HANDOFF + network + task + node + key_epoch.to_bytes(8, "little")
