"""Keccak-256 as Ethereum has it: SHA-3 before its padding changed. Source: keccak.team, FIPS 202 for the permutation."""

from typing import Final

_RATE: Final = 136
"""Bytes taken in per permutation."""
_LANE: Final = (1 << 64) - 1


def keccak256(message: bytes) -> bytes:
    """32 bytes."""
    state = [0] * 25
    padded = bytearray(message) + bytes(_RATE - len(message) % _RATE)
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    for at in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            start = at + 8 * lane
            state[lane] ^= int.from_bytes(padded[start : start + 8], "little")
        _permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


def _rotate(lane: int, distance: int) -> int:
    return ((lane << distance) | (lane >> (64 - distance))) & _LANE


def _round_constants() -> tuple[int, ...]:
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            if register & 1:
                constant ^= 1 << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _rotations() -> tuple[tuple[int, int], ...]:
    """Where each lane goes next, from lane 1 on, and by how much it is rotated on the way."""
    path, x, y = [], 1, 0
    for step in range(24):
        x, y = y, (2 * x + 3 * y) % 5
        path.append((x + 5 * y, (step + 1) * (step + 2) // 2 % 64))
    return tuple(path)


_CONSTANTS: Final = _round_constants()
_PATH: Final = _rotations()


def _permute(state: list[int]) -> None:
    for constant in _CONSTANTS:
        columns = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        for x in range(5):
            change = columns[x - 1] ^ _rotate(columns[(x + 1) % 5], 1)
            for y in range(0, 25, 5):
                state[x + y] ^= change
        moving = state[1]
        for target, distance in _PATH:
            moving, state[target] = state[target], _rotate(moving, distance)
        for y in range(0, 25, 5):
            row = state[y : y + 5]
            for x in range(5):
                state[y + x] = row[x] ^ (~row[(x + 1) % 5] & _LANE & row[(x + 2) % 5])
        state[0] ^= constant
