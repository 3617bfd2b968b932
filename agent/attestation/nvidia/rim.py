"""Reference integrity manifests: what NVIDIA says that a driver's or firmware's measurements are.

A SWID tag (ISO/IEC 19770-2, TCG RIM) signed in itself: one enveloped XML signature over the whole document, Canonical
XML 1.1, ECDSA on P-384 with SHA-384, the signer's chain in its KeyInfo. Exactly that shape is understood. Values are
read from the very tree that was digested, so that nothing can be wrapped around them.

Not signed are the KeyInfo (its certificates must chain) and how the XML is spelt (white space inside of tags).
"""

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha384
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from agent.attestation import certificates
from agent.attestation.certificates import MAX_CHAIN
from agent.attestation.errors import BadSignature
from agent.attestation.nvidia.canonical_xml import Element, canonical, parse
from agent.attestation.nvidia.device import from_root
from agent.attestation.nvidia.errors import MalformedRim
from agent.protocol.units import Millis

MAX_MEASUREMENTS: Final = 256
MAX_ALTERNATIVES: Final = 64

_SWID: Final = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_SHA384: Final = "http://www.w3.org/2001/04/xmlenc#sha384"
_C14N: Final = "http://www.w3.org/2006/12/xml-c14n11"
_SIGNED_INFO: Final = (
    ("CanonicalizationMethod", _C14N),
    ("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
    ("Reference", ""),
)
_REFERENCE: Final = (
    ("Transforms", None),
    ("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#sha384"),
    ("DigestValue", None),
)
_TRANSFORMS: Final = (("Transform", f"{_DSIG}enveloped-signature"), ("Transform", _C14N))
_SIGNATURE_SIZE: Final = 96
_HASH: Final = re.compile(r"Hash[0-9]{1,3}")
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_SPACE: Final = str.maketrans("", "", " \t\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """A manifest whose signature holds."""

    model: str
    """Such as "GH100"."""
    version: str
    """Of the driver ("550.144.03") or of the VBIOS ("96.00.5E.00.01")."""
    golden: Mapping[int, frozenset[bytes]]
    """The values allowed, for every measurement that this manifest speaks of; index 0 is block 1 of a report."""
    chain: tuple[bytes, ...]
    """DER, root first: who signed."""


def check_rim(data: bytes, root: bytes, at: Millis) -> Rim:
    """The manifest in `data`, its signature and its signer's chain to `root` (DER) checked at `at`.

    Raises:
        MalformedRim, Malformed, UntrustedRoot, BadChain, NotValidThen, BadSignature
    """
    document = parse(data)
    if document.name != (_SWID, "SoftwareIdentity"):
        raise MalformedRim(f"manifest: the root element is {document.tag[:80]!r}, not a SWID tag")
    signature = _only(document, (_DSIG, "Signature"))
    info, value, key_info = _shape(
        signature, (("SignedInfo", None), ("SignatureValue", None), ("KeyInfo", None))
    )
    _, _, reference = _shape(info, _SIGNED_INFO)
    transforms, _, digest = _shape(reference, _REFERENCE)
    _shape(transforms, _TRANSFORMS)
    chain = from_root(_certificates(key_info), root)
    key = certificates.p384_key(certificates.check_chain(chain, root, at))
    _check_signature(key, _base64(value), canonical(info))
    if sha384(canonical(document, without=signature)).digest() != _base64(digest):
        raise BadSignature("manifest was changed after NVIDIA signed it: fetch it again")
    return Rim(
        model=document.attributes.get("name", "").replace("_", ""),
        version=_version(_only(document, (_SWID, "Meta"))),
        golden=MappingProxyType(dict(_golden(_only(document, (_SWID, "Payload"))))),
        chain=chain,
    )


def _shape(element: Element, children: tuple[tuple[str, str | None], ...]) -> list[Element]:
    """The children of `element`, which must be these: names of the signature namespace, and algorithm or URI."""
    found = element.elements
    if [child.name for child in found] != [(_DSIG, name) for name, _ in children]:
        raise MalformedRim(f"manifest: {element.tag[:80]} does not hold {[name for name, _ in children]}")
    for child, (name, wanted) in zip(found, children, strict=True):
        expected = {} if wanted is None else {"URI" if name == "Reference" else "Algorithm": wanted}
        if dict(child.attributes) != expected:
            raise MalformedRim(f"manifest: {name} has {dict(child.attributes)!r:.200}, expected {expected}")
    return found


def _only(element: Element, name: tuple[str, str]) -> Element:
    found = [child for child in element.elements if child.name == name]
    if len(found) != 1:
        raise MalformedRim(f"manifest with {len(found)} elements {name[1]}, wants one")
    return found[0]


def _base64(element: Element) -> bytes:
    text = element.text.translate(_SPACE)
    try:
        found = binascii.a2b_base64(text, strict_mode=True)
        # even so the library admits bits behind the last byte
        if binascii.b2a_base64(found, newline=False).decode() == text:
            return found
    except ValueError:
        pass
    raise MalformedRim(f"manifest: {element.tag[:80]} is not base64")


def _certificates(key_info: Element) -> list[bytes]:
    (data,) = _shape(key_info, (("X509Data", None),))
    found = data.elements
    if not 0 < len(found) <= MAX_CHAIN or any(each.name != (_DSIG, "X509Certificate") for each in found):
        raise MalformedRim(f"manifest: KeyInfo does not hold 1 to {MAX_CHAIN} certificates")
    return [_base64(each) for each in found]


def _check_signature(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> None:
    if len(signature) != _SIGNATURE_SIZE:
        raise MalformedRim(f"manifest with a signature of {len(signature)} bytes, wants {_SIGNATURE_SIZE}")
    numbers = (int.from_bytes(half, "big") for half in (signature[: _SIGNATURE_SIZE // 2], signature[_SIGNATURE_SIZE // 2 :]))
    try:
        key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA384()))
    except (InvalidSignature, ValueError):
        raise BadSignature("manifest is not signed by its first certificate") from None


def _version(meta: Element) -> str:
    found = [value for (_, name), value in meta.named_attributes.items() if name == "colloquialVersion"]
    if len(found) != 1 or not found[0]:
        raise MalformedRim("manifest without the version that it speaks of")
    return found[0]


def _golden(payload: Element) -> Iterator[tuple[int, frozenset[bytes]]]:
    seen = set()
    for resource in payload.elements:
        attributes = resource.attributes
        index = attributes.get("index", "")
        active = attributes.get("active")
        if resource.name != (_SWID, "Resource") or attributes.get("type") != "Measurement" or active not in ("True", "False"):
            raise MalformedRim(f"manifest: an entry {resource.tag[:80]!r} of its payload is no measurement")
        if not _NUMBER.fullmatch(index) or int(index) >= MAX_MEASUREMENTS or int(index) in seen:
            raise MalformedRim(f"manifest: no measurement has the index {index[:20]!r}, or two have")
        seen.add(int(index))
        if active == "True":
            yield int(index), _alternatives(resource)


def _alternatives(resource: Element) -> frozenset[bytes]:
    texts = [value for (space, name), value in resource.named_attributes.items() if space == _SHA384 and _HASH.fullmatch(name)]
    try:
        values = [bytes.fromhex(text) for text in texts]
    except ValueError:
        raise MalformedRim("manifest: a measurement's value is not hex") from None
    sizes = {str(len(value)) for value in values}
    if not 0 < len(values) <= MAX_ALTERNATIVES or sizes != {resource.attributes.get("size")}:
        raise MalformedRim(f"manifest: measurement {resource.attributes['index']} has no values of its size")
    return frozenset(values)
