"""Prints the matrix of failures, the table of vectors and the unsigned regions; with --write, puts them into docs/attestation-tests.md.

    python tests/unit/attestation_table/write_table.py [--write]
"""

import sys
from pathlib import Path

UNIT = Path(__file__).parents[1]
NEIGHBOURS = ("attestation_table", "attestation_pki", "attestation", "attestation_integration", "attestation_nvidia", "attestation_fuzz")
sys.path[:0] = [str(UNIT.parents[1]), *(str(UNIT / name) for name in NEIGHBOURS)]

from evidence_kinds import KINDS
from failure_matrix import matrix
from table_text import DOCUMENT, table, with_matrix, with_regions, with_table
from vector_flips import regions

if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(with_regions(with_matrix(with_table(DOCUMENT.read_text())), regions()))
    else:
        print(matrix(KINDS), table(), regions(), sep="\n")
