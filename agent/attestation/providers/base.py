"""The seam towards hardware: measure, attest, derive a sealing key."""

from abc import ABC, abstractmethod

from agent.protocol.statements import TeeKind


class EvidenceProvider(ABC):
    """Speaks for one platform about one enclave."""

    @property
    @abstractmethod
    def kind(self) -> TeeKind:
        """The kind of TEE."""

    @property
    @abstractmethod
    def media_type(self) -> str:
        """The media type of the quotes it makes; `Quote.media_type`."""

    @property
    @abstractmethod
    def measurement(self) -> bytes:
        """The platform's measurement of the enclave, as quotes will carry it."""

    @abstractmethod
    async def attest(self, report_data: bytes, nonce: bytes, public_key: bytes) -> bytes:
        """A fresh quote that carries `report_data` (64 bytes), `nonce` (the challenge) and `public_key` (the HPKE key).

        Kinds without fields for the last two carry them through `report_data` alone.

        Raises:
            ProviderError: the platform gives none; the text says what to look at.
        """

    @abstractmethod
    def sealing_key(self, measurement: bytes) -> bytes:
        """32 bytes, the same for this platform and the code `measurement` every time, and for no other.

        Raises:
            ProviderError: the platform gives none for that measurement.
        """
