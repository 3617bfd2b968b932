"""What Azure's hosts tell a confidential machine over its link-local address: AMD's certificates, and quotes of TDX.

Source: Microsoft, "Trusted Hardware Identity Management" and "Azure confidential VM guest attestation". Nothing here is
trusted: certificates chain to AMD, quotes to Intel. Untested on hardware.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.intel.quote import MAX_RAW, certificates_in

ENDPOINT: Final = "http://169.254.169.254"
MAX_ANSWER: Final = 2 * MAX_RAW
_TD_REPORT: Final = 1024
_SECONDS: Final = 60.0
"""For a whole answer: one byte a minute is none."""
_CERTIFICATION: Final = "/metadata/THIM/amd/certification"
_TD_QUOTE: Final = "/acc/tdquote"


class AzureMetadata:
    """The service behind `client`, whose base URL is `ENDPOINT`; it must not follow redirects, nor use a proxy."""

    def __init__(self, client: httpx.AsyncClient, seconds: float = _SECONDS) -> None:
        self._client: Final = client
        self._seconds: Final = seconds

    async def amd_chain(self) -> tuple[bytes, ...]:
        """VCEK, ASK and ARK of this machine's chip, DER.

        Raises:
            ProviderError: the service has none.
        """
        answer = await self._ask("GET", _CERTIFICATION, None)
        leaf, above = answer.get("vcekCert"), answer.get("certificateChain")
        if type(leaf) is not str or type(above) is not str:
            raise ProviderError("Azure's metadata service answers without a VCEK and its chain: is this machine a confidential one on AMD?")
        try:
            return tuple(reversed(certificates_in(f"{leaf.strip()}\n{above.strip()}\n".replace("\r", "").encode())))
        except Malformed as error:
            raise ProviderError(f"what Azure's metadata service gives cannot be read: {error}") from error

    async def td_quote(self, report: bytes) -> bytes:
        """A quote of Intel's quoting enclave over the TD report `report`.

        Raises:
            ProviderError: the service makes none.
        """
        body = {"report": base64.urlsafe_b64encode(report[:_TD_REPORT]).rstrip(b"=").decode()}
        quote = (await self._ask("POST", _TD_QUOTE, body)).get("quote")
        if type(quote) is not str:
            raise ProviderError("Azure's metadata service answers without a quote: is this machine a confidential one on TDX?")
        try:
            return base64.urlsafe_b64decode(quote + "=" * (-len(quote) % 4))
        except ValueError:
            raise ProviderError("Azure's metadata service answers with a quote that is not base64url") from None

    async def _ask(self, method: str, path: str, body: Mapping[str, str] | None) -> dict[str, Any]:
        content = bytearray()
        headers = {"Metadata": "true", "Accept-Encoding": "identity"}
        try:
            async with asyncio.timeout(self._seconds), self._client.stream(method, path, json=body, headers=headers) as answer:
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > MAX_ANSWER:
                        raise ProviderError(f"Azure's metadata service answers with more than {MAX_ANSWER} bytes")
        except TimeoutError:
            raise ProviderError(f"Azure's metadata service takes longer than {self._seconds:g} s to answer: try again in a minute") from None
        except httpx.HTTPError as error:
            raise ProviderError(f"Azure's metadata service gives no answer ({type(error).__name__}): is this machine on Azure?") from error
        if answer.status_code != HTTPStatus.OK:
            raise ProviderError(f"Azure's metadata service refuses {path} ({answer.status_code}): try again in a minute")
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if type(found) is not dict:
            raise ProviderError("Azure's metadata service answers with something else than a JSON object")
        return found
