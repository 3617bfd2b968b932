"""What dcap-qvl does and does not, as `agent.attestation.intel` relies on it: whoever updates it runs into this first."""

import json
from typing import Any

import dcap_qvl
import pytest
from intel_pki import (
    CA,
    CA_NAME,
    NOW,
    PCK,
    ROOT,
    ROOT_NAME,
    Guest,
    Signing,
    certificate,
    collateral,
    enclave_report,
    revocation_list,
    sgx_quote,
    tdx_quote,
)
from intel_vectors import TDX, content

from agent.attestation.errors import Malformed
from agent.attestation.intel.quote import Quote, pem
from agent.attestation.intel.tcb import _library_collateral, evaluate

SECONDS = NOW // 1000


def verified(quote: bytes, at: int = SECONDS, policy: Any = None, **beside: Any) -> dict[str, Any]:
    library = _library_collateral(collateral(**beside), ROOT)
    verifier = dcap_qvl.QuoteVerifier(root_ca_der=ROOT)
    return json.loads(verifier.verify_with_policy(quote, library, at, policy or dcap_qvl.QuotePolicy.claims_only(at)).to_json())


def refusal(quote: bytes, **beside: Any) -> str:
    with pytest.raises(ValueError) as caught:
        verified(quote, **beside)
    return str(caught.value)


def test_it_takes_another_root_and_then_only_that() -> None:
    assert verified(tdx_quote())["tcb"]["status"] == "UpToDate"
    library = _library_collateral(collateral(), ROOT)
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify(tdx_quote(), library, SECONDS)


def test_it_takes_bytes_behind_a_quote() -> None:
    assert verified(tdx_quote() + b"anything") == verified(tdx_quote())


def test_it_refuses_a_quote_whose_last_byte_is_missing() -> None:
    assert refusal(tdx_quote()[:-1])


def test_it_takes_another_root_inside_the_quote() -> None:
    other = certificate(ROOT_NAME, ROOT_NAME, authority=True, to_days=8999)
    assert verified(tdx_quote(None, Signing(chain=(other, CA, PCK))))["tcb"]["status"] == "UpToDate"


def test_it_takes_revocation_lists_from_the_future() -> None:
    assert verified(tdx_quote(), pck_crl=revocation_list(CA_NAME, from_days=1))["tcb"]["status"] == "UpToDate"


def test_it_refuses_revocation_lists_of_the_past() -> None:
    assert "certificate chain" in refusal(tdx_quote(), pck_crl=revocation_list(CA_NAME, from_days=-3, to_days=-1))


def test_it_refuses_what_is_revoked_without_saying_so() -> None:
    assert "certificate chain" in refusal(tdx_quote(), pck_crl=revocation_list(CA_NAME, PCK))


def test_it_refuses_debug_guests_after_all_signatures() -> None:
    debug = Guest(attributes=bytes.fromhex("0100001000000000"))
    assert "Debug mode is enabled" in refusal(tdx_quote(debug))
    assert "Debug" not in refusal(tdx_quote(debug, Signing(pck_key="other")))
    assert "Debug" not in refusal(tdx_quote(debug, Signing(bound_key="other")))
    assert "Debug" not in refusal(tdx_quote(debug, Signing(qe={"isv_prod_id": 7})))


def test_it_refuses_guests_without_sept_ve_disable_last_of_all() -> None:
    bare = Guest(attributes=bytes(8))
    assert "SEPT_VE_DISABLE" in refusal(tdx_quote(bare))
    for spoilt in (Signing(pck_key="other"), Signing(bound_key="other"), Signing(qe={"isv_prod_id": 7})):
        assert "SEPT_VE_DISABLE" not in refusal(tdx_quote(bare, spoilt))
    assert "SEPT_VE_DISABLE" not in refusal(tdx_quote(Guest(attributes=bytes(8), mr_signer_seam=b"\x01" * 48)))
    assert "SEPT_VE_DISABLE" not in refusal(tdx_quote(Guest(attributes=bytes(8), version=5, mr_service_td=b"\x01" * 48)))
    assert "SEPT_VE_DISABLE" not in refusal(tdx_quote(bare), pck_crl=revocation_list(CA_NAME, PCK))


def test_it_does_not_read_the_issuer_chain_of_the_pck_revocation_list() -> None:
    library = _library_collateral(collateral(), ROOT)
    assert library.pck_crl_issuer_chain == ""


def test_it_wants_sgx_in_version_3_only() -> None:
    report = enclave_report(attributes=b"\x05".ljust(16, b"\0"))
    quote = bytearray(sgx_quote(report))
    assert verified(bytes(quote), tdx=False)["tee_type"] == 0
    quote[0] = 4
    assert refusal(bytes(quote), tdx=False)


def test_it_refuses_with_value_error_only() -> None:
    for spoilt in (b"", b"\x04\x00", bytes(5000), tdx_quote()[:600]):
        assert refusal(spoilt)
    for broken in ({"tcb_info": []}, {"qe_identity": {}}, {"root_crl": b"x"}, {"tcb_signer": b"x"}):
        assert refusal(tdx_quote(), **broken)


def test_its_strict_policy_refuses_the_dynamic_platforms_that_clouds_are() -> None:
    chain = content(TDX.collateral).decode()
    library, at = dcap_qvl.QuoteCollateralV3.from_json(chain), TDX.at // 1000
    verifier, strict = dcap_qvl.QuoteVerifier(), dcap_qvl.QuotePolicy.strict(at)
    with pytest.raises(ValueError, match="Dynamic platform"):
        verifier.verify_with_policy(content(TDX.quote), library, at, strict)


def test_its_pem_is_ours() -> None:
    assert bytes(dcap_qvl.parse_quote(tdx_quote()).cert_chain_pem_bytes()).rstrip(b"\0") == pem((ROOT, CA, PCK)).encode()


class PanicException(BaseException):
    """As pyo3 raises it: no Exception."""


@pytest.mark.parametrize(("raised", "seen"), [(PanicException, Malformed), (RuntimeError, Malformed), (KeyboardInterrupt, KeyboardInterrupt)])
def test_its_panics_are_refusals_and_not_ours_to_pass_on(
    raised: type[BaseException], seen: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(root_ca_der: bytes) -> None:
        raise raised("unwrap on None")

    monkeypatch.setattr(dcap_qvl, "QuoteVerifier", broken)
    with pytest.raises(seen):
        evaluate(Quote.decode(tdx_quote()), collateral(), ROOT, NOW)
