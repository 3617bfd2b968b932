"""Asks a faucet for SUI: localnets and test networks have one, `POST /v2/gas`."""

from dataclasses import dataclass
from typing import Any, Final

import httpx

from agent.chain.errors import FaucetError
from agent.protocol.units import Address, Mist

MAX_ANSWER: Final = 1 << 20
"""Bytes of an answer."""


@dataclass(frozen=True, slots=True)
class Gift:
    """One coin that the faucet sent."""

    coin: str
    amount: Mist
    digest: str
    """The transaction that sent it."""


async def request_gas(
    url: str, recipient: Address, *, amount: Mist | None = None, timeout_s: float = 60.0
) -> tuple[Gift, ...]:
    """Have the faucet at `url` (scheme, host and port) send SUI to `recipient`.

    `amount` is for the faucet of our localnet; others send their fixed amount whatever is asked.

    Raises:
        FaucetError: it refused (often: too many requests), answered with nonsense, or not at all.
    """
    request: dict[str, object] = {"recipient": "0x" + recipient.hex()}
    if amount is not None:
        request["amount"] = amount
    body = {"FixedAmountRequest": request}
    try:
        async with (
            httpx.AsyncClient(timeout=timeout_s) as client,
            client.stream("POST", f"{url.rstrip('/')}/v2/gas", json=body) as answer,
        ):
            content = await _limited(answer)
    except httpx.HTTPError as error:
        raise FaucetError(f"the faucet at {url} does not answer ({error!r}): try again later") from error
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise FaucetError(f"the faucet at {url} gave enough for now: try again later, or use another address")
    if not answer.is_success:
        raise FaucetError(f"the faucet at {url} answered {answer.status_code}: {content[:200].decode(errors='replace')}")
    try:
        return _gifts(httpx.Response(200, content=content).json())
    except (ValueError, KeyError, TypeError) as error:
        raise FaucetError(f"the faucet at {url} answered with what cannot be read ({error!r})") from error


async def _limited(answer: httpx.Response) -> bytes:
    content = b""
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > MAX_ANSWER:
            raise FaucetError(f"the faucet answered with more than {MAX_ANSWER} bytes: do not use it")
    return content


def _gifts(answer: Any) -> tuple[Gift, ...]:
    if answer["status"] != "Success":
        raise FaucetError(f"the faucet refused: {str(answer['status'])[:500]}")
    return tuple(
        Gift(coin=str(each["id"]), amount=Mist(int(each["amount"])), digest=str(each["transferTxDigest"]))
        for each in answer["coins_sent"]
    )
