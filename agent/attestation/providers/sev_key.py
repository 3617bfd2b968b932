"""Sealing keys of SEV-SNP guests: SNP_GET_DERIVED_KEY on `/dev/sev-guest` (Linux include/uapi/linux/sev-guest.h; AMD 56860, MSG_KEY_REQ).

The chip derives the key from its own secret, the launch measurement and the guest policy: another image, or the same one
started debuggable, gets another key. The patch level is not mixed in, so that a firmware update does not lose what was
sealed; a rolled-back platform can therefore still derive it. Untested on hardware.
"""

import ctypes
import errno
from enum import IntFlag
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.attestation.errors import ProviderError
from agent.attestation.providers.ioctls import Ioctl, ask, system_ioctl

DEVICE: Final = Path("/dev/sev-guest")
SNP_GET_DERIVED_KEY: Final = 0xC0205301
"""_IOWR('S', 1, struct snp_guest_request_ioctl)."""

KEY_BYTES: Final = 32
_MESSAGE_VERSION: Final = 1
_INFO: Final = b"enclavia sev-snp sealing key"


class Mixed(IntFlag):
    """What the chip mixes into the key, `guest_field_select`."""

    GUEST_POLICY = 1 << 0
    IMAGE_ID = 1 << 1
    FAMILY_ID = 1 << 2
    MEASUREMENT = 1 << 3
    GUEST_SVN = 1 << 4
    TCB_VERSION = 1 << 5


class GuestRequest(ctypes.Structure):
    """`struct snp_guest_request_ioctl`."""

    _fields_ = (
        ("msg_version", ctypes.c_uint8),
        ("req_data", ctypes.c_uint64),
        ("resp_data", ctypes.c_uint64),
        ("fw_error", ctypes.c_uint32),
        ("vmm_error", ctypes.c_uint32),
    )


class KeyRequest(ctypes.Structure):
    """`struct snp_derived_key_req`."""

    _fields_ = (
        ("root_key_select", ctypes.c_uint32),
        ("rsvd", ctypes.c_uint32),
        ("guest_field_select", ctypes.c_uint64),
        ("vmpl", ctypes.c_uint32),
        ("guest_svn", ctypes.c_uint32),
        ("tcb_version", ctypes.c_uint64),
    )


class KeyResponse(ctypes.Structure):
    """MSG_KEY_RSP in `struct snp_derived_key_resp`."""

    _fields_ = (("status", ctypes.c_uint32), ("reserved", ctypes.c_uint8 * 28), ("key", ctypes.c_uint8 * KEY_BYTES))


class SevKey:
    """Derives the key of the guest that this runs in."""

    def __init__(self, device: Path = DEVICE, ioctl: Ioctl = system_ioctl) -> None:
        self._device: Final = device
        self._ioctl: Final = ioctl

    def __call__(self, vmpl: int = 0) -> bytes:
        """32 bytes, the same for this chip, measurement, guest policy and privilege level: `vmpl`, the one this runs at.

        Raises:
            ProviderError: the chip gives none.
        """
        question = KeyRequest(guest_field_select=Mixed.GUEST_POLICY | Mixed.MEASUREMENT, vmpl=vmpl)
        answer = KeyResponse()
        request = GuestRequest(
            msg_version=_MESSAGE_VERSION, req_data=ctypes.addressof(question), resp_data=ctypes.addressof(answer)
        )
        try:
            ask(self._device, SNP_GET_DERIVED_KEY, request, self._ioctl)
        except OSError as error:
            hint = "run as root" if error.errno == errno.EPERM else "look at the kernel's log (dmesg)"
            codes = f"firmware {request.fw_error:#x}, host {request.vmm_error:#x}"
            raise ProviderError(f"{self._device} derives no key ({error.strerror}; {codes}): {hint}") from error
        key = bytes(answer.key)
        if answer.status or not any(key):
            raise ProviderError(f"the chip derives no key (status {answer.status:#x}): the VMPL asked for may be better than the guest's own")
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=_INFO).derive(key)
