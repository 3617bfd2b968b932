"""The tree of `agent.chain.errors` down to `Aborted`."""

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
        meaning = f": {' '.join((type(self).__doc__ or '').split())}" if known else ""
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
