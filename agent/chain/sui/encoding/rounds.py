"""Calls of the modules `audit` and `delivery`."""

from agent.chain import calls as c
from agent.chain.sui.encoding.builder import Builder


def add(to: Builder, call: c.OfAudit | c.OfDelivery) -> None:
    """Add `call` to the transaction that `to` builds."""
    if isinstance(call, c.OfAudit):
        _of_audit(to, call)
    else:
        _of_delivery(to, call)


def _of_audit(to: Builder, call: c.OfAudit) -> None:
    task, clock = to.shared(call.task), to.clock()
    match call:
        case c.BeginAudit():
            to.move("audit::begin_audit", task, to.pool(), to.network(), clock)
        case c.Redraw():
            to.move("audit::redraw", task, to.network(), to.roster(), to.random(), clock)
        case c.IssueTicket():
            signed = to.signed(call.committee, call.signers, call.signatures)
            to.move("audit::issue_ticket", task, to.network(), to.u64(call.issued_at), *signed, clock)
        case c.Handoff():
            handed = (to.u64(call.by), to.vectors(call.wraps), to.text(call.uri), to.octets(call.signature))
            to.move("audit::handoff", task, to.network(), *handed, clock)
        case c.AuditCommit():
            posted = (to.u64(call.seat), to.octets(call.commitment), to.octets(call.signature))
            to.move("audit::audit_commit", task, to.network(), *posted, clock)
        case c.Reveal():
            opening = map(to.octets, (call.root, call.salt, call.executor_salt))
            to.move("audit::reveal", task, to.network(), to.u64(call.seat), *opening, clock)
        case c.DrawDispute():
            to.move("audit::draw_dispute", task, to.network(), to.roster(), to.random(), clock)
        case c.BeginDispute():
            to.move("audit::begin_dispute", task, to.pool(), to.network(), clock)
        case c.Rule():
            signed = to.signed(call.committee, call.signers, call.signatures)
            to.move("audit::rule", task, to.network(), to.octets(call.root), to.flag(call.agrees), *signed, clock)


def _of_delivery(to: Builder, call: c.OfDelivery) -> None:
    task, clock = to.shared(call.task), to.clock()
    match call:
        case c.ClaimUndelivered():
            to.move("delivery::claim_undelivered", task, to.network(), to.coin(call.bond), clock)
        case c.PublishOutput():
            chunk = (to.u64(call.index), to.octets(call.head), to.octets(call.tail), to.flag(call.last))
            to.move("delivery::publish_output", task, to.network(), to.cap(call.operator_cap), *chunk, clock)
        case c.SubmitOutput():
            chunk = (to.u64(call.index), to.octets(call.head), to.octets(call.tail), to.flag(call.last))
            to.move("delivery::submit_output", task, to.network(), *chunk, clock)
        case c.DisputeDelivery():
            to.move("delivery::dispute_delivery", task, to.network(), to.coin(call.bond), clock)
        case c.PostOutputKey():
            to.move("delivery::post_output_key", task, to.network(), to.vectors(call.wraps), clock)
