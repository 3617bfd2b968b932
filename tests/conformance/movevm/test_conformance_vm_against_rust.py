"""The same calls in our VM and in Sui's own (Rust) Move VM: results and aborts must be equal.

The Rust VM comes with the `sui-sandbox` wheel, and runs the very bytecode that we run. Its natives for cryptography are broken, and some
others differ from Sui; what is left out of the comparison for that reason is named below, with the reason.
"""

import base64
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from localnet.ledger.framework import DEFAULT_FILE, Framework
from localnet.ledger.model import ObjectId
from localnet.ledger.names import ASCII_STRING, ID, STD_PACKAGE, STRING, SUI_PACKAGE, is_instance
from localnet.ledger.session import Session
from localnet.ledger.store import ObjectStore
from localnet.movevm.bytecode.module import Ability, Function, Visibility
from localnet.movevm.bytecode.opcodes import Op
from localnet.movevm.errors import MissingNative, MoveAbort, MoveError, PrimitiveError
from localnet.movevm.machine import VirtualMachine
from localnet.movevm.runtime import TransactionFacts
from localnet.movevm.types import ADDRESS, BOOL, BYTES, SIGNER, U8, U64, Primitive, Reference, Struct, Type, Vector, substitute
from localnet.movevm.values import Value, new_vector

sui_sandbox = pytest.importorskip("sui_sandbox", reason="the wheel sui-sandbox is not installed: pip install -e '.[localnet]'")

