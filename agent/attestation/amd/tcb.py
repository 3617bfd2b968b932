"""Product lines of AMD's EPYC processors, and the layouts of their TCB versions.

Source: AMD 56860 (SEV-SNP Firmware ABI), TCB_VERSION; AMD 57230 (VCEK certificate and KDS interface).
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from agent.attestation.amd.errors import MalformedReport

TCB_SIZE: Final = 8
"""Bytes of a TCB_VERSION."""


class Product(StrEnum):
    """A product line; the value is how AMD spells it in the names of its certificates."""

    MILAN = "Milan"
    GENOA = "Genoa"
    """Also Bergamo and Siena."""
    TURIN = "Turin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcb:
    """Security patch levels of one platform's firmware, 0 to 255 each; also a floor for them."""

    fmc: int = 0
    """Turin only."""
    bootloader: int = 0
    tee: int = 0
    snp: int = 0
    microcode: int = 0

    def below(self, floor: "Tcb") -> tuple[str, ...]:
        """What of this lies below `floor`, for people; empty if nothing does."""
        return tuple(
            f"{field.name} {getattr(self, field.name)}, at least {getattr(floor, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) < getattr(floor, field.name)
        )

    @classmethod
    def decode(cls, raw: bytes, product: Product) -> "Tcb":
        """The levels in the 8 bytes of a TCB_VERSION of `product`.

        Raises:
            MalformedReport: a reserved byte is not zero.
        """
        if product is Product.TURIN:
            levels, reserved = cls(fmc=raw[0], bootloader=raw[1], tee=raw[2], snp=raw[3], microcode=raw[7]), raw[4:7]
        else:
            levels, reserved = cls(bootloader=raw[0], tee=raw[1], snp=raw[6], microcode=raw[7]), raw[2:6]
        if any(reserved):
            raise MalformedReport(f"TCB version {raw.hex()} has reserved bytes set, for {product} they are zero")
        return levels

    def encode(self, product: Product) -> bytes:
        """The 8 bytes of a TCB_VERSION of `product`."""
        if product is Product.TURIN:
            return bytes([self.fmc, self.bootloader, self.tee, self.snp, 0, 0, 0, self.microcode])
        return bytes([self.bootloader, self.tee, 0, 0, 0, 0, self.snp, self.microcode])


def product_of(family: int, model: int) -> Product | None:
    """The product line with this CPUID (extended and base values summed); None if AMD names none."""
    match family:
        case 0x19 if model <= 0x0F:
            return Product.MILAN
        case 0x19 if 0x10 <= model <= 0x1F or 0xA0 <= model <= 0xAF:
            return Product.GENOA
        case 0x1A if model <= 0x11:
            return Product.TURIN
        case _:
            return None
