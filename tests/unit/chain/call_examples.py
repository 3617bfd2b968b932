"""One example of every call, shared by the tests of the chain adapter."""

from agent.chain import calls as c
from agent.chain.deployment import Deployment, SharedObject
from agent.protocol.records import Params
from agent.protocol.units import NONE, Address, BlobId, Digest, Millis, Mist, NodeId, ObjectId, Slot, TaskId

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
    min_stake=Mist(10), executor_lock=Mist(5), auditor_lock=Mist(4), audit_reserve=Mist(3), bounty=Mist(2), delivery_bond=Mist(1),
    max_price=Mist(18), auditors=2, dispute_seats=3, jail_strikes=19, audit_probability=1 << 64,
    input_ms=Millis(1), commit_ms=Millis(2), delivery_ms=Millis(3), ticket_ms=Millis(4), handoff_ms=Millis(5), audit_ms=Millis(6),
    reveal_ms=Millis(7), grace_ms=Millis(8), period_ms=Millis(9), unbonding_ms=Millis(10), challenge_ms=Millis(11),
    heartbeat_ms=Millis(12), jail_ms=Millis(20), rotation_ms=Millis(21), timelock_ms=Millis(22),
    absence_bps=13, undecided_bps=14, victim_bps=15, panel_bps=16, treasury_bps=17, cost_bps=23, controlled_bps=24,
)  # fmt: skip

REQUEST = ObjectId(b"\x7e" * 32)
SIGNED = {"committee": 1, "signers": (0, 2), "signatures": (SIGNATURE, SIGNATURE)}
PCR = b"\x9c" * 48

EVERY_CALL: tuple[c.Call, ...] = (
    c.CreateNetwork(PARAMS, allow_simulated=True, policy=DIGEST, verifiers=(KEY, KEY), threshold=1, nitro=(PCR,)),
    c.Heartbeat(),
    c.SetPaused(CAP, paused=True),
    c.ProposeParams(CAP, PARAMS),
    c.ApplyParams(),
    c.ProposeCommittee(CAP, verifiers=(KEY,), threshold=1),
    c.ApplyCommittee(),
    c.CancelProposals(CAP),
    c.AddPolicy(CAP, DIGEST, (PCR, PCR), Millis(7)),
    c.SunsetPolicy(CAP, DIGEST, Millis(8)),
    c.MigrateNetwork(CAP),
    c.CreatePool(CAP, DIGEST, tee_mask=1, price=Mist(1), auditor_fee=Mist(2), reservation_fee=Mist(3), depth=4),
    c.ProposePrices(CAP, Mist(1), Mist(2), Mist(3)),
    c.ApplyPrices(),
    c.ProposeWithdrawal(CAP, Mist(5), OPERATOR),
    c.ApplyWithdrawal(),
    c.MigratePool(),
    c.FundAudits(Mist(7)),
    c.LaunchRoster(CAP),
    c.RollPeriod(),
    c.MigrateRoster(),
    c.RegisterNode(Mist(10)),
    c.ReplaceNode(Slot(2), Mist(20)),
    c.Deposit(Slot(1), Mist(8)),
    c.Unbond(CAP, Mist(4)),
    c.WithdrawUnbonded(CAP),
    c.Leave(CAP),
    c.Withdraw(CAP),
    c.Retire(CAP),
    c.ClaimFees(CAP),
    c.UpdateWeight(Slot(1)),
    c.Unjail(CAP),
    c.RequestChallenge(CAP),
    c.PostEvidence(CAP, BLOB, "https://blobs.example/1"),
    c.Attest(Slot(1), BLOB, 0, KEY, KEY, KEY, Millis(9), DIGEST, **SIGNED),
    c.AttestNitro(Slot(1), b"\x84" * 5_000, BLOB, KEY, Millis(9), DIGEST),
    c.Revoke(Slot(1), 3, 2, **SIGNED),
    c.CreateRequest(Mist(100), Mist(9), OPERATOR, Address(bytes(32)), Millis(60_000)),
    c.CancelRequest(REQUEST),
    c.OpenRequest(REQUEST),
    c.OpenTask(Mist(100), Mist(9)),
    c.RejectExecutor(TASK, NODE, Mist(3)),
    c.AssignAndPostInput(TASK, NODE, 1, "https://blobs.example/2", BLOB, DIGEST, KEY, tee_mask=1, denied=(OPERATOR,)),
    c.ReportInvalidInput(TASK, 2, SIGNATURE),
    c.CancelRevoked(TASK),
    c.Commit(TASK, DIGEST, BLOB, 5, SIGNATURE),
    c.Challenge(TASK, Mist(6)),
    c.Reap(TASK),
    c.MigrateTask(TASK),
    c.BeginAudit(TASK),
    c.Redraw(TASK),
    c.IssueTicket(TASK, Millis(4), **SIGNED),
    c.Handoff(TASK, NONE, (b"w" * 80, b"x" * 80), "https://blobs.example/2", SIGNATURE),
    c.AuditCommit(TASK, 1, DIGEST, SIGNATURE),
    c.Reveal(TASK, 1, DIGEST, KEY, KEY),
    c.DrawDispute(TASK),
    c.BeginDispute(TASK),
    c.Rule(TASK, DIGEST, agrees=True, **SIGNED),
    c.ClaimUndelivered(TASK, Mist(5)),
    c.PublishOutput(TASK, CAP, 0, b"h" * 8_192, b"t" * 8_192, last=False),
    c.SubmitOutput(TASK, 1, b"h", b"", last=True),
    c.DisputeDelivery(TASK, Mist(5)),
    c.PostOutputKey(TASK, (b"w" * 80,)),
    c.Advance(TASK),
    c.Settle(TASK),
)
