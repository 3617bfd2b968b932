"""What comes along has to hold as long as the keys: else a committee accepts what every client refuses an hour later."""

from dataclasses import replace
from datetime import UTC, datetime

import nvidia_pki
import pytest
from intel_pki import NOW, Guest, collateral, evidence, tcb_info, tdx_quote
from nvidia_pki import Device, Manifest
from simulated_world import BINDING, expected
from synthetic_world import AT, KINDS, failed, judged, policy_for, verifiers

from agent.attestation.binding import Binding, report_data
from agent.attestation.checklist import DeviceTrust
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.intel.evidence import TDX_TYPE
from agent.attestation.moments import moment
from agent.attestation.nvidia import Collateral
from agent.attestation.verdict import Verdict
from agent.attestation.verify import verify
from agent.protocol.units import Millis

HOUR = 3_600_000
MANIFEST_DAYS = 322
"""Until some 13 hours after `AT`."""


def tdx(next_update: int, binding: Binding = BINDING) -> Verdict:
    """The verdict at `AT` on a TDX guest whose TCB info has its next update at `next_update`, in milliseconds."""
    ends = f"{datetime.fromtimestamp(next_update // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    content = evidence(tdx_quote(Guest(report_data=report_data(binding.encode()))), collateral(tcb_info=tcb_info(nextUpdate=ends)))
    whole = Evidence(binding.encode(), Quote(TDX_TYPE, content)).encode()
    return verify(whole, policy_for("tdx"), AT, expected(), verifiers())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_how_long_its_collateral_holds(kind: str) -> None:
    assert "collateral-lasts" in {check.name for check in judged(kind).checks}


def test_collateral_that_lapses_before_the_keys_is_refused_at_once() -> None:
    assert tdx(BINDING.not_after).ok
    assert failed(tdx(BINDING.not_after - HOUR)) == {"collateral-lasts"}
    assert failed(tdx(NOW + 60_000)) == {"collateral-lasts"}


def test_refusal_says_until_when_and_what_to_do() -> None:
    (check,) = tdx(NOW + HOUR).failed
    assert moment(BINDING.not_after) in check.detail
    assert "collect collateral anew, or bind for a shorter time" in check.detail


def test_shorter_binding_makes_do_with_what_there_is() -> None:
    assert tdx(NOW + 2 * HOUR, replace(BINDING, not_after=Millis(NOW + HOUR))).ok


def test_manifests_of_devices_have_to_last_as_well() -> None:
    manifests = nvidia_pki.manifests("GH100")
    ending = Manifest(golden={index: (nvidia_pki.value(index),) for index in nvidia_pki.DRIVER_INDICES}, signer="RIM Signer 322", days=MANIFEST_DAYS)
    trust = DeviceTrust(roots=nvidia_pki.ROOTS, collateral=Collateral((ending.signed, *(rim for rim in manifests if VBIOS in rim))))
    for hours, names in ((12, set()), (20, {"collateral-lasts"})):
        binding = replace(BINDING, not_after=Millis(AT + hours * HOUR))
        items = [Device().item(0, report_data(binding.encode()))]
        assert failed(judged("snp", binding=binding, items=items, trust=trust)) == names


VBIOS = nvidia_pki.VBIOS["GH100"].encode()


def test_key_end_beyond_any_calendar_is_refused_and_not_raised() -> None:
    assert failed(tdx(NOW + HOUR, replace(BINDING, not_after=Millis(2**64 - 1)))) == {"expiry"}
