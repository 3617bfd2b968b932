"""A localnet, players with keys, and pysui as it comes from PyPI."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grpclib.client import Channel
from grpclib.config import Configuration
from pysui import GroupProtocol, GrpcProtocolClient, NetworkType, PysuiConfiguration
from pysui.sui.sui_common import sui_commands as cmd
from pysui.sui.sui_common.config.confmodel import PysuiConfigModel

from localnet.ledger.model import Mist
from localnet.rpc.localnet import Localnet
from localnet.rpc.stubs import FieldMask, v2

SUI = 10**9
CODE = Path(__file__).parent / "counter" / "bytecode" / "counter.mv"
FRAMEWORK = ["0x1", "0x2"]


@dataclass(frozen=True)
class Player:
    """Somebody with an Ed25519 key."""

    seed: bytes

    @property
    def key_string(self) -> str:
        return base64.b64encode(b"\0" + self.seed).decode()

    @property
    def public_key(self) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def raw_address(self) -> bytes:
        return hashlib.blake2b(b"\0" + self.public_key, digest_size=32).digest()

    @property
    def address(self) -> str:
        return "0x" + self.raw_address.hex()

    def sign(self, transaction: bytes) -> bytes:
        """As Sui wants it: flag, signature, public key."""
        message = hashlib.blake2b(b"\0\0\0" + transaction, digest_size=32).digest()
        return b"\0" + Ed25519PrivateKey.from_private_bytes(self.seed).sign(message) + self.public_key


ALICE, BOB = Player(b"\x0a" * 32), Player(b"\x0b" * 32)


@dataclass(frozen=True)
class World:
    """A localnet on which Alice and Bob have money."""

    localnet: Localnet

    @asynccontextmanager
    async def pysui(self, player: Player = ALICE, *, tls: bool = False) -> AsyncIterator[GrpcProtocolClient]:
        """pysui's own client; for plaintext its channel is replaced, because it would insist on TLS."""
        url = self.localnet.tls_url if tls else self.localnet.url
        client = GrpcProtocolClient(pysui_config=_configuration(url, player))
        if tls:
            client._channel._ssl.load_verify_locations(self.localnet.ca_file)
        else:
            old, client._channel = client._channel, Channel("127.0.0.1", int(url.rsplit(":", 1)[1]))
            old.close()
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def wire(self, *, window: int = 4 * 2**20) -> AsyncIterator["Wire"]:
        """The bare API; `window` is how many bytes the client takes without reading."""
        config = Configuration(http2_connection_window_size=window, http2_stream_window_size=window)
        channel = Channel("127.0.0.1", int(self.localnet.url.rsplit(":", 1)[1]), config=config)
        try:
            yield Wire(channel)
        finally:
            channel.close()

    def fund(self, player: Player, *amounts: int) -> None:
        """Coins of these amounts."""
        for amount in amounts:
            self.localnet.faucet(player.raw_address, Mist(amount))


def _configuration(url: str, player: Player) -> PysuiConfiguration:
    """In memory: neither reads nor writes a file."""
    configuration = PysuiConfiguration.__new__(PysuiConfiguration)
    configuration._model = PysuiConfigModel("1.2.0", "")
    profile = {"profile_name": "localnet", "url": url, "network_type": NetworkType.LOCAL, "make_active": True}
    configuration.new_group(
        group_name="test",
        group_protocol=GroupProtocol.GRPC,
        make_group_active=True,
        active_address_index=0,
        persist=False,
        profile_block=[profile],
        key_block=[{"key_string": player.key_string, "alias": "player"}],
    )
    return configuration


async def run(client: GrpcProtocolClient, transaction: Any, **options: Any) -> Any:
    """Build, sign, execute; what came of it, whether it succeeded or not."""
    signed = await transaction.build_and_sign(**options)
    return await ask(client, cmd.ExecuteTransaction(**signed))


async def ask(client: GrpcProtocolClient, command: Any) -> Any:
    """The answer; a refusal is an AssertionError with its text."""
    result = await client.execute(command=command)
    assert result.is_ok(), result.result_string
    return result.result_data


