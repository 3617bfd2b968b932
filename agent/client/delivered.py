"""What an executor delivered: found in a store or on chain, opened, and compared with what it committed to [C4]."""

from dataclasses import replace

from agent.chain.errors import ChainError
from agent.chain.port import Chain
from agent.client.complaints import Fault
from agent.client.store import RequesterStore
from agent.delivery.blob_store import BlobStore
from agent.delivery.errors import BlobError
from agent.enclave.errors import NotAuditable, OutputMismatch, SealBroken
from agent.enclave.sealing import MAX_SEALED_OUTPUT, OpenedOutput, TaskSecrets, open_output
from agent.protocol.records import TaskView


class Deliveries:
    """Outputs of one requester's tasks."""

    def __init__(self, chain: Chain, blobs: BlobStore, store: RequesterStore) -> None:
        self._chain = chain
        self._blobs = blobs
        self._store = store

    async def opened(self, task: TaskView, secrets: TaskSecrets) -> OpenedOutput | Fault:
        """The output of a committed task, or what is wrong with it. One that is forged is kept: stores may lose it before
        its dispute is over.
        """
        sealed = await self.sealed(task)
        if sealed is None:
            return Fault.MISSING
        try:
            return open_output(
                sealed, secrets, task.id, task.executor.node,
                posted_commitment=task.commitment, sealed_output_digest=task.sealed_output_digest,
            )  # fmt: skip
        except NotAuditable:
            return Fault.MISKEYED
        except (OutputMismatch, SealBroken):
            entry = await self._store.load(task.id)
            if entry is not None and not entry.sealed_output:
                await self._store.save(replace(entry, sealed_output=sealed))
            return Fault.FORGED

    async def sealed(self, task: TaskView) -> bytes | None:
        """The sealed output from wherever it can be had now; whatever it holds, its digest is the one on chain."""
        entry = await self._store.load(task.id)
        if entry is not None and entry.sealed_output:
            return entry.sealed_output
        try:
            return await self._blobs.fetch(task.sealed_output_digest, limit=MAX_SEALED_OUTPUT)
        except BlobError:
            if not task.delivery.published:
                return None
        try:
            return await self._chain.published_output(task.id)
        except ChainError:
            # an endpoint without history, or one that fails: the next look may find it
            return None
