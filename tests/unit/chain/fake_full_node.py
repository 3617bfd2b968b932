"""A scripted full node behind a real gRPC server: object versions, signatures and gas are checked, Move is not run.

`on_call` decides what a Move call does: return events, or an abort `(module, code, function)`. `before` may raise for a
method before it is served, `after` once it has taken effect but before the answer is sent.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pysui_fastcrypto
from call_examples import DEPLOYMENT
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server
from pysui.sui.sui_bcs import bcs
from pysui.sui.sui_grpc.suimsgs.google import rpc
from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2

from agent.chain.sui.names import CLOCK, RANDOM, SUI_COIN, to_base58, to_hex, transaction_digest
from agent.chain.sui.wire import Endpoint

COMPUTATION, STORAGE, REBATE = 1_000_000, 2_000_000, 500_000
NET = COMPUTATION + STORAGE - REBATE
KINDS = v2.OwnerOwnerKind

STREAMS = {"ListEvents", "SubscribeEvents", "SubscribeCheckpoints"}
METHODS = {
    "LedgerService": [
        "GetServiceInfo",
        "GetEpoch",
        "GetObject",
        "BatchGetObjects",
        "GetTransaction",
        "GetCheckpoint",
        "ListEvents",
    ],
    "StateService": ["ListOwnedObjects"],
    "TransactionExecutionService": ["SimulateTransaction", "ExecuteTransaction"],
    "SubscriptionService": ["SubscribeEvents", "SubscribeCheckpoints"],
}


class Sleeper:
    """Stands in for asyncio.sleep: waits for nothing, remembers how long it would have been."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def version_digest(object_id: str, version: int) -> str:
    return to_base58(hashlib.blake2b(f"{object_id}/{version}".encode(), digest_size=32).digest())


