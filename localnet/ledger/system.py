"""What the ledger itself does: genesis, the clock, randomness, the faucet. Free of gas, recorded like every transaction."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from localnet.ledger.drafts import Draft, Drafts, TypeFacts, collect
from localnet.ledger.encoding import u64
from localnet.ledger.framework import Framework
from localnet.ledger.gas import FREE
from localnet.ledger.model import (
    Address,
    AddressOwner,
    Link,
    Millis,
    Mist,
    Object,
    ObjectId,
    Operation,
    Package,
    SharedOwner,
    SystemKind,
    SystemTransaction,
    TransactionDigest,
    Version,
)
from localnet.ledger.names import CLOCK, CLOCK_ID, RANDOM_ID, SUI_COIN, SUI_PACKAGE, SYSTEM
from localnet.ledger.outcome import Ending, Outcome, settle
from localnet.ledger.packaging import FIRST, make_package, own_types
from localnet.ledger.session import Session
from localnet.ledger.slots import Slot
from localnet.ledger.store import ObjectStore
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.natives.tx_context import derive_id
from localnet.movevm.runtime import TransactionFacts
from localnet.movevm.values import Value

_UNITS: Final = 10**9
"""Gas for system calls, which nobody pays for."""
_GENESIS_VERSION: Final = Version(1)


@dataclass(slots=True)
class SystemSteps:
    """Makes the outcomes; the ledger commits them."""

    vm: VirtualMachine
    store: ObjectStore
    types: TypeFacts
    seed: bytes
    price: Mist
    epoch_start: Millis
    _steps: int = 0
    _round: int = 0

    # ---- genesis

    def genesis(self, framework: Framework) -> Outcome:
        """Packages, the Clock, Random, and the metadata of SUI; Random and metadata are made by the framework's own code."""
        digest = self._digest(SystemKind.GENESIS)
        packages = self._packages(framework, digest)
        session = self._session(digest)
        context: list[Value] = [[SYSTEM, bytearray(digest), 0, self.epoch_start, 0]]
        session.record_new_id(RANDOM_ID)  # `object::randomness_state` conjures the id up
        self._call(session, "random", "create", ((context, 0),))
        # the balance it returns, all SUI there ever is on mainnet, is dropped: here the faucet mints
        self._call(session, "sui", "new", ((context, 0),))
        drafts = collect(session, ())
        clock = CLOCK_ID + u64(self.epoch_start)
        drafts.written[CLOCK_ID] = Draft(
            CLOCK_ID, CLOCK, SharedOwner(_GENESIS_VERSION), clock, None, None, Operation.CREATED
        )
        return self._settle(SystemKind.GENESIS, digest, self.epoch_start, _GENESIS_VERSION, drafts, packages)

    def _packages(self, framework: Framework, digest: TransactionDigest) -> list[Package]:
        packages = []
        for package_id, code in sorted(framework.packages.items()):
            modules = self.vm.load(code)
            named = {module.name: data for module, data in zip(modules, code, strict=True)}
            needed = {ObjectId(address) for module in modules for address, _ in module.dependencies} - {package_id}
            linkage = {each: Link(each, FIRST) for each in sorted(needed)}
            packages.append(make_package(package_id, named, own_types(modules, package_id), linkage, digest))
        return packages

    # ---- every checkpoint

    def clock(self, now: Millis) -> Outcome:
        """Set the Clock."""
        found = self._object(CLOCK_ID)
        digest = self._digest(SystemKind.CLOCK)
        drafts = Drafts()
        drafts.written[CLOCK_ID] = Draft(
            CLOCK_ID, found.type, found.owner, CLOCK_ID + u64(now), None, found, Operation.NONE, found.storage_rebate
        )
        return self._settle(SystemKind.CLOCK, digest, now, Version(found.version + 1), drafts, (), [found])

    def randomness(self, now: Millis) -> Outcome:
        """Renew Random by the framework's own code, from the seeded stream HMAC-SHA3-256(seed, round)."""
        found = self._object(RANDOM_ID)
        digest = self._digest(SystemKind.RANDOMNESS)
        session = self._session(digest)
        slot = Slot(found.type, [self.store.take_value(found)], object=found, dirty=True)
        fresh = hmac.digest(self.seed, b"randomness" + u64(self._round), "sha3_256")
        context: list[Value] = [[SYSTEM, bytearray(digest), 0, self.epoch_start, 0]]
        self._call(session, "random", "update_randomness_state", ((slot.box, 0), self._round, bytearray(fresh), (context, 0)))
        self._round += 1
        drafts = collect(session, [slot])
        for draft in drafts.written.values():  # nobody pays for what grows here, so deposits stay
            draft.rebate = draft.original.storage_rebate if draft.original else Mist(0)
        read = [found, *(child.original for child in session.children.values() if child.original)]
        return self._settle(SystemKind.RANDOMNESS, digest, now, Version(found.version + 1), drafts, (), read)

    # ---- money

    def faucet(self, recipient: Address, amount: Mist, now: Millis) -> Outcome:
        """Mint one coin. Its deposit is minted on top, so that whoever spends the coin gets a rebate as on Sui."""
        digest = self._digest(SystemKind.FAUCET)
        object_id = ObjectId(derive_id(digest, 0))
        value = [[[object_id]], [amount]]
        drafts = Drafts()
        drafts.written[object_id] = Draft(
            object_id, SUI_COIN, AddressOwner(recipient), object_id + u64(amount), value, None, Operation.CREATED
        )
        list(self.types.price(drafts.written.values()))
        return self._settle(SystemKind.FAUCET, digest, now, _GENESIS_VERSION, drafts, ())

    # ---- shared

    def _object(self, object_id: ObjectId) -> Object:
        found = self.store.at(object_id)
        assert isinstance(found, Object)
        return found

    def _digest(self, kind: SystemKind) -> TransactionDigest:
        self._steps += 1
        parts = b"localnet system::" + kind.value.encode() + u64(self._steps) + self.seed
        return TransactionDigest(blake2b(parts, digest_size=32).digest())

    def _session(self, digest: TransactionDigest) -> Session:
        facts = TransactionFacts(SYSTEM, digest, 0, self.epoch_start, self.price, self.price, 0, None)
        return Session(self.vm, self.store, facts, _UNITS)

    def _call(self, session: Session, module: str, name: str, arguments: Iterable[Value]) -> None:
        function = self.vm.linker.function(SUI_PACKAGE, module, name)
        self.vm.call(session, function, (), tuple(arguments))

    def _settle(
        self,
        kind: SystemKind,
        digest: TransactionDigest,
        now: Millis,
        version: Version,
        drafts: Drafts,
        packages: Iterable[Package],
        read: Iterable[Object] = (),
    ) -> Outcome:
        ending = Ending(SystemTransaction(kind, now), digest, version, 0, None, FREE, None)
        return settle(ending, drafts, tuple(packages), {found.id: found for found in read}, self.types)
