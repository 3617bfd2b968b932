"""A transaction log in a directory: one file for each transaction of unknown fate, gone once it is known."""

import json
import os
import stat
import tempfile
import time
from asyncio import to_thread
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from agent.chain.errors import WalletError
from agent.chain.transaction_log import LoggedTransaction, TransactionLog, TxDigest, TxStatus

SUFFIX: Final = ".tx"


class FileTransactionLog(TransactionLog):
    """For one wallet and one process at a time. Signed transactions can be sent by whoever reads them: others may not."""

    def __init__(self, directory: Path, now_ns: Callable[[], int] = time.time_ns) -> None:
        """Make `directory` if it is not there.

        Raises:
            WalletError: it cannot be made, or others can read it.
        """
        self._directory = directory
        self._now_ns = now_ns
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(directory.stat().st_mode)
        except OSError as error:
            raise WalletError(f"{directory} cannot be used ({error}): choose another directory") from error
        if mode & 0o077:
            raise WalletError(f"{directory} has mode {mode:04o}, others can read what is signed: run `chmod 700 {directory}`")

    async def record(self, digest: TxDigest, tx_bytes: bytes, signatures: Sequence[bytes], purpose: str) -> None:
        if self._file(digest).exists():
            return
        content = {
            "at": self._now_ns(),
            "tx_bytes": tx_bytes.hex(),
            "signatures": [each.hex() for each in signatures],
            "purpose": purpose,
        }
        await to_thread(self._write, self._file(digest), json.dumps(content).encode())

    async def settle(self, digest: TxDigest, status: TxStatus) -> None:  # noqa: ARG002  gone either way
        await to_thread(self._file(digest).unlink, missing_ok=True)

    async def pending(self) -> Sequence[LoggedTransaction]:
        """Oldest first.

        Raises:
            WalletError: a file cannot be read; it may be a transaction that is under way.
        """
        return await to_thread(self._read_all)

    def _read_all(self) -> list[LoggedTransaction]:
        found = []
        for file in self._directory.glob(f"*{SUFFIX}"):
            try:
                known = json.loads(file.read_bytes())
                signatures = tuple(bytes.fromhex(each) for each in known["signatures"])
                tx_bytes, purpose = bytes.fromhex(known["tx_bytes"]), str(known["purpose"])
                found.append((int(known["at"]), LoggedTransaction(TxDigest(file.stem), tx_bytes, signatures, purpose)))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise WalletError(f"{file} is no logged transaction ({error!r}): restore it, or look the digest up and remove it") from error
        return [each for _, each in sorted(found, key=lambda pair: pair[0])]

    def _file(self, digest: TxDigest) -> Path:
        # base58: no separator can be in it
        return self._directory / f"{digest}{SUFFIX}"

    def _write(self, file: Path, content: bytes) -> None:
        # a temporary file has mode 0600 from its first moment on
        with tempfile.NamedTemporaryFile("wb", dir=self._directory, prefix="part-", delete=False) as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).replace(file)
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
