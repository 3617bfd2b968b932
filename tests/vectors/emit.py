"""Writes the vectors: `python -m tests.vectors.emit`.

Run from the root of the repository, after a rule has changed on purpose. It makes JSON beside this file for any
implementation, and `contracts/sui/tests/vectors_tests.move` for Move, both out of `agent.protocol`. Another
implementation disagrees with us where its results differ from these; we disagree with the contract where the Move tests
fail (`python -m localnet.toolchain test contracts/sui`). Tests keep the files what this script writes, and check them
against a second, naive spelling of each rule.

| file | what a vector holds |
|---|---|
| leaf | a keyed leaf of an output |
| root | a Merkle root over 1..9 leaves |
| commitment | the blinded commitment of an executor (salt of 32 bytes) and of a panel member (64) |
| blob | the digest of `size` times `byte` |
| special | the special roots, and a panel member's commitment to each |
| derived | what derives from a data key or an output key's secret; for enclaves and clients, Move computes only `output_root` |
| draw | who is drawn, without and with replacement; its numbers have 64 bits, 2^64-1 is nobody |
| audit | the flag; a probability is Q64 in decimal |
| premium | the expected cost of an audit; a probability is Q64 in decimal |
| deterrence | how likely an audit has to be, and what a task costs; wide numbers in decimal, null where no audit deters |
| statement | the bytes that are signed |
| native | what the user_data of a Nitro document ends with |
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from move_vectors import as_move
from vector_rules import FILES, Vector

MOVE = HERE.parents[1] / "contracts" / "sui" / "tests" / "vectors_tests.move"


def as_json(vectors: list[Vector]) -> str:
    """One vector a line, so that a change is seen where it is."""
    return "[\n" + ",\n".join(json.dumps(each) for each in vectors) + "\n]\n"


def main() -> None:
    """Write every file."""
    for name, make in FILES.items():
        (HERE / f"{name}.json").write_text(as_json(make()))
    MOVE.write_text(as_move())


if __name__ == "__main__":
    main()