CALLS = int(os.environ.get("CONFORMANCE_CALLS", "300"))
"""Each takes the Rust VM some 6 ms, for it loads the framework anew."""
SEED = int(os.environ.get("CONFORMANCE_SEED", "20260"))
WRONG_IN_RUST = {
    "0x2::address::to_u256": "little-endian instead of big-endian",
    "0x2::address::from_u256": "little-endian instead of big-endian",
    "0x2::address::from_bytes": "another abort code than the framework's EAddressParseError",
    "0x2::hmac::hmac_sha3_256": "a stub that returns 32 zero bytes",
    "0x2::ecvrf::ecvrf_verify": "a stub that is always true",
}
_BROKEN_NATIVE = re.compile(r"cannot cast ContainerRef|MISSING_DEPENDENCY")
_STATUS = re.compile(r"major_status: (\w+), sub_status: (?:Some\((\d+)\)|None)")
_OFFSET = re.compile(r"offsets: \[\(FunctionDefinitionIndex\((\d+)\), (\d+)\)\]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function whose parameters can all be made up."""

    name: str
    package: ObjectId
    function: Function
    types: tuple[Type, ...]
    type_arguments: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended, in terms that both machines share."""

    returned: tuple[bytes, ...] | None
    status: str | None = None
    code: int | None = None
    where: tuple[int, int] | None = None
    """Function and instruction."""


@pytest.fixture(scope="module")
def vm() -> VirtualMachine:
    if not DEFAULT_FILE.exists():
        pytest.skip("no framework bytecode: run `make setup`")
    machine = VirtualMachine()
    for code in Framework.load().packages.values():
        machine.load(code)
    return machine


def test_same_result_or_same_abort_as_the_rust_vm(vm: VirtualMachine) -> None:
    random = Random(SEED)
    candidates = sorted(_candidates(vm), key=lambda candidate: candidate.name)
    seen: Counter[str] = Counter()
    for call in range(CALLS):
        # every function in turn, in an order that differs between rounds
        if call % len(candidates) == 0:
            random.shuffle(candidates)
        candidate = candidates[call % len(candidates)]
        values = [_value(random, type_) for type_ in candidate.types]
        encoded = [vm.encode(type_, value) for type_, value in zip(candidate.types, values, strict=True)]
        theirs = _run_theirs(candidate, encoded)
        if theirs is None:
            seen["broken there"] += 1
            continue
        ours = _run_ours(vm, candidate, encoded)
        if theirs.where is None and ours.where is not None:  # natives: the Rust VM tells no place
            ours = Ended(ours.returned, ours.status, ours.code)
        assert ours == theirs, f"{candidate.name} of {[data.hex() for data in encoded]}"
        seen["returned" if ours.returned is not None else "failed"] += 1
    # a comparison that compared nothing would pass as well
    assert seen["returned"] > CALLS // 2
    assert seen["failed"] > CALLS // 20
    assert seen["broken there"] < CALLS // 10


def _candidates(vm: VirtualMachine) -> Iterator[Candidate]:
    for (address, module_name), module in vm.linker.modules.items():
        if address not in {STD_PACKAGE, SUI_PACKAGE}:
            continue
        for function in module.functions.values():
            handle = function.handle
            name = f"0x{int.from_bytes(address, 'big'):x}::{module_name}::{function.name}"
            if function.visibility is not Visibility.PUBLIC or WRONG_IN_RUST.keys() & _reached(vm, function):
                continue
            if any(needed & Ability.KEY for needed in handle.type_parameters):
                continue
            if any(isinstance(type_, Reference) for type_ in handle.returns):
                continue
            try:
                vm.compiled(address, module_name, function.name)
            except MissingNative:
                continue
            for chosen in (U64, U8, BYTES) if handle.type_parameters else (U64,):
                arguments = tuple(chosen for _ in handle.type_parameters)
                types = tuple(substitute(_target(type_), arguments) for type_ in handle.parameters)
                if all(map(_can_be_made, types)):
                    yield Candidate(name, ObjectId(address), function, types, arguments)


def _reached(vm: VirtualMachine, function: Function) -> set[str]:
    """Names of all functions that a call may run."""
    reached: set[str] = set()
    left = [function]
    while left:
        handle = left.pop().handle
        name = f"0x{int.from_bytes(handle.address, 'big'):x}::{handle.module}::{handle.name}"
        if name in reached:
            continue
        reached.add(name)
        module = vm.linker.module(handle.address, handle.module)
        for instruction in module.functions[handle.name].code:
            if instruction.op is Op.CALL:
                target = module.call_targets[instruction.operand]
            elif instruction.op is Op.CALL_G:
                target = module.generic_call_targets[instruction.operand].handle
            else:
                continue
            left.append(vm.linker.function(target.address, target.module, target.name))
    return reached


def _target(type_: Type) -> Type:
    return type_.target if isinstance(type_, Reference) else type_


def _can_be_made(type_: Type) -> bool:
    if isinstance(type_, Primitive):
        return type_ is not SIGNER
    if isinstance(type_, Vector):
        return _can_be_made(type_.element)
    if is_instance(type_, STD_PACKAGE, "option", "Option"):
        assert isinstance(type_, Struct)
        return _can_be_made(type_.arguments[0])
    fixed_point = any(
        is_instance(type_, STD_PACKAGE, module, name)
        for module, name in (("fixed_point32", "FixedPoint32"), ("uq32_32", "UQ32_32"), ("uq64_64", "UQ64_64"))
    )
    return type_ in {STRING, ASCII_STRING, ID} or fixed_point


def _value(random: Random, type_: Type, depth: int = 0) -> Value:
    if isinstance(type_, Primitive) and type_.bits:
        edge = [0, 1, 2, 3, 7, 8, 10, 31, 63, 64, 127, 128, 255, 2**type_.bits - 1, 2**type_.bits - 2, 2 ** (type_.bits - 1)]
        pick = random.choice(edge) if random.random() < 0.6 else random.getrandbits(random.randint(1, type_.bits))
        return pick % 2**type_.bits
    if type_ is BOOL:
        return random.random() < 0.5
    if type_ is ADDRESS:
        return random.choice([bytes(32), bytes(31) + b"\x02", random.randbytes(32)])
    if isinstance(type_, Vector):
        return _vector(random, type_.element, depth)
    assert isinstance(type_, Struct)
    return _struct(random, type_, depth)


def _vector(random: Random, element: Type, depth: int) -> Value:
    length = random.choice([0, 1, 2, 3, 5, 8, 32] if depth == 0 else [0, 1, 3])
    if element is U8:
        texts = [b"hello", b"0x2::sui::SUI", b"AbC", b"\xff\xfe", b"123", b"", bytes(32), "héé".encode()]
        return bytearray(random.choice(texts) if random.random() < 0.5 else random.randbytes(length))
    return [_value(random, element, depth + 1) for _ in range(length)]


def _struct(random: Random, type_: Struct, depth: int) -> Value:
    if type_ in {STRING, ASCII_STRING}:
        return [bytearray(random.choice([b"hello", b"", b"abc", b"0123456789abcdef", b"lo", b"Z"]))]
    if type_ is ID:
        return [_value(random, ADDRESS)]
    if type_.name == "Option":
        inner = type_.arguments[0]
        return [new_vector(inner, [_value(random, inner, depth + 1)] if random.random() < 0.6 else [])]
    return [random.getrandbits(128 if type_.name == "UQ64_64" else 64)]


def _run_ours(vm: VirtualMachine, candidate: Candidate, encoded: list[bytes]) -> Ended:
    facts = TransactionFacts(bytes(32), bytes(32), 0, 0, 1000, 1000, 10**9, None)
    session = Session(vm, ObjectStore(vm), facts, 10**8)
    handle = candidate.function.handle
    arguments = []
    for parameter, type_, data in zip(handle.parameters, candidate.types, encoded, strict=True):
        value = vm.decode(type_, data)
        arguments.append(([value], 0) if isinstance(parameter, Reference) else value)
    try:
        results = vm.call(session, candidate.function, candidate.type_arguments, arguments)
    except MoveAbort as abort:
        where = (abort.location.function_index, abort.location.offset) if abort.location else None
        return Ended(None, "ABORTED", abort.code, where)
    except PrimitiveError as failed:
        where = (failed.location.function_index, failed.location.offset) if failed.location else None
        return Ended(None, failed.status, failed.sub_status, where)
    except MoveError as other:
        return Ended(None, repr(other))
    types = [substitute(type_, candidate.type_arguments) for type_ in handle.returns]
    return Ended(tuple(vm.encode(type_, value) for type_, value in zip(types, results, strict=True)))


def _run_theirs(candidate: Candidate, encoded: list[bytes]) -> Ended | None:
    package, module, function = candidate.name.split("::")
    answer = sui_sandbox.call_view_function(
        package,
        module,
        function,
        type_args=[str(type_) for type_ in candidate.type_arguments],
        pure_inputs=encoded,
        package_bytecodes={},
        fetch_deps=False,
    )
    if answer["success"]:
        values = answer["return_values"][0] if answer["return_values"] else []
        return Ended(tuple(base64.b64decode(value) for value in values))
    error = answer["error"] or ""
    if _BROKEN_NATIVE.search(error):
        return None
    status, offset = _STATUS.search(error), _OFFSET.search(error)
    assert status is not None, f"{candidate.name}: the Rust VM says {error}"
    return Ended(
        None,
        status[1],
        None if status[2] is None else int(status[2]),
        None if offset is None else (int(offset[1]), int(offset[2])),
    )
