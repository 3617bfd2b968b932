"""Aborts of the modules `task` and `request`."""

from agent.chain.errors.base import Aborted, Overtaken
from agent.chain.errors.of_network import WrongVersion

# --- task


class WrongObject(Aborted):
    """The Network, Pool or Roster is not this task's: get the deployment file of its Pool."""

    of = ("task", 1, "EWrongObject")


class WrongState(Overtaken):
    """The task waits for something else now."""

    of = ("task", 2, "EWrongState")


class TooLate(Aborted):
    """The deadline has passed: what comes next is a crank."""

    of = ("task", 3, "ETooLate")


class TooEarly(Aborted):
    """The deadline and its grace have not passed: wait."""

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


class RosterTooSmall(Aborted):
    """Too few operators to draw candidates and a panel from: wait until more have joined."""

    of = ("task", 11, "ERosterTooSmall")


class NotSettled(Aborted):
    """Only a settled task, some time after its end, can be reaped: wait."""

    of = ("task", 12, "ENotSettled")


class NotRevoked(Aborted):
    """The executor's record is not revoked: the task goes on."""

    of = ("task", 13, "ENotRevoked")


class AlreadyChallenged(Aborted):
    """A task is challenged once, before any other complaint, and only if it is not audited anyway."""

    of = ("task", 14, "EAlreadyUsed")


class TooManyDenied(Aborted):
    """At most eight operators can be denied: name the worst."""

    of = ("task", 15, "ETooManyDenied")


class WrongTaskVersion(WrongVersion):
    """The task is of another version of the package: use a deployment file of that version, or send `MigrateTask`."""

    of = ("task", 16, "EWrongVersion")


# --- request


class RequestExpired(Aborted):
    """The request has expired: cancel it, then create another."""

    of = ("request", 1, "EExpired")


class NotYourRequest(Aborted):
    """Only its requester may cancel a request before it expires."""

    of = ("request", 2, "ENotRequester")


class WrongRequestPool(Aborted):
    """The request is for another Pool or Network: use the deployment file of that."""

    of = ("request", 3, "EWrongPool")


class PaymentTooSmall(Aborted):
    """The request holds less than the Pool's quote now: cancel it, then create another."""

    of = ("request", 4, "EPaymentTooSmall")


class BadTtl(Aborted):
    """A request lives at least a second and at most thirty days."""

    of = ("request", 5, "EBadTtl")
