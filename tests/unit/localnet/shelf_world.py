"""A ledger on which `shelf` is published, upgraded, and used by packages that depend on it (sources: move/shelf_v1 and its neighbours)."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ledger_world import ALICE, World, arg, result, text

from localnet.ledger.framework import Framework
from localnet.ledger.model import (
    Argument,
    ExecutedTransaction,
    Failure,
    Input,
    MoveCall,
    Object,
    ObjectId,
    Package,
    Publish,
    PureInput,
    TransferObjects,
    Upgrade,
)
from localnet.ledger.names import STD_PACKAGE, SUI_PACKAGE
from localnet.movevm.packages import package_digest
from localnet.movevm.types import Type
from localnet.toolchain.publication import Publication, Published

MOVE = Path(__file__).parent / "move"
FRAMEWORK = (STD_PACKAGE, SUI_PACKAGE)
COMPATIBLE, ADDITIVE, DEP_ONLY = 0, 128, 192


def compiled(name: str, **published: tuple[bytes, bytes]) -> Publication:
    """A package of move/, linked to (original id, storage id) of its dependencies."""
    return Publication.read(MOVE / name / "bytecode").linked({key: Published(*ids) for key, ids in published.items()})


V1, V2 = compiled("shelf_v1").modules, compiled("shelf_v2").modules


class ShelfWorld(World):
    def __init__(self, framework: Framework) -> None:
        super().__init__(framework)
        made = self.publish_modules(V1)
        self.first = self.new_package(made)
        self.cap, self.shelf = self.made(made, "UpgradeCap").id, self.made(made, "Shelf").id

    # ---- packages

    def publish_modules(self, modules: Sequence[bytes], dependencies: Sequence[ObjectId] = FRAMEWORK) -> ExecutedTransaction:
        commands = [Publish(tuple(modules), tuple(dependencies)), TransferObjects((result(0),), arg(0))]
        return self.run(ALICE, [PureInput(ALICE)], commands)

    def publish(self, publication: Publication) -> ObjectId:
        made = self.publish_modules(publication.modules, publication.dependencies)
        assert made.effects.succeeded, made.effects.status
        return self.new_package(made)

    def new_package(self, made: ExecutedTransaction) -> ObjectId:
        (package,) = (new.id for new in made.after.values() if isinstance(new, Package))
        return package

    def upgrade(
        self,
        modules: Sequence[bytes] = V2,
        dependencies: Sequence[ObjectId] = FRAMEWORK,
        *,
        package: ObjectId | None = None,
        cap: ObjectId | None = None,
        policy: int = COMPATIBLE,
        digest: bytes | None = None,
        how: Callable[..., ExecutedTransaction] | None = None,
    ) -> ExecutedTransaction:
        """Authorize, upgrade, commit: the transaction that `sui client upgrade` sends."""
        digest = package_digest(modules, dependencies) if digest is None else digest
        inputs = [self.owned(cap or self.cap), PureInput(bytes([policy])), text(digest)]
        commands = [
            MoveCall(SUI_PACKAGE, "package", "authorize_upgrade", (), (arg(0), arg(1), arg(2))),
            Upgrade(tuple(modules), tuple(dependencies), package or self.first, result(0)),
            MoveCall(SUI_PACKAGE, "package", "commit_upgrade", (), (arg(0), result(1))),
        ]
        return (how or self.run)(ALICE, inputs, commands)

    def upgraded(self) -> ObjectId:
        done = self.upgrade()
        assert done.effects.succeeded, done.effects.status
        return self.new_package(done)

    def refused(self, done: ExecutedTransaction) -> Failure:
        failure = done.effects.status
        assert failure is not None
        assert failure.command == 1
        assert not any(isinstance(new, Package) for new in done.after.values())
        return failure

    # ---- calls

    def ask(self, package: ObjectId, target: str, *inputs: Input, types: Sequence[Type] = (), keep: bool = False) -> ExecutedTransaction:
        module, function = target.split("::")
        arguments: list[Argument] = [arg(index) for index in range(len(inputs))]
        commands = [MoveCall(package, module, function, tuple(types), tuple(arguments))]
        if keep:
            return self.run(ALICE, [*inputs, PureInput(ALICE)], [*commands, TransferObjects((result(0),), arg(len(inputs)))])
        return self.run(ALICE, inputs, commands)

    def numbers(self, package: ObjectId, target: str, *inputs: Input) -> tuple[int, ...]:
        """What a function returns, u64 each."""
        done = self.ask(package, target, *inputs)
        assert done.effects.succeeded, done.effects.status
        return tuple(int.from_bytes(value.bcs, "little") for value in done.results[0].returned)

    def items(self) -> int:
        found = self.ledger.object(self.shelf)
        assert isinstance(found, Object)
        return int.from_bytes(found.contents[40:48], "little")
