/// A contract that asks a question and gets its answer: an example of Requests from Move (docs/spec/protocol.md §7).
///
/// A contract cannot open a task itself, for `open_task` takes `&Random`. So:
///  1. `ask` posts a Request, which names the Question as its origin, and keeps its address.
///  2. Anybody sends `task::open_request`. The requester then seals the input for the drawn executor and posts it, as for any task.
///  3. The task runs, is audited or not, and is settled.
///  4. Anybody with the opened output calls `receive`, which checks it against the settled task and keeps it.
/// `cancel` gets the payment of a request back that nobody opened. A task without an answer refunds the requester by itself.
///
/// What an answer proves: the Pool's workload gave it to an input of the requester's. The input is sealed, so the requester is
/// trusted to have asked what it says it asked; nobody else can post an input, so an answer is of nobody else's making.
/// A Request may name any object as its origin: the origin alone would prove nothing.
module oracle::oracle;

use enclavia::network::Network;
use enclavia::pool::Pool;
use enclavia::request::{Self, Request};
use enclavia::task::Task;
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use sui::sui::SUI;

/// The task or request is not this question's.
const ENotMine: u64 = 1;
/// The task is not settled, or its executor was not paid: there is no answer to rely on.
const ENotAnswered: u64 = 2;
/// Output, leaf key and salt do not open what the executor committed to.
const EWrongOutput: u64 = 3;
/// The question is answered or closed already.
const EClosed: u64 = 4;
/// Only the requester may give a question up.
const ENotRequester: u64 = 5;

const ASKED: u8 = 0;
const ANSWERED: u8 = 1;
const CLOSED: u8 = 2;

/// Shared: one for each question.
public struct Question has key {
    id: UID,
    network: address,
    pool: address,
    /// Who posts the input, and gets refunds and change.
    requester: address,
    request: address,
    state: u8,
    /// The task that answered; 0x0: none yet.
    task: address,
    answer: vector<u8>,
}

public struct Asked has copy, drop { question: address, request: address, requester: address }
public struct Answered has copy, drop { question: address, task: address, answer: vector<u8> }
public struct Closed has copy, drop { question: address }

/// Shares a Question and posts its Request, which lives for `ttl_ms`; returns the Question's address. The sender is the requester.
/// `payment` is at least `pool::quote` for `value`; a little more lets the request stand a rise of prices, and comes back as change.
public fun ask(
    network: &Network, pool: &Pool, payment: Coin<SUI>, value: u64, ttl_ms: u64, clock: &Clock, ctx: &mut TxContext,
): address {
    let id = object::new(ctx);
    let at = object::uid_to_address(&id);
    let requester = ctx.sender();
    let request = request::create(network, pool, payment, value, requester, at, ttl_ms, clock, ctx);
    event::emit(Asked { question: at, request, requester });
    transfer::share_object(Question {
        id, network: network.address_of(), pool: pool.address_of(), requester, request, state: ASKED, task: @0x0,
        answer: vector[],
    });
    at
}

/// Takes the answer of a settled task; anybody may bring it. `leaf_key` and `salt` came sealed with `output`.
/// Before the task is reaped, which takes `unbonding_ms`.
public fun receive(question: &mut Question, task: &Task, output: vector<u8>, leaf_key: vector<u8>, salt: vector<u8>) {
    check_open(question);
    check_mine(question, task);
    assert!(task.is_answered(), ENotAnswered);
    assert!(task.opens(output, leaf_key, salt), EWrongOutput);
    question.state = ANSWERED;
    question.task = task.address_of();
    question.answer = output;
    event::emit(Answered { question: address_of(question), task: question.task, answer: question.answer });
}

/// Ends a question whose request nobody opened, and has its payment sent back to the requester: at his word, or at anybody's
/// once the request has expired.
public fun cancel(question: &mut Question, request: Request, network: &Network, clock: &Clock, ctx: &mut TxContext) {
    check_open(question);
    assert!(object::id_address(&request) == question.request, ENotMine);
    request::cancel(request, network, clock, ctx);
    close(question);
}

/// Ends a question at the requester's word: its task found no answer, or somebody cancelled its request without the contract.
public fun give_up(question: &mut Question, ctx: &TxContext) {
    check_open(question);
    assert!(ctx.sender() == question.requester, ENotRequester);
    close(question);
}

fun close(question: &mut Question) {
    question.state = CLOSED;
    event::emit(Closed { question: address_of(question) });
}

fun check_open(question: &Question) { assert!(question.state == ASKED, EClosed); }

fun check_mine(question: &Question, task: &Task) {
    assert!(task.origin() == address_of(question) && task.requester() == question.requester, ENotMine);
    assert!(task.pool() == question.pool && task.network() == question.network, ENotMine);
}

public fun address_of(question: &Question): address { object::uid_to_address(&question.id) }
public fun request(question: &Question): address { question.request }
public fun is_answered(question: &Question): bool { question.state == ANSWERED }
/// Empty unless answered.
public fun answer(question: &Question): vector<u8> { question.answer }
