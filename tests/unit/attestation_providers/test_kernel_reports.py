"""Reports out of configfs: the kernel's errors, other writers, hostile sizes; and evidence that a verifier takes."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest
from kernel_reports import CHAIN, Happenings, KernelReports, certificate_table, snp, tdx
from provider_world import ASKED, REPORT_DATA, TestEndorser, judged

from agent.attestation.errors import ProviderError
from agent.attestation.providers.endorser import HostEndorser
from agent.attestation.providers.tsm import Tsm
from agent.attestation.providers.tsm_fs import ConfigFs
from agent.attestation.providers.tsm_guests import SnpProvider, TdxProvider
from agent.protocol.statements import TeeKind


class Naps:
    """A clock that only notes how long it was asked to wait."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def tdx_kernel(root: Path, **happens: object) -> KernelReports:
    return KernelReports(root / "report", "tdx_guest", tdx(), happens=Happenings(**happens))


def snp_kernel(root: Path, floor: int = 0, **changes: object) -> KernelReports:
    return KernelReports(root / "report", "sev_guest", snp(**changes), floor=floor)


async def refusal(kernel: KernelReports, data: bytes = REPORT_DATA) -> str:
    with pytest.raises(ProviderError) as caught:
        await Tsm(kernel, sleep=Naps()).report(data)
    return str(caught.value)


# --- evidence that verifies -------------------------------------------------------------------------------------------


async def test_tdx_evidence_is_accepted_under_the_test_root(tmp_path: Path) -> None:
    provider = await TdxProvider.open(Tsm(tdx_kernel(tmp_path)), TestEndorser())
    verdict = await judged(provider)
    assert verdict.ok, verdict.failed
    assert verdict.tee_kind is TeeKind.TDX is provider.kind


async def test_padding_behind_a_quote_is_cut_off(tmp_path: Path) -> None:
    kernel = KernelReports(tmp_path, "tdx_guest", tdx(padding=3000))
    assert (await judged(await TdxProvider.open(Tsm(kernel), TestEndorser()))).ok


async def test_snp_evidence_with_the_hosts_certificates_is_accepted_under_the_test_root(tmp_path: Path) -> None:
    provider = await SnpProvider.open(Tsm(snp_kernel(tmp_path)), HostEndorser())
    verdict = await judged(provider)
    assert verdict.ok, verdict.failed
    assert verdict.tee_kind is TeeKind.SEV_SNP is provider.kind


@pytest.mark.parametrize("table", [b"", bytes(4096)])
async def test_host_without_certificates_is_said_to_be_one(tmp_path: Path, table: bytes) -> None:
    provider = await SnpProvider.open(Tsm(snp_kernel(tmp_path, table=table)), HostEndorser())
    with pytest.raises(ProviderError, match="snphost import"):
        await provider.attest(*ASKED)


async def test_certificates_that_the_host_lacks_are_the_endorsers_to_bring(tmp_path: Path) -> None:
    provider = await SnpProvider.open(Tsm(snp_kernel(tmp_path, table=b"")), TestEndorser())
    assert (await judged(provider)).ok


async def test_certificate_table_that_points_outside_is_refused(tmp_path: Path) -> None:
    table = bytearray(certificate_table())
    table[20:24] = (1 << 20).to_bytes(4, "little")
    with pytest.raises(ProviderError, match="points behind the table's end"):
        await SnpProvider.open(Tsm(snp_kernel(tmp_path, table=bytes(table))))


async def test_report_is_asked_for_at_the_privilege_level_of_the_floor(tmp_path: Path) -> None:
    kernel = snp_kernel(tmp_path, floor=2)
    await SnpProvider.open(Tsm(kernel))
    assert [level for _, level in kernel.asked] == [2]


async def test_sealing_key_is_derived_at_the_level_that_the_report_names(tmp_path: Path) -> None:
    provider = await SnpProvider.open(Tsm(snp_kernel(tmp_path, floor=1)), key=lambda vmpl: bytes([vmpl]) * 32)
    assert provider.sealing_key(provider.measurement) == b"\x01" * 32
    with pytest.raises(ProviderError, match="measured only"):
        provider.sealing_key(bytes(48))


async def test_guests_without_a_key_say_what_to_do(tmp_path: Path) -> None:
    guest = await SnpProvider.open(Tsm(snp_kernel(tmp_path)))
    with pytest.raises(ProviderError, match="/dev/sev-guest"):
        guest.sealing_key(guest.measurement)
    other = await TdxProvider.open(Tsm(tdx_kernel(tmp_path / "other")))
    with pytest.raises(ProviderError, match="dstack"):
        other.sealing_key(other.measurement)


async def test_every_attestation_asks_the_kernel_anew(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path)
    provider = await TdxProvider.open(Tsm(kernel))
    await provider.attest(*ASKED)
    assert [asked for asked, _ in kernel.asked] == [bytes(64), REPORT_DATA]
    assert kernel.left == []


