"""0x2::nitro_attestation. Which root is trusted is the VM's business: the real one, or one that a localnet's genesis names."""

from typing import TYPE_CHECKING, Any, Final

from localnet.movevm.natives import nitro_document
from localnet.movevm.natives.registry import NativeAbort, Registry
from localnet.movevm.runtime import Runtime
from localnet.movevm.values import Ref, Value, read

if TYPE_CHECKING:
    from localnet.movevm.machine import VirtualMachine

NATIVES: Final = Registry()
native = NATIVES.native

_PARSE_ERROR, _VERIFY_ERROR = 1, 2
"""nitro_attestation: EParseError, EVerifyError. ENotSupportedError and EInvalidPCRsError are of networks that lag behind."""
_BYTES_PER_UNIT: Final = 20
_VERIFY_COST, _CERTIFICATE_COST = 2_482, 2_618
"""Units: Sui's prices, 49,632 and 52,369 times 50, in thousands."""


@native("0x2::nitro_attestation::load_nitro_attestation_internal", needs_vm=True)
def load(vm: "VirtualMachine", ctx: Runtime, _: Any, attestation: Ref, now: int) -> Value:
    data = bytes(read(attestation))
    ctx.charge(len(data) // _BYTES_PER_UNIT)
    try:
        document = nitro_document.parse(data)
    except nitro_document.Unparsable:
        raise NativeAbort(_PARSE_ERROR) from None
    ctx.charge(_VERIFY_COST + _CERTIFICATE_COST * len(document.cabundle))
    if ctx.gas < 0:
        return None  # not worth the work: whoever called sees that the gas is gone
    try:
        nitro_document.verify(document, vm.nitro_root, now)
    except nitro_document.Unverified:
        raise NativeAbort(_VERIFY_ERROR) from None
    return [
        bytearray(document.module_id.encode()),
        document.timestamp,
        bytearray(document.digest.encode()),
        [[index, bytearray(value)] for index, value in document.pcrs.items()],
        *(_option(value) for value in (document.public_key, document.user_data, document.nonce)),
    ]


def _option(value: bytes | None) -> Value:
    return [[] if value is None else [bytearray(value)]]
