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
    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:
        """A fresh quote that carries `user_data` (96 bytes, `binding.user_data`), `nonce` (the challenge) and `public_key`
        (the HPKE key).

        Kinds with room for 64 bytes and nothing else carry the first 64, the report data, to which all the rest is bound.

        Raises:
            ProviderError: the platform gives none; the text says what to look at.
        """

    @abstractmethod
    def sealing_key(self, measurement: bytes) -> bytes:
        """32 bytes, the same for this platform and the code `measurement` every time, and for no other.

        Raises:
            ProviderError: the platform gives none for that measurement.
        """