# --- the kernel's errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ETIMEDOUT])
async def test_busy_kernel_is_asked_again(tmp_path: Path, number: int) -> None:
    naps, kernel = Naps(), tdx_kernel(tmp_path, reports=[error(number), error(number)])
    assert (await Tsm(kernel, sleep=naps).report(REPORT_DATA)).provider == "tdx_guest"
    assert naps.taken == [0.2, 0.4]
    assert kernel.left == []


async def test_kernel_that_stays_busy_is_given_up(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path, reports=[error(errno.EBUSY)] * 9)
    assert "QGS" in await refusal(kernel)
    assert len(kernel.happens.reports) == 4, "five attempts"
    assert kernel.left == []


async def test_writing_of_others_is_noticed_and_tried_again(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path, writers=[True])
    provider = await TdxProvider.open(Tsm(kernel, sleep=Naps()), TestEndorser())
    assert (await judged(provider)).ok


async def test_others_who_never_stop_writing_are_named(tmp_path: Path) -> None:
    assert "written by others too" in await refusal(tdx_kernel(tmp_path, writers=[True] * 9))


async def test_write_that_the_kernel_ignored_is_noticed(tmp_path: Path) -> None:
    assert "generation 0, expected 1" in await refusal(tdx_kernel(tmp_path, refusals=[True] * 9))


async def test_empty_report_of_a_host_without_quoting_service_is_tried_again(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path, reports=[b""])
    assert (await Tsm(kernel, sleep=Naps()).report(REPORT_DATA)).out
    assert "an empty report" in await refusal(tdx_kernel(tmp_path / "never", reports=[b""] * 9))


async def test_name_that_is_taken_is_not_used(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path)
    (tmp_path / "report" / "taken").mkdir()
    names = iter(("taken", "free"))
    await Tsm(kernel, sleep=Naps(), name=lambda: next(names)).report(REPORT_DATA)
    assert kernel.left == ["taken"]


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENXIO, "modprobe"), (errno.EACCES, "root"), (errno.EPERM, "root"), (errno.ENOENT, "mount -t configfs"), (errno.ENOMEM, "dmesg")],
)
async def test_report_that_cannot_be_made_says_what_is_needed(tmp_path: Path, number: int, hint: str) -> None:
    assert hint in await refusal(tdx_kernel(tmp_path, makes=[error(number)]))


@pytest.mark.parametrize(("number", "hint"), [(errno.EINVAL, "64 bytes"), (errno.EIO, "QGS"), (errno.EFBIG, "64 bytes")])
async def test_report_that_cannot_be_read_says_what_is_needed(tmp_path: Path, number: int, hint: str) -> None:
    kernel = tdx_kernel(tmp_path, reports=[error(number)])
    assert hint in await refusal(kernel)
    assert kernel.left == []


async def test_data_of_another_length_never_reach_the_kernel(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path)
    assert "64 bytes, not 63" in await refusal(kernel, bytes(63))
    assert kernel.asked == []


def test_kernel_refuses_report_data_of_another_length(tmp_path: Path) -> None:
    # the fake's own faithfulness: short ones at the report, long ones at the write
    kernel = tdx_kernel(tmp_path)
    kernel.make("one")
    kernel.write("one", "inblob", bytes(63))
    with pytest.raises(OSError, match="Invalid argument"):
        kernel.read("one", "outblob", 100)
    with pytest.raises(OSError, match="too large"):
        kernel.write("one", "inblob", bytes(65))


@pytest.mark.parametrize(("provider", "most"), [("tdx_guest", 65536), ("sev_guest", 1184)])
async def test_report_larger_than_any_is_refused(tmp_path: Path, provider: str, most: int) -> None:
    kernel = KernelReports(tmp_path, provider, lambda _, __: (bytes(most + 1), b""))
    assert f"more than {most} bytes" in await refusal(kernel)
    assert kernel.left == []


async def test_auxiliary_data_larger_than_any_are_refused(tmp_path: Path) -> None:
    assert "auxblob has more than 65536 bytes" in await refusal(snp_kernel(tmp_path, table=bytes(65537)))


@pytest.mark.parametrize("floor", [4, 17])
async def test_privilege_level_that_no_kernel_has_is_refused(tmp_path: Path, floor: int) -> None:
    assert "privlevel_floor" in await refusal(snp_kernel(tmp_path, floor=floor))


async def test_foreign_guests_are_refused_by_name(tmp_path: Path) -> None:
    kernel = KernelReports(tmp_path, "arm_cca_guest", tdx())
    assert "'arm_cca_guest'" in await refusal(kernel)
    assert await Tsm(kernel).provider() == "arm_cca_guest"


async def test_report_of_the_other_vendor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="no TDX guest"):
        await TdxProvider.open(Tsm(snp_kernel(tmp_path)))
    with pytest.raises(ProviderError, match="no SEV-SNP guest"):
        await SnpProvider.open(Tsm(tdx_kernel(tmp_path / "other")))


async def test_report_that_cannot_be_removed_is_named(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path, removal=error(errno.EBUSY))
    assert "remove its directory by hand" in await refusal(kernel)


