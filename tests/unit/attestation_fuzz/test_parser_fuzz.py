"""No parser does anything with hostile bytes but read them or refuse them by a typed error.

`ENCLAVIA_FUZZ=n` runs n times as many; docs/attestation-tests.md has the figures of a deep run.
"""

import os
import time
from contextlib import nullcontext
from random import Random

import pytest
from mutations import mutated
from parsers import Parser, parsers

from agent.attestation.errors import AttestationError

FUZZ = int(os.environ.get("ENCLAVIA_FUZZ", "1"))
EXECUTIONS = 1_000
"""Of each parser, in the ordinary run."""


@pytest.mark.parametrize("parser", parsers(), ids=lambda parser: parser.name)
def test_hostile_bytes_are_read_or_refused_by_a_typed_error(parser: Parser, capsys: pytest.CaptureFixture[str]) -> None:
    random = Random(parser.name if FUZZ == 1 else f"{parser.name} {time.time_ns()}")
    read = refused = 0
    slowest = 0.0
    for _ in range(EXECUTIONS * FUZZ):
        data = mutated(parser.seeds, random)
        started = time.process_time()
        try:
            parser.parses(data)
            read += 1
        except AttestationError as error:
            refused += bool(str(error))
        except Exception as error:
            raise AssertionError(f"{parser.name}: {type(error).__name__} for {data[:400].hex()} ({len(data)} bytes)") from error
        slowest = max(slowest, time.process_time() - started)
    with capsys.disabled() if FUZZ > 1 else nullcontext():
        print(f"{parser.name}: {read + refused} executions, {refused} refused, slowest {slowest * 1000:.1f} ms")
    assert read + refused == EXECUTIONS * FUZZ, "a refusal says something"


def test_every_parser_reads_one_of_its_seeds() -> None:
    unread = []
    for parser in parsers():
        found = []
        for seed in parser.seeds:
            try:
                parser.parses(seed)
            except AttestationError as error:
                found.append(str(error))
        if len(found) == len(parser.seeds):
            unread.append((parser.name, found[0]))
    assert unread == []
