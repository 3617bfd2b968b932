"""Bytes that no device and no manifest ever were: refused by name, and never by anything but a typed error."""

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia_pki import AT, REPORT_DATA, RIM_ROOT, ROOTS, Device, Manifest, manifests, value

from agent.attestation import cbor
from agent.attestation.errors import EvidenceError, Malformed
from agent.attestation.evidence import Quote
from agent.attestation.nvidia import Collateral, DeviceItem, DeviceKind, DeviceReport, GpuCheck, verify_gpus
from agent.attestation.nvidia.canonical_xml import MAX_ELEMENTS, MAX_XML, canonical, parse
from agent.attestation.nvidia.dice import _composite, _tcb_info
from agent.attestation.nvidia.errors import MalformedReport, MalformedRim
from agent.attestation.nvidia.evidence import MAX_COLLATERAL, MAX_ITEM, MAX_RIMS
from agent.attestation.nvidia.ocsp import OcspResponses
from agent.attestation.nvidia.rim import check_rim

FUZZ = int(os.environ.get("ENCLAVIA_FUZZ", "1"))
"""How many times the usual number of executions."""
EXAMPLES = settings(max_examples=150 * FUZZ, deadline=None, derandomize=FUZZ == 1)

DEVICE = Device(model="GB100")
ITEM = DEVICE.item().content
CHAIN = DeviceItem.decode(ITEM).chain
RIM = Manifest(golden={0: (value(0),), 7: (value(7),)}).signed
NONCE = b"\x07" * 32


def _unsigned_manifest(document: bytes) -> frozenset[int]:
    text = document.decode()
    inside_tags = {at for tag in re.finditer(r"<[^>]*>", text) for at in range(*tag.span()) if text[at] in " \n"}
    key_info = range(text.index("<d:KeyInfo>"), text.index("</d:KeyInfo>"))
    signature_value = range(text.index("<d:SignatureValue>"), text.index("</d:SignatureValue>"))
    return frozenset(inside_tags | set(key_info) | set(signature_value) | set(range(text.rindex(">") + 1, len(text))))


UNSIGNED_RIM = _unsigned_manifest(RIM)
"""The bytes of a manifest that its signature does not cover: white space inside of tags and behind the document, the
signature itself, and the KeyInfo, whose certificates must lead to the root."""


def _accepted_item(content: bytes) -> bool:
    verdict = verify_gpus([Quote(DeviceKind.GPU, content)], REPORT_DATA, AT, Collateral(), roots=ROOTS)
    # without a manifest the rest is what the device itself vouches for
    return {each.name for each in verdict.findings if not each.passed} == {GpuCheck.RIM, GpuCheck.DEBUG}


