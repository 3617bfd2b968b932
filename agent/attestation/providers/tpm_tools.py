"""tpm2-tools (5.0 or later) as processes: no shell, nothing inherited but a path, every answer bounded in size and time."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from agent.attestation.errors import ProviderError
from agent.attestation.vtpm.hcl import MAX_REPORT
from agent.attestation.vtpm.tpm import MAX_QUOTE, MAX_SIGNATURE, PCR_SIZE

HCL_REPORT: Final = "0x01400001"
"""NV index in which Azure's paravisor leaves its report."""

ATTESTATION_KEY: Final = "0x81000003"
"""Persistent handle of the key that the report vouches for."""

DEVICE: Final = "/dev/tpmrm0"
DIRECTORY: Final = Path("/usr/bin")
_SECONDS: Final = 30.0
_MAX_COMPLAINT: Final = 4096


class TpmTools:
    """The TPM of this machine."""

    def __init__(
        self, directory: Path = DIRECTORY, device: str = DEVICE, seconds: float = _SECONDS, environment: Mapping[str, str] | None = None
    ) -> None:
        self._directory: Final = directory
        self._seconds: Final = seconds
        self._environment: Final = {"PATH": "/usr/bin:/bin", "TPM2TOOLS_TCTI": f"device:{device}", **(environment or {})}

    async def hcl_report(self) -> bytes:
        """The report of Azure's paravisor.

        Raises:
            ProviderError: the TPM has none, as on every other machine.
        """
        return await self._run(("tpm2_nvread", "-C", "o", HCL_REPORT), MAX_REPORT)

    async def quote(self, extra: bytes, registers: Sequence[int]) -> tuple[bytes, bytes]:
        """TPMS_ATTEST and TPMT_SIGNATURE over `extra` and `registers` of the SHA-256 bank.

        Raises:
            ProviderError: the TPM does not sign.
        """
        with tempfile.TemporaryDirectory(prefix="enclavia-tpm-") as folder:
            message, signature = Path(folder, "message"), Path(folder, "signature")
            what = ("-c", ATTESTATION_KEY, "-l", _selection(registers), "-q", extra.hex(), "-g", "sha256")
            await self._run(("tpm2_quote", *what, "-m", str(message), "-s", str(signature)), _MAX_COMPLAINT)
            return _file(message, MAX_QUOTE), _file(signature, MAX_SIGNATURE)

    async def registers(self, wanted: Sequence[int]) -> tuple[bytes, ...]:
        """The values of the PCRs `wanted`, 32 bytes each, in their order.

        Raises:
            ProviderError: the TPM does not tell.
        """
        with tempfile.TemporaryDirectory(prefix="enclavia-tpm-") as folder:
            values = Path(folder, "values")
            await self._run(("tpm2_pcrread", _selection(wanted), "-o", str(values)), _MAX_COMPLAINT)
            raw = _file(values, len(wanted) * PCR_SIZE)
        if len(raw) != len(wanted) * PCR_SIZE:
            raise ProviderError(f"tpm2_pcrread gave {len(raw)} bytes for {len(wanted)} PCRs: has the TPM a bank of SHA-256?")
        return tuple(raw[at : at + PCR_SIZE] for at in range(0, len(raw), PCR_SIZE))

    async def _run(self, command: Sequence[str], limit: int) -> bytes:
        tool, *arguments = command
        try:
            process = await asyncio.create_subprocess_exec(
                str(self._directory / tool), *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env=self._environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ProviderError(f"{tool} cannot be run ({error.strerror}): install tpm2-tools") from error
        assert process.stdout is not None, "asked for as pipes"
        assert process.stderr is not None, "asked for as pipes"
        try:
            async with asyncio.timeout(self._seconds), asyncio.TaskGroup() as group:
                output = group.create_task(_read(process.stdout, limit))
                complaint = group.create_task(_read(process.stderr, _MAX_COMPLAINT))
                code = await process.wait()
        except BaseException as error:
            # the whole session: what a wrapper started would keep the pipes open
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            if isinstance(error, TimeoutError):
                raise ProviderError(f"{tool} took longer than {self._seconds:g} s: is another program holding the TPM?") from None
            raise
        if code:
            said = complaint.result()[:_MAX_COMPLAINT].decode(errors="replace").strip()
            raise ProviderError(f"{tool} fails with {code}: {said[-400:] or 'no word why'}")
        if len(output.result()) > limit:
            raise ProviderError(f"{tool} gives more than {limit} bytes: no genuine answer has so many")
        return output.result()


async def _read(stream: asyncio.StreamReader, limit: int) -> bytes:
    """At most `limit` + 1 bytes; what comes behind is read and forgotten, so that the process can end."""
    content = b""
    while part := await stream.read(1 << 16):
        content = (content + part)[: limit + 1]
    return content


def _selection(registers: Sequence[int]) -> str:
    return "sha256:" + ",".join(map(str, registers))


def _file(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise ProviderError(f"tpm2-tools wrote no {path.name} ({error.strerror}): update them to 5.0 or later") from error
    if len(content) > limit:
        raise ProviderError(f"tpm2-tools wrote more than {limit} bytes of {path.name}")
    return content