async def test_failing_removal_does_not_hide_what_went_wrong_before(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path, removal=error(errno.EBUSY), reports=[error(errno.EINVAL)])
    assert "Invalid argument" in await refusal(kernel)


async def test_report_that_somebody_else_removed_is_no_fault(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path, removal=error(errno.ENOENT))
    assert (await Tsm(kernel).report(REPORT_DATA)).out


# --- binding, time, cancellation --------------------------------------------------------------------------------------


async def test_quote_over_other_data_is_never_handed_on(tmp_path: Path) -> None:
    stranger = KernelReports(tmp_path, "tdx_guest", tdx(report_data=b"\x77" * 64))
    with pytest.raises(ProviderError, match="other data than asked for"):
        await TdxProvider.open(Tsm(stranger))


async def test_snp_report_over_other_data_is_never_handed_on(tmp_path: Path) -> None:
    stranger = snp_kernel(tmp_path, report_data=b"\x77" * 64)
    with pytest.raises(ProviderError, match="other data than asked for"):
        await SnpProvider.open(Tsm(stranger))


@pytest.mark.parametrize("open_with", [tdx, snp])
async def test_guest_that_measures_otherwise_later_is_refused(tmp_path: Path, open_with: object) -> None:
    name, kind, first, later = {
        tdx: ("tdx_guest", TdxProvider, tdx(), tdx(mr_td=b"\x01" * 48)),
        snp: ("sev_guest", SnpProvider, snp(), snp(measurement=b"\x01" * 48)),
    }[open_with]
    kernel = KernelReports(tmp_path, name, first, floor=0 if name == "sev_guest" else None)
    provider = await kind.open(Tsm(kernel), TestEndorser())
    kernel._report_new = later
    with pytest.raises(ProviderError, match="start it anew"):
        await provider.attest(*ASKED)


@pytest.mark.parametrize("size", [0, 64, 97])
async def test_user_data_of_another_length_are_refused(tmp_path: Path, size: int) -> None:
    provider = await TdxProvider.open(Tsm(tdx_kernel(tmp_path)))
    with pytest.raises(ProviderError, match="96 bytes"):
        await provider.attest(bytes(size), b"", b"")


class Stuck:
    """A guest driver that answers once it is let go."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, inblob: bytes, privlevel: int) -> tuple[bytes, bytes]:
        self.entered.set()
        assert self.go.wait(30)
        return tdx()(inblob, privlevel)


async def test_kernel_that_never_answers_is_given_up(tmp_path: Path) -> None:
    stuck = Stuck()
    kernel = KernelReports(tmp_path, "tdx_guest", stuck)
    try:
        with pytest.raises(ProviderError, match=r"gives no answer in 0\.05 s"):
            await Tsm(kernel, seconds=0.05).report(REPORT_DATA)
    finally:
        stuck.go.set()


async def test_cancelled_report_is_removed_once_the_kernel_lets_go(tmp_path: Path) -> None:
    stuck = Stuck()
    kernel = KernelReports(tmp_path, "tdx_guest", stuck)
    tsm = Tsm(kernel)
    task = asyncio.create_task(tsm.report(REPORT_DATA))
    await asyncio.to_thread(stuck.entered.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(kernel.left) == 1
    stuck.go.set()
    await tsm.report(REPORT_DATA)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert kernel.left == []


async def test_reports_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    kernel = tdx_kernel(tmp_path)
    at_once = 0

    def report_new(inblob: bytes, privlevel: int) -> tuple[bytes, bytes]:
        nonlocal at_once
        at_once = max(at_once, len(kernel.left))
        return tdx()(inblob, privlevel)

    kernel._report_new = report_new
    tsm = Tsm(kernel)
    await asyncio.gather(*(tsm.report(bytes([index]) * 64) for index in range(4)))
    assert at_once == 1


# --- files ------------------------------------------------------------------------------------------------------------


def test_attribute_is_never_created(tmp_path: Path) -> None:
    fs = ConfigFs(tmp_path)
    fs.make("one")
    with pytest.raises(FileNotFoundError):
        fs.write("one", "inblob", bytes(64))
    assert list((tmp_path / "one").iterdir()) == []
    fs.remove("one")
    assert not (tmp_path / "one").exists()


def test_file_is_read_to_one_byte_beyond_its_limit(tmp_path: Path) -> None:
    fs = ConfigFs(tmp_path)
    fs.make("one")
    (tmp_path / "one" / "outblob").write_bytes(bytes(10_000))
    assert len(fs.read("one", "outblob", 9_000)) == 9_001
    assert len(fs.read("one", "outblob", 20_000)) == 10_000
    assert fs.has("one", "outblob")
    assert not fs.has("one", "auxblob")


async def test_machine_without_configfs_says_how_to_mount_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="mount -t configfs"):
        await Tsm(ConfigFs(tmp_path / "nothing")).provider()


def test_certificates_of_the_table_are_those_of_the_chip(tmp_path: Path) -> None:
    from agent.attestation.amd.evidence import certificates_of_table

    assert certificates_of_table(certificate_table()) == CHAIN
