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
            ├── of roster         WrongRosterQueue, QueueFull, BadDepth, AlreadyLaunched
            ├── of statement      BadStatementSignature, ThresholdNotMet, SignersNotSorted
            ├── of commitment     EmptyOutput
            └── of params         BadParams

Two of task are listed under Overtaken, and one of roster. An abort of a module that is not ours is a plain `Aborted`.
"""

from agent.chain.errors.aborts import (
    AlreadyActed,
    AlreadyLaunched,
    AttestationExpired,
    BadCommittee,
    BadDepth,
    BadDigest,
    BadKey,
    BadParams,
    BadReveal,
    BadSeat,
    BadStatementSignature,
    BadWraps,
    ChallengeExpired,
    EmptyOutput,
    EvidenceUriTooLong,
    KindRefused,
    Leaving,
    NoCandidate,
    NoSuchMember,
    NotAdmin,
    NotRequester,
    NotSettled,
    NotYourNode,
    Paused,
    PeriodNotOver,
    PoolFull,
    QueueFull,
    RosterTooSmall,
    SignersNotSorted,
    SimulatedRefused,
    StakeLocked,
    StakeTooSmall,
    StaleHeartbeat,
    StaleTicket,
    ThresholdNotMet,
    TooEarly,
    TooLate,
    Unbonding,
    UriTooLong,
    WrongExecutor,
    WrongNetwork,
    WrongObject,
    WrongPayment,
    WrongPool,
    WrongPoolQueue,
    WrongRosterQueue,
    WrongState,
    WrongVersion,
    aborted,
)
from agent.chain.errors.base import (
    Aborted,
    BadSignature,
    ChainError,
    DeploymentError,
    ExecutionFailed,
    FaucetError,
    InsufficientFunds,
    Malformed,
    NotFound,
    Overtaken,
    Refused,
    Rejected,
    SimulationFailed,
    StaleObject,
    TransactionError,
    Unreachable,
    Unsettled,
    Unsupported,
    WalletError,
    WrongChain,
)

__all__ = [
    "Aborted",
    "AlreadyActed",
    "AlreadyLaunched",
    "AttestationExpired",
    "BadCommittee",
    "BadDepth",
    "BadDigest",
    "BadKey",
    "BadParams",
    "BadReveal",
    "BadSeat",
    "BadSignature",
    "BadStatementSignature",
    "BadWraps",
    "ChainError",
    "ChallengeExpired",
    "DeploymentError",
    "EmptyOutput",
    "EvidenceUriTooLong",
    "ExecutionFailed",
    "FaucetError",
    "InsufficientFunds",
    "KindRefused",
    "Leaving",
    "Malformed",
    "NoCandidate",
    "NoSuchMember",
    "NotAdmin",
    "NotFound",
    "NotRequester",
    "NotSettled",
    "NotYourNode",
    "Overtaken",
    "Paused",
    "PeriodNotOver",
    "PoolFull",
    "QueueFull",
    "Refused",
    "Rejected",
    "RosterTooSmall",
    "SignersNotSorted",
    "SimulatedRefused",
    "SimulationFailed",
    "StakeLocked",
    "StakeTooSmall",
    "StaleHeartbeat",
    "StaleObject",
    "StaleTicket",
    "ThresholdNotMet",
    "TooEarly",
    "TooLate",
    "TransactionError",
    "Unbonding",
    "Unreachable",
    "Unsettled",
    "Unsupported",
    "UriTooLong",
    "WalletError",
    "WrongChain",
    "WrongExecutor",
    "WrongNetwork",
    "WrongObject",
    "WrongPayment",
    "WrongPool",
    "WrongPoolQueue",
    "WrongRosterQueue",
    "WrongState",
    "WrongVersion",
    "aborted",
]
