"""Which exit code an expected failure has."""

from agent.attestation.errors import AttestationError
from agent.chain.errors import ChainError, DeploymentError, WalletError
from agent.cli.demo.options import DemoError
from agent.client.errors import ClientError
from agent.delivery.errors import BlobError
from agent.enclave.errors import EnclaveError
from agent.node.errors import ConfigError, IdentityError, NodeError

USAGE = 2
OTHER_SIDE = 3


def texts(error: BaseException) -> tuple[str, ...]:
    """What people read of `error`: its text, or those of the errors in a group, each once."""
    if isinstance(error, BaseExceptionGroup):
        return tuple(dict.fromkeys(text for each in error.exceptions for text in texts(each)))
    return (str(error),)


def exit_code(error: BaseException) -> int | None:
    """The code of an error that people can act upon; None for a bug."""
    if isinstance(error, BaseExceptionGroup):
        codes = [exit_code(each) for each in error.exceptions]
        return None if None in codes else max(code for code in codes if code is not None)
    if isinstance(error, (ConfigError, IdentityError, WalletError, DeploymentError)):
        return USAGE
    if isinstance(error, (ChainError, NodeError, EnclaveError, BlobError, ClientError, AttestationError, DemoError)):
        return OTHER_SIDE
    return None
