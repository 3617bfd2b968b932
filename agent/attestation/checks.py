"""The names of the checks that make a verdict, in the order they are made."""

from enum import StrEnum
from typing import Final


class CheckName(StrEnum):
    """What is checked; the value is what people and logs read."""

    SIZE = "size"
    DIGEST = "evidence-digest"
    FORMAT = "format"
    KIND = "kind"
    ROOT = "root"
    CHAIN = "chain"
    VALIDITY = "certificates-valid"
    COLLATERAL = "collateral"
    REVOKED = "not-revoked"
    SIGNATURE = "signature"
    ATTRIBUTES = "attributes"
    SIMULATED = "simulated-allowed"
    DEBUG = "not-debug"
    REPORT_DATA = "report-data"
    NATIVE = "native"
    NONCE = "nonce"
    PUBLIC_KEY = "public-key"
    CHAIN_ID = "binding-chain"
    NETWORK = "binding-network"
    NODE = "binding-node"
    KEY_EPOCH = "binding-key-epoch"
    CHALLENGE = "binding-challenge"
    MANIFEST = "binding-manifest"
    COMMITTEE = "binding-committee"
    HPKE_PK = "binding-hpke-key"
    SIGN_PK = "binding-signing-key"
    POLICY = "policy-active"
    MEASUREMENT = "measurement"
    REJECTED = "not-rejected"
    HARDWARE = "hardware-registered"
    CHIP_KEY = "chip-key"
    REVOCATION_LIST = "revocation-list"
    TCB = "tcb"
    EVALUATION = "tcb-evaluation"
    ADVISORIES = "advisories"
    AGE = "age"
    EXPIRY = "expiry"
    LASTS = "collateral-lasts"
    RECORD = "chain-record"


AUTHENTICATION: Final = (
    CheckName.SIZE,
    CheckName.FORMAT,
    CheckName.KIND,
    CheckName.ROOT,
    CheckName.CHAIN,
    CheckName.VALIDITY,
    CheckName.COLLATERAL,
    CheckName.REVOKED,
    CheckName.SIGNATURE,
    CheckName.ATTRIBUTES,
)
"""Made one after the other; none after the first that fails, because nothing unauthenticated is worth comparing."""

OPTIONAL: Final = frozenset({CheckName.DIGEST, CheckName.RECORD})
"""Made only where there is something to compare with; all others every accepting verdict must show."""

OF_QUOTES: Final = frozenset(
    {
        *AUTHENTICATION,
        CheckName.SIMULATED,
        CheckName.DEBUG,
        CheckName.POLICY,
        CheckName.MEASUREMENT,
        CheckName.REJECTED,
        CheckName.HARDWARE,
        CheckName.CHIP_KEY,
        CheckName.REVOCATION_LIST,
        CheckName.TCB,
        CheckName.EVALUATION,
        CheckName.ADVISORIES,
        CheckName.AGE,
    }
)
"""What acceptance needs of a quote that is judged for itself, bound to nobody; a node's evidence needs the rest as well."""
