"""TransactionExecutionService: execute what is signed, simulate what is not yet complete."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from localnet.ledger.model import Address, CommandResult, ExecutedTransaction, Gas, Mist, Transaction
from localnet.movevm.types import canonical
from localnet.rpc.errors import InvalidArgument
from localnet.rpc.masks import Mask
from localnet.rpc.node import Node
from localnet.rpc.render.transactions import argument_message, executed_message
from localnet.rpc.resolution import MAX_BUDGET, budget_of, resolve_inputs, resolved, select_coins, with_gas
from localnet.rpc.signatures import verify_transaction
from localnet.rpc.structured import parse_program, parse_references
from localnet.rpc.stubs import v2
from localnet.rpc.transaction_bcs import decode_transaction, encode_transaction, transaction_digest
from localnet.rpc.transport.methods import Service
from localnet.rpc.type_tags import parse_address

EXECUTE_DEFAULT: Final = "effects.status,checkpoint"
SIMULATE_DEFAULT: Final = "transaction.effects.status"
MAX_SIGNATURES: Final = 2


class TransactionExecutionService(Service):
    """Runs transactions."""

    name: ClassVar[str] = "TransactionExecutionService"

    def __init__(self, node: Node) -> None:
        self._node: Final = node
        self._ledger: Final = node.ledger

    async def execute_transaction(self, request: Any) -> Any:
        """Verify, run and commit; a transaction that fails is an answer, not an error."""
        mask = Mask.parse(request.read_mask, EXECUTE_DEFAULT)
        if request.transaction is None:
            raise InvalidArgument("transaction is wanted")
        if request.transaction.bcs is not None:
            raw = request.transaction.bcs.value or b""
            transaction = decode_transaction(raw)
        else:
            transaction = self._complete(request.transaction)
            raw = encode_transaction(transaction)
        signatures = _signatures(request.signatures)
        verify_transaction(raw, signatures, [transaction.sender, transaction.gas.owner])
        executed = self._node.execute(transaction, transaction_digest(raw), signatures)
        known = self._node.signatures(executed.digest)
        return v2.ExecuteTransactionResponse(transaction=executed_message(self._ledger, executed, known, mask))

    async def simulate_transaction(self, request: Any) -> Any:
        """Fill in what is missing, run without effect, and give back both."""
        mask = Mask.parse(request.read_mask, SIMULATE_DEFAULT)
        checks = request.checks != v2.SimulateTransactionRequestTransactionChecks.DISABLED
        if request.transaction is None:
            raise InvalidArgument("transaction is wanted")
        if request.transaction.bcs is not None:
            transaction = decode_transaction(request.transaction.bcs.value or b"", simulated=True)
        else:
            transaction = self._filled(request.transaction)
        if request.do_gas_selection and checks:
            transaction = self._paid(transaction)
        elif not transaction.gas.budget:
            transaction = with_gas(transaction, _gas(transaction, budget=MAX_BUDGET))
        executed = self._node.simulate(transaction, checks=checks)
        return mask.build(
            v2.SimulateTransactionResponse,
            {
                "transaction": lambda: executed_message(self._ledger, executed, (), mask.below("transaction")),
                "command_outputs": lambda: _outputs(executed),
                "suggested_gas_price": lambda: self._ledger.reference_gas_price,
            },
        )

    def _complete(self, message: Any) -> Transaction:
        program = parse_program(message)
        transaction = self._with_inputs(message, resolved(program), program.commands)
        if not transaction.gas.payment or not transaction.gas.budget:
            raise InvalidArgument("gas_payment lacks objects or budget: simulate the transaction, which fills them in")
        return transaction

    def _filled(self, message: Any) -> Transaction:
        program = parse_program(message)
        return self._with_inputs(message, resolve_inputs(self._ledger, program), program.commands)

    def _with_inputs(self, message: Any, inputs: Any, commands: Any) -> Transaction:
        sender = Address(parse_address(message.sender or "0x0"))
        payment = message.gas_payment if message.gas_payment is not None else v2.GasPayment()
        gas = Gas(
            owner=Address(parse_address(payment.owner)) if payment.owner else sender,
            payment=parse_references(payment.objects),
            price=Mist(payment.price or self._ledger.reference_gas_price),
            budget=Mist(payment.budget or 0),
        )
        return Transaction(sender, inputs, commands, gas, _expiration(message.expiration))

    def _paid(self, transaction: Transaction) -> Transaction:
        """With budget and payment, as far as the client left them to be selected."""
        gas = transaction.gas
        if not gas.budget:
            trial = self._node.simulate(
                with_gas(transaction, Gas(gas.owner, (), gas.price, MAX_BUDGET)), checks=True
            )
            gas = _gas(transaction, budget=budget_of(trial.effects.gas, gas.price))
        if not gas.payment:
            coins = select_coins(self._ledger, gas.owner, transaction.inputs, gas.budget)
            gas = Gas(gas.owner, coins, gas.price, gas.budget)
        return with_gas(transaction, gas)


def _gas(transaction: Transaction, *, budget: Mist) -> Gas:
    gas = transaction.gas
    return Gas(gas.owner, gas.payment, gas.price, budget)


def _signatures(messages: Sequence[Any]) -> list[bytes]:
    if len(messages) > MAX_SIGNATURES:
        raise InvalidArgument(f"{len(messages)} signatures, at most those of the sender and of who pays are taken")
    raw = [message.bcs.value for message in messages if message.bcs is not None and message.bcs.value]
    if len(raw) != len(messages):
        raise InvalidArgument("a signature without bcs.value")
    return raw


def _expiration(message: Any) -> int | None:
    kind = v2.TransactionExpirationTransactionExpirationKind
    if message is None or message.kind in (None, kind.TRANSACTION_EXPIRATION_KIND_UNKNOWN, kind.NONE):
        return None
    if message.kind == kind.EPOCH and message.epoch is not None:
        return int(message.epoch)
    raise InvalidArgument("the localnet takes no expiration but an epoch: leave it out or name an epoch")


def _outputs(executed: ExecutedTransaction) -> list[Any]:
    return [_output(result) for result in executed.results]


def _output(result: CommandResult) -> Any:
    return v2.CommandResult(
        return_values=[
            v2.CommandOutput(value=v2.Bcs(name=canonical(value.type), value=value.bcs)) for value in result.returned
        ],
        mutated_by_ref=[
            v2.CommandOutput(
                argument=argument_message(argument), value=v2.Bcs(name=canonical(value.type), value=value.bcs)
            )
            for argument, value in result.mutated
        ],
    )
