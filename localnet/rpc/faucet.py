"""The faucet over HTTP, with the requests that Sui's own faucet takes: `POST /v2/gas`."""

from typing import Any, Final

from localnet.ledger.model import Address, Mist, Object
from localnet.movevm.types import long_address
from localnet.rpc.digests import base58
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.node import Node
from localnet.rpc.render.objects import coin_balance
from localnet.rpc.type_tags import parse_address

COINS: Final = 5
AMOUNT: Final = Mist(200_000_000_000)
"""Of each coin, where the request names none; `sui start` gives the same."""
MAX_AMOUNT: Final = 10**18
"""A tenth of all SUI."""


class Faucet:
    """Mints coins for whoever asks."""

    def __init__(self, node: Node) -> None:
        self._node: Final = node

    async def gas(self, body: Any) -> Any:
        """`{"FixedAmountRequest": {"recipient": "0x…", "amount": 1}}`; with an amount one coin, else five of 200 SUI.

        Raises:
            InvalidArgument: the request is of another shape.
        """
        request = body.get("FixedAmountRequest") if isinstance(body, dict) else None
        if not isinstance(request, dict) or not isinstance(request.get("recipient"), str):
            raise InvalidArgument('send {"FixedAmountRequest": {"recipient": "0x…"}}, and "amount" in Mist if you like')
        recipient = Address(parse_address(request["recipient"]))
        amount = request.get("amount")
        if amount is None:
            coins = [self._mint(recipient, AMOUNT) for _ in range(COINS)]
        elif isinstance(amount, int) and not isinstance(amount, bool) and 0 < amount <= MAX_AMOUNT:
            coins = [self._mint(recipient, Mist(amount))]
        else:
            raise InvalidArgument(f"amount is a number of Mist from 1 to {MAX_AMOUNT}")
        return {"status": "Success", "coins_sent": coins}

    def _mint(self, recipient: Address, amount: Mist) -> dict[str, Any]:
        executed = self._node.faucet(recipient, amount)
        created = [executed.after[change.id] for change in executed.effects.created()]
        (coin,) = [thing for thing in created if isinstance(thing, Object)]
        return {
            "amount": coin_balance(coin),
            "id": long_address(coin.id),
            "transferTxDigest": base58(executed.digest),
        }
