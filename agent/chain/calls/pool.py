"""Calls of the module `pool`."""

from dataclasses import dataclass

from agent.protocol.units import Address, Digest, Mist, ObjectId


@dataclass(frozen=True, slots=True)
class CreatePool:
    """`pool::create` with 2^depth slots."""

    cap: ObjectId
    manifest: Digest
    tee_mask: int
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    depth: int


@dataclass(frozen=True, slots=True)
class ProposePrices:
    """`pool::propose_prices`: in force after `timelock_ms`, by `ApplyPrices`."""

    cap: ObjectId
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist


@dataclass(frozen=True, slots=True)
class ApplyPrices:
    """`pool::apply_prices`, by anybody."""


@dataclass(frozen=True, slots=True)
class ProposeWithdrawal:
    """`pool::propose_withdrawal`, of the treasury: after `timelock_ms`, by `ApplyWithdrawal`."""

    cap: ObjectId
    amount: Mist
    to: Address


@dataclass(frozen=True, slots=True)
class ApplyWithdrawal:
    """`pool::apply_withdrawal`, by anybody."""


@dataclass(frozen=True, slots=True)
class MigratePool:
    """`pool::migrate`, by anybody, once the Network is."""


@dataclass(frozen=True, slots=True)
class FundAudits:
    """`pool::fund_audits`."""

    amount: Mist
