"""The vectors, made by `agent.protocol`: see emit.py for what each file holds."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from agent.protocol import deterrence, draw, keys
from agent.protocol.blob import BLOB_CHUNK, blob_digest
from agent.protocol.commitment import CHUNK, commitment, leaf, merkle_root, output_root
from agent.protocol.errors import ValueTooHigh
from agent.protocol.records import Params, Prices
from agent.protocol.statements import (
    BAD_KEY,
    BAD_WRAP,
    EARLIER_WRAP,
    FORGED,
    NO_INPUT,
    NO_SALT,
    AuditStatement,
    CommitStatement,
    HandoffStatement,
    InputFacts,
    InvalidInputStatement,
    InvalidReason,
    RevocationReason,
    RevocationStatement,
    RulingStatement,
    TeeKind,
    TicketSeat,
    TicketStatement,
    VerdictStatement,
    native_digest,
)
from agent.protocol.units import NONE, Address, BlobId, Digest, Millis, Mist, NodeId, Slot, TaskId

Vector = dict[str, Any]


def some(label: str, size: int = 32) -> bytes:
    """Bytes that mean nothing and never change."""
    return b"".join(blake2b(f"{label} {i}".encode(), digest_size=32).digest() for i in range(size // 32 + 1))[:size]


def leaves() -> list[Vector]:
    """Keyed leaves."""
    task, key = TaskId(some("task")), some("leaf key")
    return [
        {
            "leaf_key": key.hex(), "task": task.hex(), "index": index, "chunk": chunk.hex(),
            "leaf": leaf(key, task, index, chunk).hex(),
        }
        for index, chunk in [(0, b""), (1, b"yes"), (65_535, some("chunk", 1_024))]
    ]  # fmt: skip


def roots() -> list[Vector]:
    """Roots over 1..9 leaves: every way in which an odd node rises."""
    made = []
    for count in range(1, 10):
        level = [Digest(some(f"leaf {i}")) for i in range(count)]
        made.append({"leaves": [each.hex() for each in level], "root": merkle_root(level).hex()})
    return made


def commitments() -> list[Vector]:
    """An executor's (salt of 32 bytes) and a panel member's (64)."""
    task, node, root = TaskId(some("task")), NodeId(some("node")), some("root")
    salts = [some("salt"), some("salt") + some("executor salt")]
    return [
        {
            "task": task.hex(), "node": node.hex(), "root": root.hex(), "salt": salt.hex(),
            "commitment": commitment(task, node, root, salt).hex(),
        }
        for salt in salts
    ]  # fmt: skip


def blobs() -> list[Vector]:
    """Around the borders of a chunk; contents are a repeated byte."""
    sizes = [0, 1, BLOB_CHUNK - 1, BLOB_CHUNK, BLOB_CHUNK + 1, 3 * BLOB_CHUNK]
    return [{"byte": 0xA5, "size": size, "digest": blob_digest(b"\xa5" * size).hex()} for size in sizes]


def special() -> list[Vector]:
    """A panel member's commitment to a special root: the executor's salt in it is zeros."""
    task, node, salt = TaskId(some("task")), NodeId(some("node")), some("salt")
    names = {"BAD_WRAP": BAD_WRAP, "EARLIER_WRAP": EARLIER_WRAP, "NO_INPUT": NO_INPUT, "FORGED": FORGED, "BAD_KEY": BAD_KEY}
    return [
        {
            "name": name, "root": root.hex(), "task": task.hex(), "node": node.hex(), "salt": salt.hex(),
            "commitment": commitment(task, node, root, salt + NO_SALT).hex(),
        }
        for name, root in names.items()
    ]  # fmt: skip


def derived() -> list[Vector]:
    """What derives from a data key, and (arbiter_*) from the secret of an output key."""
    data_key, secret, task, node = some("data key"), some("output secret"), TaskId(some("task")), NodeId(some("node"))
    leaf_key = keys.leaf_key(data_key, task)
    return [
        {
            "data_key": data_key.hex(),
            "output_secret": secret.hex(),
            "network": NETWORK.hex(),
            "task": task.hex(),
            "node": node.hex(),
            "key_epoch": 7,
            "leaf_key": leaf_key.hex(),
            "salt": keys.salt(data_key, task, node).hex(),
            "input_key": keys.input_key(data_key, task).hex(),
            "key_commitment": keys.key_commitment(data_key, task).hex(),
            "wrap_ephemeral": keys.wrap_ephemeral(data_key, task, node).hex(),
            "wrap_info": keys.wrap_info(NETWORK, task, node, 7).hex(),
            "arbiter_salt": keys.arbiter_salt(secret, task, node).hex(),
            "arbiter_wrap_ephemeral": keys.wrap_ephemeral(secret, task, node).hex(),
            "arbiter_wrap_info": keys.output_wrap_info(NETWORK, task, node, 7).hex(),
            "output": output.hex(),
            "output_ephemeral": keys.output_ephemeral(data_key, task, node, output).hex(),
            "output_root": output_root(leaf_key, task, output).hex(),
        }
        for output in [b"", b"an output", some("output", CHUNK), some("output", 3 * CHUNK - 1), some("output", 3 * CHUNK + 1)]
    ]


def draws() -> list[Vector]:
    """Small and uneven rosters, exclusions, more draws than operators, both kinds."""
    made = []
    for depth, weights, excluded, count in [
        (3, [5, 5, 5, 5, 5, 5, 5], [], 4),
        (3, [5, 5, 5, 5, 5, 5, 5], [2], 4),
        (3, [1, 2, 3, 4, 5, 6, 7, 8], [7, 0], 6),
        (3, [1, 2, 3, 4, 5, 6, 7, 8], [7, 0], 8),
        (2, [0, 9, 0, 1], [], 3),
        (1, [7, 7], [1], 2),
        (1, [7, 7], [0, 1], 2),
        (2, [0, 0, 0, 0], [], 2),
        (3, [5, 5, 5, 5, 5], [NONE, 3, NONE], 5),
        (4, [1] * 16, [15, 3], 16),
        (12, [1_000 + slot for slot in range(40)], [39], 16),
        (5, [10**18, 1, 10**12, 3, 0, 10**15, 2, 2, 10**18], [5], 8),
        (3, [4, 0, 4, 0, 4], [1, 3], 4),  # excluded without a weight
        (4, [0] * 15 + [1], [], 32),  # the last slot alone
        (4, [3] * 16, [0, 5, 6, 15], 10),  # a dispute: executor and auditors away
    ]:
        sums = draw.fenwick(weights, depth)
        slots = [Slot(slot) for slot in excluded]
        for i in range(3):
            seed = some(f"seed {i}")
            made.append(
                {
                    "depth": depth, "weights": weights, "seed": seed.hex(), "excluded": excluded, "count": count,
                    "without": list(draw.draw_without(sums, seed, count, slots)),
                    "with": list(draw.draw_with(sums, seed, count, slots)),
                }
            )  # fmt: skip
    return made


def audits() -> list[Vector]:
    """The flag at the edges of probability and around one half."""
    made = []
    for i in range(4):
        seed = some(f"seed {i}")
        edge = draw.word(seed, 65_535) % draw.ALWAYS
        for probability in (0, edge, edge + 1, draw.ALWAYS // 2, draw.ALWAYS):
            audited = draw.is_audited(seed, probability)
            made.append({"seed": seed.hex(), "probability": str(probability), "audited": audited})
    return made


def premiums() -> list[Vector]:
    """Above all the rounding."""
    return [
        {
            "probability": str(probability), "auditors": auditors, "auditor_fee": fee,
            "premium": deterrence.premium(probability, auditors, Mist(fee)),
        }
        for probability, auditors, fee in [
            (0, 2, 300_000), (1, 2, 300_000), (draw.ALWAYS // 3, 2, 300_001), (draw.probability("0.3"), 2, 300_000),
            (draw.ALWAYS // 2, 1, 1), (draw.ALWAYS - 1, 1, 1), (draw.ALWAYS, 1, 0), (draw.ALWAYS, 16, 2**40),
        ]
    ]  # fmt: skip


PARAMS = Params(
    min_stake=Mist(2**63), executor_lock=Mist(10**9), auditor_lock=Mist(2**60), audit_reserve=Mist(2**60),
    bounty=Mist(10**7), delivery_bond=Mist(10**8), max_price=Mist(0), auditors=2, dispute_seats=5, jail_strikes=3,
    audit_probability=draw.ALWAYS // 2, input_ms=Millis(100), commit_ms=Millis(200), delivery_ms=Millis(100),
    ticket_ms=Millis(100), handoff_ms=Millis(100), audit_ms=Millis(200), reveal_ms=Millis(100), grace_ms=Millis(50),
    period_ms=Millis(1_000), unbonding_ms=Millis(20_000), challenge_ms=Millis(1_000), heartbeat_ms=Millis(100),
    jail_ms=Millis(1_000), rotation_ms=Millis(1_000), timelock_ms=Millis(1_000), absence_bps=10_000,
    undecided_bps=1_000, victim_bps=1_000, panel_bps=4_000, treasury_bps=1_000, cost_bps=8_000, controlled_bps=3_000,
)  # fmt: skip
"""What stands in no vector; `max_price` 0 deters always, so that `params::new` takes them all."""
VARIED = (
    "executor_lock", "bounty", "audit_probability", "undecided_bps", "victim_bps", "panel_bps", "cost_bps",
    "controlled_bps",
)  # fmt: skip
"""Parameters that the rules of deterrence read, but for `auditors`."""
PRICES = Prices(Mist(1_000_000), Mist(300_001), Mist(100_000))


def deterrences() -> list[Vector]:
    """Every branch of the rules, and their roundings."""
    odd = {"executor_lock": 999_999_999, "bounty": 7, "victim_bps": 3_333, "panel_bps": 3_333, "cost_bps": 9_999, "controlled_bps": 1}
    rare = {"audit_probability": 1}
    sets: list[dict[str, int]] = [
        {},
        rare,
        odd | rare,
        {"undecided_bps": 10_000} | rare,  # a conviction costs less than a task without a verdict
        {"undecided_bps": 10_000, "panel_bps": 0, "controlled_bps": 0} | rare,
        {"undecided_bps": 10_000, "victim_bps": 0, "panel_bps": 9_000, "controlled_bps": 9_999} | rare,
        {"executor_lock": 10**7, "bounty": 10**7},  # all of it goes to the crank
        {"executor_lock": 1, "bounty": 1, "audit_probability": 0},
        {"cost_bps": 0, "audit_probability": 0},
        {"executor_lock": 2**62, "bounty": 0, "undecided_bps": 10_000, "controlled_bps": 0} | rare,
    ]
    wheres = [(10**6, 0), (10**6, 10**6), (1, 10**9), (0, 0), (0, 1), (3, 7), (10**12, 10**15), (2**40, 2**50)]
    made = []
    for changes in sets:
        params = replace(PARAMS, **changes)  # type: ignore[arg-type]
        for price, value in wheres:
            made.append(_deterrence(params, replace(PRICES, price=Mist(price)), Mist(value)))
    return made


def _deterrence(params: Params, prices: Prices, value: Mist) -> Vector:
    try:
        probability = str(deterrence.task_probability(params, prices.price, value))
        quote: str | None = str(deterrence.quote(params, prices, value))
    except ValueTooHigh:
        probability = quote = None  # type: ignore[assignment]
    return {
        **{name: str(getattr(params, name)) for name in VARIED},
        "auditors": params.auditors, "price": prices.price, "auditor_fee": prices.auditor_fee,
        "reservation_fee": prices.reservation_fee, "value": value,
        "effective_slash": str(deterrence.effective_slash(params, prices.price)),
        "required_probability": str(deterrence.required_probability(params, prices.price, value)),
        "probability": probability, "quote": quote,
    }  # fmt: skip


NETWORK, POOL = Address(some("network")), Address(some("pool"))
TASK, NODE = TaskId(some("task")), NodeId(some("node"))
INPUT, COMMITMENT = BlobId(some("input")), Digest(some("commitment"))
FACTS = InputFacts(Digest(some("key commitment")), some("output key"), 3, (Address(some("denied")),), Millis(9))


def statements() -> list[Vector]:
    """Signing bytes of each statement."""
    seats = (
        TicketSeat(NodeId(some("seat 0")), Address(some("operator 0")), TeeKind.NITRO, 3, some("hpke 0")),
        TicketSeat(NodeId(some("seat 1")), Address(some("operator 1")), TeeKind.SIMULATED, 1, some("hpke 1")),
    )
    made = [
        CommitStatement(NETWORK, TASK, NODE, 7, INPUT, COMMITMENT, BlobId(some("sealed output")), 1_234),
        InvalidInputStatement(NETWORK, TASK, NODE, 7, INPUT, FACTS.digest(), InvalidReason.HEADER),
        HandoffStatement(NETWORK, TASK, NODE, 7, 2, (some("wrap 0", 80), some("wrap 1", 80))),
        AuditStatement(NETWORK, TASK, NODE, 7, 1, INPUT, COMMITMENT),
        VerdictStatement(
            NETWORK, POOL, NODE, 7, some("challenge"), BlobId(some("evidence")), TeeKind.SEV_SNP,
            some("measurement", 48), Digest(some("manifest")), some("hpke"), some("sign"), Millis(1_800_000_000_000),
            Digest(some("policy")),
        ),
        TicketStatement(NETWORK, TASK, 2, INPUT, seats, Millis(1_800_000_000_000)),
        RevocationStatement(NETWORK, POOL, NODE, 7, RevocationReason.KEYS),
        RulingStatement(NETWORK, TASK, 3, Digest(some("root")), agrees=True),
        RulingStatement(NETWORK, TASK, 5, FORGED, agrees=False),
    ]  # fmt: skip
    return [
        {"statement": type(each).__name__, "scope": each.SCOPE, "bytes": each.signing_bytes().hex()} for each in made
    ]


def natives() -> list[Vector]:
    """With verifiers of different numbers."""
    made = []
    for count, threshold in [(1, 1), (3, 2)]:
        verifiers = tuple(some(f"verifier {i}") for i in range(count))
        digest = native_digest(
            NETWORK, POOL, NODE, 7, some("challenge"), some("hpke"), some("sign"), Digest(some("manifest")), verifiers, threshold,
            Millis(1_800_000_000_000),
        )  # fmt: skip
        made.append(
            {
                "network": NETWORK.hex(), "pool": POOL.hex(), "node": NODE.hex(), "key_epoch": 7,
                "challenge": some("challenge").hex(), "hpke_pk": some("hpke").hex(), "sign_pk": some("sign").hex(),
                "manifest": some("manifest").hex(), "verifiers": [each.hex() for each in verifiers],
                "threshold": threshold, "not_after": 1_800_000_000_000, "digest": digest.hex(),
            }
        )  # fmt: skip
    return made


FILES: dict[str, Callable[[], list[Vector]]] = {
    "leaf": leaves, "root": roots, "commitment": commitments, "special": special, "blob": blobs, "derived": derived,
    "draw": draws, "audit": audits, "premium": premiums, "deterrence": deterrences, "statement": statements,
    "native": natives,
}  # fmt: skip
