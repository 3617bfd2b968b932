"""What a node's duties act through."""

from dataclasses import dataclass
from typing import Final

from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore, LocalBlobStore
from agent.delivery.errors import BlobError, UnknownStore
from agent.delivery.stores import BlobStores
from agent.enclave.orders import ExecuteOrder
from agent.node.chain_time import ChainTime
from agent.node.config import AdmissionSection, DutySection
from agent.node.duties.duty import Computing
from agent.node.duties.sight import Sight, look
from agent.node.enclaves import Enclaves
from agent.node.errors import KeysLost
from agent.node.identity import NodeIdentity
from agent.node.journal import DutyRow, Journal
from agent.node.submitter import Submitter
from agent.protocol.records import TaskView
from agent.protocol.units import TaskId

PINNED: Final = frozenset({"execute", "audit"})
"""Kinds of duty that need the enclave of the key epoch that their fact `epoch` names."""


@dataclass(frozen=True, slots=True)
class Station:
    """Built once by the supervisor; holds no state of its own."""

    me: NodeIdentity
    chain: Chain
    time: ChainTime
    journal: Journal
    submitter: Submitter
    enclaves: Enclaves
    stores: BlobStores
    """Where others' blobs may be fetched from."""
    home: BlobStore
    """Where this node's own blobs are put."""
    home_uri: str
    """What others find `home` under."""
    kept: LocalBlobStore
    """This node's own copies of sealed inputs and outputs of open tasks: whoever has to hand off or to publish must not depend
    on a store that others run.
    """
    admission: AdmissionSection
    policy: DutySection
    computing: Computing

    async def look(self, row: DutyRow) -> Sight | None:
        """See the task that `row` is about; None if it was reaped."""
        return await look(self.chain, self.time, TaskId(row.key.subject))

    async def fetch_input(self, task: TaskView) -> bytes:
        """The sealed input of `task`, checked, within [admission] max_input_bytes: from where the requester put it, or from
        where whoever handed off keeps it readable. A copy of it stays here until the task is decided.

        Raises:
            BlobError, UnknownStore: it cannot be had now.
        """
        limit = self.admission.max_input_bytes
        if await self.kept.size(task.input_digest) is not None:
            return await self.kept.fetch(task.input_digest, limit=limit)
        try:
            sealed = await self.stores.fetch(task.input_uri, task.input_digest, limit=limit)
        except (BlobError, UnknownStore):
            uri = task.current.uri if task.current else b""
            if not uri:
                raise
            sealed = await self.stores.fetch(uri, task.input_digest, limit=limit)
        await self.kept.put(sealed)
        return sealed

    async def offer_input(self, sight: Sight) -> str:
        """Put the sealed input where everybody can read it, and say where: whoever hands off is to keep it readable, for the
        requester might take it away. In the last quarter of the window "" is said instead of failing: the handoff counts.

        Raises:
            BlobError, UnknownStore: it cannot be had, or not be put, and there is time to try again.
        """
        try:
            await self.home.put(await self.fetch_input(sight.task))
        except (BlobError, UnknownStore):
            if sight.now < sight.task.deadline - sight.task.params.handoff_ms // 4:
                raise
            return ""
        return self.home_uri

    async def drop(self, task: TaskView) -> None:
        """Forget this node's copies of a decided task."""
        for digest in (task.input_digest, task.sealed_output_digest):
            if digest:
                await self.kept.discard(digest)

    async def forget(self, task: TaskId, epoch: int) -> None:
        """Have the enclave of `epoch` wipe a decided task; keys that are gone have forgotten already."""
        try:
            await self.enclaves.ask(epoch, lambda client: client.forget(task))
            await self.enclaves.keep(epoch)
        except KeysLost:
            return

    async def epochs_in_use(self) -> frozenset[int] | None:
        """Key epochs that open tasks are pinned to; None while an open task does not tell its epoch yet."""
        pinned = [row.facts.get("epoch") for row in await self.journal.open_duties() if row.key.kind in PINNED]
        return None if None in pinned else frozenset(epoch for epoch in pinned if isinstance(epoch, int))


def execute_order(task: TaskView) -> ExecuteOrder:
    """What the enclave is told of a task, word for word from the chain."""
    return ExecuteOrder(
        network=task.network,
        task=task.id,
        node=task.executor.node,
        key_epoch=task.executor.key_epoch,
        input_digest=task.input_digest,
        key_commitment=task.key_commitment,
        output_pk=task.output_pk,
        tee_mask=task.tee_mask,
        denied=task.input.denied,
        opened_at=task.opened_at,
    )
