"""The seam between kinds of hardware and everything else: authenticate a quote, say what it claims.

A new kind of TEE is one class here and one media type; binding, policy and verdict do not change. A verifier does no
I/O and asks no clock: the time is an argument, so that an archived quote can be judged as of then.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an authenticated quote says; only a verifier makes these."""

    kind: TeeKind
    measurement: bytes
    """At most 64 bytes, as recorded on chain: PCR0 of Nitro; the launch digest of SEV-SNP; of TDX, SGX, dstack and
    virtual TPMs a tagged digest over all that the vendor's registers say of the code."""
    report_data: bytes
    """64 bytes chosen by the enclave; empty if it chose none."""
    native: bytes | None = None
    """32 bytes beside them, for the chain to recompute; empty if the enclave sent none; None where this kind has no room."""
    nonce: bytes | None
    """Empty if the enclave sent none; None where this kind has no such field besides `report_data`."""
    public_key: bytes | None
    """As `nonce`."""
    issued_at: Millis | None
    """When the hardware signed; None where it does not say."""
    debug: bool
    """True: the operator can read the enclave's memory, by the hardware's own word."""
    hardware_id: bytes | None = None
    """Identity of the chip (PPID, CHIP_ID), where the quote tells it."""
    tcb_status: str | None = None
    """The vendor's judgement of the platform's patch level; None for kinds without one."""
    tcb_evaluation: int | None = None
    """The number of the vendor's evaluation behind `tcb_status`, the lowest where several count; None: it numbers none."""
    advisories: tuple[str, ...] = ()
    """The vendor's advisories that concern this platform."""
    shared_key: bool = False
    """True: the key that signed is not one chip's, so that `hardware_id` is the word of whoever has it (AMD's VLEK)."""
    revocation_list: bool | None = None
    """Whether the vendor's revocation list came along, where evidence is complete without it too; else None."""


class EvidenceVerifier(ABC):
    """Knows one media type and the root that it trusts for it."""

    @property
    @abstractmethod
    def kind(self) -> TeeKind:
        """The kind that this verifier can vouch for, and no other."""

    @property
    @abstractmethod
    def media_type(self) -> str:
        """The media type of the quotes that it understands."""

    @abstractmethod
    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        """What `quote` claims, its signatures and certificates checked as of `at`.

        Raises:
            EvidenceError: it does not hold; the subclass says where it failed.
        """

    @abstractmethod
    def claimed_time(self, quote: bytes) -> Millis | None:
        """When `quote` says it was signed, unchecked; None where it does not say.

        Certificates of hours are judged as of then, once the chain has vouched for these very bytes.

        Raises:
            Malformed: not a quote of this kind.
        """
