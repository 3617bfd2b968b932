"""What a service, or whoever plays one, may send: a typed refusal, and nothing of it is kept."""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote as escape

import nvidia_pki
import pytest
from amd_pki import BEGINS, CHIP, Line, Report, rsa_key
from intel_pki import CA_NAME, ROOT, TCB_NAME, TCB_SIGNER, certificate, collateral, key, revocation_list, sign, tcb_info
from nvidia_pki import Device, Manifest, ocsp_response
from synthetic_world import AT
from vendor_services import BARE_SNP, GPU, MILAN, OWN, Answer, Clock, Vendors, amd, collecting, fetching, gpu_evidence, intel, nvidia

from agent.attestation.amd import Product
from agent.attestation.collection.errors import BadAddress, HostileAnswer, ServiceRefused, ServiceUnreachable
from agent.attestation.collection.fetcher import MAX_HEADER, Patience, Wanted
from agent.attestation.collection.index import Role
from agent.attestation.intel.collateral import MAX_COLLATERAL
from agent.attestation.intel.quote import pem
from agent.attestation.nvidia.canonical_xml import MAX_XML

CHAIN = escape(pem((ROOT, TCB_SIGNER)))
HEADERS = {"TCB-Info-Issuer-Chain": CHAIN}
STRANGER = certificate("a stranger", "a stranger", authority=True)


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    async with Vendors().serving() as running:
        running.put(intel())
        running.put(amd())
        running.put(nvidia(GPU))
        yield running


async def collected(vendors: Vendors, folder: Path, data: bytes) -> tuple[set[Role], str]:
    """Which roles were kept, and what is said to be missing."""
    async with collecting(vendors, folder, AT, patience=Patience(attempts=2, answer=0.3)) as (collector, store, _):
        index = await collector.collect(data)
    kept = {item.digest for item in index.items}
    assert kept == set(store.blobs()), "nothing lies in the archive that no index names"
    return {item.role for item in index.items}, "; ".join(index.missing)


def statement(text: bytes, signer: str = TCB_NAME) -> bytes:
    return b'{"tcbInfo":%s,"signature":"%s"}' % (text, sign(key(signer), text).hex().encode())


GOOD = collateral().tcb_info
INTEL_LIES = {
    "of another platform": (Answer(statement(json.dumps(tcb_info(fmspc="00606A000000")).encode()), headers=HEADERS), "asked for was"),
    "of SGX": (Answer(statement(json.dumps(tcb_info(tdx=False)).encode()), headers=HEADERS), "asked for was"),
    "signed by another": (Answer(statement(GOOD, "a stranger"), headers=HEADERS), "does not hold (signature)"),
    "changed after it was signed": (Answer(statement(GOOD).replace(b"UpToDate", b"upToDate"), headers=HEADERS), "does not hold (signature)"),
    "of a chain to another root": (Answer(statement(GOOD), headers={"TCB-Info-Issuer-Chain": escape(pem((STRANGER, STRANGER)))}), "does not hold"),
    "without its chain": (Answer(statement(GOOD)), "without the header"),
    "with a chain that is none": (Answer(statement(GOOD), headers={"TCB-Info-Issuer-Chain": "x"}), "something else than a statement"),
    "twice in one answer": (Answer(statement(GOOD)[:-1] + b',"tcbInfo":{}}', headers=HEADERS), "something else than a statement"),
    "not JSON": (Answer(b"<html>", headers=HEADERS), "something else than a statement"),
    "nested without end": (Answer(b"[" * 100_000, headers=HEADERS), "something else than a statement"),
    "a page for people": (Answer(b"<html>", "text/html", headers=HEADERS), "expected application/json"),
    "too large": (Answer(b" " * (MAX_COLLATERAL + 1), headers=HEADERS), "more than"),
    "without end": (Answer(b"{", headers=HEADERS, drips=True), "did not finish"),
    "packed": (Answer(gzip.compress(statement(GOOD)), headers=HEADERS | {"Content-Encoding": "gzip"}), "encoding"),
    "with a huge header": (Answer(statement(GOOD), headers=HEADERS | {"X-Padding": "x" * (MAX_HEADER + 1)}), "header"),
    "elsewhere": (Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}), "points elsewhere"),
    "unknown": (Answer(status=404), "knows nothing of this platform"),
    "broken": (Answer(status=500), "answers 500"),
}


