"""What published bytecode says of itself: functions and datatypes of packages in the ledger."""

from collections.abc import Mapping

from localnet.ledger.errors import NotFound as NotInLedger
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import ObjectId, Package
from localnet.ledger.packaging import code_of
from localnet.movevm.bytecode.module import Definition, Function, Module
from localnet.movevm.types import Struct, short_address
from localnet.rpc.errors import NotFound


def modules_of(ledger: Ledger, package: Package) -> Mapping[str, Module]:
    """The modules of a package by name, linked: types under their defining ids. It may be one that was published in simulation only."""
    linker = ledger.vm.linker
    if all((package.id, name) in linker.modules for name in package.modules):
        return {name: linker.module(package.id, name) for name in package.modules}
    return {module.name: module for module in linker.packages.link(code_of(package))[package.id]}


def package_of(ledger: Ledger, package_id: bytes) -> Package:
    """The package at `package_id`.

    Raises:
        NotFound: there is none.
    """
    try:
        return ledger.package(ObjectId(package_id))
    except NotInLedger:
        raise NotFound(f"package {short_address(package_id)} does not exist") from None


def module_of(ledger: Ledger, package_id: bytes, name: str) -> Module:
    """A module.

    Raises:
        NotFound: there is none.
    """
    package = package_of(ledger, package_id)
    if name not in package.modules:
        raise NotFound(f"package {short_address(package_id)} has no module {name}")
    return ledger.vm.linker.module(package.id, name)


def function_of(ledger: Ledger, package_id: bytes, module: str, name: str) -> Function:
    """A function.

    Raises:
        NotFound: there is none.
    """
    function = module_of(ledger, package_id, module).functions.get(name)
    if function is None:
        raise NotFound(f"module {short_address(package_id)}::{module} has no function {name}")
    return function


def datatype_of(ledger: Ledger, package_id: bytes, module: str, name: str) -> Definition:
    """A struct or an enum.

    Raises:
        NotFound: there is none.
    """
    definition = module_of(ledger, package_id, module).datatypes.get(name)
    if definition is None:
        raise NotFound(f"module {short_address(package_id)}::{module} has no datatype {name}")
    return definition


def definition_of(ledger: Ledger, struct: Struct) -> Definition:
    """The definition of a type.

    Raises:
        NotFound: there is none.
    """
    return datatype_of(ledger, struct.address, struct.module, struct.name)
