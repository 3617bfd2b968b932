"""The virtual machine: loads modules, compiles functions when they are first called, calls them."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from localnet.movevm.bytecode.module import Ability, Function, Module
from localnet.movevm.codecs import Codecs
from localnet.movevm.compiler.transpiler import transpile
from localnet.movevm.errors import Location, MalformedModule, MissingNative, MoveAbort, MoveError, OutOfGas, PrimitiveError
from localnet.movevm.linker import Linker
from localnet.movevm.natives import NATIVES, Native, NativeAbort
from localnet.movevm.natives.aws_root import AWS_NITRO_ROOT
from localnet.movevm.packages import PackageCode
from localnet.movevm.runtime import Runtime
from localnet.movevm.types import Type, short_address
from localnet.movevm.values import Value

Compiled: TypeAlias = Callable[..., Any]

_BROKEN: Final = (TypeError, IndexError, AttributeError, KeyError, ValueError, NameError, OverflowError)
"""What Python says where bytecode does what no Move verifier would let pass."""
_PYTHON_FRAMES: Final = 4096
"""A Move call is a Python call; Sui allows 1024 deep, and the caller's own frames come on top."""


class VirtualMachine:
    """Modules and the functions compiled from them. Keeps no state of transactions: that is the Runtime's."""

    def __init__(self, nitro_root: bytes = AWS_NITRO_ROOT) -> None:
        self.nitro_root: Final = nitro_root
        """Certificate (DER) that `nitro_attestation` trusts."""
        self.linker: Final = Linker()
        self.codecs: Final = Codecs(self.linker)
        self._functions: dict[tuple[bytes, str, str], Compiled] = {}
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _PYTHON_FRAMES))

    # ---- modules

    def load(self, bytecode: Sequence[bytes]) -> list[Module]:
        """Load the first version of a package, which needs first versions only.

        Raises:
            MalformedModule, LinkError: nothing is loaded.
        """
        return self.linker.add(PackageCode.first_version(bytecode))

    def unload(self, address: bytes) -> None:
        """Forget a package: its publication did not come to pass."""
        self.linker.remove(address)
        self.codecs.forget()
        for key in [key for key in self._functions if key[0] == address]:
            del self._functions[key]

    # ---- values

    def encode(self, type_: Type, value: Value) -> bytes:
        """BCS. Raises LinkError."""
        return self.codecs.encode(type_, value)

    def decode(self, type_: Type, data: bytes) -> Value:
        """Raises MalformedValue, LinkError."""
        return self.codecs.decode(type_, data)

    def abilities(self, type_: Type) -> Ability:
        """Raises LinkError."""
        return self.linker.abilities(type_)

    # ---- calls

    def call(
        self, runtime: Runtime, function: Function, type_arguments: tuple[Type, ...], arguments: Sequence[Value]
    ) -> tuple[Value, ...]:
        """Run a function and return its results.

        Raises:
            ExecutionError: Move code failed. LinkError: it needs what is not there.
        """
        handle = function.handle
        compiled = self.compiled(handle.address, handle.module, handle.name)
        try:
            result = compiled(runtime, type_arguments, *arguments)
        except MoveError:
            raise
        except RecursionError:
            raise PrimitiveError("CALL_STACK_OVERFLOW", None) from None
        except _BROKEN as broken:
            raise PrimitiveError(f"UNVERIFIED_BYTECODE: {broken!r}", None) from broken
        count = len(handle.returns)
        if count == 0:
            return ()
        return (result,) if count == 1 else tuple(result)

    def compiled(self, address: bytes, module: str, name: str) -> Compiled:
        """The Python function `f(ctx, ta, *arguments)` of a Move function.

        Raises:
            LinkError, MissingNative, MalformedModule
        """
        key = (address, module, name)
        found = self._functions.get(key)
        if found is None:
            found = self._functions[key] = self._compile(self.linker.module(address, module), address, module, name)
        return found

    def _compile(self, home: Module, address: bytes, module: str, name: str) -> Compiled:
        function = self.linker.function(address, module, name)
        if not function.is_native:
            try:
                return transpile(home, function, self.codecs).linked(self.compiled)
            except _BROKEN as broken:
                raise MalformedModule(f"{module}::{name} is no verified bytecode: {broken!r}") from broken
        full = f"{short_address(address)}::{module}::{name}"
        native = NATIVES.get(full)
        if native is None:
            raise MissingNative(full)
        return self._native(native, Location(address, module, name, function.index, 0))

    def _native(self, native: Native, location: Location) -> Compiled:
        implementation, cost = native.bind(self), native.cost

        def call(ctx: Runtime, type_arguments: tuple[Type, ...], *arguments: Value) -> Value:
            ctx.gas -= cost
            try:
                result = implementation(ctx, type_arguments, *arguments)
            except NativeAbort as abort:
                raise MoveAbort(abort.code, location) from None
            if ctx.gas < 0:
                raise OutOfGas(location)
            return result

        return call