@pytest.mark.parametrize("lie", INTEL_LIES)
async def test_tcb_info_is_refused_if_it_is(vendors: Vendors, tmp_path: Path, lie: str) -> None:
    answer, why = INTEL_LIES[lie]
    vendors.spoil("/tdx/certification/v4/tcb", answer)
    roles, missing = await collected(vendors, tmp_path, OWN)
    assert why in missing
    assert Role.INTEL_TCB_INFO not in roles
    if "did not finish" not in why:
        assert Role.INTEL_PCK_CRL in roles, "what can be had is kept all the same"


SGX = collateral(tdx=False)
IDENTITY_LIES = {
    "of SGX's enclave": (SGX.qe_identity, SGX.qe_identity_signature, "gives the identity of 'QE', asked for was TD_QE"),
    "changed after it was signed": (SGX.qe_identity.replace(b'"QE"', b'"TD_QE"'), SGX.qe_identity_signature, "does not hold (signature)"),
}


@pytest.mark.parametrize("lie", IDENTITY_LIES)
async def test_the_identity_of_the_quoting_enclave_is_refused_if_it_is(vendors: Vendors, tmp_path: Path, lie: str) -> None:
    text, signature, why = IDENTITY_LIES[lie]
    body = b'{"enclaveIdentity":%s,"signature":"%s"}' % (text, signature.hex().encode())
    vendors.spoil("/tdx/certification/v4/qe/identity", Answer(body, headers={"SGX-Enclave-Identity-Issuer-Chain": CHAIN}))
    roles, missing = await collected(vendors, tmp_path, OWN)
    assert why in missing
    assert Role.INTEL_QE_IDENTITY not in roles


LIST_LIES = {
    "of the wrong authority": (Answer(revocation_list("a stranger"), "application/pkix-crl"), "asked for was"),
    "no list": (Answer(b"0" * 64, "application/pkix-crl"), "something else than a revocation list"),
    "a certificate": (Answer(ROOT, "application/pkix-crl"), "something else than a revocation list"),
    "empty": (Answer(b"", "application/pkix-crl"), "something else than a revocation list"),
}


@pytest.mark.parametrize("lie", LIST_LIES)
async def test_a_revocation_list_is_refused_if_it_is(vendors: Vendors, tmp_path: Path, lie: str) -> None:
    answer, why = LIST_LIES[lie]
    vendors.spoil("/pckcrl", answer)
    roles, missing = await collected(vendors, tmp_path, OWN)
    assert why in missing
    assert Role.INTEL_PCK_CRL not in roles


async def test_a_list_signed_by_another_is_refused(vendors: Vendors, tmp_path: Path) -> None:
    der = bytearray(revocation_list(CA_NAME))
    der[-1] ^= 1
    vendors.spoil("/pckcrl", Answer(bytes(der), "application/pkix-crl"))
    roles, missing = await collected(vendors, tmp_path, OWN)
    assert "does not hold" in missing or "something else" in missing
    assert Role.INTEL_PCK_CRL not in roles


AMD_LIES = {
    "another chip's": (Answer(MILAN.endorsement(chip=CHIP[::-1]), "application/x-x509-ca-cert"), "does not hold"),
    "another line's": (Answer(Line(Product.GENOA).endorsement(), "application/x-x509-ca-cert"), "does not hold"),
    "of another root": (Answer(Line(Product.MILAN, "another").endorsement(), "application/x-x509-ca-cert"), "does not hold"),
    "no certificate": (Answer(b"0" * 800, "application/x-x509-ca-cert"), "something else than a certificate"),
    "unknown": (Answer(status=404), "knows nothing of this platform"),
    "too large": (Answer(b"0" * 100_000, "application/x-x509-ca-cert"), "more than"),
}


