"""Calls of the modules `request`, `task`, `crank` and `settlement`."""

from agent.chain import calls as c
from agent.chain.sui.encoding.builder import Builder


def add(to: Builder, call: c.OfRequest | c.OfTask | c.OfCrank) -> None:
    """Add `call` to the transaction that `to` builds."""
    if isinstance(call, c.OfRequest):
        _of_request(to, call)
    elif isinstance(call, c.OpenTask):
        payment = to.coin(call.payment)
        objects = (to.network(), to.pool(mutable=False), to.roster())
        to.move("task::open_task", *objects, to.u64(call.value), payment, to.random(), to.clock())
    elif isinstance(call, c.OfTask):
        _of_task(to, call)
    else:
        _of_crank(to, call)


def _of_request(to: Builder, call: c.OfRequest) -> None:
    match call:
        case c.CreateRequest():
            payment = to.coin(call.payment)
            who = (to.address(call.requester), to.address(call.origin))
            what = (payment, to.u64(call.value), *who, to.u64(call.ttl_ms))
            to.move("request::create", to.network(), to.pool(mutable=False), *what, to.clock())
        case c.CancelRequest():
            to.move("request::cancel", to.shared(call.request), to.network(), to.clock())
        case c.OpenRequest():
            objects = (to.shared(call.request), to.network(), to.pool(mutable=False), to.roster())
            to.move("task::open_request", *objects, to.random(), to.clock())


def _of_task(to: Builder, call: c.OfTask) -> None:
    match call:
        case c.RejectExecutor():
            fee = to.coin(call.fee)
            to.move("task::reject_executor", to.shared(call.task), to.pool(), to.address(call.node), fee, to.network(), to.clock())
        case c.AssignAndPostInput():
            task, epoch = to.shared(call.task), to.u64(call.key_epoch)
            assignment = to.result(to.move("task::assign", task, to.pool(), to.network(), epoch, to.clock()))
            blob = (to.text(call.input_uri), to.octets(call.input_digest))
            keys = (to.octets(call.key_commitment), to.octets(call.output_pk))
            audit = (to.u64(call.tee_mask), to.addresses(call.denied))
            what = (to.address(call.node), epoch, *blob, *keys, *audit)
            to.move("task::post_input", task, assignment, *what, to.network(), to.clock())
        case c.ReportInvalidInput():
            said = (to.u8(call.reason), to.octets(call.signature))
            to.move("task::report_invalid_input", to.shared(call.task), to.network(), *said, to.clock())
        case c.CancelRevoked():
            to.move("task::cancel_revoked", to.shared(call.task), to.pool(mutable=False), to.network(), to.clock())
        case c.Commit():
            posted = (to.octets(call.commitment), to.octets(call.sealed_output_digest), to.u64(call.units))
            objects = (to.shared(call.task), to.network(), to.roster())
            to.move("task::commit", *objects, *posted, to.octets(call.signature), to.random(), to.clock())
        case c.Challenge():
            bond = to.coin(call.bond)
            to.move("task::challenge", to.shared(call.task), to.network(), to.roster(), bond, to.random(), to.clock())
        case c.Reap():
            to.move("task::reap", to.shared(call.task), to.network(), to.clock())
        case c.MigrateTask():
            to.move("task::migrate", to.shared(call.task), to.network())


def _of_crank(to: Builder, call: c.OfCrank) -> None:
    match call:
        case c.Advance():
            to.heartbeat()
            to.move("crank::advance", to.shared(call.task), to.network(), to.clock())
        case c.Settle():
            to.move("settlement::settle", to.shared(call.task), to.pool(), to.network(), to.clock())
