"""Our reading of Intel's rules for patch levels, against dcap-qvl's, over many platforms."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from intel_pki import NOW, ROOT, Guest, Signing, collateral, level, qe_identity, tcb_info, tdx_quote

from agent.attestation.errors import EvidenceError
from agent.attestation.intel.errors import HostMayInterrupt
from agent.attestation.intel.evidence import IntelEvidence
from agent.attestation.intel.quote import Quote
from agent.attestation.intel.tcb import REVOKED
from agent.attestation.intel.verifier import IntelTrust

STATUSES = (
    "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
    "OutOfDateConfigurationNeeded", "Revoked",
)  # fmt: skip
SVNS = st.integers(3, 7)
ADVISORIES = st.lists(st.sampled_from(["INTEL-SA-1", "INTEL-SA-2", "INTEL-SA-3"]), unique=True, max_size=2)
DATE = "2026-01-01T00:00:00Z"


def _with(statuses: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "tcb": st.fixed_dictionaries({"isvsvn": SVNS}),
            "tcbDate": st.just(DATE),
            "tcbStatus": st.sampled_from(statuses),
            "advisoryIDs": ADVISORIES,
        }
    )


LEVELS = st.lists(
    st.builds(
        lambda svn, pce, tdx, status, advisories: level(status, svn=svn, advisories=tuple(advisories))
        | {"tcb": {"sgxtcbcomponents": [{"svn": svn}] * 16, "pcesvn": pce, "tdxtcbcomponents": [{"svn": each} for each in tdx]}},
        SVNS,
        SVNS,
        st.lists(SVNS, min_size=3, max_size=3).map(lambda some: some + [0] * 13),
        st.sampled_from(STATUSES),
        ADVISORIES,
    ),
    min_size=1,
    max_size=4,
)
MODULES = st.lists(_with(("UpToDate", "OutOfDate", "Revoked")), min_size=1, max_size=3)
ENCLAVES = st.lists(_with(("UpToDate", "OutOfDate", "Revoked")), min_size=1, max_size=3)


def _outcome(trust: IntelTrust, guest: Guest, beside: Any, qe_svn: int) -> object:
    quote = Quote.decode(tdx_quote(guest, Signing(qe={"isv_svn": qe_svn})))
    try:
        found = trust.authenticate(IntelEvidence(quote, beside), NOW)
    except HostMayInterrupt:
        raise
    except EvidenceError as error:
        return type(error).__name__
    return found.tcb


@settings(max_examples=400, deadline=None)
@given(
    LEVELS, MODULES, ENCLAVES, SVNS, st.lists(st.integers(2, 8), min_size=3, max_size=3), st.booleans()
)
def test_paravisors_are_judged_as_dcap_qvl_judges_every_other_guest(
    levels: list[Any], modules: list[Any], enclaves: list[Any], qe_svn: int, svns: list[int], versioned: bool
) -> None:
    # Intel's lists begin with the newest level
    for some in (modules, enclaves):
        some.sort(key=lambda entry: -entry["tcb"]["isvsvn"])
    module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
    if not versioned:
        svns[1] = 0
    identities = [{"id": f"TDX_{version:02x}", **module, "tcbLevels": modules} for version in range(2, 7)]
    beside = collateral(
        tcb_info=tcb_info(tcbLevels=levels, tdxModuleIdentities=identities),
        qe_identity=qe_identity(tcbLevels=enclaves),
    )
    svn = bytes(svns).ljust(16, b"\0")
    theirs = _outcome(IntelTrust(root=ROOT), Guest(tee_tcb_svn=svn), beside, qe_svn)
    ours = _outcome(IntelTrust(root=ROOT, paravisor=True), Guest(tee_tcb_svn=svn, attributes=bytes(8)), beside, qe_svn)
    assert ours == theirs


def test_paravisor_of_a_revoked_platform_is_claimed_revoked() -> None:
    beside = collateral(tcb_info=tcb_info(tcbLevels=[level("Revoked")]))
    tcb = _outcome(IntelTrust(root=ROOT, paravisor=True), Guest(attributes=bytes(8)), beside, 6)
    assert getattr(tcb, "status", None) == REVOKED
