"""The Publish and Upgrade commands: check the modules, give them their address, link them, run `init`, hand out UpgradeCap or receipt.

There is no bytecode verifier here. Modules must come from the Move compiler, which runs it; docs/localnet.md says what that means.
Source: sui-adapter `execution.rs` (execute_move_publish, execute_move_upgrade).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from localnet.ledger.calls import INIT, is_context, one_time_witness
from localnet.ledger.compatibility import UpgradePolicy, differences, same_signature
from localnet.ledger.failures import CommandFailed
from localnet.ledger.model import (
    CommandResult,
    FailureKind,
    ObjectId,
    Package,
    Publish,
    TransactionDigest,
    TypeOrigin,
    Upgrade,
    UpgradeError,
    UpgradeErrorKind,
)
from localnet.ledger.names import UPGRADE_CAP, UPGRADE_RECEIPT, UPGRADE_TICKET
from localnet.ledger.packaging import code_of, linkage_of, make_package, own_types, package_size
from localnet.ledger.session import Session
from localnet.ledger.slots import Slot, Slots
from localnet.movevm.bytecode.module import Module, Visibility
from localnet.movevm.bytecode.parser import parse_module, with_address
from localnet.movevm.errors import LinkError, MalformedModule, NonZeroAddress
from localnet.movevm.linker import Linker
from localnet.movevm.natives.types import is_witness_type
from localnet.movevm.packages import package_digest
from localnet.movevm.types import short_address
from localnet.movevm.values import Ref

MAX_PACKAGE: Final = 100 * 1024
"""Bytes of a whole package, as on Sui."""
MAX_MODULES: Final = 64
_BYTES_PER_UNIT: Final = 10


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes on behalf of a transaction; `published` is for whoever must undo or record it."""

    session: Session
    slots: Slots
    context: Ref
    published: list[Package]
    digest: TransactionDigest

    def publish(self, command: Publish) -> tuple[list[Slot], CommandResult]:
        """Run one command.

        Raises:
            CommandFailed, MoveError
        """
        session = self.session
        self._charge(command.modules)
        package_id = ObjectId(session.fresh_id())
        code, modules = _placed(command.modules, package_id)
        linkage = linkage_of(modules, package_id, self._packages(command.dependencies))
        package = make_package(package_id, code, own_types(modules, package_id), linkage, self.digest)
        linked = self._load(package)
        for module in linked:
            self._run_init(module)
        value = [[[session.fresh_id()]], [package_id], int(package.version), int(UpgradePolicy.COMPATIBLE)]
        return [Slot(UPGRADE_CAP, [value])], CommandResult((self.slots.typed(UPGRADE_CAP, value),))

    def upgrade(self, command: Upgrade) -> tuple[list[Slot], CommandResult]:
        """Run one command. Nothing of the new version runs now, `init` neither.

        Raises:
            CommandFailed, MoveError
        """
        self._charge(command.modules)
        (cap,), (named,), policy, digest = self.slots.take(self.slots.find(command.ticket, 0), 0, UPGRADE_TICKET)
        if named != command.package:
            message = f"the ticket is for {short_address(named)}, the command names {short_address(command.package)}"
            kind = UpgradeErrorKind.PACKAGE_ID_DOES_NOT_MATCH
            raise _refused(message, UpgradeError(kind, package=command.package, ticket=ObjectId(named)))
        computed = package_digest(command.modules, command.dependencies)
        if bytes(digest) != computed:
            message = f"the ticket is for other modules or dependencies: authorize {computed.hex()}"
            raise _refused(message, UpgradeError(UpgradeErrorKind.DIGEST_DOES_NOT_MATCH, digest=computed))
        (current,) = self._packages([command.package])
        code, modules = _placed(command.modules, current.original_id)
        storage_id = ObjectId(self.session.fresh_id())
        linkage = linkage_of(modules, current.original_id, self._packages(command.dependencies))
        origins = _inherited(current, modules, storage_id)
        _check_policy(current, modules, policy)
        package = make_package(storage_id, code, origins, linkage, self.digest, predecessor=current)
        self._load(package)
        value = [[cap], [storage_id]]
        return [Slot(UPGRADE_RECEIPT, [value])], CommandResult((self.slots.typed(UPGRADE_RECEIPT, value),))

    def _charge(self, modules: Sequence[bytes]) -> None:
        size = sum(map(len, modules))
        if not modules or len(modules) > MAX_MODULES or size > MAX_PACKAGE:
            message = f"a package of {len(modules)} modules and {size} bytes, at most {MAX_MODULES} and {MAX_PACKAGE}"
            raise CommandFailed(FailureKind.MOVE_PACKAGE_TOO_BIG, message, indices=(size, MAX_PACKAGE))
        self.session.charge(size // _BYTES_PER_UNIT)

    def _packages(self, storage_ids: Iterable[ObjectId]) -> list[Package]:
        found = []
        for storage_id in dict.fromkeys(storage_ids):
            package = self.session.store.get(storage_id)
            if not isinstance(package, Package):
                message = f"package {short_address(storage_id)} is not published"
                raise CommandFailed(FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY, message)
            found.append(package)
        return found

    def _load(self, package: Package) -> list[Module]:
        size = package_size(package.modules, package.type_origins, package.linkage)
        if size > MAX_PACKAGE:
            message = f"a package of {size} bytes with its tables, at most {MAX_PACKAGE}"
            raise CommandFailed(FailureKind.MOVE_PACKAGE_TOO_BIG, message, indices=(size, MAX_PACKAGE))
        self.published.append(package)
        linker = self.session.vm.linker
        linked = linker.add(code_of(package))
        for module in linked:
            check_links(module, linker)
        return linked

    def _run_init(self, module: Module) -> None:
        init = module.functions.get(INIT)
        if init is None:
            return
        vm, parameters = self.session.vm, init.handle.parameters
        witness = one_time_witness(init) if parameters else None
        wanted = 1 if witness is None else 2
        if (
            init.visibility is not Visibility.PRIVATE
            or init.handle.returns
            or len(parameters) != wanted
            or not is_context(parameters[-1])
            or (witness is not None and not is_witness_type(vm, witness))
        ):
            message = f"{module.name}::init must be private and take a one-time witness, if any, and the TxContext"
            raise CommandFailed(FailureKind.SUI_MOVE_VERIFICATION_ERROR, message)
        self.session.caller = (ObjectId(module.address), module.name)
        vm.call(self.session, init, (), [self.context] if witness is None else [[True], self.context])


def check_links(module: Module, linker: Linker) -> None:
    """Check that what `module` uses of other modules is there, as it expects it. Raises LinkError."""
    for handle in module.foreign_datatypes:
        declared = linker.module(handle.address, handle.module).datatypes.get(handle.name)
        if declared is None or declared.handle != handle:
            raise LinkError(f"{module.name} needs another {handle.module}::{handle.name} than there is")
    for wanted in module.foreign_functions:
        function = linker.function(wanted.address, wanted.module, wanted.name)
        friendly = wanted.address == module.address and function.visibility is Visibility.FRIEND
        if not friendly and function.visibility is not Visibility.PUBLIC:
            raise LinkError(f"{module.name} calls {wanted.module}::{wanted.name}, which is not public")
        if not same_signature(wanted, function.handle):
            raise LinkError(f"{module.name} expects another signature of {wanted.module}::{wanted.name} than it has")


def _placed(raw: Iterable[bytes], original_id: ObjectId) -> tuple[dict[str, bytes], list[Module]]:
    """Bytecode by module name, and parsed, under the address of the package's first version."""
    code: dict[str, bytes] = {}
    modules: list[Module] = []
    for data in raw:
        try:
            placed = with_address(data, original_id)
            module = parse_module(placed)
        except NonZeroAddress as elsewhere:
            raise CommandFailed(FailureKind.PUBLISH_ERROR_NON_ZERO_ADDRESS, str(elsewhere)) from elsewhere
        except MalformedModule as malformed:
            kind = FailureKind.VM_VERIFICATION_OR_DESERIALIZATION_ERROR
            raise CommandFailed(kind, str(malformed)) from malformed
        if module.name in code:
            raise CommandFailed(
                FailureKind.VM_VERIFICATION_OR_DESERIALIZATION_ERROR, f"module {module.name} is there twice"
            )
        code[module.name] = placed
        modules.append(module)
    return code, modules


def _inherited(current: Package, modules: Sequence[Module], storage_id: ObjectId) -> tuple[TypeOrigin, ...]:
    """Types that were there keep their names, new ones are named after the new version."""
    known = {(origin.module, origin.name): origin.package for origin in current.type_origins}
    return tuple(
        TypeOrigin(module.name, name, known.get((module.name, name), storage_id))
        for module in modules
        for name in module.datatypes
    )


def _check_policy(current: Package, modules: Sequence[Module], policy: int) -> None:
    try:
        known = UpgradePolicy(policy)
    except ValueError:
        error = UpgradeError(UpgradeErrorKind.UNKNOWN_UPGRADE_POLICY, policy=policy)
        raise _refused(f"{policy} is no upgrade policy", error) from None
    old = {name: parse_module(data) for name, data in current.modules.items()}
    wrong = next(differences(old, {module.name: module for module in modules}, known), None)
    if wrong is not None:
        raise _refused(f"the policy {known.name} forbids it: {wrong}", UpgradeError(UpgradeErrorKind.INCOMPATIBLE_UPGRADE))
    for module in modules:
        if module.name not in old and INIT in module.functions:
            raise CommandFailed(FailureKind.FEATURE_NOT_YET_SUPPORTED, f"{module.name} is new and has an init, which no upgrade runs")


def _refused(message: str, error: UpgradeError) -> CommandFailed:
    return CommandFailed(FailureKind.PACKAGE_UPGRADE_ERROR, message, upgrade=error)
