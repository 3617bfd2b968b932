"""Puts Enclavia on a chain: publishes the package, creates the Network, creates a Pool.

Three ordinary signed transactions; the UpgradeCap and the AdminCap go to the wallet's address.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from agent.chain.calls import Call, CreateNetwork, CreatePool
from agent.chain.deployment import Deployment, SharedObject
from agent.chain.errors import DeploymentError, Malformed
from agent.chain.port import Receipt
from agent.chain.sui.broadcast import Broadcaster
from agent.chain.sui.chain import SuiSettings, chain_id_of
from agent.chain.sui.effects import receipt_of
from agent.chain.sui.encoding import Known, Needs, encode, needs
from agent.chain.sui.keys import Wallet
from agent.chain.sui.names import FRAMEWORK, from_hex
from agent.chain.sui.pysui_parts import v2
from agent.chain.sui.sender import GasPolicy, Sender
from agent.chain.sui.state import State
from agent.chain.sui.transaction import Transaction
from agent.chain.sui.wire import Endpoint, Wire
from agent.chain.transaction_log import MemoryTransactionLog, TransactionLog, TxDigest
from agent.protocol.bcs import uleb
from agent.protocol.units import Digest, Mist, ObjectId

NOTHING: Final = SharedObject(ObjectId(bytes(32)), 0)
"""Stands in a deployment for what is not created yet."""

UPGRADE_CAP: Final = f"0x{FRAMEWORK.hex()}::package::UpgradeCap"
COMPATIBLE: Final = b"\0"
"""The policy of an upgrade that may change the bodies of functions and add to the package."""


@dataclass(frozen=True, slots=True)
class PackageCode:
    """Compiled modules, in an order in which each comes behind those it uses."""

    modules: tuple[bytes, ...]
    dependencies: tuple[ObjectId, ...]
    digest: bytes | None = None
    """What an upgrade has to name, 32 bytes; the compiler writes it down."""

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `package.json` and the `.mv` files that it names.

        Raises:
            DeploymentError: a file is missing or is no such file.
        """
        try:
            listed = json.loads((directory / "package.json").read_bytes())
            modules = tuple((directory / f"{name}.mv").read_bytes() for name in listed["modules"])
            dependencies = tuple(ObjectId(from_hex(each)) for each in listed["dependencies"])
            digest = bytes.fromhex(listed["digest"])
        except (OSError, ValueError, KeyError, TypeError, Malformed) as error:
            raise DeploymentError(f"{directory} holds no compiled package ({error!r}): compile the contracts") from error
        return cls(modules, dependencies, digest)


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """What a Pool is created with; see `CreatePool`."""

    manifest: Digest
    tee_mask: int
    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    depth: int


