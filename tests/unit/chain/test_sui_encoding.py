"""Every call, encoded, against the signatures in the compiled contracts."""

from pathlib import Path

import pytest
from call_examples import CAP, DEPLOYMENT, EVERY_CALL, REQUEST, TASK
from pysui.sui.sui_bcs import bcs

from agent.chain import calls as c
from agent.chain.sui.encoding import CallOrderError, Known, encode, needs
from agent.chain.sui.names import CLOCK, FRAMEWORK, RANDOM, ObjectRef
from agent.chain.sui.transaction import Gas
from agent.protocol.units import Address, Millis, Mist, ObjectId, Slot
from localnet.movevm.bytecode.parser import parse_module
from localnet.movevm.types import Reference, Struct

SENDER = Address(b"\x06" * 32)
BYTECODE = Path(__file__).parents[3] / "contracts" / "sui" / "bytecode"
GAS = Gas((ObjectRef(ObjectId(b"\x09" * 32), 4, b"\x0a" * 32),), 1000, 10**7)
KNOWN = Known(
    shared={ObjectId(TASK): 8, REQUEST: 7, RANDOM: 6},
    owned={CAP: ObjectRef(CAP, 9, b"\x0c" * 32)},
)
SHARED_TYPES = {
    DEPLOYMENT.network.id: "network::Network",
    DEPLOYMENT.pool.id: "pool::Pool",
    DEPLOYMENT.roster.id: "roster::Roster",
    DEPLOYMENT.queue.id: "roster::RosterQueue",
    ObjectId(TASK): "task::Task",
    REQUEST: "request::Request",
    CLOCK: "clock::Clock",
    RANDOM: "random::Random",
}
CAPS = ("network::AdminCap", "member::NodeOwnerCap", "member::NodeOperatorCap")
VIEWS = {"pool::quote", "task::opens"}
"""They change nothing: whoever wants to know reckons it off chain."""


def programmable(*calls: c.Call):
    transaction = encode(calls, DEPLOYMENT, SENDER, KNOWN)
    data = bcs.TransactionData.deserialize(transaction.encode(SENDER, GAS))
    return data.value.TransactionKind.value


def move_calls(programmed) -> list:
    calls = [each.value for each in programmed.Command if each.enum_name == "MoveCall"]
    return [each for each in calls if bytes(each.Package.Address) != FRAMEWORK]


@pytest.fixture(scope="module")
def functions():
    modules = [parse_module(file.read_bytes()) for file in BYTECODE.glob("*.mv")]
    return {(module.name, function.name): function for module in modules for function in module.functions.values()}


def name_of(kind: Struct) -> str:
    return f"{kind.module}::{kind.name}"


def pure_length(kind, data: bytes) -> int | None:
    """Bytes at the front of `data` that are a value of the type, None where it cannot be one."""
    text = str(kind)
    if text in ("bool", "u8"):
        return 1
    if text in ("u16", "u32", "u64", "u128"):
        return int(text[1:]) // 8
    if text == "address":
        return 32
    if text.startswith("vector<"):
        count, at = data[0], 1
        assert count < 0x80 or len(data) > 127
        if count >= 0x80:
            count, at = (count & 0x7F) | data[1] << 7, 2
        for _ in range(count):
            length = pure_length(kind.element, data[at:])
            assert length is not None
            at += length
        return at
    return None


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: type(call).__name__)
def test_arguments_are_those_of_the_compiled_function(call: c.Call, functions) -> None:
    programmed = programmable(call)
    assert move_calls(programmed)
    for each in move_calls(programmed):
        assert bytes(each.Package.Address) == DEPLOYMENT.package
        function = functions[each.Module, each.Function]
        wanted = [kind for kind in function.handle.parameters if "TxContext" not in str(kind)]
        assert len(each.Arguments) == len(wanted), each.Function
        for argument, kind in zip(each.Arguments, wanted, strict=True):
            if argument.enum_name != "Input":
                assert argument.enum_name == "NestedResult"
                continue
            given = programmed.Inputs[argument.value]
            if given.enum_name == "Pure":
                data = bytes(given.value)
                assert pure_length(kind, data) == len(data), (each.Function, str(kind))
            elif given.value.enum_name == "SharedObject":
                reference = given.value.value
                target = kind.target if isinstance(kind, Reference) else kind
                assert name_of(target) == SHARED_TYPES[ObjectId(bytes(reference.ObjectID.Address))]
                takes_mutably = not isinstance(kind, Reference) or kind.mutable
                assert reference.Mutable or not takes_mutably, each.Function
            else:
                assert name_of(kind.target if isinstance(kind, Reference) else kind) in CAPS


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: type(call).__name__)
def test_nothing_is_taken_mutably_that_the_call_only_reads(call: c.Call, functions) -> None:
    programmed = programmable(call)
    wanted = set()
    for each in move_calls(programmed):
        kinds = functions[each.Module, each.Function].handle.parameters
        for argument, kind in zip(each.Arguments, kinds, strict=False):
            if argument.enum_name == "Input" and (not isinstance(kind, Reference) or kind.mutable):
                wanted.add(argument.value)
    for place, given in enumerate(programmed.Inputs):
        if given.enum_name == "Object" and given.value.enum_name == "SharedObject":
            assert given.value.value.Mutable == (place in wanted)


