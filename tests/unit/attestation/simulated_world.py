"""A simulated node, its network and its evidence, as a test wants them; all is fixed, so documents are too."""

from dataclasses import dataclass, field, replace
from hashlib import sha384, shake_256
from typing import Any

from agent.attestation.binding import Binding, Committee, native_of, user_data
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.policy import Allowance, Layer, Policy
from agent.attestation.simulated import MEDIA_TYPE, SimulatedVerifier
from agent.attestation.simulated_platform import SimulatedAuthority, SimulatedPlatform
from agent.attestation.verdict import Verdict
from agent.attestation.verify import HARDWARE, Expected, NativePlace, verify
from agent.protocol.statements import TeeKind
from agent.protocol.units import Address, Millis, NodeId

NOW = Millis(1_795_000_000_000)
HOUR = 3_600_000
CODE = sha384(b"the enclave's code").digest()
LOCALNET = "enclavia-localnet-1"


class Entropy:
    """Reproducible randomness."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._calls = 0

    def __call__(self, count: int) -> bytes:
        self._calls += 1
        return shake_256(self._seed + bytes([self._calls])).digest(count)


AUTHORITY = SimulatedAuthority.create("test", NOW, Entropy(b"authority"))
PLATFORM = AUTHORITY.platform("node-0", NOW, Entropy(b"platform"))
COMMITTEE = Committee(verifiers=(b"\x01" * 32, b"\x02" * 32, b"\x03" * 32), threshold=2)
SIMULATED = (*HARDWARE, SimulatedVerifier(AUTHORITY.root))

POOL = Address(b"\x55" * 32)
BINDING = Binding(
    chain_id=LOCALNET,
    network_id=Address(b"\xa0" * 32),
    node_id=NodeId(b"\xb0" * 32),
    key_epoch=3,
    challenge=b"\xc0" * 32,
    hpke_pk=b"\xd0" * 32,
    sign_pk=b"\xe0" * 32,
    workload_manifest_hash=b"\xf0" * 32,
    committee_hash=COMMITTEE.digest(),
    not_after=Millis(NOW + 12 * HOUR),
)

POLICY = Policy(
    version=1,
    max_age=Millis(24 * HOUR),
    allow_simulated=True,
    vendor=Layer(allow=frozenset({Allowance(TeeKind.SIMULATED, CODE)})),
    # the rules of single vendors have their own tests
    intel_evaluation=0,
    accept_missing_crl=True,
)


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node's evidence, and what is expected of it; `replace` a part to spoil it."""

    binding: Binding = BINDING
    code: bytes = CODE
    at: Millis = NOW
    platform: SimulatedPlatform = PLATFORM
    committee: Committee = COMMITTEE
    isolation: bytes | None = b"\xa1\x63uid\x00"
    document: dict[str, Any] = field(default_factory=dict)
    """Fields of the document that differ from what the binding wants."""

    def quote(self) -> bytes:
        wanted = {
            "user_data": user_data(self.binding.encode(), native_of(self.binding, POOL, self.committee)),
            "nonce": self.binding.challenge,
            "public_key": self.binding.hpke_pk,
        }
        return self.platform.document(self.code, self.at, **(wanted | self.document))

    def evidence(self) -> bytes:
        return Evidence(self.binding.encode(), Quote(MEDIA_TYPE, self.quote()), self.isolation).encode()


def expected(**changes: Any) -> Expected:
    return replace(
        Expected(
            chain_id=LOCALNET,
            network=BINDING.network_id,
            node=BINDING.node_id,
            key_epoch=BINDING.key_epoch,
            manifest=BINDING.workload_manifest_hash,
            committee=COMMITTEE.digest(),
            challenge=BINDING.challenge,
            native=NativePlace(pool=POOL, committee=COMMITTEE),
        ),
        **changes,
    )


def judged(evidence: bytes, *, policy: Policy = POLICY, at: int = NOW, **expectations: Any) -> Verdict:
    return verify(evidence, policy, Millis(at), expected(**expectations), SIMULATED)


def failed(verdict: Verdict) -> set[str]:
    return {check.name.value for check in verdict.failed}
