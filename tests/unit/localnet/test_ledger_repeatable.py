from localnet.ledger.model import Gas, MoveCall, SharedInput, Transaction
from localnet.ledger.repeatable import RepeatableDigests

TASK, POOL, ALICE, BOB = b"t" * 32, b"p" * 32, b"a" * 32, b"b" * 32


def transaction(sender: bytes, function: str, *changed: bytes, version: int = 1) -> Transaction:
    inputs = tuple(SharedInput(each, version, mutable=True) for each in changed)
    return Transaction(sender, inputs, (MoveCall(b"e" * 32, "task", function),), Gas(sender, (), 1000, 1))


def test_digest_does_not_depend_on_what_others_did_meanwhile() -> None:
    early, late = RepeatableDigests(b"seed"), RepeatableDigests(b"seed")
    late.used(transaction(BOB, "settle", TASK, POOL))
    commit = transaction(ALICE, "commit", TASK)
    assert early.digest(commit) == late.digest(commit)


def test_versions_have_no_part_in_it() -> None:
    digests = RepeatableDigests(b"seed")
    assert digests.digest(transaction(ALICE, "commit", TASK)) == digests.digest(transaction(ALICE, "commit", TASK, version=9))


def test_same_transaction_again_has_another_digest() -> None:
    digests = RepeatableDigests(b"seed")
    opened = transaction(ALICE, "open_task")
    first = digests.digest(opened)
    digests.used(opened)
    assert digests.digest(opened) != first


def test_tasks_functions_senders_and_seeds_are_told_apart() -> None:
    digests = RepeatableDigests(b"seed")
    found = {
        digests.digest(transaction(ALICE, "commit", TASK)),
        digests.digest(transaction(ALICE, "commit", POOL)),
        digests.digest(transaction(ALICE, "draw_dispute", TASK)),
        digests.digest(transaction(ALICE, "open_task")),
        digests.digest(transaction(BOB, "open_task")),
        RepeatableDigests(b"other").digest(transaction(BOB, "open_task")),
    }
    assert len(found) == 6
