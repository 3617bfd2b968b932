"""When an enclave hands off: only against a draw ticket that the committee it was started with has signed [C6].

Without this, a host could show its enclave a forged "auditor": one chip whose attestation key was extracted would open
every task of every host.
"""

from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.enclave.errors import BindingRefused, TicketRefused
from agent.enclave.orders import Committee, ExecuteOrder
from agent.protocol.statements import TicketStatement

MAX_SEATS: Final = 64
"""Seats of one ticket; the contract has 32 at most."""

MAX_RECIPIENTS: Final = 96
"""Enclaves that one task's data key may ever be wrapped for.

An audit and two disputes of as many seats as the contract allows.
"""

MAX_VERIFIERS: Final = 256
PUBLIC_KEY_BYTES: Final = 32
ROUNDS: Final = (1, 2, 3)
"""Audit, dispute, second dispute."""


def check_committee(committee: Committee) -> None:
    """Raises BindingRefused unless `committee` could ever sign and has one key per member."""
    keys = committee.verifiers
    if not 1 <= committee.threshold <= len(keys) <= MAX_VERIFIERS:
        raise BindingRefused(f"a committee of {len(keys)} cannot have the threshold {committee.threshold}")
    if len(set(keys)) != len(keys) or any(len(key) != PUBLIC_KEY_BYTES for key in keys):
        raise BindingRefused(f"the committee's keys are different and have {PUBLIC_KEY_BYTES} bytes each")


def check_ticket(
    ticket: TicketStatement,
    signers: tuple[int, ...],
    signatures: tuple[bytes, ...],
    committee: Committee,
    order: ExecuteOrder,
) -> None:
    """Whether `ticket` allows the data key of the task of `order` to be wrapped for its seats.

    `order` is the one that was executed: its fields were checked against the sealed header then.

    Raises:
        TicketRefused: it does not; the text says why.
    """
    if (ticket.network, ticket.task) != (order.network, order.task):
        raise TicketRefused("the ticket is for another network or task")
    if ticket.input_digest != order.input_digest:
        raise TicketRefused("the ticket is for another input")
    if ticket.round not in ROUNDS:
        raise TicketRefused(f"there is no round {ticket.round}")
    if ticket.issued_at < order.opened_at:
        raise TicketRefused("the ticket is older than the task")
    nodes = [seat.node for seat in ticket.seats]
    if not nodes or len(nodes) > MAX_SEATS or len(set(nodes)) != len(nodes):
        raise TicketRefused(f"a ticket names 1 to {MAX_SEATS} nodes, each once")
    for seat in ticket.seats:
        if not (order.tee_mask >> seat.tee_kind) & 1:
            raise TicketRefused(f"the requester allows no audit by enclaves of kind {seat.tee_kind}")
    _check_signatures(ticket.signing_bytes(), signers, signatures, committee)


def _check_signatures(
    message: bytes, signers: tuple[int, ...], signatures: tuple[bytes, ...], committee: Committee
) -> None:
    """As `statement::verify_committee` on chain: every signature given has to be good."""
    if len(signers) < committee.threshold or len(signers) != len(signatures):
        raise TicketRefused(f"{len(signers)} signers, {len(signatures)} signatures: {committee.threshold} are needed")
    if any(low >= high for low, high in pairwise(signers)):
        raise TicketRefused("signers are named once each, in rising order")
    for signer, signature in zip(signers, signatures, strict=True):
        if signer >= len(committee.verifiers):
            raise TicketRefused(f"the committee has no member {signer}")
        try:
            Ed25519PublicKey.from_public_bytes(committee.verifiers[signer]).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise TicketRefused(f"the signature of committee member {signer} does not verify") from None
