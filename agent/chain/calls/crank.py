"""Calls of the modules `crank` and `settlement`, by anybody."""

from dataclasses import dataclass

from agent.protocol.units import TaskId


@dataclass(frozen=True, slots=True)
class Advance:
    """`network::heartbeat`, then `crank::advance`, which may cost stake and therefore wants a fresh heartbeat.

    An abort takes the heartbeat back with it. So after a silence longer than `heartbeat_ms` this may abort with
    `TooEarly` however long one waits: somebody has to send `Heartbeat` alone first.
    """

    task: TaskId


@dataclass(frozen=True, slots=True)
class Settle:
    """`settlement::settle`."""

    task: TaskId
