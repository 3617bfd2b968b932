"""Aborts of the modules `pool`, `member` and `attestation`."""

from agent.chain.errors.base import Aborted
from agent.chain.errors.of_network import NothingProposed, Timelocked, WrongVersion

# --- pool


class WrongNetwork(Aborted):
    """The Pool is of another Network: get the deployment file again."""

    of = ("pool", 1, "EWrongNetwork")


class WrongPool(Aborted):
    """The cap or the object is of another Pool: use the one of this deployment."""

    of = ("pool", 2, "EWrongPool")


class NoSuchMember(Aborted):
    """No member has this slot: look it up in the event NodeRegistered."""

    of = ("pool", 3, "ENoSuchMember")


class BadPrices(Aborted):
    """The price is above `max_price`, or the auditors' fees of a dispute exceed an auditor's lock or the delivery bond: ask less."""

    of = ("pool", 4, "EBadPrices")


class PoolTimelocked(Timelocked):
    """Not yet: what was proposed for the Pool can be applied after `timelock_ms`."""

    of = ("pool", 5, "ETimelocked")


class PoolNothingProposed(NothingProposed):
    """Nothing of the kind is proposed for the Pool, or somebody has applied it."""

    of = ("pool", 6, "ENothingProposed")


class TreasuryTooSmall(Aborted):
    """The treasury does not hold as much: propose less."""

    of = ("pool", 7, "ETreasuryTooSmall")


class BadManifest(Aborted):
    """A manifest's hash has 32 bytes."""

    of = ("pool", 8, "EBadKey")


class ValueTooHigh(Aborted):
    """No audit deters a lie about that much value: lower it, or use a Pool with greater locks."""

    of = ("pool", 9, "EValueTooHigh")


class WrongPoolVersion(WrongVersion):
    """The Pool is of another version of the package: use a deployment file of that version, or send `MigratePool`."""

    of = ("pool", 10, "EWrongVersion")


class PoolBusy(Aborted):
    """The Pool has as many tasks as it could audit: wait for some to settle, or use another Pool."""

    of = ("pool", 11, "EPoolBusy")


# --- member


class StakeTooSmall(Aborted):
    """The stake is below the Network's minimum, or too little to replace the other: stake more, or unbond less."""

    of = ("member", 1, "EStakeTooSmall")


class NotYourNode(Aborted):
    """The cap is of another node: use the one of this node."""

    of = ("member", 2, "ENotYourNode")


class StakeLocked(Aborted):
    """Stake still backs a task: end outstanding duties first."""

    of = ("member", 3, "EStakeLocked")


class Unbonding(Aborted):
    """The unbonding time is not over, the node has not left, or nothing is unbonding: wait, or ask for it first."""

    of = ("member", 4, "EUnbonding")


class Leaving(Aborted):
    """The node is leaving already: withdraw once unbonding is over."""

    of = ("member", 5, "ELeaving")


class PoolFull(Aborted):
    """All slots of the Pool are taken: replace the member that weighs least, or join another."""

    of = ("member", 6, "EPoolFull")


class WrongPoolQueue(Aborted):
    """The queue is of another Pool: get the deployment file again."""

    of = ("member", 7, "EWrongQueue")


class OperatorTaken(Aborted):
    """This address has a slot already: deposit more stake instead, or register from another."""

    of = ("member", 8, "EOperatorTaken")


class NotSmallest(Aborted):
    """Somebody else in the Roster weighs less, or this one has only just joined: read the weights again."""

    of = ("member", 9, "ENotSmallest")


class PoolNotFull(Aborted):
    """There are free slots: register."""

    of = ("member", 10, "EPoolNotFull")


class NotEmpty(Aborted):
    """Money is left in the record, the node has not left, or its slot still weighs in draws: withdraw, claim, and wait for the period's end."""

    of = ("member", 11, "ENotEmpty")


class NotJailed(Aborted):
    """The node is not jailed: there is nothing to do."""

    of = ("member", 12, "ENotJailed")


class StillJailed(Aborted):
    """Not yet: wait for the member's `jailed_until`."""

    of = ("member", 13, "EStillJailed")


class WrongPoolRoster(Aborted):
    """The Roster is of another Pool: get the deployment file again."""

    of = ("member", 14, "EWrongRoster")


# --- attestation


class ChallengeExpired(Aborted):
    """The attestation challenge has expired, was used or revoked, or none was asked for: request another."""

    of = ("attestation", 1, "EChallengeExpired")


class SimulatedRefused(Aborted):
    """Simulated evidence, and the Network was not created to allow it: attest on hardware."""

    of = ("attestation", 2, "ESimulatedRefused")


class KindRefused(Aborted):
    """The Pool does not take this kind of TEE: join another."""

    of = ("attestation", 3, "EKindRefused")


class AttestationExpired(Aborted):
    """The attestation's `not_after` has passed: attest anew."""

    of = ("attestation", 4, "EExpired")


class BadKey(Aborted):
    """A key or a hash is not 32 bytes (a measurement: at most 64)."""

    of = ("attestation", 5, "EBadKey")


class EvidenceUriTooLong(Aborted):
    """A URI of evidence has at most 256 bytes."""

    of = ("attestation", 6, "EUriTooLong")


class PolicyNotInForce(Aborted):
    """The policy is not in force: read the Network's policies, judge by one that is."""

    of = ("attestation", 7, "EPolicyNotInForce")


class BadDocument(Aborted):
    """The Nitro document does not carry this challenge, key and binding: request another challenge, attest anew."""

    of = ("attestation", 8, "EBadDocument")


class DebugEnclave(Aborted):
    """The enclave runs in debug mode, where its operator can look inside: start it without."""

    of = ("attestation", 9, "EDebug")


class MeasurementRefused(Aborted):
    """The policy does not take this code natively: build the enclave that it names, or go by the committee."""

    of = ("attestation", 10, "EMeasurementRefused")


class NothingToRevoke(Aborted):
    """This epoch has no record, or is revoked already."""

    of = ("attestation", 11, "ENothingToRevoke")
