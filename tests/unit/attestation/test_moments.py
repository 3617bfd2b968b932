from agent.attestation.moments import moment
from agent.protocol.units import Millis


def test_a_time_is_told_as_people_read_it_and_never_raises() -> None:
    assert moment(Millis(1_761_955_200_999)) == "2025-11-01 00:00:00 UTC"
    assert moment(Millis(0)) == "1970-01-01 00:00:00 UTC"
    assert moment(Millis(2**64 - 1)) == f"{2**64 - 1} ms"