async def publish(client: GrpcProtocolClient, player: Player) -> tuple[str, str]:
    """Ids of the package and of its shared Counter."""
    from pysui.sui.sui_bcs import bcs

    transaction = await client.transaction()
    cap = transaction.builder.publish([list(CODE.read_bytes())], [bcs.Address.from_str(one) for one in FRAMEWORK])
    await transaction.transfer_objects(transfers=[cap], recipient=player.address)
    done = await run(client, transaction)
    assert done.effects.status.success, done.effects.status
    changes = done.effects.changed_objects
    (package,) = [change.object_id for change in changes if change.object_type == "package"]
    (counter,) = [change.object_id for change in changes if change.object_type.endswith("::Counter")]
    return package, counter


async def bump(client: GrpcProtocolClient, package: str, counter: str, by: int, **options: Any) -> Any:
    """Call `bump`."""
    transaction = await client.transaction()
    await transaction.move_call(target=f"{package}::counter::bump", arguments=[counter, by])
    return await run(client, transaction, **options)


class Wire:
    """The API as @mysten/sui uses it: the server resolves, the client signs what comes back."""

    def __init__(self, channel: Channel) -> None:
        self.ledger = v2.LedgerServiceStub(channel)
        self.state = v2.StateServiceStub(channel)
        self.execution = v2.TransactionExecutionServiceStub(channel)
        self.packages = v2.MovePackageServiceStub(channel)
        self.subscriptions = v2.SubscriptionServiceStub(channel)

    async def simulate(self, player: Player, inputs: list[Any], commands: list[Any], **options: Any) -> Any:
        """Everything that a simulation gives; `inputs` may be ids alone."""
        program = v2.ProgrammableTransaction(inputs=inputs, commands=commands)
        transaction = v2.Transaction(
            kind=v2.TransactionKind(programmable_transaction=program),
            sender=player.address,
            gas_payment=v2.GasPayment(owner=player.address),
        )
        request = v2.SimulateTransactionRequest(transaction=transaction, do_gas_selection=True, read_mask=EVERYTHING)
        for name, value in options.items():
            setattr(request, name, value)
        return await self.execution.simulate_transaction(request)

    async def submit(self, player: Player, inputs: list[Any], commands: list[Any]) -> Any:
        """Resolve, sign, execute."""
        simulated = await self.simulate(player, inputs, commands)
        return await self.execute(player, simulated.transaction.transaction.bcs.value)

    async def execute(self, player: Player, raw: bytes, *signatures: bytes, mask: Any = None) -> Any:
        """Execute bytes, signed by `player` unless other signatures are given."""
        signed = [v2.UserSignature(bcs=v2.Bcs(value=one)) for one in signatures or (player.sign(raw),)]
        request = v2.ExecuteTransactionRequest(
            transaction=v2.Transaction(bcs=v2.Bcs(value=raw)), signatures=signed, read_mask=mask or EVERYTHING
        )
        return (await self.execution.execute_transaction(request)).transaction

    async def publish(self, player: Player) -> tuple[str, str]:
        """Ids of the package and of its shared Counter."""
        code = v2.Publish(modules=[CODE.read_bytes()], dependencies=FRAMEWORK)
        give = v2.TransferObjects(objects=[result(0)], address=argument(0))
        done = await self.submit(
            player, [pure(player.raw_address)], [v2.Command(publish=code), v2.Command(transfer_objects=give)]
        )
        assert done.effects.status.success, done.effects.status
        changes = done.effects.changed_objects
        (package,) = [change.object_id for change in changes if change.object_type == "package"]
        (counter,) = [change.object_id for change in changes if change.object_type.endswith("::Counter")]
        return package, counter

    async def bump(self, player: Player, package: str, counter: str, by: int = 1) -> Any:
        """Call `bump`."""
        inputs = [v2.Input(object_id=counter), pure(by.to_bytes(8, "little"))]
        return await self.submit(player, inputs, [call(f"{package}::counter::bump", argument(0), argument(1))])


EVERYTHING = FieldMask(paths=["*"])


def mask(*paths: str) -> Any:
    return FieldMask(paths=list(paths))


def pure(value: bytes) -> Any:
    return v2.Input(pure=value)


def argument(index: int) -> Any:
    return v2.Argument(kind=v2.ArgumentArgumentKind.INPUT, input=index)


def result(command: int) -> Any:
    return v2.Argument(kind=v2.ArgumentArgumentKind.RESULT, result=command)


def call(target: str, *arguments: Any, types: tuple[str, ...] = ()) -> Any:
    package, module, function = target.split("::")
    return v2.Command(
        move_call=v2.MoveCall(
            package=package, module=module, function=function, arguments=list(arguments), type_arguments=list(types)
        )
    )