class Deployer:
    """One wallet at one endpoint. Close it, or use it with `async with`."""

    def __init__(
        self,
        endpoint: Endpoint,
        wallet: Wallet,
        log: TransactionLog | None = None,
        settings: SuiSettings | None = None,
    ) -> None:
        self._settings = settings or SuiSettings()
        self._wire = Wire(endpoint, answer_s=self._settings.answer_s)
        self._wallet = wallet
        self._log = log or MemoryTransactionLog()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    async def deploy(self, code: PackageCode, network: CreateNetwork, pool: PoolTerms) -> Deployment:
        """Publish `code`, create `network` and one Pool on it.

        Raises:
            As `Chain.submit`. What an earlier step made stays on the chain, unused.
        """
        deployment = await self.publish(code)
        deployment = await self.create_network(deployment, network)
        return await self.create_pool(deployment, pool)

    async def publish(self, code: PackageCode) -> Deployment:
        """A deployment of the package only."""
        chain_id = await chain_id_of(self._wire)
        since = await self._tip()
        empty = Deployment(chain_id, since, NOTHING.id, NOTHING, NOTHING, NOTHING, NOTHING)

        def make(_: Known) -> Transaction:
            transaction = Transaction()
            upgrade_cap = transaction.publish(code.modules, code.dependencies)
            transaction.transfer([transaction.result(upgrade_cap)], self._wallet.address)
            return transaction

        sender = self._sender(empty)
        executed = await sender.send(Needs(frozenset(), frozenset(), Mist(0)), make, "publish package")
        receipt = receipt_of(executed, empty.packages, TxDigest(executed.digest))
        cap = receipt.created_one(UPGRADE_CAP)
        return replace(empty, package=receipt.created_one("package").id, upgrade_cap=cap.id)

    async def upgrade(self, deployment: Deployment, code: PackageCode) -> Deployment:
        """The same objects, called by `code` from now on. `migrate` of Network, Pool and Roster has to follow.

        Raises:
            DeploymentError: the deployment does not name the UpgradeCap, or `code` its digest.
            As `Chain.submit`.
        """
        cap, digest = deployment.upgrade_cap, code.digest
        if cap is None or digest is None:
            missing = "compile the contracts again" if digest is None else "use the deployment file of who deployed"
            raise DeploymentError(f"an upgrade needs the UpgradeCap and the digest of the code: {missing}")

        def make(known: Known) -> Transaction:
            transaction = Transaction()
            held = transaction.owned(known.owned[cap])
            ticket = transaction.call(
                FRAMEWORK, "package::authorize_upgrade", held, transaction.pure(COMPATIBLE), transaction.pure(uleb(len(digest)) + digest)
            )
            receipt = transaction.upgrade(code.modules, code.dependencies, deployment.called, transaction.result(ticket))
            transaction.call(FRAMEWORK, "package::commit_upgrade", held, transaction.result(receipt))
            return transaction

        executed = await self._sender(deployment).send(Needs(frozenset(), frozenset({cap}), Mist(0)), make, "upgrade package")
        receipt = receipt_of(executed, deployment.packages, TxDigest(executed.digest))
        return replace(deployment, code=receipt.created_one("package").id)

    async def create_network(self, deployment: Deployment, network: CreateNetwork) -> Deployment:
        """The same package with a Network of its own."""
        receipt = await self._submit(deployment, network, "create network")
        cap = receipt.created_one("network::AdminCap")
        return replace(deployment, network=_shared(receipt, "network::Network"), admin_cap=cap.id)

    async def create_pool(self, deployment: Deployment, terms: PoolTerms) -> Deployment:
        """The same Network with a Pool, a Roster and its queue.

        Raises:
            DeploymentError: the deployment does not name the AdminCap.
        """
        if deployment.admin_cap is None:
            raise DeploymentError("creating a Pool needs the AdminCap: use the deployment file of who deployed")
        call = CreatePool(
            cap=deployment.admin_cap,
            manifest=terms.manifest,
            tee_mask=terms.tee_mask,
            price=terms.price,
            auditor_fee=terms.auditor_fee,
            reservation_fee=terms.reservation_fee,
            depth=terms.depth,
        )
        receipt = await self._submit(deployment, call, "create pool")
        return replace(
            deployment,
            pool=_shared(receipt, "pool::Pool"),
            roster=_shared(receipt, "roster::Roster"),
            queue=_shared(receipt, "roster::RosterQueue"),
        )

    async def _submit(self, deployment: Deployment, call: Call, purpose: str) -> Receipt:
        def make(known: Known) -> Transaction:
            return encode([call], deployment, self._wallet.address, known)

        executed = await self._sender(deployment).send(needs([call]), make, purpose)
        return receipt_of(executed, deployment.packages, TxDigest(executed.digest))

    def _sender(self, deployment: Deployment) -> Sender:
        settings = self._settings
        state = State(self._wire, deployment)
        broadcaster = Broadcaster(
            self._wire, self._log, settings.pace, attempts=settings.attempts, execute_s=settings.execute_s
        )
        # one transaction at a time needs no lanes
        return Sender(self._wire, self._wallet, state, broadcaster, deployment.packages, GasPolicy(lanes=1))

    async def _tip(self) -> int:
        request = v2.GetServiceInfoRequest()
        answer = await self._wire.call("LedgerService/GetServiceInfo", request, v2.GetServiceInfoResponse)
        return int(answer.checkpoint_height or 0)


def _shared(receipt: Receipt, kind: str) -> SharedObject:
    created = receipt.created_one(kind)
    return SharedObject(created.id, created.version)
