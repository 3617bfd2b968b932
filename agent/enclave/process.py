"""The enclave's process: load everything, lock down, then answer messages until the host is gone. Started by
`agent.enclave.launcher`, never by hand.

After the lockdown no file opens, so every module, lazy import and table has to be in memory before: `warm_up` walks
through one whole task, with throw-away keys.
"""

import os
import socket

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.enclave import messages as m
from agent.enclave.frames import PACKET, Assembler, split
from agent.enclave.handoff import wrap_output_key
from agent.enclave.identity import Isolation
from agent.enclave.orders import (
    AuditOrder,
    BindingRequest,
    Committee,
    DeliveryOrder,
    Executed,
    ExecuteOrder,
    HandedOff,
    HandoffOrder,
    PostedWrap,
)
from agent.enclave.sandbox import die_with_parent, lock_down
from agent.enclave.sealing import InputHeader, Recipient, TaskSecrets, open_output, seal_input
from agent.enclave.service import Service
from agent.enclave.workloads import load_workload
from agent.enclave.workloads.workload import Workload, manifest_hash
from agent.protocol.statements import TeeKind, TicketSeat, TicketStatement
from agent.protocol.units import Address, Digest, Millis, NodeId, TaskId


def main(descriptor: int, parent: int, workload_name: str) -> None:
    """Run until the other end of the socket `descriptor` closes; `parent` is the host's process id."""
    die_with_parent(parent)
    connection = socket.socket(fileno=descriptor)
    workload = load_workload(workload_name)
    warm_up(workload)
    isolation = lock_down()
    # from here on no word leaves but through the channel: a traceback could hold plaintext
    for stream in (0, 1, 2):
        os.close(stream)
    try:
        serve(connection, Service(workload, isolation, os.urandom))
    finally:
        # nothing to save, and no file may be opened: the interpreter's own farewell would only try to
        os._exit(0)


def serve(connection: socket.socket, service: Service) -> None:
    """Answer one message after another; returns when the host closes its end, and fails when it breaks the framing."""
    assembler = Assembler()
    while packet := connection.recv(PACKET + 1):
        message = assembler.add(packet)
        if message is not None:
            for answer in split(service.handle(message)):
                connection.send(answer)


def warm_up(workload: Workload) -> None:
    """One task from start to handoff, audit, delivery and recovery, so that nothing is loaded for the first time later."""
    isolation = Isolation(dumpable=False, landlock_abi=0, seccomp=False, uid=0, notes=())
    executor, auditor = Service(workload, isolation, os.urandom), Service(workload, isolation, os.urandom)
    network, task = Address(b"\x01" * 32), TaskId(b"\x02" * 32)
    node, other = NodeId(b"\x03" * 32), NodeId(b"\x04" * 32)
    member = Ed25519PrivateKey.generate()
    committee = Committee(1, (member.public_key().public_bytes_raw(),))
    first, second = (
        _started(service, BindingRequest("warm-up", network, network, each, 1, bytes(32), Millis(2), committee))
        for service, each in ((executor, node), (auditor, other))
    )
    secrets = TaskSecrets.generate()
    manifest, units = Digest(manifest_hash(first.manifest)), workload.manifest.max_units
    header = InputHeader(network, task, manifest, Millis(1), secrets.output_pk, units, 1)
    sealed = seal_input("Warm up: the whole way, once.", header, secrets, Recipient(node, 1, first.hpke_pk))
    order = ExecuteOrder(
        network, task, node, 1, sealed.digest, sealed.key_commitment, secrets.output_pk, 1, (), Millis(1)
    )
    executed = _ask(executor, m.Execute(order, sealed.blob))
    assert isinstance(executed, Executed), executed
    commitment, digest = executed.statement.commitment, executed.statement.sealed_output_digest
    open_output(executed.sealed_output, secrets, task, node, posted_commitment=commitment, sealed_output_digest=digest)
    seat = TicketSeat(other, network, TeeKind.SIMULATED, 1, second.hpke_pk)
    for in_round in (1, 2):
        ticket = TicketStatement(network, task, in_round, sealed.digest, (seat,), Millis(1))
        signatures = (member.sign(ticket.signing_bytes()),)
        hands = executor if in_round == 1 else auditor
        handed = _ask(hands, m.Handoff(HandoffOrder(order, ticket, (0,), signatures, ())))
        assert isinstance(handed, HandedOff), handed
        wraps = (PostedWrap(other, 1, second.hpke_pk, handed.wraps[0]),)
        _ask(auditor, m.Audit(AuditOrder(order, other, 1, in_round, commitment, wraps, ()), sealed.blob))
    _ask(auditor, m.ReportNoInput(AuditOrder(order, other, 1, 3, commitment, (), ())))
    wraps = (PostedWrap(other, 1, second.hpke_pk, wrap_output_key(secrets.output_sk, network, task, seat)),)
    _ask(auditor, m.Arbitrate(DeliveryOrder(order, other, 1, 4, commitment, digest, wraps), executed.sealed_output))
    state = _ask(auditor, m.SealState())
    assert isinstance(state, m.SealedState), state
    fresh = Service(workload, isolation, os.urandom)
    _ask(fresh, m.Open(b"\x05" * 32))
    _ask(fresh, m.Restore(state.state))
    _ask(fresh, m.Identify())
    _ask(auditor, m.Forget(task))
    # the ways of saying no are loaded too
    for hostile in (b"", b"\xff", m.pack(1, m.Execute(order, b"\x00")), m.pack(1, m.Restore(b""))):
        executor.handle(hostile)


def _started(service: Service, request: BindingRequest) -> m.Opened:
    opened = _ask(service, m.Open(b"\x05" * 32))
    assert isinstance(opened, m.Opened), opened
    _ask(service, m.Bind(request))
    return opened


def _ask(service: Service, request: m.Request) -> m.Answer:
    return m.answer_in(m.open_envelope(service.handle(m.pack(1, request))))
