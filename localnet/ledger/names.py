"""Addresses and types of the framework that the ledger itself knows."""

from typing import Final

from localnet.ledger.model import Address, ObjectId
from localnet.movevm.types import Struct, Type


def _id(number: int) -> ObjectId:
    return ObjectId(number.to_bytes(32, "big"))


SYSTEM: Final = Address(bytes(32))
"""The sender of system transactions."""
STD_PACKAGE: Final = _id(0x1)
SUI_PACKAGE: Final = _id(0x2)
CLOCK_ID: Final = _id(0x6)
RANDOM_ID: Final = _id(0x8)


def _sui(module: str, name: str, *arguments: Type) -> Struct:
    return Struct(SUI_PACKAGE, module, name, arguments)


SUI: Final = _sui("sui", "SUI")
SUI_BALANCE: Final = _sui("balance", "Balance", SUI)
CLOCK: Final = _sui("clock", "Clock")
RANDOM: Final = _sui("random", "Random")
TX_CONTEXT: Final = _sui("tx_context", "TxContext")
UPGRADE_CAP: Final = _sui("package", "UpgradeCap")
UPGRADE_TICKET: Final = _sui("package", "UpgradeTicket")
UPGRADE_RECEIPT: Final = _sui("package", "UpgradeReceipt")
ID: Final = _sui("object", "ID")
STRING: Final = Struct(STD_PACKAGE, "string", "String")
ASCII_STRING: Final = Struct(STD_PACKAGE, "ascii", "String")


def coin_of(currency: Type) -> Struct:
    """`Coin<currency>`."""
    return _sui("coin", "Coin", currency)


SUI_COIN: Final = coin_of(SUI)


def is_coin(type_: Type) -> bool:
    """Whether `type_` is `Coin` of something."""
    return is_instance(type_, SUI_PACKAGE, "coin", "Coin")


def is_receiving(type_: Type) -> bool:
    """Whether `type_` is `Receiving` of something."""
    return is_instance(type_, SUI_PACKAGE, "transfer", "Receiving")


def is_instance(type_: Type, address: bytes, module: str, name: str) -> bool:
    """Whether `type_` is that struct, whatever its type arguments."""
    return isinstance(type_, Struct) and (type_.address, type_.module, type_.name) == (address, module, name)
