"""Times as people read them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from agent.protocol.units import Millis

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: Millis) -> str:
    """`at`, to the second and in UTC; as milliseconds where no calendar reaches."""
    try:
        return f"{_EPOCH + timedelta(milliseconds=at):%F %T} UTC"
    except OverflowError:
        return f"{at} ms"
