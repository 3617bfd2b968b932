"""What a requester does about a delivery that is not what it should be: docs/spec/protocol.md §6.

Each complaint costs a bond, is good once, and only in the delivery window. Which one helps follows from the fault:
arbiters of the delivery see only what was published, auditors only what was computed.
"""

from enum import Enum
from typing import Final

from agent.chain.calls import Challenge, ClaimUndelivered, DisputeDelivery, PostOutputKey
from agent.chain.port import Chain
from agent.client.publication import next_calls
from agent.enclave.handoff import wrap_output_key
from agent.protocol.deterrence import challenge_bond, claim_bond
from agent.protocol.lifecycle import Act, awaited, complaints
from agent.protocol.records import Prices, TaskView
from agent.protocol.units import Millis

PATIENCE: Final = 2
"""Nothing delivered is complained of when this part of the window has passed: the blob may be on its way."""


class Fault(Enum):
    """What is wrong with a delivery."""

    MISSING = "no store has the sealed output"
    FORGED = "what was delivered does not open to what the executor committed to"
    MISKEYED = "it opens, but by keys of the executor's own making: no auditor would agree to it"


REMEDIES: Final = {
    Fault.MISSING: (Act.CLAIM_UNDELIVERED,),
    Fault.FORGED: (Act.SUBMIT_OUTPUT, Act.DISPUTE_DELIVERY),
    Fault.MISKEYED: (Act.CHALLENGE,),
}


def remedy(task: TaskView, fault: Fault, now: Millis) -> Act | None:
    """What to do about `fault` at `now` (protocol time); None: nothing now, or nothing that would help."""
    if fault is Fault.MISSING and now < task.deadline - task.params.delivery_ms // PATIENCE:
        return None
    allowed = complaints(task, now)
    return next((act for act in REMEDIES[fault] if act in allowed), None)


class Complainant:
    """Complains by transactions of the requester's wallet."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def act(self, act: Act, task: TaskView, sealed: bytes = b"") -> None:
        """Make the complaint `act`; `sealed` is what was delivered, for SUBMIT_OUTPUT.

        Raises:
            InsufficientFunds: the wallet cannot pay the bond.
            Aborted, TransactionError, …: see `Chain.submit`.
        """
        match act:
            case Act.CHALLENGE:
                await self.challenge(task)
            case Act.CLAIM_UNDELIVERED:
                await self.claim(task)
            case Act.SUBMIT_OUTPUT:
                await self.submit_output(task, sealed)
            case Act.DISPUTE_DELIVERY:
                await self.dispute(task)
            case _:
                raise AssertionError(f"{act} is no complaint")

    async def challenge(self, task: TaskView) -> None:
        """Have a panel drawn for a task that chance did not audit."""
        terms = task.terms
        bond = challenge_bond(task.params, Prices(terms.price, terms.auditor_fee, terms.reservation_fee))
        await self._chain.submit(Challenge(task.id, bond), purpose="challenge")

    async def claim(self, task: TaskView) -> None:
        """Have the executor put its sealed output on chain."""
        await self._chain.submit(ClaimUndelivered(task.id, claim_bond(task.params)), purpose="claim_undelivered")

    async def submit_output(self, task: TaskView, sealed: bytes) -> None:
        """Put the next chunks of the sealed output on chain; those that are up already are left out."""
        await self._chain.submit(*next_calls(task.id, sealed, task.delivery.leaves), purpose="submit_output")

    async def dispute(self, task: TaskView) -> None:
        """Have arbiters judge what was published."""
        await self._chain.submit(DisputeDelivery(task.id, task.params.delivery_bond), purpose="dispute_delivery")

    async def post_output_key(self, task: TaskView, output_sk: bytes, now: Millis) -> bool:
        """Give the arbiters of a dispute the secret of the output key, if they wait for it; returns whether they did.

        Without it the dispute is dropped and its bond lost.
        """
        wanted = awaited(task)
        if wanted is None or wanted.act is not Act.POST_OUTPUT_KEY or not wanted.is_open(now):
            return False
        seats = task.rounds[-1].seats
        wraps = tuple(wrap_output_key(output_sk, task.network, task.id, seat) for seat in seats)
        await self._chain.submit(PostOutputKey(task.id, wraps), purpose="post_output_key")
        return True
