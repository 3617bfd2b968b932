"""Evidence without hardware."""

from collections.abc import Callable

from agent.attestation.binding import USER_DATA_BYTES
from agent.attestation.errors import ProviderError
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.simulated import MEDIA_TYPE
from agent.attestation.simulated_platform import SimulatedPlatform
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis


class SimulatedProvider(EvidenceProvider):
    """Signs whatever it is told with a simulated platform's key; the machine that runs it is its own judge."""

    def __init__(self, platform: SimulatedPlatform, measurement: bytes, now: Callable[[], Millis]) -> None:
        self._platform = platform
        self._measurement = measurement
        self._now = now

    @property
    def kind(self) -> TeeKind:
        return TeeKind.SIMULATED

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    @property
    def measurement(self) -> bytes:
        return self._measurement

    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:
        if len(user_data) != USER_DATA_BYTES:
            raise ProviderError(f"user data has {USER_DATA_BYTES} bytes, not {len(user_data)}: `binding.user_data` makes it")
        return self._platform.document(
            self._measurement, self._now(), user_data=user_data, nonce=nonce, public_key=public_key
        )

    def sealing_key(self, measurement: bytes) -> bytes:
        # hardware derives a key for the code that asks, never for other code
        if measurement != self._measurement:
            raise ProviderError("the platform derives sealing keys for the code it measured only")
        return self._platform.sealing_key(measurement)
