"""What a chain can refuse, and why. `Aborted` has one subclass for every abort code of docs/spec/protocol.md §9.

    ChainError
    ├── Unreachable               nobody answers: ask again later
    ├── NotFound                  no such object, transaction or checkpoint (a reaped task, a pruned full node)
    ├── Unsupported               the endpoint does not offer this method
    ├── Refused                   the endpoint calls the request wrong
    ├── Malformed                 the endpoint's answer is not what it has to be, or too large: do not trust it
    ├── WrongChain                the endpoint serves another chain than the deployment is on
    ├── InsufficientFunds         the wallet cannot pay for this
    ├── WalletError               the key file cannot be used
    ├── DeploymentError           the deployment file cannot be used
    ├── FaucetError               the faucet gave nothing
    └── TransactionError          carries the `digest` of what was broadcast; None where nothing was
        ├── Unsettled             broadcast, and its fate is not known: it is resent as the same bytes
        ├── SimulationFailed      the dry run failed otherwise than by an abort; nothing was broadcast
        ├── ExecutionFailed       executed and failed otherwise than by an abort; gas was spent
        ├── Rejected              refused before execution; it can never take effect
        │   ├── StaleObject       an input has moved on, or is held by another transaction
        │   └── BadSignature      the signature is not the sender's
        └── Aborted               a Move abort: module, code, name, function, command
            ├── Overtaken         the chain has moved on meanwhile: read it again, then decide
            │   └── WrongState, AlreadyActed, PeriodNotOver
            ├── of task           WrongObject, TooLate, TooEarly, NotRequester, WrongPayment, NoCandidate,
            │                     WrongExecutor, BadDigest, UriTooLong, BadSeat, BadReveal, BadWraps,
            │                     RosterTooSmall, StaleTicket, NotSettled
            ├── of pool           WrongNetwork, WrongPool, NoSuchMember, StakeTooSmall, NotYourNode,
            │                     ChallengeExpired, SimulatedRefused, KindRefused, AttestationExpired, StakeLocked,
            │                     Unbonding, Leaving, PoolFull, WrongPoolQueue, BadKey, EvidenceUriTooLong
            ├── of network        NotAdmin, BadCommittee, StaleHeartbeat, Paused, WrongVersion
            ├── of roster         WrongRosterQueue, QueueFull, BadDepth
            ├── of statement      BadStatementSignature, ThresholdNotMet, SignersNotSorted
            └── of params         BadParams

Two of task are listed under Overtaken, and one of roster. An abort of a module that is not ours is a plain `Aborted`.
"""

from typing import ClassVar, Final


class ChainError(Exception):
    """The chain did not do or tell what was asked."""


class Unreachable(ChainError):
    """The endpoint does not answer, or not in time; nothing is known about what was asked."""


class NotFound(ChainError):
    """The endpoint knows nothing of that name."""


class Unsupported(ChainError):
    """The endpoint does not offer this method: use one that indexes events, or go on with what it does offer."""


class Refused(ChainError):
    """The endpoint calls the request wrong; asking again in the same way will not help."""


class Malformed(ChainError):
    """The endpoint's answer cannot be read: use another endpoint."""


class WrongChain(ChainError):
    """The endpoint is not of the chain that the deployment file names."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(
            f"the deployment is on chain {wanted}, the endpoint serves {found}: correct the endpoint, or use the "
            "deployment file of that chain"
        )
        self.wanted: Final = wanted
        self.found: Final = found


class InsufficientFunds(ChainError):
    """The wallet cannot pay; amounts are Mist."""

    def __init__(self, address: str, needed: int, available: int) -> None:
        super().__init__(
            f"{needed} Mist are needed for payment and gas, {address} has {available}: send SUI to it"
        )
        self.needed: Final = needed
        self.available: Final = available


class WalletError(ChainError):
    """The key file is missing, readable by others, or holds no Ed25519 key."""


class DeploymentError(ChainError):
    """The deployment file is missing or not what `Deployment.save` wrote."""


class FaucetError(ChainError):
    """The faucet refused, or does not answer."""


class TransactionError(ChainError):
    """A transaction did not take effect, as far as is known."""

    def __init__(self, reason: str, digest: str | None = None) -> None:
        super().__init__(f"{reason} (transaction {digest})" if digest else reason)
        self.reason: Final = reason
        self.digest: Final = digest
        """Of the transaction that was broadcast; None where nothing was."""


class Unsettled(TransactionError):
    """Broadcast, and nobody could say what became of it.

    Its log entry stays pending and its coins stay held until `recover` knows; never build another in its place.
    """


class SimulationFailed(TransactionError):
    """The dry run failed; nothing was broadcast, nothing was spent."""


class ExecutionFailed(TransactionError):
    """It was executed and failed; nothing but gas was spent."""


class Rejected(TransactionError):
    """It was refused before execution; nothing was spent."""


class StaleObject(Rejected):
    """An input has another version now, or another transaction holds it: build it anew."""


class BadSignature(Rejected):
    """The signature is not the sender's: the wallet's key is not that of its address."""


class Aborted(TransactionError):
    """Move code refused. `digest` is None if the dry run already did: then nothing was spent."""

    of: ClassVar[tuple[str, int, str] | None] = None
    """Module, code and name of the abort that the class stands for."""

    def __init__(
        self, module: str, code: int, *, function: str = "", command: int | None = None, digest: str | None = None
    ) -> None:
        known = self.of is not None and self.of[:2] == (module, code)
        self.name: Final = self.of[2] if known and self.of else ""
        meaning = f": {type(self).__doc__}" if known else ""
        where = f"{module}::{function}" if function else module
        super().__init__(f"{where} aborted with {self.name or 'code'} {code}{meaning}", digest)
        self.module: Final = module
        """Name of one of our modules, or `<package>::<module>` of another package."""
        self.code: Final = code
        self.function: Final = function
        """Empty where the endpoint does not tell it."""
        self.command: Final = command
        """Index of the transaction's command that aborted; None where the endpoint does not tell it."""


class Overtaken(Aborted):
    """Somebody was faster, or the state moved: read the chain again, then decide."""


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
