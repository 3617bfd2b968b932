/// Every deadline: docs/spec/protocol.md §6. Anybody may call, and earns a bounty where somebody was absent.
module enclavia::crank;

use enclavia::audit;
use enclavia::network::Network;
use enclavia::task::{Self, Task};
use sui::clock::Clock;

const OPEN: u8 = 0;
const RUNNING: u8 = 1;
const COMMITTED: u8 = 2;
const TICKET: u8 = 3;
const HANDOFF: u8 = 4;
const AUDITING: u8 = 5;
const REVEALING: u8 = 6;
const DISPUTED: u8 = 7;
const EMPTY: u8 = 11;
const PUBLISHING: u8 = 12;
const RULING: u8 = 13;

const ACCEPTED: u8 = 1;
const REFUSED: u8 = 4;
const ABSENT: u8 = 5;
const EXPIRED: u8 = 7;
const VOID: u8 = 8;
const UNDECIDED: u8 = 9;
const UNDELIVERED: u8 = 10;

/// Moves a task on whose deadline, with its grace, has passed.
public fun advance(task: &mut Task, network: &Network, clock: &Clock, ctx: &TxContext) {
    task.check_network(network);
    network.check_alive(clock);
    let now = network.now(clock);
    let state = task.state();
    task::check_that(waits(task));
    task.check_late(now);
    if (state == OPEN) end(task, EXPIRED, now, ctx)
    else if (state == RUNNING) end(task, ABSENT, now, ctx)
    else if (state == COMMITTED) audit::conclude(task, now)
    else if (state == EMPTY) { let outcome = without_audit(task); task.decide(outcome, now) }
    else if (state == TICKET) without_ticket(task, now)
    else if (state == HANDOFF) without_key(task, now, ctx)
    else if (state == PUBLISHING) end(task, UNDELIVERED, now, ctx)
    else if (state == DISPUTED) audit::await_ruling(task, now)
    else if (state == RULING) task.decide(UNDECIDED, now)
    else {
        task.current_mut().set_cranker(ctx.sender());
        if (state == AUDITING && task.current().committed() > 0) audit::open_reveals(task, now)
        else audit::judge(task, now)
    }
}

fun waits(task: &Task): bool {
    let state = task.state();
    state == OPEN || state == RUNNING || (state == COMMITTED && !audit::is_waiting_for_audit(task)) || state == EMPTY
        || state == TICKET || state == HANDOFF || state == AUDITING || state == REVEALING || state == DISPUTED
        || state == PUBLISHING || state == RULING
}

/// Somebody was absent: who noticed earns the bounty.
fun end(task: &mut Task, outcome: u8, now: u64, ctx: &TxContext) {
    task.set_cranker(ctx.sender());
    task.decide(outcome, now)
}

/// A requester who restricts audits until none is possible cannot have the result for the reservation fee.
fun without_audit(task: &Task): u8 { if (task.restricts()) ACCEPTED else VOID }

fun without_ticket(task: &mut Task, now: u64) {
    if (task.current().kind() == 1) task.decide(VOID, now) else audit::await_ruling(task, now)
}

fun without_key(task: &mut Task, now: u64, ctx: &TxContext) {
    if (task.current().is_of_delivery()) audit::conclude(task, now) else end(task, REFUSED, now, ctx)
}
