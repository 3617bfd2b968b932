"""No parser does anything with hostile bytes but read them or refuse them by a typed error, and soon.

`ENCLAVIA_FUZZ=n` runs n times as many; docs/attestation-tests.md has the figures of a deep run.
"""

import os
import time
from contextlib import nullcontext
from functools import cache
from itertools import product
from random import Random

import pytest
from evidence_kinds import KINDS
from failure_matrix import Spoilt
from mutations import mutated
from parsers import Parser, parsers
from signed_parsers import signed_parsers

from agent.attestation.errors import AttestationError

FUZZ = int(os.environ.get("ENCLAVIA_FUZZ", "1"))
EXECUTIONS = 400
"""Of each parser, in the ordinary run."""
ROUNDS = 5
"""Times that a cost is measured; the least counts, so that a busy machine fails nothing."""
WORST = 100
"""How many honest verifications the most expensive hostile bytes may cost."""
EVERY = (*parsers(), *signed_parsers())


def cost(parser: Parser, data: bytes) -> float:
    """The least of a few."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        refuses(parser, data)
        taken.append(time.process_time() - began)
    return min(taken)


def refuses(parser: Parser, data: bytes) -> bool:
    """Whether it refuses them; anything but a typed error that says something fails the test."""
    try:
        parser.parses(data)
    except AttestationError as error:
        if str(error):
            return True
        raise AssertionError(f"{parser.name}: a refusal that says nothing") from error
    except BaseException as error:
        raise AssertionError(f"{parser.name}: {type(error).__name__} for {data[:400].hex()} ({len(data)} bytes)") from error
    return False


@cache
def honest() -> float:
    """What the cheapest verification of a node's whole evidence costs."""
    kind = next(kind for kind in KINDS if kind.name == "AWS Nitro")
    genuine = kind.evidence()
    return cost(Parser("", lambda data: kind.judged(Spoilt("", whole=data)), (genuine,)), genuine)


@pytest.mark.parametrize("parser", EVERY, ids=lambda parser: parser.name)
def test_hostile_bytes_are_read_or_refused_by_a_typed_error(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    random = Random(parser.name if FUZZ == 1 else f"{parser.name} {time.time_ns()}")
    executions = EXECUTIONS * FUZZ // parser.share
    refused, slowest, worst = 0, 0.0, b""
    for _ in range(executions):
        data = mutated(parser.seeds, random)
        began = time.process_time()
        refused += refuses(parser, data)
        taken = time.process_time() - began
        if taken > slowest:
            slowest, worst = taken, data
    times = cost(parser, worst) / honest()
    with capsys.disabled() if FUZZ > 1 else nullcontext():
        print(f"{parser.name}: {executions} executions, {refused} refused, the slowest {times:.2f} times an honest verification")
    assert times < WORST


@pytest.mark.parametrize("parser", EVERY, ids=lambda parser: parser.name)
def test_parser_reads_one_of_its_seeds(parser: Parser) -> None:
    assert any(not refuses(parser, seed) for seed in parser.seeds)


HUGE = 2 * 1024 * 1024
LIMIT = 1024 * 1024
"""Of the largest files that are read at all."""
LISTS = ((b"[", b'{"a":1},'), (b"[", b"0,"), (b"{", b'"a":{'), (b"<a>", b'<b c="d"/>'), (b"", b"0 "), (b"\x9f", b"\xa1\x61a\x00"))
FILLINGS = (b"\0", b" ", b"[", b"\x81", b"<a>", b"A", b"9", b"\x30\x80", b"-")


@pytest.mark.parametrize("parser", parsers(), ids=lambda parser: parser.name)
def test_file_at_the_limit_of_its_size_is_read_or_refused_soon(parser: Parser) -> None:
    for size, (begins, filling) in product((LIMIT, LIMIT // 4, LIMIT // 16), LISTS):
        data = (begins + filling * (size // len(filling)))[:size]
        refuses(parser, data)
        assert cost(parser, data) / honest() < WORST


@pytest.mark.parametrize("parser", parsers(), ids=lambda parser: parser.name)
def test_huge_file_is_refused_soon(parser: Parser) -> None:
    for begins, filling in product((b"", parser.seeds[0]), FILLINGS):
        data = begins + filling * (HUGE // len(filling))
        assert refuses(parser, data) or parser.judges
        assert cost(parser, data) / honest() < WORST
