"""Attestation documents of AWS Nitro enclaves, from `/dev/nsm` (aws-nitro-enclaves-nsm-api; Linux drivers/misc/nsm.c).

A request and its answer are CBOR, in two buffers that one structure of addresses and lengths names. Untested on hardware.
"""

import ctypes
import errno
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from agent.attestation import cbor
from agent.attestation.binding import USER_DATA_BYTES
from agent.attestation.cose import Sign1
from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.nitro import MAX_PUBLIC_KEY, MAX_USER_DATA, MEDIA_TYPE, Document
from agent.attestation.providers.answering import answered
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.ioctls import Ioctl, ask, system_ioctl
from agent.protocol.statements import TeeKind

DEVICE: Final = Path("/dev/nsm")
_WHO: Final = "the security module"
MAX_REQUEST: Final = 0x1000
MAX_RESPONSE: Final = 0x3000
"""Bytes; the kernel's own limits."""

IOCTL_RAW: Final = 0xC0200A00
"""_IOWR(0x0A, 0, struct nsm_raw)."""

_PCR_SIZES: Final = frozenset({32, 48, 64})
_SECONDS: Final = 150.0
"""The kernel itself waits 120 s for the hypervisor."""


class NsmRaw(ctypes.Structure):
    """`struct nsm_raw`: two `struct nsm_iovec`."""

    _fields_ = (
        ("request_address", ctypes.c_uint64),
        ("request_length", ctypes.c_uint64),
        ("response_address", ctypes.c_uint64),
        ("response_length", ctypes.c_uint64),
    )


class Nsm:
    """The security module of the enclave that this runs in."""

    def __init__(self, device: Path = DEVICE, ioctl: Ioctl = system_ioctl) -> None:
        self._device: Final = device
        self._ioctl: Final = ioctl

    def document(self, *, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:
        """A signed attestation document, COSE_Sign1.

        Raises:
            ProviderError: the module gives none.
        """
        limits = (("user data", user_data, MAX_USER_DATA), ("nonce", nonce, MAX_USER_DATA), ("public key", public_key, MAX_PUBLIC_KEY))
        for name, value, limit in limits:
            if len(value) > limit:
                raise ProviderError(f"{name} of {len(value)} bytes, the security module takes {limit}")
        asked = {"user_data": user_data, "nonce": nonce, "public_key": public_key}
        match self._ask({"Attestation": asked}):
            case {"Attestation": {"document": bytes(document)}} if document:
                return document
            case answer:
                raise _refused("a document", answer)

    def register(self, index: int) -> bytes:
        """The value of PCR `index`.

        Raises:
            ProviderError: the module does not tell.
        """
        match self._ask({"DescribePCR": {"index": index}}):
            case {"DescribePCR": {"data": bytes(value)}} if len(value) in _PCR_SIZES:
                return value
            case answer:
                raise _refused(f"PCR{index}", answer)

    def _ask(self, request: Any) -> Any:
        content = cbor.encode(request)
        if len(content) > MAX_REQUEST:
            raise ProviderError(f"request of {len(content)} bytes, the security module takes {MAX_REQUEST}")
        sent, received = ctypes.create_string_buffer(content, len(content)), ctypes.create_string_buffer(MAX_RESPONSE)
        raw = NsmRaw(ctypes.addressof(sent), len(content), ctypes.addressof(received), MAX_RESPONSE)
        try:
            ask(self._device, IOCTL_RAW, raw, self._ioctl)
        except OSError as error:
            hint = "the request or answer is larger than the kernel takes" if error.errno == errno.EMSGSIZE else "look at the enclave's console"
            raise ProviderError(f"{self._device} refuses the request ({error.strerror}): {hint}") from error
        if raw.response_length > MAX_RESPONSE:
            raise ProviderError(f"{self._device} claims an answer of {raw.response_length} bytes, at most {MAX_RESPONSE}")
        try:
            return cbor.decode(received.raw[: raw.response_length], strict=False)
        except Malformed as error:
            raise ProviderError(f"{self._device} answers something else than CBOR: {error}") from error


class NitroProvider(EvidenceProvider):
    """An AWS Nitro enclave."""

    def __init__(self, nsm: Nsm, measurement: bytes, seconds: float) -> None:
        self._nsm = nsm
        self._measurement = measurement
        self._seconds = seconds

    @classmethod
    async def open(cls, nsm: Nsm | None = None, seconds: float = _SECONDS) -> Self:
        """The provider of the enclave that this runs in.

        Raises:
            ProviderError: this is none, or one in debug mode: its PCR0 is zero, and no policy takes it.
        """
        nsm = nsm or Nsm()
        measurement = await answered(partial(nsm.register, 0), seconds, _WHO)
        if not any(measurement):
            raise ProviderError("the enclave runs in debug mode, where everybody reads its console: start it without --debug-mode")
        return cls(nsm, measurement, seconds)

    @property
    def kind(self) -> TeeKind:
        return TeeKind.NITRO

    @property
    def media_type(self) -> str:
        return MEDIA_TYPE

    @property
    def measurement(self) -> bytes:
        return self._measurement

    async def attest(self, user_data: bytes, nonce: bytes, public_key: bytes) -> bytes:
        if len(user_data) != USER_DATA_BYTES:
            raise ProviderError(f"user data has {USER_DATA_BYTES} bytes, not {len(user_data)}: `binding.user_data` makes it")
        ask = partial(self._nsm.document, user_data=user_data, nonce=nonce, public_key=public_key)
        raw = await answered(ask, self._seconds, _WHO)
        try:
            document = Document.decode(Sign1.decode(raw).payload)
        except Malformed as error:
            raise ProviderError(f"the security module's document cannot be read: {error}") from error
        if (document.user_data, document.nonce, document.public_key) != (user_data, nonce, public_key):
            raise ProviderError("the security module's document carries other data than asked for: is this device AWS's?")
        if document.pcrs.get(0) != self._measurement:
            raise ProviderError("the security module's document measures another image than PCR0 at the start: start the enclave anew")
        return raw

    def sealing_key(self, measurement: bytes) -> bytes:  # noqa: ARG002  the seam
        raise ProviderError("Nitro derives no sealing keys: use AWS KMS with a condition on PCR0, or let the enclave make new keys at each start")


def _refused(what: str, answer: Any) -> ProviderError:
    match answer:
        case {"Error": str(error)}:
            return ProviderError(f"the security module gives no {what}: {error[:80]}")
        case _:
            return ProviderError(f"the security module answers the question for {what} with something else")
