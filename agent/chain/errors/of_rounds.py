"""Aborts of the modules `audit` and `delivery`."""

from agent.chain.errors.base import Aborted, Overtaken

# --- audit


class BadSeat(Aborted):
    """The round has no such seat: read the task again."""

    of = ("audit", 1, "EBadSeat")


class AlreadyActed(Overtaken):
    """This seat has already posted that."""

    of = ("audit", 2, "EAlreadyActed")


class BadReveal(Aborted):
    """Root and salts do not open the seat's commitment: reveal what was committed."""

    of = ("audit", 3, "EBadReveal")


class BadWraps(Aborted):
    """One wrap of 80 bytes is wanted for each seat: read the round again."""

    of = ("audit", 4, "EBadWraps")


class StaleTicket(Aborted):
    """The draw ticket is from another time: sign a fresh one."""

    of = ("audit", 5, "EStaleTicket")


class NotAHolder(Aborted):
    """Only the executor, or in a dispute of the computation an auditor who revealed, can hand off; in a dispute of the delivery the requester posts
    the output key."""

    of = ("audit", 6, "ENotAHolder")


class HandoffUriTooLong(Aborted):
    """A URI of a handoff has at most 256 bytes."""

    of = ("audit", 7, "EBadUri")


# --- delivery


class AlreadyComplained(Aborted):
    """Each complaint is good once, and nothing is claimed or submitted once the output is on chain."""

    of = ("delivery", 1, "EAlreadyUsed")


class NotPublished(Aborted):
    """The output is not on chain yet: submit it first, or claim that nothing was delivered."""

    of = ("delivery", 2, "ENotPublished")


class BadChunk(Aborted):
    """Chunks come in order, of 16,384 bytes each but for the last, which is not empty: read the task's leaves, go on behind them."""

    of = ("delivery", 3, "EBadChunk")


class TooManyChunks(Aborted):
    """A sealed output has at most 64 chunks: these bytes are none."""

    of = ("delivery", 4, "ETooManyChunks")


class NotExecutor(Aborted):
    """The cap is not the executor's: only its operator publishes."""

    of = ("delivery", 5, "ENotExecutor")


class WrongOutput(Aborted):
    """The chunks are not those of the sealed output that the executor committed to: begin again at chunk 0 with the right bytes."""

    of = ("delivery", 6, "EWrongOutput")
