"""Measurement reports of NVIDIA GPUs and switches: an SPDM 1.1 request and the device's signed response to it.

Source: DMTF DSP0274 1.1 (GET_MEASUREMENTS, MEASUREMENTS); the opaque data as NVIDIA's verifiers read it
(github.com/NVIDIA/nvtrust). The signature covers request and response, itself excepted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from agent.attestation.nvidia.errors import MalformedReport

MAX_REPORT: Final = 16 * 1024
"""Bytes; a GPU's has about 4.2 KiB."""
NONCE_SIZE: Final = 32
SIGNATURE_SIZE: Final = 96
MAX_MEASUREMENT: Final = 64
PDI_SIZE: Final = 8

_VERSION: Final = 0x11
_GET_MEASUREMENTS: Final = 0xE0
_MEASUREMENTS: Final = 0x60
_REQUEST_SIZE: Final = 4 + NONCE_SIZE + 1
_DMTF: Final = 1
_DISABLED: Final = b"\x55"
_ENABLED: Final = b"\xaa"
_GPU_VBIOS_SIZE: Final = 8


class Opaque(IntEnum):
    """The entries of the opaque data that are read here; others are kept and not looked at."""

    DRIVER_VERSION = 3
    VBIOS_VERSION = 6
    NVDEC0_STATUS = 11
    CHIP_SKU = 15
    PROJECT = 17
    PROJECT_SKU = 18
    FIRMWARE_ID = 20
    PROTECTED_PCIE = 21
    SWITCH_PDI = 22
    """8 bytes a switch: on a GPU the switches it is linked to, on a switch its own, the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """A report, well-formed but not trusted."""

    raw: bytes
    nonce: bytes
    """32 bytes that the requester chose."""
    measurements: Mapping[int, bytes]
    """By block index, from 1."""
    opaque: Mapping[int, bytes]
    """By type."""

    @property
    def signed(self) -> bytes:
        """What the signature covers."""
        return self.raw[:-SIGNATURE_SIZE]

    @property
    def signature(self) -> tuple[int, int]:
        """The numbers r and s."""
        half = SIGNATURE_SIZE // 2
        return int.from_bytes(self.raw[-2 * half : -half], "big"), int.from_bytes(self.raw[-half:], "big")

    @property
    def driver_version(self) -> str:
        """Such as "550.144.03"; empty on a switch."""
        return _text(self.opaque.get(Opaque.DRIVER_VERSION, b""))

    @property
    def vbios_version(self) -> str:
        """Such as "96.00.5E.00.01": text on a switch, on a GPU a number, little-endian in 4 bytes, and one byte more."""
        raw = self.opaque.get(Opaque.VBIOS_VERSION, b"")
        if len(raw) != _GPU_VBIOS_SIZE:
            return _text(raw)
        return ".".join(f"{byte:02X}" for byte in (*reversed(raw[:4]), raw[4]))

    @property
    def firmware_id(self) -> bytes | None:
        """48 bytes: what the device's first firmware layer was, by its own word; None on switches and with old drivers."""
        return self.opaque.get(Opaque.FIRMWARE_ID)

    @property
    def decoder_disabled(self) -> bool:
        """Whether video decoder 0 is off; its measurement means nothing then."""
        return self.opaque.get(Opaque.NVDEC0_STATUS) == _DISABLED

    @property
    def protected_pcie(self) -> bool:
        """Whether NVLink is in clear and the switches are trusted with what goes through them."""
        return self.opaque.get(Opaque.PROTECTED_PCIE, b"")[:1] == _ENABLED

    @property
    def switch_id(self) -> bytes:
        """On a switch: its own id, 8 bytes."""
        return self.opaque.get(Opaque.SWITCH_PDI, b"")

    @property
    def linked_switches(self) -> frozenset[bytes]:
        """On a GPU: the `switch_id`s of the switches that it is linked to."""
        raw = self.opaque.get(Opaque.SWITCH_PDI, b"")
        ids = (raw[at : at + PDI_SIZE] for at in range(0, len(raw), PDI_SIZE))
        return frozenset(each[::-1] for each in ids if any(each))

    @classmethod
    def decode(cls, raw: bytes) -> "DeviceReport":
        """The report in `raw`.

        Raises:
            MalformedReport: anything else than one request, its response, and nothing behind it.
        """
        if len(raw) > MAX_REPORT:
            raise MalformedReport(f"device report of {len(raw)} bytes, at most {MAX_REPORT}")
        reader = _Reader(raw)
        request, response = reader.take(_REQUEST_SIZE), reader.take(5)
        if request[:2] != bytes([_VERSION, _GET_MEASUREMENTS]) or response[:2] != bytes([_VERSION, _MEASUREMENTS]):
            raise MalformedReport("not a request for measurements and its response in SPDM 1.1")
        record = reader.take(reader.number(3))
        reader.take(NONCE_SIZE)
        opaque = reader.take(reader.number(2))
        reader.take(SIGNATURE_SIZE)
        reader.end()
        measurements = dict(_blocks(record))
        if len(measurements) != response[4]:
            raise MalformedReport(f"device report with {len(measurements)} measurements, announced are {response[4]}")
        return cls(
            raw=raw,
            nonce=request[4 : 4 + NONCE_SIZE],
            measurements=MappingProxyType(measurements),
            opaque=MappingProxyType(_entries(opaque)),
        )


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise MalformedReport(f"device report ends at byte {len(self._data)}, {size - len(taken)} too early")
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def end(self) -> None:
        if self.more:
            raise MalformedReport(f"device report with {len(self._data) - self._at} bytes behind its signature")


def _blocks(record: bytes) -> Iterator[tuple[int, bytes]]:
    reader, seen = _Reader(record), set()
    while reader.more:
        index, specification = reader.take(2)
        block = _Reader(reader.take(reader.number(2)))
        block.take(1)
        value = block.take(block.number(2))
        block.end()
        if specification != _DMTF or index in seen or not 0 < len(value) <= MAX_MEASUREMENT:
            raise MalformedReport(f"device report: measurement {index} twice, or not in DMTF's form")
        seen.add(index)
        yield index, value


def _entries(data: bytes) -> dict[int, bytes]:
    reader, entries = _Reader(data), dict[int, bytes]()
    while reader.more:
        kind = reader.number(2)
        if kind in entries:
            raise MalformedReport(f"device report: opaque entry {kind} twice")
        entries[kind] = reader.take(reader.number(2))
    return entries


def _text(raw: bytes) -> str:
    # hostile until signed: anything but plain ASCII becomes something that no manifest has
    return raw.rstrip(b"\0").decode("ascii", "backslashreplace")
