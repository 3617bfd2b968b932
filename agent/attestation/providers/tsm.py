"""Reports of TDX and SEV-SNP guests, as Linux hands them out through configfs (Documentation/ABI/testing/configfs-tsm-report).

The kernel counts what is written to a report in `generation`. A binary attribute is taken over when its file is closed, and
no error reaches the writer then; so the count says whether it was, and whether anybody else wrote in between.

Untested on hardware.
"""

import asyncio
import contextlib
import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Final, TypeVar

from agent.attestation.amd.evidence import MAX_TABLE, certificates_of_table
from agent.attestation.amd.report import REPORT_SIZE, SnpReport
from agent.attestation.binding import REPORT_DATA_BYTES, USER_DATA_BYTES
from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.intel.quote import MAX_RAW, Quote, without_padding
from agent.attestation.intel.report import TdReport
from agent.attestation.providers.answering import answered
from agent.attestation.providers.tsm_fs import ConfigFs, TsmFs

T = TypeVar("T")

TDX_PROVIDER: Final = "tdx_guest"
SNP_PROVIDER: Final = "sev_guest"

_MAX_TEXT: Final = 64
_MAX_LEVEL: Final = 3
_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.2
_SECONDS: Final = 90.0
"""For one attempt; the kernel itself waits 30 s for a TDX host, 60 s for a SEV-SNP one."""
_TRANSIENT: Final = frozenset({errno.EBUSY, errno.EWOULDBLOCK, errno.EINTR, errno.ETIMEDOUT})
_HOST: Final = "is the host's quoting service running (TDX: QGS), and its firmware not busy?"
_LIMITS: Final = {TDX_PROVIDER: MAX_RAW, SNP_PROVIDER: REPORT_SIZE}


@dataclass(frozen=True, slots=True)
class TsmReport:
    """What the kernel handed out for one report."""

    provider: str
    """`tdx_guest` or `sev_guest`."""
    out: bytes
    """A TDX quote, maybe padded; or a SEV-SNP report."""
    auxiliary: bytes
    """AMD's certificate table; empty where there is none."""


class Tsm:
    """Asks for reports, one after the other."""

    def __init__(
        self,
        fs: TsmFs | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        name: Callable[[], str] = lambda: f"enclavia-{token_hex(8)}",
        seconds: float = _SECONDS,
    ) -> None:
        self._fs: Final = fs or ConfigFs()
        self._sleep: Final = sleep
        self._name: Final = name
        self._seconds: Final = seconds
        self._turn: Final = asyncio.Lock()

    async def report(self, report_data: bytes) -> TsmReport:
        """A fresh report that carries `report_data`, 64 bytes.

        Raises:
            ProviderError: the kernel gives none, or was asked by somebody else each time; the text says what to look at.
        """
        if len(report_data) != REPORT_DATA_BYTES:
            raise ProviderError(f"report data has {REPORT_DATA_BYTES} bytes, not {len(report_data)}")
        async with self._turn:
            pause = _FIRST_PAUSE
            for _ in range(_ATTEMPTS - 1):
                try:
                    return await self._answered(lambda: self._once(report_data))
                except _Disturbed:
                    await self._sleep(pause)
                    pause *= 2
            try:
                return await self._answered(lambda: self._once(report_data))
            except _Disturbed as error:
                raise ProviderError(f"no report in {_ATTEMPTS} attempts ({error}): {error.hint}") from error

    async def provider(self) -> str:
        """Who makes the reports here: `tdx_guest`, `sev_guest`, or something that this release does not know.

        Raises:
            ProviderError: nobody does.
        """
        async with self._turn:
            try:
                return await self._answered(self._provider)
            except _Disturbed as error:
                raise ProviderError(f"the kernel is busy with another report ({error}): ask again") from error

    async def _answered(self, call: Callable[[], T]) -> T:
        return await answered(call, self._seconds, "the kernel's report interface")

    def _provider(self) -> str:
        return self._with_report(lambda name: self._text(name, "provider"))

    def _once(self, report_data: bytes) -> TsmReport:
        return self._with_report(lambda name: self._filled(name, report_data))

    def _with_report(self, use: Callable[[str], T]) -> T:
        name = self._name()
        try:
            self._fs.make(name)
        except FileExistsError as error:
            raise _Disturbed(f"there is a report {name} already", "remove what others left in the report directory") from error
        except OSError as error:
            raise _failed("making a report", error) from error
        try:
            found = use(name)
        except BaseException as error:
            # what went wrong first is what people need to know
            with contextlib.suppress(OSError):
                self._fs.remove(name)
            if isinstance(error, OSError):
                raise _failed("asking for a report", error) from error
            raise
        self._remove(name)
        return found

    def _filled(self, name: str, report_data: bytes) -> TsmReport:
        provider = self._text(name, "provider")
        if provider not in _LIMITS:
            raise ProviderError(f"this kernel's reports come from {provider!r}; known are {', '.join(_LIMITS)}")
        generation = self._generation(name)
        if self._fs.has(name, "privlevel_floor"):
            # what runs below the floor (a paravisor's guest) may not ask for a better level
            self._fs.write(name, "privlevel", b"%d" % self._number(name, "privlevel_floor", _MAX_LEVEL))
            generation += 1
        self._fs.write(name, "inblob", report_data)
        generation += 1
        self._expect(name, generation)
        out = self._blob(name, "outblob", _LIMITS[provider])
        auxiliary = self._blob(name, "auxblob", MAX_TABLE) if self._fs.has(name, "auxblob") else b""
        self._expect(name, generation)
        if not out:
            raise _Disturbed("an empty report", _HOST)
        return TsmReport(provider, out, auxiliary)

    def _expect(self, name: str, generation: int) -> None:
        found = self._generation(name)
        if found != generation:
            raise _Disturbed(
                f"generation {found}, expected {generation}: not written, or written by others too",
                "look at the kernel's log (dmesg), and for other programs below /sys/kernel/config/tsm/report",
            )

    def _generation(self, name: str) -> int:
        return self._number(name, "generation", 1 << 64)

    def _number(self, name: str, attribute: str, most: int) -> int:
        text = self._text(name, attribute)
        if not (text.isascii() and text.isdecimal() and int(text) <= most):
            raise ProviderError(f"{attribute} is {text[:20]!r}, not a number up to {most}: this kernel speaks another interface")
        return int(text)

    def _text(self, name: str, attribute: str) -> str:
        return self._blob(name, attribute, _MAX_TEXT).decode("ascii", "backslashreplace").strip()

    def _blob(self, name: str, attribute: str, limit: int) -> bytes:
        content = self._fs.read(name, attribute, limit)
        if len(content) > limit:
            raise ProviderError(f"{attribute} has more than {limit} bytes: no genuine report has")
        return content

    def _remove(self, name: str) -> None:
        try:
            self._fs.remove(name)
        except FileNotFoundError:
            pass  # somebody tidied up
        except OSError as error:
            raise ProviderError(f"the report {name} cannot be removed ({error.strerror}): remove its directory by hand") from error


