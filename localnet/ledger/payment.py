"""The gas coin: smashed from all coins that pay, lent to the program without the budget, charged at the end."""

from dataclasses import dataclass
from typing import Final

from localnet.ledger import gas
from localnet.ledger.checks import balance_of
from localnet.ledger.drafts import Draft, Drafts, Gone
from localnet.ledger.encoding import u64
from localnet.ledger.model import GasSummary, Mist, Object, ObjectId, Operation
from localnet.ledger.names import SUI_COIN
from localnet.ledger.session import id_of
from localnet.ledger.slots import Slot
from localnet.movevm.values import Value

MOCK_COIN: Final = ObjectId(b"\xff" * 32)
"""Pays in simulations that name no coin; effects do not show it."""
_MOCK_BALANCE: Final = 10**18
_COIN_BYTES: Final = 40
_SUI_COIN_TYPE_BYTES: Final = 1
COIN_DEPOSIT: Final = gas.deposit(_SUI_COIN_TYPE_BYTES, _COIN_BYTES)


@dataclass(frozen=True, slots=True)
class Payment:
    """The coins that pay for a transaction; none if it is simulated without."""

    coins: tuple[Object, ...]
    budget: Mist

    def slot(self) -> Slot:
        """The gas coin as the program sees it: the budget is out of its reach, so that it is there afterwards."""
        total = sum(balance_of(coin) for coin in self.coins) if self.coins else _MOCK_BALANCE
        object_id = self.coins[0].id if self.coins else MOCK_COIN
        value = [[[object_id]], [total - self.budget]]
        return Slot(SUI_COIN, [value], object=self.coins[0] if self.coins else None, is_gas=True, dirty=True)

    def smash(self, drafts: Drafts) -> None:
        """All coins but the first are gone, whether the program succeeds or not."""
        drafts.gone.extend(Gone(coin.id, coin, Operation.DELETED) for coin in self.coins[1:])

    def draft(self, coin: Value) -> Draft | None:
        """The gas coin of a program that failed; None for a mock coin."""
        if not self.coins:
            return None
        first = self.coins[0]
        return Draft(
            first.id, first.type, first.owner, bytes(_COIN_BYTES), coin, first, Operation.NONE, COIN_DEPOSIT
        )

    def bill(self, drafts: Drafts, paid: list[Mist], released: list[Mist]) -> gas.StorageBill:
        """The storage bill; a mock coin is billed like a real one, so that a simulation tells the real cost."""
        if not self.coins:
            drafts.written.pop(MOCK_COIN, None)
            paid, released = [*paid, COIN_DEPOSIT], [*released, COIN_DEPOSIT]
        return gas.storage_bill(paid, released)

    def charge(self, coin: Value, drafts: Drafts, summary: GasSummary) -> None:
        """Give the budget back to the coin, less what the transaction cost."""
        draft = drafts.written.get(id_of(coin))
        if draft is not None:
            coin[1][0] += self.budget - summary.net
            draft.contents = id_of(coin) + u64(coin[1][0])
