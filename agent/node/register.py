"""Becoming a node, and ceasing to be one: what the owner of the stake does, by the command line.

These acts move money, so they are made at most once: whoever calls again after a crash gets what the first call did.
"""

from pathlib import Path

from agent.chain.calls import Call, ClaimFees, Deposit, Leave, RegisterNode, UpdateWeight, Withdraw
from agent.chain.port import Chain, Receipt
from agent.chain.transaction_log import TransactionLog
from agent.node.errors import RegistrationError
from agent.node.identity import IDENTITY_FILE, NodeIdentity
from agent.node.submitter import Submitter
from agent.protocol.events import NodeRegistered
from agent.protocol.units import Address, Mist, Slot


class Registrar:
    """Acts for the owner of one node with files in `directory`; `chain` submits as the owner and logs to `log`."""

    def __init__(self, directory: Path, chain: Chain, log: TransactionLog) -> None:
        self._directory = directory
        self._chain = chain
        self._submitter = Submitter(chain, log)

    async def register(self, operator: Address, stake: Mist) -> NodeIdentity:
        """Stake, become a member, and write identity.json. Called again, it finds the registration instead of making a
        second one.

        Raises:
            RegistrationError: the network cannot take this node; nothing was sent.
            ChainError: the chain refused; the text says why.
            StillPending: a registration was sent whose fate is unknown; call again later.
        """
        if (self._directory / IDENTITY_FILE).exists():
            return NodeIdentity.load(self._directory)
        await self._check(stake)
        # What an earlier call sent has to be settled first, or the member it made would not be found.
        await self._chain.recover()
        await self._check_not_member(operator)
        receipt = await self._submitter.submit(RegisterNode(operator, stake), purpose="register")
        identity = self._identity_in(receipt)
        identity.save(self._directory)
        return identity

    async def adopt(self, owner_cap: bytes, operator_cap: bytes, slot: Slot) -> NodeIdentity:
        """Write identity.json for a node that is a member already, such as after the file was lost.

        Raises:
            RegistrationError: the slot is not of the node that the owner's cap names.
        """
        member = await self._chain.member(slot)
        if member is None or member.node != owner_cap:
            raise RegistrationError(f"slot {slot} is not of node 0x{owner_cap.hex()}: look the slot up in the event NodeRegistered")
        identity = self._identity(slot, owner_cap, operator_cap)
        identity.save(self._directory)
        return identity

    async def add_stake(self, amount: Mist) -> Receipt:
        """Stake more; it counts in draws from the next period on."""
        me = self._me()
        return await self._act(Deposit(me.slot, amount), UpdateWeight(me.slot), name="deposit")

    async def leave(self) -> Receipt:
        """Take no new tasks; the stake can be withdrawn after unbonding. The node has to run on until its last task has
        ended.
        """
        return await self._act(Leave(self._me().owner_cap), name="leave")

    async def withdraw(self) -> Receipt:
        """Get the stake back after unbonding."""
        return await self._act(Withdraw(self._me().owner_cap), name="withdraw")

    async def claim_fees(self) -> Receipt:
        """Get what the node has earned."""
        return await self._act(ClaimFees(self._me().owner_cap), name="claim")

    async def _act(self, *calls: Call, name: str) -> Receipt:
        return await self._submitter.submit(*calls, purpose=f"owner:{name}")

    async def _check(self, stake: Mist) -> None:
        network, pool = await self._chain.network(), await self._chain.pool()
        if stake < network.params.min_stake:
            raise RegistrationError(f"the network wants {network.params.min_stake} Mist at least, [stake] amount is {stake}: raise it")
        if pool.next_slot >= pool.slots:
            raise RegistrationError("all slots of the pool are taken: choose another pool")
        if await self._chain.balance() <= stake:
            raise RegistrationError(f"the wallet cannot pay {stake} Mist and gas: send SUI to 0x{self._chain.address.hex()}")

    async def _check_not_member(self, operator: Address) -> None:
        pool = await self._chain.pool()
        for slot in range(pool.next_slot):
            member = await self._chain.member(Slot(slot))
            if member is not None and member.operator == operator and not member.leaving_at:
                raise RegistrationError(
                    f"slot {slot} is operated by this address already, as node 0x{member.node.hex()}: "
                    "if that is this node and its identity.json was lost, run `enclavia node adopt`"
                )

    def _identity_in(self, receipt: Receipt) -> NodeIdentity:
        event = receipt.event(NodeRegistered)
        operator_cap = receipt.created_one("pool::NodeOperatorCap")
        return self._identity(event.slot, event.node, operator_cap.id)

    def _identity(self, slot: Slot, owner_cap: bytes, operator_cap: bytes) -> NodeIdentity:
        network, pool = self._chain.deployment.network.id, self._chain.deployment.pool.id
        return NodeIdentity.of(Address(network), Address(pool), slot, owner_cap, operator_cap)

    def _me(self) -> NodeIdentity:
        me = NodeIdentity.load(self._directory)
        me.check(self._chain.deployment)
        return me
