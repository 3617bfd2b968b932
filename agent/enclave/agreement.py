"""Whether an auditor agrees with an executor whose values lay on a rounding boundary [H3].

No rule without the executor's word makes two machines round one real number alike: a step function has steps. But its
word is already on chain. The auditor can open the executor's commitment (its salt derives from the data key), so it
looks among the roundings that are honest by its own values for the one that was committed. None fits: it votes for its
own. An executor gains nothing but the choice of direction for values within 1e-9 of a boundary.
"""

from itertools import combinations
from typing import Final

from agent.enclave.workloads.workload import Alternative, Run
from agent.protocol import keys
from agent.protocol.commitment import commitment, output_root
from agent.protocol.units import Digest, NodeId, TaskId

MAX_ALTERNATIVES: Final = 10
"""Boundary values that are tried, nearest first.

1,024 roots at most. An embedding has 0.8 on average; machines really differ only within 1e-15 of a boundary.
"""


def agreed_root(run: Run, data_key: bytes, task: TaskId, executor: NodeId, posted: Digest) -> Digest:
    """The root to vote for.

    It is the one that `posted` commits `executor` to if it is an honest rounding of `run`, else that of `run.output`.
    """
    leaf_key = keys.leaf_key(data_key, task)
    salt = keys.salt(data_key, task, executor)
    tried = run.alternatives[:MAX_ALTERNATIVES]
    own: Digest | None = None
    for count in range(len(tried) + 1):
        for chosen in combinations(tried, count):
            root = output_root(leaf_key, task, rounded(run.output, chosen))
            own = root if own is None else own
            if commitment(task, executor, root, salt) == posted:
                return root
    assert own is not None, "the empty choice comes first"
    return own


def rounded(output: bytes, chosen: tuple[Alternative, ...]) -> bytes:
    """`output` with every chosen value rounded the other way."""
    changed = bytearray(output)
    for alternative in chosen:
        changed[alternative.offset : alternative.offset + len(alternative.replacement)] = alternative.replacement
    return bytes(changed)
