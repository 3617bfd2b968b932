"""How an enclave votes on a delivery (rounds 4 and 5): docs/spec/protocol.md §4, §6.

No data key, no ticket, no model. The requester hands over the secret of `output_pk`; the sealed output is on chain, and so
is the commitment that what it holds has to open.

    no wrap that opens to the secret of `output_pk`; or another's wrap is not the one this secret gives     BAD_KEY
    the output does not open under it, or what it holds does not open the commitment                        FORGED
    else                                                                                                    the root
"""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.enclave.errors import SealBroken
from agent.enclave.handoff import output_wraps_hold, unwrap_output_key
from agent.enclave.orders import DeliveryOrder
from agent.enclave.own_keys import EnclaveKeys
from agent.enclave.sealing import committed_root, open_content
from agent.enclave.voting import Ballot, blind_ballot, own_wrap
from agent.protocol import keys
from agent.protocol.statements import BAD_KEY, FORGED, NO_SALT


def vote_on_delivery(order: DeliveryOrder, sealed_output: bytes, own: EnclaveKeys) -> Ballot:
    """The ballot on `sealed_output`, which is the one named on chain.

    Raises:
        WrongOrder: the order has no wrap for who is asked.
    """
    task = order.task
    try:
        secret = unwrap_output_key(own_wrap(order), own.hpke, task.network, task.task)
        private = X25519PrivateKey.from_private_bytes(secret)
    except (SealBroken, ValueError):
        return blind_ballot(BAD_KEY, order, own)
    if private.public_key().public_bytes_raw() != task.output_pk:
        return blind_ballot(BAD_KEY, order, own)
    salt = keys.arbiter_salt(secret, task.task, order.node)
    if not output_wraps_hold(secret, task.network, task.task, order.wraps):
        return Ballot(BAD_KEY, salt, NO_SALT)
    try:
        content = open_content(sealed_output, private, task.task, task.node)
    except SealBroken:
        return Ballot(FORGED, salt, NO_SALT)
    root = committed_root(content, task.task, task.node, order.commitment)
    return Ballot(FORGED, salt, NO_SALT) if root is None else Ballot(root, salt, content.salt)
