"""Calls of the modules `network`, `pool` and `roster`."""

from agent.chain import calls as c
from agent.chain.sui.encoding.builder import Builder


def add(to: Builder, call: c.OfNetwork | c.OfPool | c.OfRoster) -> None:
    """Add `call` to the transaction that `to` builds."""
    if isinstance(call, c.OfNetwork):
        _of_network(to, call)
    elif isinstance(call, c.OfPool):
        _of_pool(to, call)
    else:
        _of_roster(to, call)


def _of_network(to: Builder, call: c.OfNetwork) -> None:  # noqa: C901  one case a call
    match call:
        case c.CreateNetwork():
            policy = (to.octets(call.policy), to.vectors(call.nitro))
            committee = (to.vectors(call.verifiers), to.u64(call.threshold))
            params = to.params(call.params)
            to.keep(to.move("network::create", params, to.flag(call.allow_simulated), *policy, *committee, to.clock()))
        case c.Heartbeat():
            to.heartbeat()
        case c.SetPaused():
            to.move("network::set_paused", to.network(mutable=True), to.cap(call.cap), to.flag(call.paused))
        case c.ProposeParams():
            params = to.params(call.params)
            to.move("network::propose_params", to.network(mutable=True), to.cap(call.cap), params, to.clock())
        case c.ApplyParams():
            to.move("network::apply_params", to.network(mutable=True), to.clock())
        case c.ProposeCommittee():
            committee = (to.vectors(call.verifiers), to.u64(call.threshold))
            to.move("network::propose_committee", to.network(mutable=True), to.cap(call.cap), *committee, to.clock())
        case c.ApplyCommittee():
            to.move("network::apply_committee", to.network(mutable=True), to.clock())
        case c.CancelProposals():
            to.move("network::cancel_proposals", to.network(mutable=True), to.cap(call.cap))
        case c.AddPolicy():
            policy = (to.octets(call.digest), to.vectors(call.nitro))
            when = (to.u64(call.activates_at), to.clock())
            to.move("network::add_policy", to.network(mutable=True), to.cap(call.cap), *policy, *when)
        case c.SunsetPolicy():
            what = (to.octets(call.digest), to.u64(call.at))
            to.move("network::sunset_policy", to.network(mutable=True), to.cap(call.cap), *what, to.clock())
        case c.MigrateNetwork():
            to.move("network::migrate", to.network(mutable=True), to.cap(call.cap))


def _of_pool(to: Builder, call: c.OfPool) -> None:
    match call:
        case c.CreatePool():
            what = (to.octets(call.manifest), to.u64(call.tee_mask))
            prices = map(to.u64, (call.price, call.auditor_fee, call.reservation_fee))
            to.move("pool::create", to.network(), to.cap(call.cap), *what, *prices, to.u8(call.depth), to.clock())
        case c.ProposePrices():
            prices = map(to.u64, (call.price, call.auditor_fee, call.reservation_fee))
            to.move("pool::propose_prices", to.pool(), to.network(), to.cap(call.cap), *prices, to.clock())
        case c.ApplyPrices():
            to.move("pool::apply_prices", to.pool(), to.network(), to.clock())
        case c.ProposeWithdrawal():
            what = (to.u64(call.amount), to.address(call.to))
            to.move("pool::propose_withdrawal", to.pool(), to.network(), to.cap(call.cap), *what, to.clock())
        case c.ApplyWithdrawal():
            to.move("pool::apply_withdrawal", to.pool(), to.network(), to.clock())
        case c.MigratePool():
            to.move("pool::migrate", to.pool(), to.network())
        case c.FundAudits():
            to.move("pool::fund_audits", to.pool(), to.coin(call.amount))


def _of_roster(to: Builder, call: c.OfRoster) -> None:
    both = (to.roster(mutable=True), to.queue(), to.network())
    match call:
        case c.LaunchRoster():
            to.move("roster::launch", *both, to.cap(call.cap), to.clock())
        case c.RollPeriod():
            to.move("roster::roll_period", *both, to.clock())
        case c.MigrateRoster():
            to.move("roster::migrate", *both)
