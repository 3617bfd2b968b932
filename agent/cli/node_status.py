"""What `enclavia node status` and `enclavia node tasks` read."""

from pathlib import Path

from agent.cli.owner import looking
from agent.node.config import NodeConfig
from agent.node.errors import IdentityError
from agent.node.identity import NodeIdentity
from agent.node.journal import NO_DEADLINE, DutyRow, Journal
from agent.node.register import standing_of
from agent.node.standing import Seen, report
from agent.node.supervisor import JOURNAL_FILE


async def read_status(directory: Path) -> dict[str, object]:
    """What chain and journal say of the node in `directory`.

    Raises:
        IdentityError: the pool knows this node no more.
    """
    me = NodeIdentity.load(directory)
    async with looking(directory) as (_, chain):
        me.check(chain.deployment)
        member = await standing_of(chain, me)
        if member is None:
            raise IdentityError("the pool has no record of this node: it was retired, or identity.json is another node's")
        holder = await chain.member(me.slot)
        network, pool, roster = await chain.network(), await chain.pool(), await chain.roster()
        seen = Seen(member, network, pool, roster, await chain.now(), await chain.balance(), holder is None or holder.node != me.node)
    return {**report(seen), "next_duty": await next_duty(directory)}


async def next_duty(directory: Path) -> str | None:
    """The open duty with the nearest deadline, or else the first open task; None if there is none."""
    rows = [row for row in await _duties(directory, None) if not row.closed]
    pressing = [row for row in rows if row.deadline != NO_DEADLINE] or [row for row in rows if row.key.kind in ("execute", "audit")]
    if not pressing:
        return None
    row = pressing[0]
    until = "" if row.deadline == NO_DEADLINE else f", until {row.deadline} ms of protocol time"
    return f"{row.key} ({row.state}{until})"


async def recent_duties(directory: Path, limit: int) -> list[dict[str, object]]:
    """The `limit` duties that changed last, for printing."""
    return [
        {
            "duty": str(row.key), "subject": "0x" + row.key.subject.hex(), "state": row.state, "closed": row.closed,
            "failures": row.failures, "reason": row.reason, "changed_at_ms": row.changed_at,
        }
        for row in await _duties(directory, limit)
    ]  # fmt: skip


async def _duties(directory: Path, limit: int | None) -> tuple[DutyRow, ...]:
    config = NodeConfig.load(directory)
    journal = await Journal.peek(config.directory / JOURNAL_FILE)
    if journal is None:
        return ()
    try:
        return await journal.open_duties() if limit is None else await journal.recent_duties(limit)
    finally:
        await journal.close()
