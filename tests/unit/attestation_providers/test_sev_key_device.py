"""/dev/sev-guest's derived keys, played at the ioctl."""

import ctypes
import errno
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agent.attestation.errors import ProviderError
from agent.attestation.providers.sev_key import SNP_GET_DERIVED_KEY, KeyRequest, KeyResponse, Mixed, SevKey


@dataclass
class SevGuestDriver:
    """drivers/virt/coco/sev-guest and the chip's firmware."""

    secret: bytes = b"the chip's"
    status: int = 0
    zeros: bool = False
    error: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, handle: int, request: int, structure: Any) -> int:
        assert request == SNP_GET_DERIVED_KEY
        os.fstat(handle)
        assert structure.msg_version == 1
        question = KeyRequest.from_address(structure.req_data)
        self.asked.append((question.guest_field_select, question.vmpl))
        if self.error:
            structure.fw_error = 0x16
            raise OSError(self.error, os.strerror(self.error))
        answer = KeyResponse.from_address(structure.resp_data)
        answer.status = self.status
        mixed = b"%s %d %d" % (self.secret, question.guest_field_select, question.vmpl)
        key = bytes(32) if self.zeros else sha256(mixed).digest()
        ctypes.memmove(ctypes.addressof(answer.key), key, 32)
        return 0


def derive(tmp_path: Path, driver: SevGuestDriver, vmpl: int = 0) -> bytes:
    device = tmp_path / "sev-guest"
    device.touch()
    return SevKey(device, driver)(vmpl)


def test_key_is_the_same_each_time_and_another_on_another_chip_and_level(tmp_path: Path) -> None:
    key = derive(tmp_path, SevGuestDriver())
    assert len(key) == 32
    assert key == derive(tmp_path, SevGuestDriver())
    assert len({key, derive(tmp_path, SevGuestDriver(secret=b"another's")), derive(tmp_path, SevGuestDriver(), 2)}) == 3


def test_key_depends_on_the_image_and_the_guests_policy_and_not_on_the_patch_level(tmp_path: Path) -> None:
    driver = SevGuestDriver()
    derive(tmp_path, driver, 1)
    assert driver.asked == [(Mixed.GUEST_POLICY | Mixed.MEASUREMENT, 1)]


@pytest.mark.parametrize(
    ("driver", "why"),
    [
        (SevGuestDriver(status=0x16), "status 0x16"),
        (SevGuestDriver(zeros=True), "derives no key"),
        (SevGuestDriver(error=errno.EPERM), "run as root"),
        (SevGuestDriver(error=errno.EIO), "firmware 0x16"),
    ],
)
def test_no_key_is_said_to_be_none(tmp_path: Path, driver: SevGuestDriver, why: str) -> None:
    with pytest.raises(ProviderError, match=why):
        derive(tmp_path, driver)


def test_structures_have_the_kernels_sizes() -> None:
    # include/uapi/linux/sev-guest.h
    assert ctypes.sizeof(KeyRequest) == 32
    assert ctypes.sizeof(KeyResponse) == 64
