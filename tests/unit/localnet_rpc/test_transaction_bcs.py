"""Our decoder against pysui's serialiser, and against bytes that no client would send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysui.sui.sui_bcs import bcs

from localnet.ledger.model import (
    GAS_COIN,
    Argument,
    Command,
    Gas,
    GasCoin,
    Input,
    InputArgument,
    MakeMoveVec,
    MergeCoins,
    MoveCall,
    NestedResult,
    ObjectRef,
    OwnedInput,
    Publish,
    PureInput,
    ReceivingInput,
    ResultArgument,
    SharedInput,
    SplitCoins,
    Transaction,
    TransferObjects,
    Upgrade,
)
from localnet.movevm.types import PRIMITIVES, U8, Primitive, Struct, Type, Vector, canonical
from localnet.rpc.bcs import Reader, Writer
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.transaction_bcs import MAX_BYTES, decode_transaction, encode_transaction
from localnet.rpc.type_tags import parse_type, read_type, write_type

ids = st.binary(min_size=32, max_size=32)
u16 = st.integers(0, 2**16 - 1)
u64 = st.integers(0, 2**64 - 1)
names = st.from_regex(r"[a-z_][a-zA-Z0-9_]{0,10}", fullmatch=True)
refs = st.builds(ObjectRef, ids, u64, ids)
primitives = st.sampled_from([primitive for primitive in PRIMITIVES if primitive.name != "signer"])


def structs(below: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.builds(Struct, ids, names, names, st.lists(below, max_size=3).map(tuple))


types = st.recursive(primitives, lambda below: structs(below) | st.builds(Vector, below), max_leaves=5)
in_pysui_types = st.recursive(primitives, structs, max_leaves=5)
"""pysui writes a vector's element as a list of one, which no Sui node would read."""
arguments: st.SearchStrategy[Argument] = st.one_of(
    st.just(GAS_COIN), st.builds(InputArgument, u16), st.builds(ResultArgument, u16), st.builds(NestedResult, u16, u16)
)
some = st.lists(arguments, max_size=4).map(tuple)
blobs = st.lists(st.binary(max_size=40), min_size=1, max_size=3).map(tuple)
id_lists = st.lists(ids, max_size=3).map(tuple)
inputs: st.SearchStrategy[Input] = st.one_of(
    st.builds(PureInput, st.binary(max_size=60)),
    st.builds(OwnedInput, refs),
    st.builds(SharedInput, ids, u64, st.booleans()),
    st.builds(ReceivingInput, refs),
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(MoveCall, ids, names, names, st.lists(in_pysui_types, max_size=2).map(tuple), some),
    st.builds(TransferObjects, some, arguments),
    st.builds(SplitCoins, arguments, some),
    st.builds(MergeCoins, arguments, some),
    st.builds(Publish, blobs, id_lists),
    st.builds(MakeMoveVec, st.none() | in_pysui_types, some),
    st.builds(Upgrade, blobs, id_lists, ids, arguments),
)
transactions = st.builds(
    Transaction,
    ids,
    st.lists(inputs, max_size=4).map(tuple),
    st.lists(commands, max_size=4).map(tuple),
    st.builds(Gas, ids, st.lists(refs, max_size=2).map(tuple), u64, u64),
    st.none() | u64,
)
EMPTY = encode_transaction(Transaction(bytes(32), (), (), Gas(bytes(32), (), 1, 1)))


@given(transactions)
@settings(max_examples=40, deadline=None)
def test_what_pysui_serialises_is_decoded_as_it_was_meant(transaction: Transaction) -> None:
    assert decode_transaction(bytes(in_pysui(transaction).serialize())) == transaction


@given(transactions)
@settings(max_examples=40, deadline=None)
def test_our_bytes_are_pysuis_bytes(transaction: Transaction) -> None:
    assert encode_transaction(transaction) == bytes(in_pysui(transaction).serialize())


@given(transactions, st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_transaction_is_refused(transaction: Transaction, data: st.DataObject) -> None:
    raw = encode_transaction(transaction)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(InvalidArgument):
        decode_transaction(raw[:cut])


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_decoded_or_refused_and_decode_one_way_only(raw: bytes) -> None:
    try:
        transaction = decode_transaction(b"\0\0" + raw)
    except InvalidArgument:
        return
    assert encode_transaction(transaction) == b"\0\0" + raw


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="1 bytes follow"):
        decode_transaction(EMPTY + b"\0")


def test_a_length_written_longer_than_needed_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="not canonical"):
        decode_transaction(EMPTY[:2] + b"\x80\x00" + EMPTY[3:])


def test_a_transaction_larger_than_sui_takes_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="at most 131072"):
        decode_transaction(bytes(MAX_BYTES + 1))


def test_a_validity_of_sui_is_read_for_simulation_and_refused_for_execution() -> None:
    bounds = b"\1" + bytes(8) + b"\1" + (5).to_bytes(8, "little") + b"\0\0"
    raw = EMPTY[:-1] + b"\2" + bounds + b"\x20" + bytes(32) + bytes(4)
    assert decode_transaction(raw, simulated=True).expiration == 5
    with pytest.raises(InvalidArgument, match="name an epoch"):
        decode_transaction(raw)


