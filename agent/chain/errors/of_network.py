"""Aborts of the modules `network`, `roster`, `statement`, `commitment` and `params`."""

from agent.chain.errors.base import Aborted, Overtaken

# --- network


class NotAdmin(Aborted):
    """The AdminCap is of another Network: use the one of this deployment."""

    of = ("network", 1, "ENotAdmin")


class BadCommittee(Aborted):
    """A committee has 1 to 32 different keys of 32 bytes, and a threshold of at least one and at most all."""

    of = ("network", 2, "EBadCommittee")


class StaleHeartbeat(Aborted):
    """Nobody sent a heartbeat lately: send `Heartbeat` first."""

    of = ("network", 3, "EStaleHeartbeat")


class Paused(Aborted):
    """New tasks are paused; tasks under way go on: wait, or use another Network."""

    of = ("network", 4, "EPaused")


class WrongVersion(Aborted):
    """The object is of another version of the package: get the network's newest deployment file, or have the object migrated."""

    of = ("network", 5, "EWrongVersion")


class Timelocked(Aborted):
    """Not yet: what was proposed can be applied after `timelock_ms`."""

    of = ("network", 6, "ETimelocked")


class NothingProposed(Overtaken):
    """Nothing of the kind is proposed, or somebody has applied it."""

    of = ("network", 7, "ENothingProposed")


class BadPolicy(Aborted):
    """A policy is a hash of 32 bytes not in use yet, with PCRs of 48 bytes, one of at most four; it starts after `timelock_ms`: sunset an old one, or
    choose another time."""

    of = ("network", 8, "EBadPolicy")


class WrongCommittee(Aborted):
    """No committee of this epoch is in office: have the present one sign."""

    of = ("network", 9, "EWrongCommittee")


# --- roster


class PeriodNotOver(Overtaken):
    """The period is not over, or the Roster not launched; somebody may have rolled it."""

    of = ("roster", 1, "EPeriodNotOver")


class WrongRosterQueue(Aborted):
    """The queue is of another Roster: get the deployment file again."""

    of = ("roster", 2, "EWrongQueue")


class WrongRosterVersion(WrongVersion):
    """Roster or queue are of another version of the package: use a deployment file of that version, or send `MigrateRoster`."""

    of = ("roster", 3, "EWrongVersion")


class BadDepth(Aborted):
    """A Roster has 2^1 to 2^12 slots."""

    of = ("roster", 4, "EBadDepth")


class AlreadyLaunched(Aborted):
    """The Roster was launched before: roll its periods."""

    of = ("roster", 5, "ELaunched")


# --- statement


class BadStatementSignature(Aborted):
    """The signature is not of this statement under this key: read the chain again, then sign anew."""

    of = ("statement", 1, "EBadSignature")


class ThresholdNotMet(Aborted):
    """Fewer committee members signed than the Network wants: collect more signatures."""

    of = ("statement", 2, "EThresholdNotMet")


class SignersNotSorted(Aborted):
    """Signers are named once each, in rising order."""

    of = ("statement", 3, "ESignersNotSorted")


# --- commitment


class EmptyOutput(Aborted):
    """A root is made of at least one leaf: an empty output is one empty chunk."""

    of = ("commitment", 1, "EEmpty")


# --- params


class BadParams(Aborted):
    """The parameters contradict each other: docs/spec/protocol.md §6 says how windows and shares hang together."""

    of = ("params", 1, "EBadParams")


class DoesNotDeter(Aborted):
    """With these parameters a lie would pay at `max_price`: raise `executor_lock` or `audit_probability` (`enclavia economics` reckons it)."""

    of = ("params", 2, "EDoesNotDeter")
