"""How long one verification of a node's whole evidence takes, per kind of hardware; and what hostile bytes cost beside it.

Evidence of the test PKIs, which has the sizes, certificates and collateral of real one; where real vectors lie beside the project,
`verify_seconds` of these as well.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

UNIT = Path(__file__).parents[1] / "unit"
sys.path[:0] = [
    str(Path(__file__).parent),
    *(str(UNIT / name) for name in ("attestation", "attestation_pki", "attestation_intel", "attestation_integration")),
]

from figures import figure
from nvidia_pki import Device
from simulated_world import BINDING, expected
from synthetic_world import AT, DEVICES, KINDS, judged, policy_for, quote, verifiers
from vector_table import CASES, VECTORS

from agent.attestation.binding import report_data
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.raw import verify_file
from agent.attestation.verify import verify

ROUNDS = 60
GPUS = 8


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of CPU seconds, after one round that fills caches of keys and roots."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return median(taken)


def evidence(kind: str, items: tuple[Quote, ...] = ()) -> bytes:
    return Evidence(BINDING.encode(), quote(kind), devices=items).encode()


def measured(kind: str, items: tuple[Quote, ...] = ()) -> float:
    """Judges as a committee does: everything bound, under a policy, with collateral that has to last."""
    whole, policy = evidence(kind, items), policy_for(kind)

    def work() -> None:
        verdict = verify(whole, policy, AT, expected(), verifiers(), DEVICES)
        assert verdict.ok, verdict.failed

    return seconds(work)


def kinds() -> None:
    for kind in KINDS:
        figure("verify_seconds", measured(kind), "CPU seconds", kind=kind, bytes=len(evidence(kind)), rounds=ROUNDS, made_by="test PKI")
    for count in (1, GPUS):
        items = tuple(Device(number=number + 1).item(number, report_data(BINDING.encode())) for number in range(count))
        taken = measured("snp", items)
        figure("verify_seconds", taken, "CPU seconds", kind=f"snp with {count} GPUs", bytes=len(evidence("snp", items)), rounds=ROUNDS, made_by="test PKI")


def vectors() -> None:
    """Real files, for themselves."""
    for case in CASES if VECTORS.exists() else ():
        if case.fails:
            continue
        taken = seconds(case.judged, ROUNDS // 6)
        figure("verify_seconds", taken, "CPU seconds", kind=case.name, rounds=ROUNDS // 6, made_by="real hardware")


def hostile() -> None:
    """What a refusal costs, over what an acceptance does: nobody is to buy more work with bad bytes than with good ones."""
    good = evidence("tdx")
    honest = measured("tdx")
    policy = policy_for("tdx")
    bad = {
        "truncated": good[: len(good) // 2],
        "padded": good + bytes(1000),
        "largest that is read": good + bytes(200_000),
        "nested CBOR": b"\xa1\x61a" * 60_000,
        "a megabyte": bytes(1 << 20),
        "one bit of the signed report": good[:700] + bytes([good[700] ^ 1]) + good[701:],
    }
    for what, data in bad.items():
        taken = seconds(lambda data=data: verify(data, policy, AT, expected(), verifiers(), DEVICES), ROUNDS // 3)
        figure("hostile_over_honest_verify", taken / honest, "ratio", what=what, bytes=len(data))
        taken = seconds(lambda data=data: verify_file(data, AT), ROUNDS // 3)
        figure("hostile_over_honest_verify", taken / honest, "ratio", what=f"{what}, as a file", bytes=len(data))


if __name__ == "__main__":
    assert judged("tdx").ok
    kinds()
    vectors()
    hostile()
