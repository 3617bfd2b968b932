"""One error for every abort code of docs/spec/protocol.md §9, and which error an abort is."""

from typing import Final

from agent.chain.errors.base import Aborted, Overtaken

# --- task


class WrongObject(Aborted):
    """The Network, Pool or Roster is not this task's."""

    of = ("task", 1, "EWrongObject")


class WrongState(Overtaken):
    """The task waits for something else now."""

    of = ("task", 2, "EWrongState")


class TooLate(Aborted):
    """The deadline has passed."""

    of = ("task", 3, "ETooLate")


class TooEarly(Aborted):
    """The deadline and its grace have not passed."""

    of = ("task", 4, "ETooEarly")


class NotRequester(Aborted):
    """Only the requester may do this: use the wallet that opened the task."""

    of = ("task", 5, "ENotRequester")


class WrongPayment(Aborted):
    """The payment is not exactly what it costs: read the quote again."""

    of = ("task", 6, "EWrongPayment")


class NoCandidate(Aborted):
    """No candidate is left that could take the task: it expires at its deadline, then open another."""

    of = ("task", 7, "ENoCandidate")


class WrongExecutor(Aborted):
    """Another node, or another key epoch, would take the task than the one sealed for: seal anew."""

    of = ("task", 8, "EWrongExecutor")


class BadDigest(Aborted):
    """A digest, commitment or key is not 32 bytes."""

    of = ("task", 9, "EBadDigest")


class UriTooLong(Aborted):
    """A URI of an input has at most 256 bytes."""

    of = ("task", 10, "EUriTooLong")


class BadSeat(Aborted):
    """The round has no such seat."""

    of = ("task", 11, "EBadSeat")


class AlreadyActed(Overtaken):
    """This seat has already posted that."""

    of = ("task", 12, "EAlreadyActed")


class BadReveal(Aborted):
    """Root and salts do not open the seat's commitment."""

    of = ("task", 13, "EBadReveal")


class BadWraps(Aborted):
    """One wrap of 80 bytes is wanted for each seat."""

    of = ("task", 14, "EBadWraps")


class RosterTooSmall(Aborted):
    """Too few operators to draw candidates and a panel from: wait until more have joined."""

    of = ("task", 15, "ERosterTooSmall")


class StaleTicket(Aborted):
    """The draw ticket is from another time: sign a fresh one."""

    of = ("task", 16, "EStaleTicket")


class NotSettled(Aborted):
    """Only a settled task, some time after its end, can be reaped."""

    of = ("task", 17, "ENotSettled")


# --- pool


class WrongNetwork(Aborted):
    """The Pool is of another Network."""

    of = ("pool", 1, "EWrongNetwork")


class WrongPool(Aborted):
    """The cap or the object is of another Pool."""

    of = ("pool", 2, "EWrongPool")


class NoSuchMember(Aborted):
    """No member has this slot."""

    of = ("pool", 3, "ENoSuchMember")


class StakeTooSmall(Aborted):
    """The stake is below the Network's minimum: stake more."""

    of = ("pool", 4, "EStakeTooSmall")


class NotYourNode(Aborted):
    """The cap is of another node."""

    of = ("pool", 5, "ENotYourNode")


class ChallengeExpired(Aborted):
    """The attestation challenge has expired, was used, or none was asked for: request another."""

    of = ("pool", 6, "EChallengeExpired")


class SimulatedRefused(Aborted):
    """Simulated evidence, and the Network was not created to allow it."""

    of = ("pool", 7, "ESimulatedRefused")


class KindRefused(Aborted):
    """The Pool does not take this kind of TEE."""

    of = ("pool", 8, "EKindRefused")


class AttestationExpired(Aborted):
    """The attestation's `not_after` has passed: attest anew."""

    of = ("pool", 9, "EAttestationExpired")


class StakeLocked(Aborted):
    """Stake still backs a task: end outstanding duties first."""

    of = ("pool", 10, "EStakeLocked")


class Unbonding(Aborted):
    """The unbonding time is not over, or the node has not left."""

    of = ("pool", 11, "EUnbonding")


class Leaving(Aborted):
    """The node is leaving already."""

    of = ("pool", 12, "ELeaving")


class PoolFull(Aborted):
    """All slots of the Pool are taken: join another."""

    of = ("pool", 13, "EPoolFull")


class WrongPoolQueue(Aborted):
    """The queue is of another Pool."""

    of = ("pool", 14, "EWrongQueue")


class BadKey(Aborted):
    """A key or a hash is not 32 bytes (a measurement: at most 64)."""

    of = ("pool", 15, "EBadKey")


class EvidenceUriTooLong(Aborted):
    """A URI of evidence has at most 256 bytes."""

    of = ("pool", 16, "EUriTooLong")


# --- network


class NotAdmin(Aborted):
    """The AdminCap is of another Network."""

    of = ("network", 1, "ENotAdmin")


class BadCommittee(Aborted):
    """A committee has 1 to 32 different keys of 32 bytes, and a threshold of at least one and at most all."""

    of = ("network", 2, "EBadCommittee")


class StaleHeartbeat(Aborted):
    """Nobody sent a heartbeat lately: send one first."""

    of = ("network", 3, "EStaleHeartbeat")


class Paused(Aborted):
    """New tasks are paused; tasks under way go on."""

    of = ("network", 4, "EPaused")


class WrongVersion(Aborted):
    """The object was made by another version of the package: use a deployment file of this version."""

    of = ("network", 5, "EWrongVersion")


# --- roster


class PeriodNotOver(Overtaken):
    """The period is not over; somebody may have rolled it."""

    of = ("roster", 1, "EPeriodNotOver")


class WrongRosterQueue(Aborted):
    """The queue is of another Roster."""

    of = ("roster", 2, "EWrongQueue")


class QueueFull(Aborted):
    """The queue of the Roster is full: roll the period at its end, then try again."""

    of = ("roster", 3, "EQueueFull")


class BadDepth(Aborted):
    """A Roster has 2^1 to 2^12 slots."""

    of = ("roster", 4, "EBadDepth")


class AlreadyLaunched(Aborted):
    """The Roster was launched before: roll its periods."""

    of = ("roster", 5, "ELaunched")


# --- statement


class BadStatementSignature(Aborted):
    """The signature is not of this statement under this key."""

    of = ("statement", 1, "EBadSignature")


class ThresholdNotMet(Aborted):
    """Fewer committee members signed than the Network wants."""

    of = ("statement", 2, "EThresholdNotMet")


class SignersNotSorted(Aborted):
    """Signers are named once each, in rising order."""

    of = ("statement", 3, "ESignersNotSorted")


# --- commitment


class EmptyOutput(Aborted):
    """A root is made of at least one leaf."""

    of = ("commitment", 1, "EEmpty")


# --- params


class BadParams(Aborted):
    """The parameters contradict each other."""

    of = ("params", 1, "EBadParams")


def aborted(
    module: str, code: int, *, function: str = "", command: int | None = None, digest: str | None = None
) -> Aborted:
    """The error of an abort with `code` in `module`: its own class where §9 has one, else a plain `Aborted`."""
    kind = _CLASSES.get((module, code), Aborted)
    return kind(module, code, function=function, command=command, digest=digest)


def _classes(root: type[Aborted]) -> dict[tuple[str, int], type[Aborted]]:
    found = {}
    for each in root.__subclasses__():
        if each.of is not None:
            found[each.of[:2]] = each
        found |= _classes(each)
    return found


_CLASSES: Final = _classes(Aborted)
