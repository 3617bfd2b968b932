"""How an enclave votes on the computation (rounds 1 to 3): docs/spec/protocol.md §4, §6.

    no wrap of its own that opens to the committed key              BAD_WRAP
    another wrap of this round is not the one the key gives         BAD_WRAP        every holder of the key sees it alike
    one that the executor handed off in an earlier round is not     EARLIER_WRAP
    an input that no honest executor could have committed to        BAD_WRAP
    else                                                            the root of its own run, or of an honest rounding of it
"""

from dataclasses import dataclass, field

from agent.enclave.admission import InvalidInput, admit
from agent.enclave.agreement import agreed_root
from agent.enclave.errors import SealBroken, WrongOrder
from agent.enclave.handoff import unwrap, wraps_hold
from agent.enclave.orders import AuditOrder, DeliveryOrder, PostedWrap
from agent.enclave.own_keys import EnclaveKeys
from agent.enclave.sealing import is_deliverable
from agent.enclave.workloads.workload import Workload
from agent.protocol import keys
from agent.protocol.statements import BAD_WRAP, EARLIER_WRAP, NO_INPUT, NO_SALT
from agent.protocol.units import Digest


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote before it is signed."""

    root: Digest
    salt: bytes
    executor_salt: bytes
    data_key: bytes | None = field(default=None, repr=False)
    """Where the task was found in order, so that the key may be handed on; else None."""


def vote_on_computation(  # noqa: PLR0911  one return a rule
    order: AuditOrder, sealed_input: bytes, workload: Workload, own: EnclaveKeys
) -> Ballot:
    """The ballot after running the task again. `sealed_input` is the one named on chain.

    Raises:
        WrongOrder: the order has no wrap for who is asked.
    """
    task = order.task
    try:
        data_key = unwrap(own_wrap(order), own.hpke, task.network, task.task)
    except SealBroken:
        return blind_ballot(BAD_WRAP, order, own)
    if keys.key_commitment(data_key, task.task) != task.key_commitment:
        return blind_ballot(BAD_WRAP, order, own)
    salt = keys.salt(data_key, task.task, order.node)
    if not wraps_hold(data_key, task.network, task.task, order.wraps):
        return Ballot(BAD_WRAP, salt, NO_SALT)
    if not wraps_hold(data_key, task.network, task.task, order.earlier):
        return Ballot(EARLIER_WRAP, salt, NO_SALT)
    try:
        admitted = admit(task, sealed_input, workload, lambda _: data_key)
    except InvalidInput:
        return Ballot(BAD_WRAP, salt, NO_SALT)
    run = workload.run(admitted.text)
    if not is_deliverable(run.output):
        return Ballot(BAD_WRAP, salt, NO_SALT)
    root = agreed_root(run, data_key, task.task, task.node, order.commitment)
    return Ballot(root, salt, keys.salt(data_key, task.task, task.node), data_key)


def vote_without_input(order: AuditOrder, own: EnclaveKeys) -> Ballot:
    """The ballot on the host's word that the sealed input is nowhere to be had."""
    return blind_ballot(NO_INPUT, order, own)


def blind_ballot(root: Digest, order: AuditOrder | DeliveryOrder, own: EnclaveKeys) -> Ballot:
    """A ballot of one that holds no key to the matter."""
    return Ballot(root, own.salt(order.task.task, order.node), NO_SALT)


def own_wrap(order: AuditOrder | DeliveryOrder) -> PostedWrap:
    """The wrap for whoever the order is for.

    Raises:
        WrongOrder: there is none.
    """
    for posted in order.wraps:
        if (posted.node, posted.key_epoch) == (order.node, order.key_epoch):
            return posted
    raise WrongOrder("the order has no wrap for this node and key epoch: give all wraps of the round, as on chain")
