"""BCS of `TransactionData`, strict both ways: one encoding per value, limits on every count, no byte left over.

Variant numbers and limits are those of Sui (crates/sui-types/src/transaction.rs, protocol configuration). pysui's own
classes know fewer variants, are slower and write a vector's type wrongly; a test holds both to the same bytes.
"""

from hashlib import blake2b
from typing import Final, NoReturn

from localnet.ledger.model import (
    GAS_COIN,
    Address,
    Argument,
    Command,
    Gas,
    GasCoin,
    Input,
    InputArgument,
    MakeMoveVec,
    MergeCoins,
    Mist,
    MoveCall,
    NestedResult,
    ObjectDigest,
    ObjectId,
    ObjectRef,
    OwnedInput,
    Publish,
    PureInput,
    ReceivingInput,
    ResultArgument,
    SharedInput,
    SplitCoins,
    Transaction,
    TransactionDigest,
    TransferObjects,
    Upgrade,
    Version,
)
from localnet.rpc.bcs import Reader, Writer
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.type_tags import read_type, write_type

MAX_BYTES: Final = 128 * 1024
MAX_INPUTS: Final = 2_048
MAX_COMMANDS: Final = 1_024
MAX_ARGUMENTS: Final = 512
MAX_TYPE_ARGUMENTS: Final = 16
MAX_PURE: Final = 16_384
MAX_GAS_OBJECTS: Final = 256
MAX_MODULES: Final = 64
MAX_MODULE: Final = 100 * 1024
MAX_DEPENDENCIES: Final = 32
MAX_IDENTIFIER: Final = 128



def transaction_digest(transaction: bytes) -> TransactionDigest:
    """32 bytes that name a signed transaction."""
    return TransactionDigest(blake2b(b"TransactionData::" + transaction, digest_size=32).digest())


def decode_transaction(raw: bytes, *, simulated: bool = False) -> Transaction:
    """The transaction in `raw`; one to be simulated only may expire by `ValidDuring`, of which the last epoch is kept.

    Raises:
        InvalidArgument: not exactly one well-formed programmable transaction within Sui's limits.
    """
    if len(raw) > MAX_BYTES:
        raise InvalidArgument(f"a transaction of {len(raw)} bytes, Sui takes at most {MAX_BYTES}")
    reader = Reader(raw)
    if (version := reader.variant()) != 0:
        _unknown("TransactionData", version)
    if (kind := reader.variant()) != 0:
        raise InvalidArgument(f"transaction kind {kind}: only programmable transactions can be sent")
    inputs = reader.sequence(_input, MAX_INPUTS, "inputs")
    commands = reader.sequence(_command, MAX_COMMANDS, "commands")
    sender = Address(reader.fixed(32))
    transaction = Transaction(sender, inputs, commands, _gas(reader), _expiration(reader, simulated=simulated))
    reader.end()
    return transaction


def encode_transaction(transaction: Transaction) -> bytes:
    """BCS of `transaction`."""
    writer = Writer()
    writer.variant(0)
    writer.variant(0)
    writer.sequence(transaction.inputs, _write_input)
    writer.sequence(transaction.commands, _write_command)
    writer.fixed(transaction.sender)
    writer.sequence(transaction.gas.payment, _write_ref)
    writer.fixed(transaction.gas.owner)
    writer.u64(transaction.gas.price)
    writer.u64(transaction.gas.budget)
    _write_expiration(writer, transaction.expiration)
    return writer.done()


def _unknown(what: str, variant: int) -> NoReturn:
    raise InvalidArgument(f"{what} has no variant {variant} that the localnet knows")


def _ref(reader: Reader) -> ObjectRef:
    return ObjectRef(ObjectId(reader.fixed(32)), Version(reader.u64()), ObjectDigest(reader.digest()))


def _write_ref(writer: Writer, ref: ObjectRef) -> None:
    writer.fixed(ref.id)
    writer.u64(ref.version)
    writer.vector(ref.digest)


def _input(reader: Reader) -> Input:
    match reader.variant():
        case 0:
            return PureInput(reader.vector(MAX_PURE))
        case 1:
            match reader.variant():
                case 0:
                    return OwnedInput(_ref(reader))
                case 1:
                    return SharedInput(ObjectId(reader.fixed(32)), Version(reader.u64()), reader.flag())
                case 2:
                    return ReceivingInput(_ref(reader))
                case other:
                    _unknown("ObjectArg", other)
        case 2:
            raise InvalidArgument("the localnet has no address balances: withdraw from coins instead")
        case other:
            _unknown("CallArg", other)


