"""From one member's signature to the committee's: the seam through which k-of-n comes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from agent.attestation.committee import Committee
from agent.node.errors import DutyError
from agent.protocol.statements import Statement


@dataclass(frozen=True, slots=True)
class Signatures:
    """What the contract takes: signers by rising index, a signature each."""

    signers: tuple[int, ...]
    signatures: tuple[bytes, ...]


class SignatureCollector(ABC):
    """Finds the other members' signatures under the very same statement."""

    @abstractmethod
    async def collect(self, statement: Statement, signer: int, signature: bytes, committee: Committee) -> Signatures:
        """At least `committee.threshold` signatures, this member's among them.

        Raises:
            ThresholdNotReached: the others have not signed (yet).
        """


class ThresholdNotReached(DutyError):
    """Fewer members signed than the network wants."""


class Alone(SignatureCollector):
    """A committee of which one member is enough."""

    async def collect(self, statement: Statement, signer: int, signature: bytes, committee: Committee) -> Signatures:
        del statement
        if committee.threshold > 1:
            raise ThresholdNotReached(
                f"the network wants {committee.threshold} signatures, this member collects none from others: run a collector that reaches them"
            )
        return Signatures((signer,), (signature,))
