"""Becoming a node, and ceasing to be one: what the owner of the stake does, by the command line.

These acts move money, so they are made at most once: whoever calls again after a crash gets what the first call did.
"""

from pathlib import Path

from agent.chain.calls import (
    Call,
    ClaimFees,
    Deposit,
    Leave,
    RegisterNode,
    ReplaceNode,
    Retire,
    Unbond,
    Unjail,
    UpdateWeight,
    Withdraw,
    WithdrawUnbonded,
)
from agent.chain.port import Chain, Receipt
from agent.chain.transaction_log import TransactionLog
from agent.node.errors import OwnerRefused, RegistrationError
from agent.node.identity import IDENTITY_FILE, NodeIdentity
from agent.node.submitter import Submitter
from agent.protocol.events import NodeRegistered
from agent.protocol.records import MemberView, NetworkView, PoolView
from agent.protocol.units import Address, Mist, Slot


class Registrar:
    """Acts for the owner of one node with files in `directory`; `chain` submits as the owner and logs to `log`."""

    def __init__(self, directory: Path, chain: Chain, log: TransactionLog) -> None:
        self._directory = directory
        self._chain = chain
        self._submitter = Submitter(chain, log)

    async def register(self, stake: Mist, *, replace: Slot | None = None) -> NodeIdentity:
        """Stake, become a member, and write identity.json; the wallet is owner and operator. Called again, it finds the
        registration instead of making a second one. In a full Pool `replace` names the slot to take, which has to be
        the one that weighs least.

        Raises:
            RegistrationError: the network cannot take this node; nothing was sent.
            ChainError: the chain refused; the text says why.
            StillPending: a registration was sent whose fate is unknown; call again later.
        """
        if (self._directory / IDENTITY_FILE).exists():
            return NodeIdentity.load(self._directory)
        await self._check(stake, replace)
        # What an earlier call sent has to be settled first, or the member it made would not be found.
        await self._chain.recover()
        await self._check_not_member(self._chain.address)
        call = RegisterNode(stake) if replace is None else ReplaceNode(replace, stake)
        receipt = await self._submitter.submit(call, purpose="register")
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

    async def unbond(self, amount: Mist) -> Receipt:
        """Take part of the stake out of the draws; it can be withdrawn after unbonding, and is slashable until then.

        Raises:
            OwnerRefused: it is too much, or some is unbonding already; nothing was sent.
        """
        member, network = await self._member()
        if member.unbonding:
            raise OwnerRefused(f"{member.unbonding} Mist are unbonding already: take them first with `enclavia node withdraw-unbonded`")
        if member.stake - amount < network.params.min_stake:
            raise OwnerRefused(
                f"the stake is {member.stake} Mist and {network.params.min_stake} have to stay: "
                f"unbond at most {max(0, member.stake - network.params.min_stake)}, or `enclavia node leave`"
            )
        return await self._act(Unbond(self._me().owner_cap, amount), name="unbond")

    async def withdraw_unbonded(self) -> Receipt:
        """Get what was unbonded.

        Raises:
            OwnerRefused: nothing is unbonding, or its time is not over; nothing was sent.
        """
        member, network = await self._member()
        if not member.unbonding:
            raise OwnerRefused("nothing is unbonding: `enclavia node unbond AMOUNT` comes first")
        await self._check_time(member.unbonding_at, network, "what is unbonding")
        return await self._act(WithdrawUnbonded(self._me().owner_cap), name="withdraw-unbonded")

    async def leave(self) -> Receipt:
        """Take no new tasks; the stake can be withdrawn after unbonding. The node has to run on until its last task has
        ended.
        """
        return await self._act(Leave(self._me().owner_cap), name="leave")

    async def withdraw(self) -> Receipt:
        """Get the stake back after leaving and unbonding.

        Raises:
            OwnerRefused: it still backs tasks, has not left, or its time is not over; nothing was sent.
        """
        me, network = self._me(), await self._chain.network()
        found = await standing_of(self._chain, me)
        if found is None:
            raise OwnerRefused("the pool has no record of this node any more: it was retired")
        if not found.leaving_at:
            raise OwnerRefused("the node has not left: `enclavia node leave` comes first")
        if found.locked:
            raise OwnerRefused(f"{found.locked} Mist still back tasks: keep the node running until they are settled")
        await self._check_time(found.leaving_at + network.params.unbonding_ms, network, "the stake")
        return await self._act(Withdraw(me.owner_cap), name="withdraw")

    async def retire(self) -> Receipt:
        """Give the empty slot back, and end this node for good."""
        return await self._act(Retire(self._me().owner_cap), name="retire")

    async def unjail(self) -> Receipt:
        """Let the node be drawn again once its time in jail is over.

        Raises:
            OwnerRefused: it is not in jail, or not yet free; nothing was sent.
        """
        member, network = await self._member()
        if not member.jailed_until:
            raise OwnerRefused("the node is not in jail: there is nothing to do")
        await self._check_time(member.jailed_until, network, "the node")
        me = self._me()
        return await self._act(Unjail(me.operator_cap), UpdateWeight(me.slot), name="unjail")

    async def claim_fees(self) -> Receipt:
        """Get what the node has earned."""
        return await self._act(ClaimFees(self._me().owner_cap), name="claim")

    async def _act(self, *calls: Call, name: str) -> Receipt:
        return await self._submitter.submit(*calls, purpose=f"owner:{name}")

    async def _member(self) -> tuple[MemberView, NetworkView]:
        me = self._me()
        member = await self._chain.member(me.slot)
        if member is None or member.node != me.node:
            raise OwnerRefused(
                f"slot {me.slot} is another node's by now: somebody staked more and took it. "
                "`enclavia node withdraw` gets the stake back after unbonding"
            )
        return member, await self._chain.network()

    async def _check_time(self, until: int, network: NetworkView, what: str) -> None:
        now = network.protocol_time(await self._chain.now())
        if now < until:
            raise OwnerRefused(f"{what} is free in {_duration(until - now)}: try again then")

    async def _check(self, stake: Mist, replace: Slot | None) -> None:
        network, pool = await self._chain.network(), await self._chain.pool()
        if stake < network.params.min_stake:
            raise RegistrationError(f"the network wants {network.params.min_stake} Mist at least, [stake] amount is {stake}: raise it")
        if replace is None and _is_full(pool):
            raise RegistrationError("all slots of the pool are taken: choose another pool, or take the slot that weighs least with --replace SLOT")
        if replace is not None and not _is_full(pool):
            raise RegistrationError("the pool has free slots: register without --replace")
        if await self._chain.balance() <= stake:
            raise RegistrationError(f"the wallet cannot pay {stake} Mist and gas: send SUI to 0x{self._chain.address.hex()}")

    async def _check_not_member(self, operator: Address) -> None:
        slot = await self._chain.slot_of(operator)
        member = None if slot is None else await self._chain.member(slot)
        if member is not None:
            raise RegistrationError(
                f"slot {slot} is operated by this address already, as node 0x{member.node.hex()}: "
                "if that is this node and its identity.json was lost, run `enclavia node adopt`"
            )

    def _identity_in(self, receipt: Receipt) -> NodeIdentity:
        event = receipt.event(NodeRegistered)
        operator_cap = receipt.created_one("member::NodeOperatorCap")
        return self._identity(event.slot, event.node, operator_cap.id)

    def _identity(self, slot: Slot, owner_cap: bytes, operator_cap: bytes) -> NodeIdentity:
        network, pool = self._chain.deployment.network.id, self._chain.deployment.pool.id
        return NodeIdentity.of(Address(network), Address(pool), slot, owner_cap, operator_cap)

    def _me(self) -> NodeIdentity:
        me = NodeIdentity.load(self._directory)
        me.check(self._chain.deployment)
        return me


async def standing_of(chain: Chain, me: NodeIdentity) -> MemberView | None:
    """This node's record: in its slot, or, if somebody who staked more took that, among the departed; None: retired."""
    member = await chain.member(me.slot)
    return member if member is not None and member.node == me.node else await chain.departed(me.node)


def _is_full(pool: PoolView) -> bool:
    return pool.next_slot >= pool.slots and not pool.free


def _duration(ms: int) -> str:
    """`ms` as people say it, rounded up."""
    minutes = -(-ms // 60_000)
    if minutes <= 1:
        return f"{-(-ms // 1000)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h" if minutes < 2_880 else f"{minutes / 1_440:.1f} days"
