import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key
from simulated_world import AUTHORITY, BINDING, CODE, COMMITTEE, NOW, PLATFORM, POOL, Entropy, Node, judged

from agent.attestation import cbor, cose
from agent.attestation.binding import native_of, user_data
from agent.attestation.errors import Malformed, ProviderError
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.providers.simulated import SimulatedProvider
from agent.attestation.simulated import SimulatedVerifier
from agent.attestation.simulated_platform import SimulatedAuthority, SimulatedPlatform

PROVIDER = SimulatedProvider(PLATFORM, CODE, lambda: NOW)


async def test_evidence_out_of_a_provider_is_accepted() -> None:
    encoded = BINDING.encode()
    carried = user_data(encoded, native_of(BINDING, POOL, COMMITTEE))
    quote = await PROVIDER.attest(carried, BINDING.challenge, BINDING.hpke_pk)
    assert judged(Evidence(encoded, Quote(PROVIDER.media_type, quote)).encode()).ok


@pytest.mark.parametrize("size", [0, 64, 95, 97])
async def test_provider_refuses_user_data_of_another_length(size: int) -> None:
    """64 is the report data alone: the chain could not recompute anything of it."""
    with pytest.raises(ProviderError, match="96 bytes"):
        await PROVIDER.attest(bytes(size), bytes(32), bytes(32))


def test_sealing_key_is_of_this_platform_and_this_code() -> None:
    other_platform = AUTHORITY.platform("node-1", NOW, Entropy(b"other"))
    other_code = bytes([1]) * 48
    keys = {
        PROVIDER.sealing_key(CODE),
        SimulatedProvider(other_platform, CODE, lambda: NOW).sealing_key(CODE),
        SimulatedProvider(PLATFORM, other_code, lambda: NOW).sealing_key(other_code),
    }
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}
    assert SimulatedProvider(SimulatedPlatform.decode(PLATFORM.encode()), CODE, lambda: NOW).sealing_key(CODE) in keys


def test_sealing_key_of_other_code_is_not_given() -> None:
    with pytest.raises(ProviderError):
        PROVIDER.sealing_key(bytes([1]) * 48)


def test_measurement_of_another_length_cannot_be_attested() -> None:
    with pytest.raises(ProviderError):
        Node(code=b"short").quote()


def test_platform_survives_being_handed_to_a_node() -> None:
    assert SimulatedPlatform.decode(PLATFORM.encode()) == PLATFORM


@pytest.mark.parametrize(
    "change", [{"secret": b"short"}, {"chain": []}, {"chain": [1, 2]}, {"key": "text"}, {"more": 1}]
)
def test_file_that_is_no_platform_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        SimulatedPlatform.decode(cbor.encode(cbor.decode(PLATFORM.encode()) | change))


def test_secrets_do_not_show_in_a_printed_platform() -> None:
    printed = repr(PLATFORM) + repr(AUTHORITY)
    assert "secret" not in printed
    assert "key_der" not in printed


def test_every_certificate_says_that_it_is_simulated() -> None:
    for der in PLATFORM.chain:
        subject = x509.load_der_x509_certificate(der).subject
        assert subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == "SIMULATED - NOT A TEE"


def test_same_entropy_makes_the_same_authority_and_platform() -> None:
    again = SimulatedAuthority.create("test", NOW, Entropy(b"authority"))
    assert again.root == AUTHORITY.root
    assert again.platform("node-0", NOW, Entropy(b"platform")) == PLATFORM
    assert Node().evidence() == Node().evidence()


def test_document_that_does_not_call_itself_simulated_is_refused() -> None:
    payload = cbor.decode(cose.Sign1.decode(Node().quote()).payload) | {"module_id": "i-0827e799ec9232d44-enc0"}
    disguised = cose.sign(cbor.encode(payload), load_der_private_key(PLATFORM.key_der, None)).encode()
    with pytest.raises(Malformed, match="module id"):
        SimulatedVerifier(AUTHORITY.root).authenticate(disguised, NOW)
