"""What is wrapped for those drawn to judge a task: its data key, by whoever holds it; or, in a dispute of the delivery, the
secret of its output key, by the requester.

A wrap has 80 bytes, goes on chain, and is recomputable by every holder of what is in it [H1]: docs/spec/protocol.md §4.1.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.enclave import hpke
from agent.enclave.errors import SealBroken
from agent.enclave.orders import PostedWrap
from agent.protocol import keys
from agent.protocol.units import Address, NodeId, TaskId

WRAP_BYTES: Final = 80

NO_WRAP: Final = bytes(WRAP_BYTES)
"""For a seat whose key is of no use: an attested key of a broken TEE must not keep an honest hand from handing off."""


class Holder(Protocol):
    """Whom something is wrapped for: a seat, as the chain, a ticket or an order has it."""

    @property
    def node(self) -> NodeId: ...
    @property
    def key_epoch(self) -> int: ...
    @property
    def hpke_pk(self) -> bytes: ...


def wrap(data_key: bytes, network: Address, task: TaskId, seat: Holder) -> bytes:
    """The data key for `seat`; `NO_WRAP` if nothing can be sealed to it."""
    return _wrap(data_key, task, seat, keys.wrap_info(network, task, seat.node, seat.key_epoch))


def wrap_output_key(output_sk: bytes, network: Address, task: TaskId, seat: Holder) -> bytes:
    """The secret of `output_pk` for `seat` of a dispute of the delivery: what `post_output_key` takes, one a seat, in seat
    order. `NO_WRAP` if nothing can be sealed to it.
    """
    return _wrap(output_sk, task, seat, keys.output_wrap_info(network, task, seat.node, seat.key_epoch))


def unwrap(posted: PostedWrap, private: X25519PrivateKey, network: Address, task: TaskId) -> bytes:
    """The data key in a wrap made for the holder of `private`.

    Raises:
        SealBroken: it was made for another seat, or is none.
    """
    info = keys.wrap_info(network, task, posted.node, posted.key_epoch)
    return hpke.open_sealed(private, posted.octets, info=info)


def unwrap_output_key(posted: PostedWrap, private: X25519PrivateKey, network: Address, task: TaskId) -> bytes:
    """The secret of `output_pk` in a wrap made for the holder of `private`.

    Raises:
        SealBroken: it was made for another seat, or is none.
    """
    info = keys.output_wrap_info(network, task, posted.node, posted.key_epoch)
    return hpke.open_sealed(private, posted.octets, info=info)


def wraps_hold(data_key: bytes, network: Address, task: TaskId, posted: Iterable[PostedWrap]) -> bool:
    """Whether each of `posted` is the one that `data_key` gives."""
    return all(wrap(data_key, network, task, each) == each.octets for each in posted)


def output_wraps_hold(output_sk: bytes, network: Address, task: TaskId, posted: Iterable[PostedWrap]) -> bool:
    """Whether each of `posted` is the one that the secret of the output key gives."""
    return all(wrap_output_key(output_sk, network, task, each) == each.octets for each in posted)


def _wrap(wrapped: bytes, task: TaskId, seat: Holder, info: bytes) -> bytes:
    ikm = keys.wrap_ephemeral(wrapped, task, seat.node)
    try:
        return hpke.seal(seat.hpke_pk, wrapped, info=info, ephemeral_ikm=ikm)
    except SealBroken:
        return NO_WRAP
