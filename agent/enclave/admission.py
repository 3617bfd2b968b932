"""What is checked before a task's input is run, by its executor and again by every auditor [H2].

The same bytes and the same chain give the same answer everywhere: an input that an executor may run is one that no
auditor can object to.
"""

from dataclasses import dataclass, field
from typing import Protocol

from agent.enclave import hpke
from agent.enclave.errors import InputTooLarge, MalformedMessage, SealBroken
from agent.enclave.orders import ExecuteOrder
from agent.enclave.sealing import MAX_SEALED_INPUT, InputBlob, InputHeader, open_body, parse_input, read_body
from agent.enclave.workloads.workload import Workload, billed, manifest_hash
from agent.protocol import keys
from agent.protocol.statements import InvalidReason
from agent.protocol.units import Digest


class InvalidInput(Exception):
    """The input must not be run; `reason` is what the statement says."""

    def __init__(self, reason: InvalidReason) -> None:
        super().__init__(reason.name)
        self.reason = reason


class FindDataKey(Protocol):
    """How this enclave comes by the data key: from the blob's own encapsulation, or from a wrap."""

    def __call__(self, blob: InputBlob) -> bytes:
        """The data key.

        Raises:
            SealBroken: it does not open.
        """
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """An input that may be run."""

    data_key: bytes = field(repr=False)
    text: str = field(repr=False)
    units: int
    """As billed."""


def admit(order: ExecuteOrder, sealed_input: bytes, workload: Workload, find_data_key: FindDataKey) -> Admitted:
    """Open `sealed_input`, which is the one named on chain, and check it against the chain's word and the workload's limits.

    Raises:
        InvalidInput: the first check that fails, in the order of the reasons' numbers but for the size of the blob.
    """
    if len(sealed_input) > MAX_SEALED_INPUT:
        raise InvalidInput(InvalidReason.TOO_LARGE)
    try:
        blob = parse_input(sealed_input)
        data_key = find_data_key(blob)
        if keys.key_commitment(data_key, order.task) != order.key_commitment:
            raise InvalidInput(InvalidReason.KEY_COMMITMENT)
        plaintext = open_body(blob, data_key, order.network, order.task)
    except SealBroken:
        raise InvalidInput(InvalidReason.SEAL) from None
    try:
        opened = read_body(plaintext)
    except MalformedMessage:
        raise InvalidInput(InvalidReason.HEADER) from None
    if not _repeats_the_chain(opened.header, order, workload):
        raise InvalidInput(InvalidReason.HEADER)
    try:
        units = billed(workload.measure(opened.text))
    except InputTooLarge:
        raise InvalidInput(InvalidReason.TOO_LARGE) from None
    if units > opened.header.max_units:
        raise InvalidInput(InvalidReason.TOO_LARGE)
    return Admitted(data_key, opened.text, units)


def _repeats_the_chain(header: InputHeader, order: ExecuteOrder, workload: Workload) -> bool:
    """A header that says otherwise would let the requester provoke a slash, or the host redirect the output."""
    expected = InputHeader(
        network=order.network,
        task=order.task,
        manifest=Digest(manifest_hash(workload.manifest.encode())),
        opened_at=order.opened_at,
        output_pk=order.output_pk,
        max_units=header.max_units,
        tee_mask=order.tee_mask,
        denied=order.denied,
    )
    return header == expected and hpke.is_usable(header.output_pk)
