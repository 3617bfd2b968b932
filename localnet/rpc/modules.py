"""What published bytecode says of itself: functions and datatypes of packages in the ledger."""

from functools import lru_cache
from typing import Final

from localnet.ledger.errors import NotFound as NotInLedger
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import ObjectId, Package
from localnet.movevm.bytecode.module import Definition, Function, Module
from localnet.movevm.bytecode.parser import parse_module
from localnet.movevm.types import Struct, short_address
from localnet.rpc.errors import NotFound

PARSED: Final = 1_024
"""Modules kept parsed; the framework has 94."""


@lru_cache(maxsize=PARSED)
def parsed(bytecode: bytes) -> Module:
    """The module in `bytecode`, which the ledger has accepted."""
    return parse_module(bytecode)


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
    bytecode = package_of(ledger, package_id).modules.get(name)
    if bytecode is None:
        raise NotFound(f"package {short_address(package_id)} has no module {name}")
    return parsed(bytecode)


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