def tdx_quote(report: TsmReport) -> Quote:
    """The quote in `report`.

    Raises:
        ProviderError: another platform's, or none.
    """
    if report.provider != TDX_PROVIDER:
        raise ProviderError(f"a report of {report.provider}, wants {TDX_PROVIDER}: this is no TDX guest")
    try:
        quote = Quote.decode(without_padding(report.out))
    except Malformed as error:
        raise ProviderError(f"the kernel's quote cannot be read: {error}") from error
    if not isinstance(quote.report, TdReport):
        raise ProviderError("the kernel's quote is of an SGX enclave, not of a TDX guest")
    return quote


def snp_report(report: TsmReport) -> tuple[SnpReport, tuple[bytes, ...]]:
    """The SEV-SNP report in `report`, and the certificates (DER) that the host handed out with it, maybe none.

    Raises:
        ProviderError: another platform's, or none.
    """
    if report.provider != SNP_PROVIDER:
        raise ProviderError(f"a report of {report.provider}, wants {SNP_PROVIDER}: this is no SEV-SNP guest")
    try:
        parsed = SnpReport.decode(report.out)
        # a host without certificates hands out an empty table: zeros, or nothing
        chain = certificates_of_table(report.auxiliary) if any(report.auxiliary) else ()
    except Malformed as error:
        raise ProviderError(f"the kernel's SEV-SNP report cannot be read: {error}") from error
    return parsed, chain


def report_data_of(user_data: bytes) -> bytes:
    """The first 64 of the 96 bytes that an enclave wants vouched for: all that these platforms have room for.

    Raises:
        ProviderError: not 96 bytes.
    """
    if len(user_data) != USER_DATA_BYTES:
        raise ProviderError(f"user data has {USER_DATA_BYTES} bytes, not {len(user_data)}: `binding.user_data` makes it")
    return user_data[:REPORT_DATA_BYTES]


class _Disturbed(Exception):
    """Worth another attempt; `hint` is for when there is none left."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint: Final = hint


def _failed(doing: str, error: OSError) -> Exception:
    if error.errno in _TRANSIENT:
        return _Disturbed(f"{doing}: {error.strerror}", _HOST)
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            hint = "Linux 6.7 or later with configfs mounted (mount -t configfs none /sys/kernel/config)"
        case errno.ENXIO | errno.ENOTTY:
            hint = "the guest driver (modprobe tdx_guest or sev-guest); this may be no confidential guest"
        case errno.EACCES | errno.EPERM:
            hint = "root, or write access to the report directory"
        case errno.EIO:
            hint = "a host that makes quotes (TDX: its quoting service QGS), and a look at the kernel's log (dmesg)"
        case errno.EINVAL | errno.EFBIG:
            hint = "a kernel that takes 64 bytes at this privilege level: it refuses what it was given"
        case _:
            hint = "a look at the kernel's log (dmesg)"
    return ProviderError(f"{doing} failed ({error.strerror or error}): it needs {hint}")
