"""Signing bytes, field by field as the spec's table has them."""

from hashlib import blake2b

from agent.protocol import statements as s
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, TaskId

NETWORK, TASK, NODE, POOL = (Address(b"N" * 32), TaskId(b"T" * 32), NodeId(b"n" * 32), Address(b"P" * 32))
INPUT, COMMITMENT, OUTPUT = BlobId(b"i" * 32), Digest(b"c" * 32), BlobId(b"o" * 32)


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def vec(value: bytes) -> bytes:
    assert len(value) < 128
    return bytes([len(value)]) + value


def test_commit() -> None:
    made = s.CommitStatement(NETWORK, TASK, NODE, 7, INPUT, COMMITMENT, OUTPUT, 300).signing_bytes()
    assert made == b"\x01" + NETWORK + TASK + NODE + u64(7) + vec(INPUT) + vec(COMMITMENT) + vec(OUTPUT) + u64(300)


def test_invalid_input() -> None:
    facts = s.InputFacts(Digest(b"k" * 32), b"o" * 32, 3, (Address(b"d" * 32),), Millis(9)).digest()
    spelled = vec(b"k" * 32) + vec(b"o" * 32) + u64(3) + b"\x01" + b"d" * 32 + u64(9)
    assert facts == blake2b(spelled, digest_size=32).digest()
    made = s.InvalidInputStatement(NETWORK, TASK, NODE, 7, INPUT, facts, s.InvalidReason.TOO_LARGE).signing_bytes()
    assert made == b"\x02" + NETWORK + TASK + NODE + u64(7) + vec(INPUT) + vec(facts) + b"\x05"


def test_handoff() -> None:
    made = s.HandoffStatement(NETWORK, TASK, NODE, 7, 2, (b"a" * 80, b"b" * 80)).signing_bytes()
    assert made == b"\x03" + NETWORK + TASK + NODE + u64(7) + b"\x02" + b"\x02" + vec(b"a" * 80) + vec(b"b" * 80)


def test_audit() -> None:
    made = s.AuditStatement(NETWORK, TASK, NODE, 7, 1, INPUT, COMMITMENT).signing_bytes()
    assert made == b"\x04" + NETWORK + TASK + NODE + u64(7) + b"\x01" + vec(INPUT) + vec(COMMITMENT)


def test_verdict() -> None:
    made = s.VerdictStatement(
        NETWORK, POOL, NODE, 7, b"h" * 32, BlobId(b"e" * 32), s.TeeKind.TDX, b"m" * 48, Digest(b"w" * 32), b"x" * 32,
        b"y" * 32, Millis(9), Digest(b"p" * 32),
    ).signing_bytes()  # fmt: skip
    head = b"\x05" + NETWORK + POOL + NODE + u64(7) + vec(b"h" * 32) + vec(b"e" * 32) + b"\x02"
    keys = vec(b"m" * 48) + vec(b"w" * 32) + vec(b"x" * 32) + vec(b"y" * 32)
    assert made == head + keys + u64(9) + vec(b"p" * 32)


def test_ticket() -> None:
    first_seat = s.TicketSeat(NODE, Address(b"o" * 32), s.TeeKind.NITRO, 3, b"x" * 32)
    seats = (first_seat, s.TicketSeat(NodeId(b"m" * 32), Address(b"q" * 32), s.TeeKind.SIMULATED, 1, b"y" * 32))
    made = s.TicketStatement(NETWORK, TASK, 3, INPUT, seats, Millis(9)).signing_bytes()
    first = NODE + b"o" * 32 + b"\x01" + u64(3) + vec(b"x" * 32)
    second = b"m" * 32 + b"q" * 32 + b"\x00" + u64(1) + vec(b"y" * 32)
    assert made == b"\x06" + NETWORK + TASK + b"\x03" + vec(INPUT) + b"\x02" + first + second + u64(9)


def test_revocation() -> None:
    made = s.RevocationStatement(NETWORK, POOL, NODE, 7, s.RevocationReason.CODE).signing_bytes()
    assert made == b"\x07" + NETWORK + POOL + NODE + u64(7) + b"\x02"


def test_ruling() -> None:
    made = s.RulingStatement(NETWORK, TASK, 5, s.FORGED, agrees=False).signing_bytes()
    assert made == b"\x08" + NETWORK + TASK + b"\x05" + vec(b"\xfe" * 32) + b"\x00"


def test_special_roots_differ() -> None:
    assert len(set(s.SPECIAL_ROOTS)) == 5


def test_no_statement_passes_for_another() -> None:
    scopes = [kind.SCOPE for name, kind in vars(s).items() if name.endswith("Statement") and kind is not s.Statement]
    assert sorted(scopes) == [1, 2, 3, 4, 5, 6, 7, 8]