def test_an_endless_type_is_refused() -> None:
    vectors = b"\x06" * 1_000
    call = b"\0" + bytes(32) + b"\1m\1f" + b"\1" + vectors
    with pytest.raises(InvalidArgument, match="nested deeper"):
        decode_transaction(b"\0\0\0\1" + call)


@given(types)
def test_a_type_survives_bcs_and_text(type_: Type) -> None:
    writer = Writer()
    write_type(writer, type_)
    assert read_type(Reader(writer.done())) is type_
    assert parse_type(str(type_)) is type_


def test_a_vector_type_is_written_as_sui_writes_it() -> None:
    writer = Writer()
    write_type(writer, Vector(U8))
    assert writer.done() == b"\x06\x01"


def test_short_spaced_and_capital_types_become_canonical() -> None:
    assert canonical(parse_type("0x2::coin::Coin< 0x2::sui::SUI , vector<U8>>")) == (
        f"0x{'0' * 63}2::coin::Coin<0x{'0' * 63}2::sui::SUI,vector<u8>>"
    )


@pytest.mark.parametrize(
    "text", ["", "u7", "0x2::coin", "0x2::coin::Coin<", "0x2::a::B<>", "vector<u8", "u8 u8", "0x2::a::B>"]
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_type(text)


def in_pysui(transaction: Transaction) -> bcs.TransactionData:
    kind = bcs.TransactionKind(
        "ProgrammableTransaction",
        bcs.ProgrammableTransaction(
            [_input(given) for given in transaction.inputs], [_command(command) for command in transaction.commands]
        ),
    )
    gas = transaction.gas
    data = bcs.GasData([_ref(r) for r in gas.payment], _id(gas.owner), gas.price, gas.budget)
    epoch = transaction.expiration
    expiration = bcs.TransactionExpiration("None") if epoch is None else bcs.TransactionExpiration("Epoch", epoch)
    return bcs.TransactionData("V1", bcs.TransactionDataV1(kind, _id(transaction.sender), data, expiration))


def _id(value: bytes) -> bcs.Address:
    return bcs.Address(list(value))


def _ref(ref: ObjectRef) -> bcs.ObjectReference:
    return bcs.ObjectReference(_id(ref.id), ref.version, bcs.Digest(list(ref.digest)))


def _input(argument: Input) -> bcs.CallArg:
    match argument:
        case PureInput(value):
            return bcs.CallArg("Pure", list(value))
        case OwnedInput(ref):
            return bcs.CallArg("Object", bcs.ObjectArg("ImmOrOwnedObject", _ref(ref)))
        case ReceivingInput(ref):
            return bcs.CallArg("Object", bcs.ObjectArg("Receiving", _ref(ref)))
        case SharedInput(shared, version, mutable):
            return bcs.CallArg(
                "Object", bcs.ObjectArg("SharedObject", bcs.SharedObjectReference(_id(shared), version, mutable))
            )


def _argument(argument: Argument) -> bcs.Argument:
    match argument:
        case GasCoin():
            return bcs.Argument("GasCoin")
        case InputArgument(index):
            return bcs.Argument("Input", index)
        case ResultArgument(command):
            return bcs.Argument("Result", command)
        case NestedResult(command, result):
            return bcs.Argument("NestedResult", (command, result))


def _type(type_: Type) -> bcs.TypeTag:
    if isinstance(type_, Struct):
        arguments = [_type(argument) for argument in type_.arguments]
        return bcs.TypeTag("Struct", bcs.StructTag(_id(type_.address), type_.module, type_.name, arguments))
    assert isinstance(type_, Primitive)
    return bcs.TypeTag(type_.name.capitalize())


def _command(command: Command) -> bcs.Command:  # noqa: PLR0911 - one per variant
    match command:
        case MoveCall(package, module, function, type_arguments, given):
            call = bcs.ProgrammableMoveCall(
                _id(package), module, function, [_type(t) for t in type_arguments], [_argument(a) for a in given]
            )
            return bcs.Command("MoveCall", call)
        case TransferObjects(objects, address):
            return bcs.Command(
                "TransferObjects", bcs.TransferObjects([_argument(a) for a in objects], _argument(address))
            )
        case SplitCoins(coin, amounts):
            return bcs.Command("SplitCoin", bcs.SplitCoin(_argument(coin), [_argument(a) for a in amounts]))
        case MergeCoins(coin, sources):
            return bcs.Command("MergeCoins", bcs.MergeCoins(_argument(coin), [_argument(a) for a in sources]))
        case Publish(modules, dependencies):
            return bcs.Command("Publish", bcs.Publish([list(m) for m in modules], [_id(d) for d in dependencies]))
        case MakeMoveVec(element, elements):
            wanted = bcs.OptionalTypeTag(None if element is None else _type(element))
            return bcs.Command("MakeMoveVec", bcs.MakeMoveVec(wanted, [_argument(a) for a in elements]))
        case Upgrade(modules, dependencies, package, ticket):
            upgrade = bcs.Upgrade(
                [list(m) for m in modules], [_id(d) for d in dependencies], _id(package), _argument(ticket)
            )
            return bcs.Command("Upgrade", upgrade)
