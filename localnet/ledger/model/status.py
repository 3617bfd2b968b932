"""How a transaction failed."""

from dataclasses import dataclass
from enum import Enum

from localnet.ledger.model.ids import ObjectId
from localnet.movevm.errors import Location


class FailureKind(Enum):
    """Sui's ExecutionFailureStatus, of which the value is the BCS variant."""

    INSUFFICIENT_GAS = 0
    INVALID_GAS_OBJECT = 1
    INVARIANT_VIOLATION = 2
    FEATURE_NOT_YET_SUPPORTED = 3
    MOVE_OBJECT_TOO_BIG = 4
    MOVE_PACKAGE_TOO_BIG = 5
    CIRCULAR_OBJECT_OWNERSHIP = 6
    INSUFFICIENT_COIN_BALANCE = 7
    COIN_BALANCE_OVERFLOW = 8
    PUBLISH_ERROR_NON_ZERO_ADDRESS = 9
    SUI_MOVE_VERIFICATION_ERROR = 10
    MOVE_PRIMITIVE_RUNTIME_ERROR = 11
    MOVE_ABORT = 12
    VM_VERIFICATION_OR_DESERIALIZATION_ERROR = 13
    VM_INVARIANT_VIOLATION = 14
    FUNCTION_NOT_FOUND = 15
    ARITY_MISMATCH = 16
    TYPE_ARITY_MISMATCH = 17
    NON_ENTRY_FUNCTION_INVOKED = 18
    COMMAND_ARGUMENT_ERROR = 19
    TYPE_ARGUMENT_ERROR = 20
    UNUSED_VALUE_WITHOUT_DROP = 21
    INVALID_PUBLIC_FUNCTION_RETURN_TYPE = 22
    INVALID_TRANSFER_OBJECT = 23
    EFFECTS_TOO_LARGE = 24
    PUBLISH_UPGRADE_MISSING_DEPENDENCY = 25
    PUBLISH_UPGRADE_DEPENDENCY_DOWNGRADE = 26
    PACKAGE_UPGRADE_ERROR = 27
    WRITTEN_OBJECTS_TOO_LARGE = 28
    SHARED_OBJECT_OPERATION_NOT_ALLOWED = 31


class ArgumentErrorKind(Enum):
    """Sui's CommandArgumentError, of which the value is the BCS variant."""

    TYPE_MISMATCH = 0
    INVALID_BCS_BYTES = 1
    INVALID_USAGE_OF_PURE_ARG = 2
    INVALID_ARGUMENT_TO_PRIVATE_ENTRY_FUNCTION = 3
    INDEX_OUT_OF_BOUNDS = 4
    SECONDARY_INDEX_OUT_OF_BOUNDS = 5
    INVALID_RESULT_ARITY = 6
    INVALID_GAS_COIN_USAGE = 7
    INVALID_VALUE_USAGE = 8
    INVALID_OBJECT_BY_VALUE = 9
    INVALID_OBJECT_BY_MUT_REF = 10
    SHARED_OBJECT_OPERATION_NOT_ALLOWED = 11


class UpgradeErrorKind(Enum):
    """Sui's PackageUpgradeError, of which the value is the BCS variant."""

    UNABLE_TO_FETCH_PACKAGE = 0
    NOT_A_PACKAGE = 1
    INCOMPATIBLE_UPGRADE = 2
    DIGEST_DOES_NOT_MATCH = 3
    UNKNOWN_UPGRADE_POLICY = 4
    PACKAGE_ID_DOES_NOT_MATCH = 5


@dataclass(frozen=True, slots=True)
class UpgradeError:
    """What is wrong with an upgrade, with what Sui's status carries of it."""

    kind: UpgradeErrorKind
    package: ObjectId | None = None
    """With the first two, and with PACKAGE_ID_DOES_NOT_MATCH: what the command names."""
    ticket: ObjectId | None = None
    """With PACKAGE_ID_DOES_NOT_MATCH: the package that the ticket names."""
    digest: bytes = b""
    """With DIGEST_DOES_NOT_MATCH: of what was given."""
    policy: int | None = None
    """With UNKNOWN_UPGRADE_POLICY."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a transaction failed. Nothing but gas changed."""

    kind: FailureKind
    command: int | None
    """Index of the command that failed; None if none did (gas, sizes, leftover values)."""
    message: str
    """For people."""
    abort_code: int | None = None
    """With MOVE_ABORT only."""
    location: Location | None = None
    """With MOVE_ABORT, and MOVE_PRIMITIVE_RUNTIME_ERROR where known."""
    argument: int | None = None
    """With COMMAND_ARGUMENT_ERROR and TYPE_ARGUMENT_ERROR: which one."""
    argument_error: ArgumentErrorKind | None = None
    """With COMMAND_ARGUMENT_ERROR only."""
    indices: tuple[int, ...] = ()
    """What else Sui's status carries: command and result of an unused or missing value; size and limit of what is too big."""
    upgrade: UpgradeError | None = None
    """With PACKAGE_UPGRADE_ERROR only."""
