"""Calls of the module `delivery`: complaints of the requester, and the output on chain.

A chunk is `head || tail`, 16,384 bytes but for the last; a pure argument of a transaction holds a little less than that.
"""

from dataclasses import dataclass

from agent.protocol.units import Mist, ObjectId, TaskId


@dataclass(frozen=True, slots=True)
class ClaimUndelivered:
    """`delivery::claim_undelivered`: splits the bond, which has to be exactly `delivery_bond`."""

    task: TaskId
    bond: Mist


@dataclass(frozen=True, slots=True)
class PublishOutput:
    """`delivery::publish_output`, by the executor's operator; an `index` again drops what came after it."""

    task: TaskId
    operator_cap: ObjectId
    index: int
    head: bytes
    tail: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class SubmitOutput:
    """`delivery::submit_output`: the same by the requester, who has the bytes."""

    task: TaskId
    index: int
    head: bytes
    tail: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class DisputeDelivery:
    """`delivery::dispute_delivery`: splits the bond, which has to be exactly `delivery_bond`."""

    task: TaskId
    bond: Mist


@dataclass(frozen=True, slots=True)
class PostOutputKey:
    """`delivery::post_output_key`: the secret of the output key, wrapped for each seat in its order, 80 bytes each."""

    task: TaskId
    wraps: tuple[bytes, ...]