def test_no_changed_byte_of_a_device_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert _accepted_item(ITEM)
    places = range(0, len(ITEM), max(1, 7 // FUZZ))
    accepted = {place for place in places if _accepted_item(_flipped(ITEM, place))}
    with capsys.disabled():
        print(f"\nNVIDIA device byte flips: {len(places)} executions, {len(accepted)} accepted")
    assert accepted == set()


def test_no_changed_byte_of_a_manifest_is_accepted_or_says_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    genuine = check_rim(RIM, RIM_ROOT, AT)
    places, accepted = range(0, len(RIM), max(1, 3 // FUZZ)), set()
    for place in places:
        try:
            rim = check_rim(_flipped(RIM, place), RIM_ROOT, AT)
        except EvidenceError:
            continue
        assert (rim.model, rim.version, rim.golden) == (genuine.model, genuine.version, genuine.golden)
        accepted.add(place)
    with capsys.disabled():
        print(f"\nNVIDIA manifest byte flips: {len(places)} executions, {len(accepted)} accepted, none with another content")
    assert accepted <= UNSIGNED_RIM


def _flipped(data: bytes, place: int) -> bytes:
    spoilt = bytearray(data)
    spoilt[place] ^= 1 << place % 8
    return bytes(spoilt)


@EXAMPLES
@given(st.binary(max_size=1024))
def test_parsers_raise_nothing_but_refusals(data: bytes) -> None:
    parsers = (
        DeviceReport.decode, DeviceItem.decode, Collateral.decode, parse, _tcb_info, _composite,
        lambda raw: check_rim(raw, RIM_ROOT, AT), lambda raw: OcspResponses([raw]),
    )  # fmt: skip
    for parser in parsers:
        try:
            parser(data)
        except EvidenceError:
            continue


@EXAMPLES
@given(st.integers(0, len(ITEM) - 1), st.binary(max_size=24), st.integers(0, 24))
def test_verdict_on_a_spliced_item_never_raises_and_never_accepts_another(place: int, patch: bytes, removed: int) -> None:
    spliced = ITEM[:place] + patch + ITEM[place + removed :]
    assert _accepted_item(spliced) is (spliced == ITEM)


@EXAMPLES
@given(st.text(alphabet="<>/&;!?[]-=\"' \nabx:mlns0", max_size=200), st.integers(0, len(RIM)))
def test_manifest_with_anything_in_it_is_refused_or_says_the_same(patch: str, place: int) -> None:
    genuine = check_rim(RIM, RIM_ROOT, AT)
    try:
        rim = check_rim(RIM[:place] + patch.encode() + RIM[place:], RIM_ROOT, AT)
    except EvidenceError:
        return
    assert rim.golden == genuine.golden


@EXAMPLES
@given(st.lists(st.binary(max_size=300), max_size=3), st.lists(st.binary(max_size=300), max_size=3), st.binary(max_size=80))
def test_verdict_never_raises(contents: list[bytes], collateral: list[bytes], kind: bytes) -> None:
    items = [Quote(DeviceKind.GPU, content) for content in contents] + [Quote(kind.decode("latin-1"), b"")]
    verdict = verify_gpus(items, REPORT_DATA, AT, Collateral(tuple(collateral), tuple(collateral)), roots=ROOTS)
    assert not verdict.ok
    assert not verdict.devices


def _report(**changes: object) -> bytes:
    return DEVICE.report(NONCE, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        _report()[:-1],
        _report() + b"\0",
        b"\x12" + _report()[1:],
        _report()[:37] + b"\x11\x61" + _report()[39:],
        _report(announced=41),
        _report(announced=0),
        _report(measurements={3: b""}),
        _report(measurements={3: bytes(65)}),
        _report()[:42] + b"\xff\xff\xff" + _report()[45:],
        _report()[:45] + b"\x02" + _report()[46:],
        _report()[:46] + b"\x02" + _report()[47:],
        _report()[:47] + b"\x34" + _report()[48:],
        bytes(16 * 1024 + 1),
    ],
    ids=[
        "empty", "short", "long", "other-spdm", "other-response", "more-blocks", "fewer-blocks", "empty-value", "huge-value", "huge-record",
        "index-twice", "other-form", "block-size", "huge",
    ],
)  # fmt: skip
def test_report_of_another_shape_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedReport):
        DeviceReport.decode(raw)


def test_report_with_an_entry_twice_is_malformed() -> None:
    raw = _report(opaque={200: b"\x01", 201: b"\x01"})
    with pytest.raises(MalformedReport):
        DeviceReport.decode(raw.replace(b"\xc9\0\x01\0\x01", b"\xc8\0\x01\0\x01"))


@pytest.mark.parametrize(
    "items",
    [
        {}, [], 1, {"report": b""}, {"report": b"", "chain": []}, {"report": b"", "chain": [b""] * 11}, {"report": b"", "chain": [1]},
        {"report": 1, "chain": [b""]}, {"report": b"", "chain": [b""], "more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_item_of_another_shape_is_malformed(items: object) -> None:
    with pytest.raises(Malformed):
        DeviceItem.decode(cbor.encode(items))


def test_huge_item_and_huge_collateral_are_malformed_before_they_are_read() -> None:
    with pytest.raises(Malformed):
        DeviceItem.decode(bytes(MAX_ITEM + 1))
    with pytest.raises(Malformed):
        Collateral.decode(bytes(MAX_COLLATERAL + 1))


@pytest.mark.parametrize(
    "items",
    [
        {}, {"rims": []}, {"rims": [], "ocsp": [], "more": 1}, {"rims": [1], "ocsp": []}, {"rims": [], "ocsp": ["text"]},
        {"rims": [b""] * 17, "ocsp": []}, {"rims": [], "ocsp": [b""] * 129}, {"rims": [bytes(MAX_XML + 1)], "ocsp": []},
        {"rims": [], "ocsp": [bytes(8193)]},
    ],
    ids=lambda items: repr(items)[:60],
)  # fmt: skip
def test_collateral_of_another_shape_is_malformed(items: object) -> None:
    with pytest.raises(Malformed):
        Collateral.decode(cbor.encode(items))


def test_collateral_travels() -> None:
    collateral = Collateral(manifests("GH100"), (b"response",))
    assert Collateral.decode(collateral.encode()) == collateral


def test_too_many_manifests_are_not_read() -> None:
    verdict = verify_gpus([DEVICE.item()], REPORT_DATA, AT, Collateral(manifests("GB100") * MAX_RIMS), roots=ROOTS)
    assert GpuCheck.COLLATERAL in {each.name for each in verdict.findings if not each.passed}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "text",
        "<a>",
        "<a/><b/>",
        "<!DOCTYPE a><a/>",
        '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        "<a><!-- c --></a>",
        "<a><?p i?></a>",
        "<a><![CDATA[x]]></a>",
        "<a>&undefined;</a>",
        '<a b="1" b="2"/>',
        '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
        "<p:a/>",
        '<a p:b="1"/>',
        '<a xmlns:p=""><p:b/></a>',
        "<a:b:c/>",
        '<a xml:id="1"/>',
        '<a xmlns:xml="u"/>',
        '<a xmlns:xmlns="u"/>',
        "<a>" * 20 + "</a>" * 20,
        "<a>" + "<b/>" * MAX_ELEMENTS + "</a>",
        "<a " + " ".join(f'b{n}="1"' for n in range(65)) + "/>",
        "<a " + " ".join(f'xmlns:b{n}="u"' for n in range(17)) + "/>",
        "<a>" + " " * MAX_XML + "</a>",
    ],
    ids=lambda document: document[:40],
)
def test_xml_beyond_the_little_that_manifests_are_made_of_is_malformed(document: str) -> None:
    with pytest.raises(MalformedRim):
        parse(document.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_xml_in_another_encoding_is_malformed(encoding: str) -> None:
    with pytest.raises(MalformedRim):
        parse("<ä/>".encode(encoding))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        # after the examples of W3C, Canonical XML 1.1, §3
        ("<?xml version='1.0'?>\n<doc >\n  <e1   />\n</doc>\n", "<doc>\n  <e1></e1>\n</doc>"),
        ("<e b='1' a = \"2\"/>", '<e a="2" b="1"></e>'),
        (
            '<e5 a:attr="out" b:attr="sorted" attr2="all" attr="I\'m" xmlns:b="http://www.ietf.org" xmlns:a="http://www.w3.org" xmlns="http://example.org"/>',
            '<e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I\'m" attr2="all" '
            'b:attr="sorted" a:attr="out"></e5>',
        ),
        ('<e6 xmlns="" xmlns:a="u"><e7 xmlns="v"><e8 xmlns=""><e9 xmlns="" xmlns:a="u"/></e8></e7></e6>', '<e6 xmlns:a="u"><e7 xmlns="v"><e8 xmlns=""><e9></e9></e8></e7></e6>'),
        ("<t a='&lt;&amp;&quot;&#9;&#10;&#13;>'>&lt;&gt;&amp;\"&#13;\r\n</t>", '<t a="&lt;&amp;&quot;&#x9;&#xA;&#xD;>">&lt;&gt;&amp;"&#xD;\n</t>'),
        ("<t a='x\ny'/>", '<t a="x y"></t>'),
        ("<ü>é</ü>", "<ü>é</ü>"),
    ],
    ids=["space", "attributes", "order", "namespaces", "escapes", "normalized", "unicode"],
)  # fmt: skip
def test_canonical_form_is_the_one_of_w3c(document: str, expected: str) -> None:
    assert canonical(parse(document.encode())).decode() == expected


def test_canonical_part_shows_the_namespaces_in_force() -> None:
    root = parse(b'<a xmlns="u" xmlns:p="v"><p:b/><c>x</c></a>')
    assert canonical(root.elements[1]) == b'<c xmlns="u" xmlns:p="v">x</c>'
    assert canonical(root, without=root.elements[0]) == b'<a xmlns="u" xmlns:p="v"><c>x</c></a>'


SIGNATURE = RIM[RIM.index(b"<d:Signature ") : RIM.index(b"</d:Signature>") + len(b"</d:Signature>")]
ANOTHER = b'<n0:Resource type="Measurement" index="9" active="True" alternatives="1" size="1" h:Hash0="00"/>'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SIGNATURE, b""),
        (SIGNATURE, SIGNATURE * 2),
        (b"<n0:Payload>", b"<n0:Payload>" + ANOTHER),
        (b"</SoftwareIdentity>", b"<n0:Payload>" + ANOTHER + b"</n0:Payload></SoftwareIdentity>"),
        (b"</d:KeyInfo>", b"</d:KeyInfo><d:Object>" + ANOTHER + b"</d:Object>"),
        (b'URI=""', b'URI="#t"'),
        (b'URI=""', b""),
        (b"ecdsa-sha384", b"hmac-sha384"),
        (b"xmldsig-more#sha384", b"xmldsig-more#sha224"),
        (b"#enveloped-signature", b"#base64"),
        (b"xml-c14n11", b"xml-c14n11#WithComments"),
        (b"</d:Transforms>", b'<d:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></d:Transforms>'),
        (b"<d:X509Data>", b"<d:X509Data><d:X509CRL>AA==</d:X509CRL>"),
        (b"<d:SignatureValue>", b"<d:SignatureValue>!"),
        (b"SoftwareIdentity", b"SoftwareIdentify"),
    ],
    ids=[
        "unsigned", "signed-twice", "added", "second-payload", "object", "part-only", "no-reference", "hmac", "other-digest", "other-transform",
        "comments", "xslt", "crl", "no-base64", "other-root",
    ],
)  # fmt: skip
def test_manifest_wrapped_or_signed_otherwise_is_refused(old: bytes, new: bytes) -> None:
    assert old in RIM
    with pytest.raises(EvidenceError):
        check_rim(RIM.replace(old, new), RIM_ROOT, AT)


@pytest.mark.parametrize(
    "manifest",
    [
        Manifest(extra='<n0:Resource type="Other" index="9" active="True" size="1" h:Hash0="00"/>'),
        Manifest(extra='<n0:File name="x"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="9" active="true" size="1" h:Hash0="00"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="-1" active="True" size="1" h:Hash0="00"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="256" active="True" size="1" h:Hash0="00"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="63" active="True" size="1" h:Hash0="00"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="9" active="True" size="1"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="9" active="True" size="2" h:Hash0="00"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="9" active="True" size="1" h:Hash0="zz"/>'),
        Manifest(extra='<n0:Resource type="Measurement" index="9" active="True" size="1" Hash0="00"/>'),
        Manifest(version=""),
    ],
    ids=["type", "file", "active", "negative", "index", "twice", "no-value", "size", "hex", "namespace", "version"],
)
def test_signed_manifest_with_anything_unknown_in_it_is_malformed(manifest: Manifest) -> None:
    with pytest.raises(MalformedRim):
        check_rim(manifest.signed, RIM_ROOT, AT)
