from agent.attestation.amd import SnpCheck
from agent.attestation.checks import AUTHENTICATION, OF_QUOTES, CheckName
from agent.attestation.meanings import MEANINGS
from agent.attestation.nvidia import GpuCheck


def test_every_check_has_a_meaning_of_its_own() -> None:
    assert MEANINGS.keys() == {*CheckName, *SnpCheck, *GpuCheck}
    assert len(set(MEANINGS.values())) == len(MEANINGS)


def test_names_of_checks_are_unlike_each_other() -> None:
    assert len({name.value for name in MEANINGS}) == len(MEANINGS)
    assert set(AUTHENTICATION) <= OF_QUOTES
