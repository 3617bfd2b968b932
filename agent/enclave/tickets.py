"""When an enclave hands off: only against a draw ticket that the committee it was started with has signed [C6].

Without this, a host could show its enclave a forged "auditor": one chip whose attestation key was extracted would open
every task of every host.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.enclave.errors import BindingRefused, TicketRefused
from agent.enclave.orders import Committee, ExecuteOrder
from agent.protocol.statements import TicketStatement
from agent.protocol.states import RoundKind

MAX_SEATS: Final[Mapping[int, int]] = {RoundKind.AUDIT: 16, RoundKind.DISPUTE: 32, RoundKind.SECOND_DISPUTE: 32}
"""Seats of one ticket, at most, as in the contract. With one ticket a round, nobody else ever gets the data key of a task."""

MAX_VERIFIERS: Final = 256
PUBLIC_KEY_BYTES: Final = 32

DISPUTES: Final = (RoundKind.DISPUTE, RoundKind.SECOND_DISPUTE)
"""In which an auditor may hand off in the executor's place."""


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

    `order` is the one that was executed or audited: its fields were checked against the sealed header then. `committee` is
    the one in this enclave's binding: no other is believed, whatever the network has meanwhile.

    Raises:
        TicketRefused: it does not; the text says why.
    """
    if (ticket.network, ticket.task) != (order.network, order.task):
        raise TicketRefused("the ticket is for another network or task")
    if ticket.input_digest != order.input_digest:
        raise TicketRefused("the ticket is for another input")
    limit = MAX_SEATS.get(ticket.round, 0)
    if not limit:
        raise TicketRefused(f"no data key is handed off in a round {ticket.round}")
    if ticket.issued_at < order.opened_at:
        raise TicketRefused("the ticket is older than the task")
    nodes = [seat.node for seat in ticket.seats]
    if not nodes or len(nodes) > limit or len(set(nodes)) != len(nodes):
        raise TicketRefused(f"a ticket of round {ticket.round} names 1 to {limit} nodes, each once")
    for seat in ticket.seats:
        if not (order.tee_mask >> seat.tee_kind) & 1:
            raise TicketRefused(f"the requester allows no audit by enclaves of kind {seat.tee_kind}")
        if seat.operator in order.denied:
            raise TicketRefused(f"the requester allows no audit by operator 0x{seat.operator.hex()}")
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