def _write_input(writer: Writer, argument: Input) -> None:
    if isinstance(argument, PureInput):
        writer.variant(0)
        writer.vector(argument.value)
        return
    writer.variant(1)
    match argument:
        case OwnedInput(ref):
            writer.variant(0)
            _write_ref(writer, ref)
        case SharedInput(id=object_id, initial_version=version, mutable=mutable):
            writer.variant(1)
            writer.fixed(object_id)
            writer.u64(version)
            writer.flag(mutable)
        case ReceivingInput(ref):
            writer.variant(2)
            _write_ref(writer, ref)


def _argument(reader: Reader) -> Argument:
    match reader.variant():
        case 0:
            return GAS_COIN
        case 1:
            return InputArgument(reader.u16())
        case 2:
            return ResultArgument(reader.u16())
        case 3:
            return NestedResult(reader.u16(), reader.u16())
        case other:
            _unknown("Argument", other)


def _write_argument(writer: Writer, argument: Argument) -> None:
    match argument:
        case GasCoin():
            writer.variant(0)
        case InputArgument(index):
            writer.variant(1)
            writer.u16(index)
        case ResultArgument(command):
            writer.variant(2)
            writer.u16(command)
        case NestedResult(command, result):
            writer.variant(3)
            writer.u16(command)
            writer.u16(result)


def _arguments(reader: Reader) -> tuple[Argument, ...]:
    return reader.sequence(_argument, MAX_ARGUMENTS, "arguments")


def _modules(reader: Reader) -> tuple[bytes, ...]:
    return reader.sequence(lambda r: r.vector(MAX_MODULE), MAX_MODULES, "modules")


def _ids(reader: Reader) -> tuple[ObjectId, ...]:
    return reader.sequence(lambda r: ObjectId(r.fixed(32)), MAX_DEPENDENCIES, "dependencies")


def _command(reader: Reader) -> Command:  # noqa: PLR0911 - one per variant
    match reader.variant():
        case 0:
            return MoveCall(
                package=ObjectId(reader.fixed(32)),
                module=reader.text(MAX_IDENTIFIER),
                function=reader.text(MAX_IDENTIFIER),
                type_arguments=reader.sequence(read_type, MAX_TYPE_ARGUMENTS, "type arguments"),
                arguments=_arguments(reader),
            )
        case 1:
            return TransferObjects(_arguments(reader), _argument(reader))
        case 2:
            return SplitCoins(_argument(reader), _arguments(reader))
        case 3:
            return MergeCoins(_argument(reader), _arguments(reader))
        case 4:
            return Publish(_modules(reader), _ids(reader))
        case 5:
            return MakeMoveVec(reader.option(read_type), _arguments(reader))
        case 6:
            return Upgrade(_modules(reader), _ids(reader), ObjectId(reader.fixed(32)), _argument(reader))
        case other:
            _unknown("Command", other)


def _write_command(writer: Writer, command: Command) -> None:
    match command:
        case MoveCall():
            writer.variant(0)
            writer.fixed(command.package)
            writer.text(command.module)
            writer.text(command.function)
            writer.sequence(command.type_arguments, write_type)
            writer.sequence(command.arguments, _write_argument)
        case TransferObjects():
            writer.variant(1)
            writer.sequence(command.objects, _write_argument)
            _write_argument(writer, command.recipient)
        case SplitCoins():
            writer.variant(2)
            _write_argument(writer, command.coin)
            writer.sequence(command.amounts, _write_argument)
        case MergeCoins():
            writer.variant(3)
            _write_argument(writer, command.destination)
            writer.sequence(command.sources, _write_argument)
        case Publish():
            writer.variant(4)
            writer.sequence(command.modules, Writer.vector)
            writer.sequence(command.dependencies, Writer.fixed)
        case MakeMoveVec():
            writer.variant(5)
            writer.option(command.element_type, write_type)
            writer.sequence(command.elements, _write_argument)
        case Upgrade():
            writer.variant(6)
            writer.sequence(command.modules, Writer.vector)
            writer.sequence(command.dependencies, Writer.fixed)
            writer.fixed(command.package)
            _write_argument(writer, command.ticket)


def _gas(reader: Reader) -> Gas:
    payment = reader.sequence(_ref, MAX_GAS_OBJECTS, "gas objects")
    owner = Address(reader.fixed(32))
    return Gas(owner, payment, price=Mist(reader.u64()), budget=Mist(reader.u64()))


def _expiration(reader: Reader, *, simulated: bool) -> int | None:
    match reader.variant():
        case 0:
            return None
        case 1:
            return reader.u64()
        case 2 if simulated:
            _, last_epoch, _, _ = [reader.option(Reader.u64) for _ in range(4)]
            reader.digest()
            reader.u32()
            return last_epoch
        case 2 | 3:
            raise InvalidArgument("the localnet takes no expiration but an epoch: leave it out or name an epoch")
        case other:
            _unknown("TransactionExpiration", other)


def _write_expiration(writer: Writer, epoch: int | None) -> None:
    if epoch is None:
        writer.variant(0)
    else:
        writer.variant(1)
        writer.u64(epoch)