class FakeFullNode:
    def __init__(self) -> None:
        self.objects: dict[str, v2.Object] = {}
        self.executed: dict[str, v2.ExecutedTransaction] = {}
        self.checkpoints: list[v2.Checkpoint] = []
        self.calls: list[tuple[str, object]] = []
        self.on_call: Callable[[str, str], list[v2.Event] | tuple[str, int, str]] = lambda module, function: []
        self.before: Callable[[str, object], None] = lambda method, request: None
        self.after: Callable[[str, object], None] = lambda method, request: None
        self.gate = asyncio.Event()
        """Executions wait for it."""
        self.gate.set()
        self.running = self.most_running = 0
        self.unsupported: set[str] = set()
        self.page = 1_000
        """Events of one list, however many are asked for."""
        self.lowest = 0
        self.extra_computation = 0
        self.news = asyncio.Condition()
        deployment = DEPLOYMENT
        shared = {deployment.network: "network::Network", deployment.pool: "pool::Pool"}
        shared |= {deployment.roster: "roster::Roster", deployment.queue: "roster::RosterQueue"}
        for each, kind in shared.items():
            self.share(to_hex(each.id), f"{to_hex(deployment.package)}::{kind}", each.initial_version)
        self.share(to_hex(CLOCK), "0x2::clock::Clock", 1)
        self.share(to_hex(RANDOM), "0x2::random::Random", 1)

    # --- what a test puts in

    def put(self, object_id: str, kind: str, owner: v2.Owner, version: int = 1, **more: object) -> v2.Object:
        digest = version_digest(object_id, version)
        made = v2.Object(object_id=object_id, version=version, digest=digest, owner=owner, object_type=kind, **more)
        self.objects[object_id] = made
        return made

    def share(self, object_id: str, kind: str, initial: int = 1, contents: bytes = b"") -> None:
        owner = v2.Owner(kind=KINDS.SHARED, version=initial)
        self.put(object_id, kind, owner, initial, contents=v2.Bcs(value=contents))

    def own(self, object_id: str, kind: str, owner: bytes, **more: object) -> None:
        self.put(object_id, kind, v2.Owner(kind=KINDS.ADDRESS, address=to_hex(owner)), **more)

    def fund(self, owner: bytes, *balances: int) -> list[str]:
        names = []
        for balance in balances:
            name = "0x" + hashlib.sha256(f"coin {len(self.objects)}".encode()).hexdigest()
            self.own(name, SUI_COIN, owner, balance=balance)
            names.append(name)
        return names

    def touch(self, object_id: str) -> None:
        """Let somebody else's transaction change an object."""
        known = self.objects[object_id]
        known.version += 10
        known.digest = version_digest(object_id, known.version)

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def executions(self) -> list[bytes]:
        return [request.transaction.bcs.value for name, request in self.calls if name == "ExecuteTransaction"]

    def balance(self, owner: bytes) -> int:
        mine = [each for each in self.objects.values() if each.owner.address == to_hex(owner)]
        return sum(each.balance or 0 for each in mine)

    async def happen(self, *transactions: list[v2.Event]) -> None:
        """A checkpoint of transactions with these events."""
        number = len(self.checkpoints)
        made = []
        for index, events in enumerate(transactions):
            digest = to_base58(hashlib.sha256(f"{number}/{index}".encode()).digest())
            made.append(v2.ExecutedTransaction(digest=digest, events=v2.TransactionEvents(events=events)))
        await self.commit(made)

    async def commit(self, transactions: list[v2.ExecutedTransaction]) -> None:
        self.checkpoints.append(v2.Checkpoint(sequence_number=len(self.checkpoints), transactions=transactions))
        async with self.news:
            self.news.notify_all()

    # --- reading

    async def get_service_info(self, request):
        height = len(self.checkpoints) - 1
        return v2.GetServiceInfoResponse(
            chain_id=DEPLOYMENT.chain_id, checkpoint_height=max(height, 0), lowest_available_checkpoint=self.lowest
        )

    async def get_epoch(self, request):
        return v2.GetEpochResponse(epoch=v2.Epoch(epoch=0, reference_gas_price=1000))

    def known(self, object_id: str) -> v2.Object:
        if object_id not in self.objects:
            raise GRPCError(Status.NOT_FOUND, f"Object {object_id} not found")
        return self.objects[object_id]

    async def get_object(self, request):
        return v2.GetObjectResponse(object=self.known(request.object_id))

    async def batch_get_objects(self, request):
        found = []
        for each in request.requests:
            known = self.objects.get(each.object_id)
            missing = rpc.Status(code=5, message="not found")
            found.append(v2.GetObjectResult(object=known) if known else v2.GetObjectResult(error=missing))
        return v2.BatchGetObjectsResponse(objects=found)

    async def list_owned_objects(self, request):
        found = [
            each
            for _, each in sorted(self.objects.items())
            if each.owner.address == request.owner and each.object_type == request.object_type
        ]
        start = int.from_bytes(request.page_token or b"\0", "big")
        end = start + min(request.page_size, 7)
        token = end.to_bytes(4, "big") if end < len(found) else None
        return v2.ListOwnedObjectsResponse(objects=found[start:end], next_page_token=token)

    async def get_transaction(self, request):
        if request.digest not in self.executed:
            raise GRPCError(Status.NOT_FOUND, "Transaction not found")
        return v2.GetTransactionResponse(transaction=self.executed[request.digest])

    async def get_checkpoint(self, request):
        if not self.lowest <= request.sequence_number < len(self.checkpoints):
            raise GRPCError(Status.NOT_FOUND, "Checkpoint not found")
        return v2.GetCheckpointResponse(checkpoint=self.checkpoints[request.sequence_number])

    # --- events

    def placed(self) -> list[v2.Event]:
        found = []
        for number, checkpoint in enumerate(self.checkpoints):
            for index, executed in enumerate(checkpoint.transactions):
                for place, event in enumerate(executed.events.events if executed.events else []):
                    copy = v2.Event.parse(bytes(event))
                    copy.checkpoint, copy.transaction_index, copy.event_index = number, index, place
                    copy.transaction_digest = executed.digest
                    found.append(copy)
        return found

    async def list_events(self, request):
        options = request.options
        after = tuple(options.after) if options.after else (request.start_checkpoint or 0, 0, 0)
        prefix = request.filter.terms[0].literals[0].event_type.event_type
        limit = min(options.limit, self.page)
        given = 0
        for event in self.placed():
            place = (event.checkpoint, event.transaction_index, event.event_index + 1)
            if place <= after or not f"{event.event_type}::".startswith(prefix + "::"):
                continue
            given += 1
            covered = event.checkpoint - 1 if event.checkpoint else None
            mark = v2.Watermark(cursor=bytes(place), checkpoint=covered)
            end = v2.QueryEnd(reason=v2.QueryEndReason.ITEM_LIMIT) if given == limit else None
            yield v2.ListEventsResponse(event=event, watermark=mark, end=end)
            if end:
                return
        tip = len(self.checkpoints) - 1
        mark = v2.Watermark(cursor=bytes((tip, 255, 255) if tip >= 0 else (0, 0, 0)), checkpoint=tip if tip >= 0 else None)
        yield v2.ListEventsResponse(watermark=mark, end=v2.QueryEnd(reason=v2.QueryEndReason.LEDGER_TIP))

    async def beyond(self, tip: int) -> None:
        async with self.news:
            await self.news.wait_for(lambda: len(self.checkpoints) > tip)

    async def subscribe_events(self, request):
        tip = len(self.checkpoints)
        yield v2.SubscribeEventsResponse(watermark=v2.Watermark(cursor=b"\0"))
        while True:
            await self.beyond(tip)
            for event in self.placed():
                if event.checkpoint >= tip:
                    only = v2.Event(checkpoint=event.checkpoint)
                    yield v2.SubscribeEventsResponse(event=only, watermark=v2.Watermark(cursor=b"\0"))
            tip = len(self.checkpoints)

    async def subscribe_checkpoints(self, request):
        tip = len(self.checkpoints)
        while True:
            await self.beyond(tip)
            while tip < len(self.checkpoints):
                yield v2.SubscribeCheckpointsResponse(cursor=tip)
                tip += 1

    # --- execution

    def run(self, tx_bytes: bytes, *, commit: bool) -> v2.ExecutedTransaction:
        data = bcs.TransactionData.deserialize(tx_bytes).value
        program, payment = data.TransactionKind.value, list(data.GasData.Payment)
        objects = [each.value for each in program.Inputs if each.enum_name == "Object"]
        owned = payment + [each.value for each in objects if each.enum_name != "SharedObject"]
        self.check_versions(owned)
        coins = [self.objects[each.ObjectID.to_address_str()] for each in payment]
        total = sum(coin.balance for coin in coins)
        if data.GasData.Budget > total:
            raise GRPCError(Status.INVALID_ARGUMENT, "gas balance is lower than the budget")
        cost = COMPUTATION + self.extra_computation
        error, events, split = self.execute_commands(program)
        if data.GasData.Budget < cost + STORAGE:
            error = v2.ExecutionError(kind=v2.ExecutionErrorExecutionErrorKind.INSUFFICIENT_GAS, description="gas")
        lamport = 1 + max(each.SequenceNumber for each in owned)
        changed = [self.wrote(each.ObjectID.to_address_str(), lamport) for each in owned]
        digest = transaction_digest(tx_bytes)
        if not error and all(command.enum_name != "MoveCall" for command in program.Command):
            # no Move call takes the coins that were split off, so they were transferred to the sender
            sender = bytes(data.Sender.Address)
            changed += [self.new_coin(digest, at, sender, each, lamport, commit) for at, each in enumerate(split)]
        if commit:
            for each in owned:
                known = self.objects[each.ObjectID.to_address_str()]
                known.version, known.digest = lamport, version_digest(known.object_id, lamport)
            coins[0].balance = total - cost - STORAGE + REBATE - (0 if error else sum(split))
            for coin in coins[1:]:
                del self.objects[coin.object_id]
        used = v2.GasCostSummary(computation_cost=cost, storage_cost=STORAGE, storage_rebate=REBATE)
        return v2.ExecutedTransaction(
            digest=digest,
            transaction=v2.Transaction(bcs=v2.Bcs(value=tx_bytes)),
            effects=v2.TransactionEffects(
                status=v2.ExecutionStatus(success=error is None, error=error),
                gas_used=used,
                gas_object=changed[0],
                changed_objects=changed,
            ),
            events=v2.TransactionEvents(events=[] if error else events),
        )

    def check_versions(self, owned: list) -> None:
        for each in owned:
            known = self.known(each.ObjectID.to_address_str())
            if (each.SequenceNumber, each.ObjectDigest.to_digest_str()) != (known.version, known.digest):
                text = f"Object ID {known.object_id} Version {each.SequenceNumber} is not available for consumption"
                raise GRPCError(Status.FAILED_PRECONDITION, f"{text}, current version: {known.version}")

    def execute_commands(self, program) -> tuple[v2.ExecutionError | None, list[v2.Event], list[int]]:
        events, split = [], []
        for index, command in enumerate(program.Command):
            if command.enum_name == "SplitCoin":
                amounts = [program.Inputs[at.value].value for at in command.value.Amount]
                split += [int.from_bytes(bytes(amount), "little") for amount in amounts]
            elif command.enum_name == "MoveCall":
                done = self.on_call(command.value.Module, command.value.Function)
                if isinstance(done, tuple):
                    return self.abort(index, *done), [], []
                events += done
        return None, events, split

    def new_coin(self, digest: str, place: int, owner: bytes, amount: int, version: int, commit: bool):
        name = "0x" + hashlib.sha256(f"{digest}/{place}".encode()).hexdigest()
        if commit:
            self.own(name, SUI_COIN, owner, version=version, balance=amount)
        made = self.wrote(name, version, id_operation=v2.ChangedObjectIdOperation.CREATED, object_type=SUI_COIN)
        made.output_owner = v2.Owner(kind=KINDS.ADDRESS, address=to_hex(owner))
        return made

    def wrote(self, name: str, version: int, **more) -> v2.ChangedObject:
        return v2.ChangedObject(
            object_id=name,
            output_state=v2.ChangedObjectOutputObjectState.OBJECT_WRITE,
            output_version=version,
            output_digest=version_digest(name, version),
            **more,
        )

    def abort(self, command: int, module: str, code: int, function: str) -> v2.ExecutionError:
        place = v2.MoveLocation(package=to_hex(DEPLOYMENT.package), module=module, function_name=function)
        kind = v2.ExecutionErrorExecutionErrorKind.MOVE_ABORT
        return v2.ExecutionError(kind=kind, command=command, abort=v2.MoveAbort(abort_code=code, location=place))

    async def simulate_transaction(self, request):
        return v2.SimulateTransactionResponse(transaction=self.run(request.transaction.bcs.value, commit=False))

    async def execute_transaction(self, request):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        tx_bytes = request.transaction.bcs.value
        digest = transaction_digest(tx_bytes)
        if digest not in self.executed:
            check_signature(tx_bytes, request.signatures[0].bcs.value)
            executed = self.run(tx_bytes, commit=True)
            executed.checkpoint = len(self.checkpoints)
            self.executed[digest] = executed
            await self.commit([executed])
        return v2.ExecuteTransactionResponse(transaction=self.executed[digest])

    # --- serving

    def __mapping__(self) -> dict[str, Handler]:
        found = {}
        for service, methods in METHODS.items():
            for method in methods:
                asked, answered = getattr(v2, f"{method}Request"), getattr(v2, f"{method}Response")
                kind = Cardinality.UNARY_STREAM if method in STREAMS else Cardinality.UNARY_UNARY
                path = f"/sui.rpc.v2.{service}/{method}"
                found[path] = Handler(self.handler(method), kind, asked, answered)
        return found

    def handler(self, method: str):
        async def handle(stream) -> None:
            # looked up late, so that a test can put its own in
            implementation = getattr(self, snake(method))
            request = await stream.recv_message()
            self.calls.append((method, request))
            if method in self.unsupported:
                raise GRPCError(Status.UNIMPLEMENTED, method)
            self.before(method, request)
            if method in STREAMS:
                async for message in implementation(request):
                    await stream.send_message(message)
                return
            answer = await implementation(request)
            self.after(method, request)
            await stream.send_message(answer)

        return handle

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[Endpoint]:
        server = Server([self])
        await server.start("127.0.0.1", port)
        try:
            yield Endpoint(f"http://127.0.0.1:{server._server.sockets[0].getsockname()[1]}")
        finally:
            server.close()
            await server.wait_closed()


def check_signature(tx_bytes: bytes, signature: bytes) -> None:
    message = hashlib.blake2b(b"\0\0\0" + tx_bytes, digest_size=32).digest()
    encoded = [base64.b64encode(each).decode() for each in (message, signature[1:65])]
    signer = hashlib.blake2b(b"\0" + signature[65:], digest_size=32).digest()
    sender = bytes(bcs.TransactionData.deserialize(tx_bytes).value.Sender.Address)
    if not pysui_fastcrypto.verify_pubk(0, signature[65:], *encoded) or signer != sender:
        raise GRPCError(Status.INVALID_ARGUMENT, "Invalid user signature")