def test_every_call_of_the_union_has_an_example() -> None:
    assert {type(call) for call in EVERY_CALL} == set(c.Call.__args__)


def test_every_function_of_the_specification_can_be_called() -> None:
    spec = (BYTECODE.parents[2] / "docs" / "spec" / "protocol.md").read_text()
    section = spec.split("## 7. Calls")[1].split("```")[1]
    named = {line.removeprefix("E ").split("(")[0] for line in section.strip().splitlines()}
    called = {f"{each.Module}::{each.Function}" for call in EVERY_CALL for each in move_calls(programmable(call))}
    assert called == named - VIEWS


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: type(call).__name__)
def test_every_coin_and_cap_that_a_call_returns_goes_to_the_sender(call: c.Call, functions) -> None:
    programmed = programmable(call)
    commands = list(programmed.Command)
    transfers = [each.value for each in commands if each.enum_name == "TransferObjects"]
    assert all(bytes(programmed.Inputs[each.Address.value].value) == SENDER for each in transfers)
    kept = {tuple(given.value) for each in transfers for given in each.Objects}
    wanted = set()
    for index, command in enumerate(commands):
        if command.enum_name == "MoveCall" and command.value in move_calls(programmed):
            function = functions[command.value.Module, command.value.Function]
            returned = enumerate(str(kind) for kind in function.handle.returns)
            wanted |= {(index, place) for place, kind in returned if "Cap" in kind or "Coin" in kind}
    assert kept == wanted


def test_nitro_document_is_verified_by_the_chain_in_the_same_transaction() -> None:
    programmed = programmable(c.AttestNitro(Slot(1), b"document", b"e" * 32, b"k" * 32, Millis(1), b"p" * 32))
    first, second = [each.value for each in programmed.Command]
    assert (bytes(first.Package.Address), first.Module, first.Function) == (FRAMEWORK, "nitro_attestation", "load_nitro_attestation")
    assert (second.Arguments[3].enum_name, tuple(second.Arguments[3].value)) == ("NestedResult", (0, 0))


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: type(call).__name__)
def test_what_a_call_spends_is_what_it_splits_off(call: c.Call) -> None:
    programmed = programmable(call)
    split = [each.value for each in programmed.Command if each.enum_name == "SplitCoin"]
    amounts = [int.from_bytes(bytes(programmed.Inputs[at.value].value), "little") for each in split for at in each.Amount]
    assert sum(amounts) == c.spends(call)


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: type(call).__name__)
def test_exactly_the_calls_that_take_chance_are_said_to_draw(call: c.Call, functions) -> None:
    kinds = [str(kind) for each in move_calls(programmable(call)) for kind in functions[each.Module, each.Function].handle.parameters]
    assert any("random::Random" in kind for kind in kinds) == isinstance(call, c.RANDOM)


def test_advance_sends_its_heartbeat_first() -> None:
    names = [each.Function for each in move_calls(programmable(c.Advance(TASK)))]
    assert names == ["heartbeat", "advance"]


def test_several_calls_are_one_transaction_in_order() -> None:
    names = [each.Function for each in move_calls(programmable(c.Settle(TASK), c.RollPeriod(), c.Reap(TASK)))]
    assert names == ["settle", "roll_period", "reap"]


@pytest.mark.parametrize("calls", [(), (c.DrawDispute(TASK), c.Heartbeat()), (c.OpenTask(Mist(1)), c.Settle(TASK))])
def test_a_call_that_draws_must_be_the_last(calls: tuple[c.Call, ...]) -> None:
    with pytest.raises(CallOrderError):
        needs(calls)


def test_needs_are_what_has_to_be_looked_up() -> None:
    wanted = needs([c.Deposit(Slot(1), Mist(5)), c.Leave(CAP), c.Commit(TASK, b"", b"", 1, b"")])
    assert (wanted.shared, wanted.owned, wanted.spends) == ({TASK, RANDOM}, {CAP}, 5)
