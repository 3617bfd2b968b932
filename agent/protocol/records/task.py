"""The Task and its parts: docs/spec/protocol.md §5."""

from dataclasses import dataclass

from agent.protocol.bcs import U64, U128
from agent.protocol.records.params import Params
from agent.protocol.records.record import Record
from agent.protocol.records.round import Round, Seat
from agent.protocol.states import Outcome, RoundKind, TaskState
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, Slot, TaskId


@dataclass(frozen=True, slots=True)
class Terms(Record):
    """What the task costs, as its Pool asked when it was opened, and how likely it is audited."""

    price: Mist
    auditor_fee: Mist
    reservation_fee: Mist
    value: Mist
    """What the requester says is at risk beyond the price."""
    tee_mask: U64
    """The Pool's, when the task was opened."""
    audit_probability: U128
    """Q64."""


@dataclass(frozen=True, slots=True)
class Input(Record):
    """The sealed input, and whom the requester allows to audit it."""

    uri: bytes
    digest: BlobId
    key_commitment: Digest
    output_pk: bytes
    tee_mask: U64
    denied: tuple[Address, ...]
    """Operators that may not audit."""


@dataclass(frozen=True, slots=True)
class Output(Record):
    """What the executor committed to; `signature`, of the CommitStatement, is empty before."""

    commitment: Digest
    sealed_digest: BlobId
    units: U64
    signature: bytes


@dataclass(frozen=True, slots=True)
class Draw(Record):
    """Whether the task is audited, and by whom."""

    seed: bytes
    drawn_at: Millis
    panel: tuple[Slot, ...]
    audited: bool
    challenged: bool


@dataclass(frozen=True, slots=True)
class Verdict(Record):
    """What was found; an empty root: nothing yet."""

    root: Digest
    agrees: bool

    @property
    def reached(self) -> bool:
        """Whether there is one."""
        return bool(self.root)


@dataclass(frozen=True, slots=True)
class Bonds(Record):
    """What the requester put up; `held` is the sum of the others until they are settled."""

    held: Mist
    challenge: Mist
    claim: Mist
    dispute: Mist


@dataclass(frozen=True, slots=True)
class Delivery(Record):
    """What happened after the commitment; `leaves` of the blob digest are kept while its chunks arrive."""

    claimed: bool
    published: bool
    disputed: bool
    chunks: U64
    """Of the sealed output, once it is published."""
    leaves: tuple[Digest, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TaskView(Record):
    """A Task. What it holds in groups, since Sui allows 32 fields, is there to be read as if it were flat."""

    id: TaskId
    version: U64
    network: Address
    pool: Address
    roster: Address
    requester: Address
    origin: Address
    """The contract that asked for it; 0x0: none."""
    manifest: Digest
    params: Params
    terms: Terms
    escrow: Mist
    bonds: Bonds
    state: TaskState
    outcome: Outcome
    opened_at: Millis
    deadline: Millis
    candidates: tuple[Slot, ...]
    candidate: U64
    executor: Seat
    input: Input
    output: Output
    draw: Draw
    rounds: tuple[Round, ...]
    verdict: Verdict
    """Of the computation."""
    delivery: Delivery
    cranker: Address
    """Who ended the executor's, or the requester's, missed window; 0x0: nobody."""

    @property
    def round(self) -> int:
        """The kind of the round under way, or of the last; 0: none yet."""
        return self.rounds[-1].kind if self.rounds else 0

    @property
    def current(self) -> Round | None:
        """The round under way, or the last."""
        return self.rounds[-1] if self.rounds else None

    @property
    def upheld(self) -> bool:
        """Whether a verdict agrees with the executor."""
        return self.verdict.reached and self.verdict.agrees

    @property
    def restricts(self) -> bool:
        """Whether the requester keeps some audits away that the Pool would allow."""
        pool = self.terms.tee_mask
        return self.input.tee_mask & pool != pool or bool(self.input.denied)

    @property
    def price(self) -> Mist:
        return self.terms.price

    @property
    def auditor_fee(self) -> Mist:
        return self.terms.auditor_fee

    @property
    def reservation_fee(self) -> Mist:
        return self.terms.reservation_fee

    @property
    def input_uri(self) -> bytes:
        return self.input.uri

    @property
    def input_digest(self) -> BlobId:
        return self.input.digest

    @property
    def key_commitment(self) -> Digest:
        return self.input.key_commitment

    @property
    def output_pk(self) -> bytes:
        return self.input.output_pk

    @property
    def tee_mask(self) -> int:
        return self.input.tee_mask

    @property
    def commitment(self) -> Digest:
        return self.output.commitment

    @property
    def sealed_output_digest(self) -> BlobId:
        return self.output.sealed_digest

    @property
    def units(self) -> int:
        return self.output.units

    @property
    def signature(self) -> bytes:
        """The executor's, of the CommitStatement; empty before."""
        return self.output.signature

    @property
    def seed(self) -> bytes:
        return self.draw.seed

    @property
    def panel(self) -> tuple[Slot, ...]:
        return self.draw.panel

    def is_voluntary(self, kind: RoundKind) -> bool:
        """Whether a round is of the requester's making: such rounds leave the audit reserve alone."""
        return kind.judges_delivery or (kind is RoundKind.AUDIT and self.draw.challenged)

    @property
    def audited(self) -> bool:
        """Whether an audit has to be, by chance or by a challenge."""
        return self.draw.audited or self.draw.challenged

    @property
    def verdict_root(self) -> Digest:
        """Of the computation's verdict; empty: none."""
        return self.verdict.root