@pytest.mark.parametrize("lie", AMD_LIES)
async def test_a_chips_certificate_is_refused_if_it_is(vendors: Vendors, tmp_path: Path, lie: str) -> None:
    answer, why = AMD_LIES[lie]
    vendors.spoil(f"/vcek/v1/Milan/{CHIP.hex()}", answer)
    roles, missing = await collected(vendors, tmp_path, BARE_SNP)
    assert why in missing
    assert Role.AMD_CERTIFICATE not in roles


async def test_amds_list_of_another_root_is_refused(vendors: Vendors, tmp_path: Path) -> None:
    vendors.spoil("/crl", Answer(MILAN.crl(key=rsa_key("a stranger")), "application/pkix-crl"))
    roles, missing = await collected(vendors, tmp_path, BARE_SNP)
    assert "not signed by" in missing
    assert Role.AMD_CRL not in roles


async def test_a_report_that_hides_its_chip_is_asked_about_nowhere(vendors: Vendors, tmp_path: Path) -> None:
    roles, missing = await collected(vendors, tmp_path, Report(chip_id=bytes(64)).signed())
    assert "hides its chip's id" in missing
    assert (roles, vendors.asked) == (set(), [])


class Strangers(Manifest):
    """Made as NVIDIA makes them, by somebody else."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        return (
            nvidia_pki.certificate(self.signer, "a stranger", ca=False, serial=51),
            nvidia_pki.certificate("a stranger", "a stranger", serial=50),
        )


STRANGERS_MANIFEST = Strangers().signed


def rim(**changes: object) -> bytes:
    return json.dumps({"rim": base64.b64encode(Manifest().signed).decode()} | changes).encode()


RIM_LIES = {
    "of another digest": (Answer(rim(sha256="00" * 32)), "another digest"),
    "no manifest": (Answer(b"{}"), "without a manifest"),
    "not base64": (Answer(rim(rim="%%%")), "without a manifest"),
    "not XML": (Answer(rim(rim="AAAA")), "does not hold"),
    "unsigned": (Answer(rim(rim="PGEvPg==")), "does not hold"),
    "of another version": (Answer(json.dumps({"rim": base64.b64encode(Manifest(version="1.2.3").signed).decode()}).encode()), "GH100 1.2.3, asked for was"),
    "of another model": (Answer(json.dumps({"rim": base64.b64encode(Manifest(model="GB100").signed).decode()}).encode()), "GB100 580.1.2, asked for was"),
    "of another root": (Answer(json.dumps({"rim": base64.b64encode(STRANGERS_MANIFEST).decode()}).encode()), "does not hold (root)"),
    "changed after it was signed": (Answer(json.dumps({"rim": base64.b64encode(Manifest().signed.replace(b"GH100", b"GH101")).decode()}).encode()), "does not hold (signature)"),
    "too large": (Answer(b" " * (2 * MAX_XML + 1)), "more than"),
    "a list": (Answer(b"[]"), "without a manifest"),
    "nested without end": (Answer(b"[" * 100_000), "without a manifest"),
}


@pytest.mark.parametrize("lie", RIM_LIES)
async def test_a_manifest_is_refused_if_it_is(vendors: Vendors, tmp_path: Path, lie: str) -> None:
    answer, why = RIM_LIES[lie]
    vendors.spoil("/v1/rim/", answer)
    roles, missing = await collected(vendors, tmp_path, gpu_evidence())
    assert why in missing
    assert Role.NVIDIA_RIM not in roles


def answered(**changes: object) -> Answer:
    own, authority = GPU.chain[1], GPU.chain[2]
    arguments = {"certificate_der": own, "issuer_der": authority, "signer": "GH100 ICA"} | changes
    return Answer(ocsp_response(**arguments), "application/ocsp-response")


OCSP_LIES = {
    "of another certificate": answered(certificate_der=Device(number=5).chain[1]),
    "signed by another": answered(signer="a stranger", delegate=nvidia_pki.certificate("a stranger", "a stranger", delegate=True)),
    "no response": Answer(b"0" * 80, "application/ocsp-response"),
    "a page": Answer(b"<html>", "text/html"),
    "unsuccessful": Answer(bytes.fromhex("30030a0103"), "application/ocsp-response"),
    "too large": Answer(b"0" * 10_000, "application/ocsp-response"),
}


@pytest.mark.parametrize("lie", OCSP_LIES)
async def test_an_ocsp_response_is_refused_if_it_is(vendors: Vendors, tmp_path: Path, lie: str) -> None:
    vendors.spoil("/ocsp", OCSP_LIES[lie])
    roles, missing = await collected(vendors, tmp_path, gpu_evidence())
    assert "OCSP response" in missing
    assert Role.NVIDIA_OCSP not in roles
    assert Role.NVIDIA_RIM in roles


async def test_a_service_that_never_has_time_is_given_up_and_not_asked_again(vendors: Vendors, tmp_path: Path) -> None:
    vendors.serves.clear()
    vendors.put(lambda _: Answer(status=503))
    async with collecting(vendors, tmp_path, AT, patience=Patience(attempts=3, first=1.0)) as (collector, _, pauses):
        index = await collector.collect(OWN)
    assert pauses.seconds == [1.0, 2.0]
    assert len(vendors.asked) == 3
    assert sum("was not asked" in each for each in index.missing) == 3


async def test_a_service_that_was_given_up_is_asked_again_after_a_while(vendors: Vendors) -> None:
    """A node asks through one fetcher for as long as it runs."""
    vendors.spoil("/", Answer(status=503), Answer(status=503), Answer(b"x", ""))
    clock = Clock()
    async with fetching(Patience(attempts=2, memory=600.0), clock) as (fetcher, _):
        for clock.now, why in ((0.0, "2 times"), (600.0, "was not asked")):
            with pytest.raises(ServiceUnreachable, match=why):
                await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))
        clock.now = 601.0
        assert (await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))).content == b"x"
    assert len(vendors.asked) == 3


async def test_pauses_of_another_day_do_not_count(vendors: Vendors) -> None:
    vendors.put(lambda asked: Answer(b"x", "") if len(vendors.asked) % 2 == 0 else Answer(status=429, headers={"Retry-After": "50"}))
    clock = Clock()
    async with fetching(Patience(total=100.0, memory=600.0), clock) as (fetcher, pauses):
        for day in range(20):
            clock.now = day * 86_400.0
            await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))
        with pytest.raises(ServiceUnreachable, match="100 s together"):
            for _ in range(2):
                await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))
    assert pauses.seconds == [50.0] * 21


async def test_a_service_that_asks_for_too_much_patience_is_given_up(vendors: Vendors) -> None:
    vendors.put(lambda _: Answer(status=429, headers={"Retry-After": "86400"}))
    async with fetching() as (fetcher, pauses):
        with pytest.raises(ServiceUnreachable, match="86400 s"):
            await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))
    assert pauses.seconds == []


@pytest.mark.parametrize(
    "url", ["http://pccs.example/sgx", "ftp://x/", "file:///etc/passwd", "https://", "http://10.0.0.1/", "http://localhost.example/", "x", "http://[::1"]
)
async def test_an_address_that_tells_others_what_is_asked_is_not_asked(url: str) -> None:
    async with fetching() as (fetcher, _):
        with pytest.raises(BadAddress):
            await fetcher.fetch(Wanted(url, 10, ("",)))


async def test_a_port_where_nobody_listens_is_unreachable(vendors: Vendors) -> None:
    async with fetching(Patience(attempts=2)) as (fetcher, _):
        with pytest.raises(ServiceUnreachable, match="2 times"):
            await fetcher.fetch(Wanted("http://127.0.0.1:1/", 10, ("",)))


async def test_a_body_larger_than_it_may_be_is_not_read_to_its_end(vendors: Vendors) -> None:
    vendors.put(lambda _: Answer(b"x" * 100, "", drips=True))
    async with fetching() as (fetcher, _):
        with pytest.raises(HostileAnswer, match="more than 10 bytes"):
            await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))


async def test_a_refusal_says_its_status(vendors: Vendors) -> None:
    vendors.put(lambda _: Answer(status=403))
    async with fetching() as (fetcher, _):
        with pytest.raises(ServiceRefused) as caught:
            await fetcher.fetch(Wanted(f"{vendors.url}/", 10, ("",)))
    assert caught.value.status == 403


def test_the_window_of_the_world_is_that_of_amds_line() -> None:
    assert BEGINS.timestamp() * 1000 < AT
