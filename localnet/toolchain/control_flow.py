"""The control flow of one function as blocks, and which of them must become loops and labelled blocks.

Structuring follows N. Ramsey, "Beyond Relooper" (ICFP 2022): a loop for every target of a backward edge, a labelled
block for every block that two forward edges reach, nested by dominance. It covers every reducible flow, and the Move
verifier refuses all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """Instructions `start` to `end` (exclusive), entered at `start` only."""

    start: int
    end: int
    successors: tuple[int, ...]
    """Indices of blocks; of a conditional branch first where it jumps to, then what follows it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Blocks with all that nesting them needs; unreachable blocks are in no member but `blocks`."""

    blocks: tuple[Block, ...]
    order: dict[int, int]
    """Place of each block in reverse postorder: an edge to a smaller or equal place goes backward."""
    dominated: dict[int, tuple[int, ...]]
    """The blocks that each one immediately dominates."""
    loops: frozenset[int]
    """Targets of backward edges."""
    joins: frozenset[int]
    """Blocks that more than one forward edge reaches."""


@dataclass(frozen=True, slots=True)
class Jump:
    """What ends a block at instruction `at`."""

    at: int
    target: int | None
    """None: the function ends here."""
    conditional: bool


def flow(length: int, jumps: Sequence[Jump]) -> Flow:
    """Return the flow of a function of `length` instructions; all but `jumps` go on to the next."""
    ends = {jump.at: jump for jump in jumps}
    leaders = {0} | {jump.at + 1 for jump in jumps} | {jump.target for jump in jumps if jump.target is not None}
    starts = sorted(leader for leader in leaders if leader < length)
    index = {start: number for number, start in enumerate(starts)}
    blocks = []
    for start, end in zip(starts, [*starts[1:], length], strict=True):
        jump = ends.get(end - 1)
        successors = [] if jump is None or jump.target is None else [index[jump.target]]
        if jump is None or jump.conditional:
            successors.append(index[end])
        blocks.append(Block(start, end, tuple(successors)))
    return _analysed(tuple(blocks))


def _analysed(blocks: tuple[Block, ...]) -> Flow:
    rows = _reverse_postorder(blocks)
    order = {block: place for place, block in enumerate(rows)}
    predecessors: dict[int, list[int]] = {block: [] for block in rows}
    for block in rows:
        for successor in blocks[block].successors:
            predecessors[successor].append(block)
    dominators = _immediate_dominators(rows, order, predecessors)
    forward = {block: [p for p in predecessors[block] if order[p] < order[block]] for block in rows}
    return Flow(
        blocks=blocks,
        order=order,
        dominated={block: tuple(b for b in rows[1:] if dominators[b] == block) for block in rows},
        loops=frozenset(block for block in rows if len(forward[block]) < len(predecessors[block])),
        joins=frozenset(block for block in rows if len(forward[block]) > 1),
    )


def _reverse_postorder(blocks: Sequence[Block]) -> list[int]:
    """Depth first without recursion: framework functions have hundreds of blocks."""
    finished: list[int] = []
    seen = {0}
    path = [(0, iter(blocks[0].successors))]
    while path:
        block, successors = path[-1]
        following = next((s for s in successors if s not in seen), None)
        if following is None:
            finished.append(block)
            path.pop()
        else:
            seen.add(following)
            path.append((following, iter(blocks[following].successors)))
    return finished[::-1]


def _immediate_dominators(
    rows: Sequence[int], order: dict[int, int], predecessors: dict[int, list[int]]
) -> dict[int, int]:
    """Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"."""
    dominators = {rows[0]: rows[0]}
    changed = True
    while changed:
        changed = False
        for block in rows[1:]:
            known = [p for p in predecessors[block] if p in dominators]
            nearest = known[0]
            for other in known[1:]:
                nearest = _meet(nearest, other, order, dominators)
            if dominators.get(block) != nearest:
                dominators[block] = nearest
                changed = True
    return dominators


def _meet(left: int, right: int, order: dict[int, int], dominators: dict[int, int]) -> int:
    while left != right:
        if order[left] > order[right]:
            left = dominators[left]
        else:
            right = dominators[right]
    return left
