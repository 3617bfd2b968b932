"""The Publish command: check the modules, give them their address, run `init`, hand out the UpgradeCap.

There is no bytecode verifier here. Modules must come from the Move compiler, which runs it; docs/localnet.md says what that means.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from localnet.ledger.calls import INIT, is_context, one_time_witness
from localnet.ledger.encoding import encode_package, object_digest
from localnet.ledger.failures import CommandFailed
from localnet.ledger.gas import package_deposit
from localnet.ledger.model import CommandResult, FailureKind, ObjectId, Package, Publish, TransactionDigest, Version
from localnet.ledger.names import UPGRADE_CAP
from localnet.ledger.session import Session
from localnet.ledger.slots import Slot, Slots
from localnet.movevm.bytecode.module import Module, Visibility
from localnet.movevm.bytecode.parser import parse_module, with_address
from localnet.movevm.errors import LinkError, MalformedModule
from localnet.movevm.linker import Linker
from localnet.movevm.natives.types import is_witness_type
from localnet.movevm.types import short_address
from localnet.movevm.values import Ref

MAX_PACKAGE: Final = 100 * 1024
"""Bytes of all modules, as on Sui."""
MAX_MODULES: Final = 64
_BYTES_PER_UNIT: Final = 10
_UPGRADE_ANYTHING: Final = 0
"""UpgradePolicy of a fresh UpgradeCap."""


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
        size = sum(map(len, command.modules))
        if not command.modules or len(command.modules) > MAX_MODULES or size > MAX_PACKAGE:
            message = f"a package of {len(command.modules)} modules and {size} bytes, at most {MAX_MODULES} and {MAX_PACKAGE}"
            raise CommandFailed(FailureKind.MOVE_PACKAGE_TOO_BIG, message, indices=(size, MAX_PACKAGE))
        session.charge(size // _BYTES_PER_UNIT)
        package_id = ObjectId(session.fresh_id())
        code, modules = self._parse(command.modules, package_id)
        self._check_dependencies(modules, command.dependencies, package_id)
        package = make_package(package_id, code, modules, self._linkage(command.dependencies), self.digest)
        self.published.append(package)
        session.vm.linker.add(modules)
        for module in modules:
            check_links(module, session.vm.linker)
        for module in modules:
            self._run_init(module)
        value = [[[session.fresh_id()]], [package_id], 1, _UPGRADE_ANYTHING]
        return [Slot(UPGRADE_CAP, [value])], CommandResult((self.slots.typed(UPGRADE_CAP, value),))

    def _parse(self, raw: Iterable[bytes], package_id: ObjectId) -> tuple[dict[str, bytes], list[Module]]:
        code: dict[str, bytes] = {}
        modules: list[Module] = []
        for data in raw:
            try:
                placed = with_address(data, package_id)
                module = parse_module(placed)
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

    def _check_dependencies(self, modules: Sequence[Module], named: Sequence[ObjectId], package_id: ObjectId) -> None:
        for module in modules:
            for address, name in module.dependencies:
                known = address == package_id or address in named
                if not known or (address != package_id and not isinstance(self.session.store.get(ObjectId(address)), Package)):
                    raise CommandFailed(
                        FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY,
                        f"{module.name} needs {short_address(address)}::{name}, whose package is not among the dependencies "
                        "or is not published: publish it first",
                    )

    def _linkage(self, dependencies: Sequence[ObjectId]) -> dict[ObjectId, Version]:
        linkage: dict[ObjectId, Version] = {}
        for dependency in dependencies:
            package = self.session.store.get(dependency)
            if not isinstance(package, Package):
                message = f"dependency {short_address(dependency)} is not published"
                raise CommandFailed(FailureKind.PUBLISH_UPGRADE_MISSING_DEPENDENCY, message)
            linkage[dependency] = package.version
            linkage.update(package.linkage)
        return linkage

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


def make_package(
    package_id: ObjectId,
    code: Mapping[str, bytes],
    modules: Iterable[Module],
    linkage: Mapping[ObjectId, Version],
    digest: TransactionDigest,
) -> Package:
    """The object that a package is."""
    version = Version(1)
    rebate = package_deposit(sum(map(len, code.values())))
    names = [(module.name, name) for module in modules for name in module.datatypes]
    encoded = encode_package(package_id, version, code, names, linkage, digest, rebate)
    return Package(package_id, version, code, linkage, digest, rebate, object_digest(encoded))


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
        if function.handle != wanted:
            raise LinkError(f"{module.name} expects another signature of {wanted.module}::{wanted.name} than it has")
