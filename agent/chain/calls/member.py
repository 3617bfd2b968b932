"""Calls of the module `member`. Stake and fees are the owner's, acts the operator's."""

from dataclasses import dataclass

from agent.protocol.units import Mist, ObjectId, Slot


@dataclass(frozen=True, slots=True)
class RegisterNode:
    """`member::register`: the sender is the operator, who has one slot; both caps go to the sender."""

    stake: Mist


@dataclass(frozen=True, slots=True)
class ReplaceNode:
    """`member::replace`: as `RegisterNode` in a full Pool, in the place of who weighs least."""

    slot: Slot
    stake: Mist


@dataclass(frozen=True, slots=True)
class Deposit:
    """`member::deposit`: anybody may add stake to a member."""

    slot: Slot
    amount: Mist


@dataclass(frozen=True, slots=True)
class Unbond:
    """`member::unbond`: part of the stake; `min_stake` and what backs tasks has to stay."""

    owner_cap: ObjectId
    amount: Mist


@dataclass(frozen=True, slots=True)
class WithdrawUnbonded:
    """`member::withdraw_unbonded`; the coin goes to the sender."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class Leave:
    """`member::leave`."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class Withdraw:
    """`member::withdraw`: all, once left and unbonded; the coin goes to the sender."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class Retire:
    """`member::retire`: gives the slot of an empty record back; the NodeOwnerCap is gone with it."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class ClaimFees:
    """`member::claim_fees`; the coin goes to the sender."""

    owner_cap: ObjectId


@dataclass(frozen=True, slots=True)
class UpdateWeight:
    """`member::update_weight`, by anybody: queues the weight that the stake gives now."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Unjail:
    """`member::unjail`; `UpdateWeight` puts the node back into the draws."""

    operator_cap: ObjectId
