"""Calls as commands of a Sui transaction: docs/spec/protocol.md §7. Pure: `Needs` has what the chain must be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from agent.chain import calls as c
from agent.chain.deployment import Deployment
from agent.chain.sui.encoding import administration, membership, rounds, tasks
from agent.chain.sui.encoding.builder import Builder, Known
from agent.chain.sui.names import RANDOM
from agent.chain.sui.transaction import Transaction
from agent.protocol.units import Address, Mist, ObjectId

__all__ = ["CallOrderError", "Known", "Needs", "encode", "needs"]


class CallOrderError(ValueError):
    """A call that draws is not the last of its transaction, which the chain refuses: submit the others on their own."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the chain has to be asked before calls can be encoded."""

    shared: frozenset[ObjectId]
    """Shared objects whose initial version is wanted."""
    owned: frozenset[ObjectId]
    """Objects of the sender whose present version is wanted."""
    spends: Mist
    """What the calls take from the sender's coins, gas not counted."""


def needs(calls: Sequence[c.Call]) -> Needs:
    """What `encode` of the same calls will look up.

    Raises:
        CallOrderError: a call that draws is followed by another, or there is no call at all.
    """
    if not calls:
        raise CallOrderError("a transaction without a call")
    for call in calls[:-1]:
        if isinstance(call, c.RANDOM):
            raise CallOrderError(f"{type(call).__name__} draws: it has to be the last call of its transaction")
    shared = _named(calls, "task", "request")
    if isinstance(calls[-1], c.RANDOM):
        shared |= {RANDOM}
    owned = _named(calls, "cap", "owner_cap", "operator_cap")
    return Needs(shared, owned, Mist(sum(c.spends(call) for call in calls)))


def encode(calls: Sequence[c.Call], deployment: Deployment, sender: Address, known: Known) -> Transaction:
    """One transaction of `calls`, in order. A missing answer in `known` is a KeyError: a defect of the caller."""
    transaction = Transaction()
    builder = Builder(transaction, deployment, sender, known)
    for call in calls:
        if isinstance(call, c.OfNetwork | c.OfPool | c.OfRoster):
            administration.add(builder, call)
        elif isinstance(call, c.OfMember | c.OfAttestation):
            membership.add(builder, call)
        elif isinstance(call, c.OfRequest | c.OfTask | c.OfCrank):
            tasks.add(builder, call)
        else:
            rounds.add(builder, call)
    return transaction


def _named(calls: Sequence[c.Call], *names: str) -> frozenset[ObjectId]:
    """The objects that `calls` have in fields of these names."""
    return frozenset(ObjectId(getattr(call, each.name)) for call in calls for each in fields(call) if each.name in names)
