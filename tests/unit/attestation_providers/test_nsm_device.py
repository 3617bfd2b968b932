"""/dev/nsm, played at the ioctl: the driver reads a request from the caller's memory and writes the answer into it."""

import ctypes
import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from provider_world import ASKED, judged
from synthetic_world import AT, nitro_certificate, nitro_key

from agent.attestation import cbor, cose
from agent.attestation.errors import ProviderError
from agent.attestation.providers.nsm import IOCTL_RAW, MAX_REQUEST, MAX_RESPONSE, NitroProvider, Nsm
from agent.protocol.statements import TeeKind

PCR0 = b"\x17" * 48


@dataclass
class NsmDriver:
    """drivers/misc/nsm.c of Linux 6.8 and the hypervisor behind it."""

    pcr0: bytes = PCR0
    later: bytes | None = None
    """PCR0 of documents, if it is another."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Of documents."""
    raw: bytes | None = None
    """Any answer, whatever was asked."""
    length: int | None = None
    error: int = 0
    asked: list[Any] = field(default_factory=list)

    def __call__(self, handle: int, request: int, structure: Any) -> int:
        assert request == IOCTL_RAW
        os.fstat(handle)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        if structure.request_length > MAX_REQUEST:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        question = cbor.decode(ctypes.string_at(structure.request_address, structure.request_length))
        self.asked.append(question)
        answer = cbor.encode(self.answer(question)) if self.raw is None else self.raw
        assert len(answer) <= structure.response_length
        ctypes.memmove(structure.response_address, answer, len(answer))
        structure.response_length = len(answer) if self.length is None else self.length
        return 0

    def answer(self, question: Any) -> Any:
        match question:
            case {"DescribePCR": {"index": 0}}:
                return {"DescribePCR": {"lock": True, "data": self.pcr0}}
            case {"DescribePCR": _}:
                return {"Error": "InvalidIndex"}
            case {"Attestation": asked}:
                return {"Attestation": {"document": self.document(asked)}}
        return {"Error": "InvalidOperation"}

    def document(self, asked: dict[str, bytes]) -> bytes:
        payload = {
            "module_id": "i-0-enc0", "digest": "SHA384", "timestamp": int(AT), "pcrs": {0: self.later or self.pcr0},
            "certificate": nitro_certificate("leaf", "root"), "cabundle": [nitro_certificate("root", "root")], **asked, **self.changes,
        }  # fmt: skip
        return cose.sign(cbor.encode(payload), nitro_key("leaf")).encode()


def nsm(tmp_path: Path, driver: NsmDriver) -> Nsm:
    device = tmp_path / "nsm"
    device.touch()
    return Nsm(device, driver)


async def test_nitro_evidence_is_accepted_under_the_test_root(tmp_path: Path) -> None:
    driver = NsmDriver()
    provider = await NitroProvider.open(nsm(tmp_path, driver))
    assert (provider.kind, provider.measurement) == (TeeKind.NITRO, PCR0)
    verdict = await judged(provider)
    assert verdict.ok, verdict.failed
    assert driver.asked[1]["Attestation"] == dict(zip(("user_data", "nonce", "public_key"), ASKED, strict=True))


async def test_enclave_in_debug_mode_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="--debug-mode"):
        await NitroProvider.open(nsm(tmp_path, NsmDriver(pcr0=bytes(48))))


async def test_document_that_measures_another_image_is_not_handed_on(tmp_path: Path) -> None:
    provider = await NitroProvider.open(nsm(tmp_path, NsmDriver(later=b"\x18" * 48)))
    with pytest.raises(ProviderError, match="another image"):
        await provider.attest(*ASKED)


@pytest.mark.parametrize("name", ["user_data", "nonce", "public_key"])
async def test_document_over_other_data_is_not_handed_on(tmp_path: Path, name: str) -> None:
    provider = await NitroProvider.open(nsm(tmp_path, NsmDriver(changes={name: b"\xee" * 32})))
    with pytest.raises(ProviderError, match="other data than asked for"):
        await provider.attest(*ASKED)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "something else than CBOR"),
        (b"\xff", "something else than CBOR"),
        (b"\x81" * 3000, "something else than CBOR"),
        (cbor.encode({"Error": "InternalError"}), "InternalError"),
        (cbor.encode({"Attestation": {"document": b""}}), "something else"),
        (cbor.encode([1, 2]), "something else"),
    ],
)
async def test_answers_of_another_shape_are_refused(tmp_path: Path, raw: bytes, why: str) -> None:
    driver = NsmDriver()
    provider = await NitroProvider.open(nsm(tmp_path, driver))
    driver.raw = raw
    with pytest.raises(ProviderError, match=why):
        await provider.attest(*ASKED)


async def test_length_beyond_the_buffer_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="claims an answer"):
        await NitroProvider.open(nsm(tmp_path, NsmDriver(length=MAX_RESPONSE + 1)))


@pytest.mark.parametrize(("error", "why"), [(errno.EMSGSIZE, "larger than the kernel takes"), (errno.ETIMEDOUT, "console")])
async def test_what_the_driver_refuses_says_what_to_look_at(tmp_path: Path, error: int, why: str) -> None:
    with pytest.raises(ProviderError, match=why):
        await NitroProvider.open(nsm(tmp_path, NsmDriver(error=error)))


async def test_machine_without_the_device_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="cannot be opened"):
        await NitroProvider.open(Nsm(tmp_path / "nothing", NsmDriver()))


@pytest.mark.parametrize("place", range(3))
async def test_data_larger_than_a_document_takes_never_reach_the_driver(tmp_path: Path, place: int) -> None:
    driver = NsmDriver()
    values = [b"", b"", b""]
    values[place] = bytes(4000)
    with pytest.raises(ProviderError, match="the security module takes"):
        nsm(tmp_path, driver).document(user_data=values[0], nonce=values[1], public_key=values[2])
    assert driver.asked == []


async def test_nitro_derives_no_key_and_says_what_does(tmp_path: Path) -> None:
    provider = await NitroProvider.open(nsm(tmp_path, NsmDriver()))
    with pytest.raises(ProviderError, match="KMS"):
        provider.sealing_key(PCR0)
