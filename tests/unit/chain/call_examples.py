"""One example of every call, shared by the tests of the chain adapter."""

from agent.chain import calls as c
from agent.chain.deployment import Deployment, SharedObject
from agent.protocol.records import Params
from agent.protocol.units import Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

TASK = TaskId(b"\x71" * 32)
CAP = ObjectId(b"\xca" * 32)
DIGEST = Digest(b"\xd1" * 32)
BLOB = BlobId(b"\xb1" * 32)
KEY = b"\x6b" * 32
SIGNATURE = b"\x51" * 64
NODE = NodeId(b"\x0e" * 32)
OPERATOR = Address(b"\x09" * 32)

DEPLOYMENT = Deployment(
    chain_id="4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S",
    since=0,
    package=ObjectId(b"\xe0" * 32),
    network=SharedObject(ObjectId(b"\x02" * 32), 2),
    pool=SharedObject(ObjectId(b"\x03" * 32), 3),
    roster=SharedObject(ObjectId(b"\x04" * 32), 4),
    queue=SharedObject(ObjectId(b"\x05" * 32), 5),
)

PARAMS = Params(
    min_stake=Mist(10),
    executor_lock=Mist(5),
    auditor_lock=Mist(4),
    auditors=2,
    dispute_seats=3,
    audit_probability=1 << 64,
    input_ms=Millis(1),
    commit_ms=Millis(2),
    delivery_ms=Millis(3),
    ticket_ms=Millis(4),
    handoff_ms=Millis(5),
    audit_ms=Millis(6),
    reveal_ms=Millis(7),
    grace_ms=Millis(8),
    period_ms=Millis(9),
    unbonding_ms=Millis(10),
    challenge_ms=Millis(11),
    heartbeat_ms=Millis(12),
    absence_bps=13,
    undecided_bps=14,
    victim_bps=15,
    panel_bps=16,
    treasury_bps=17,
)

EVERY_CALL: tuple[c.Call, ...] = (
    c.CreateNetwork(PARAMS, allow_simulated=True, policy=DIGEST, verifiers=(KEY, KEY), threshold=1),
    c.SetPaused(CAP, paused=True),
    c.SetCommittee(CAP, verifiers=(KEY,), threshold=1, policy=DIGEST),
    c.CreatePool(CAP, DIGEST, tee_mask=1, price=Mist(1), auditor_fee=Mist(2), reservation_fee=Mist(3), depth=4),
    c.LaunchRoster(CAP),
    c.FundAudits(Mist(7)),
    c.RegisterNode(OPERATOR, Mist(10)),
    c.Deposit(Slot(1), Mist(8)),
    c.RequestChallenge(CAP),
    c.PostEvidence(CAP, BLOB, "https://blobs.example/1"),
    c.Attest(Slot(1), BLOB, 0, KEY, KEY, KEY, Millis(9), signers=(0, 2), signatures=(SIGNATURE, SIGNATURE)),
    c.UpdateWeight(Slot(1)),
    c.Leave(CAP),
    c.Withdraw(CAP),
    c.ClaimFees(CAP),
    c.Heartbeat(),
    c.RollPeriod(),
    c.OpenTask(Mist(100)),
    c.RejectExecutor(TASK, Mist(3)),
    c.AssignAndPostInput(TASK, NODE, 1, "https://blobs.example/2", BLOB, DIGEST, KEY, tee_mask=1),
    c.ReportInvalidInput(TASK, 2, SIGNATURE),
    c.Commit(TASK, DIGEST, BLOB, 5, SIGNATURE),
    c.IssueTicket(TASK, Millis(4), signers=(0,), signatures=(SIGNATURE,)),
    c.Handoff(TASK, wraps=(b"w" * 80, b"x" * 80), signature=SIGNATURE),
    c.AuditCommit(TASK, 1, DIGEST, SIGNATURE),
    c.Reveal(TASK, 1, DIGEST, KEY, KEY),
    c.BeginAudit(TASK),
    c.DrawDispute(TASK),
    c.BeginDispute(TASK),
    c.Advance(TASK),
    c.Settle(TASK),
    c.Reap(TASK),
)
