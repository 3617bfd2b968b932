"""Which evidence a file holds: told by its content, never by its name.

Known are our own collections; quotes of TDX and SGX; SEV-SNP reports, bare or with AMD's certificate table; Nitro
documents; all of these also framed as dstack does, in hex or in base64; reports of NVIDIA devices, bare or in the JSON
of NVIDIA's SDK; and the JSON of dstack's guest agent and of Azure's vTPM tools.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.attestation import certificates, nitro
from agent.attestation.amd import MEDIA_TYPE as SNP_TYPE
from agent.attestation.amd import SnpQuote
from agent.attestation.amd.report import REPORT_SIZE
from agent.attestation.cose import PROTECTED
from agent.attestation.errors import EvidenceError, Malformed, Oversized
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.intel.evidence import SGX_TYPE, TDX_TYPE, IntelEvidence
from agent.attestation.intel.quote import Quote as IntelQuote
from agent.attestation.intel.quote import Tee, without_padding
from agent.attestation.nvidia import DeviceItem, DeviceKind
from agent.attestation.raw.beside import Beside
from agent.attestation.raw.errors import UnknownFile, WantsBeside
from agent.attestation.raw.spelling import of_text

MAX_FILE: Final = 1024 * 1024
"""Bytes."""
MAX_WRAPPINGS: Final = 3
"""Frames and spellings around evidence: dstack's frame, in hex, in JSON."""

_NITRO: Final = b"\x84" + bytes([0x40 + len(PROTECTED)]) + PROTECTED
_FRAME: Final = 4
_SPDM: Final = b"\x11\xe0"
_ECDSA_P256: Final = 2
_CBOR_MAP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """Evidence in the form that verifiers read; nothing of it is checked."""

    what: str
    """For people."""
    cpu: Quote | None = None
    devices: tuple[Quote, ...] = ()
    evidence: Evidence | None = None
    """The whole, where it is one of our own collections."""


def read_file(data: bytes, beside: Beside, wrappings: int = MAX_WRAPPINGS) -> RawFile:
    """The evidence in `data`, with what of `beside` belongs to it.

    Raises:
        Oversized: larger than any file of this sort.
        UnknownFile: nothing that is known here.
        WantsBeside: certificates that it needs are not `beside`.
        Malformed: it begins as evidence does and goes on otherwise, or is wrapped too often.
    """
    from agent.attestation.raw.documents import read_document  # noqa: PLC0415 - which reads files inside of documents

    if len(data) > MAX_FILE:
        raise Oversized(len(data), MAX_FILE)
    if wrappings == 0:
        raise Malformed(f"evidence wrapped more than {MAX_WRAPPINGS} times: unwrap it")
    if data.lstrip()[:1] in {b"{", b"["}:
        return read_document(data, beside, wrappings)
    for begins, read in _BARE:
        if begins(data):
            return read(data, beside)
    return _unwrapped(data, beside, wrappings)


def intel_evidence(quote: bytes, beside: Beside) -> IntelEvidence:
    """The quote in `quote`, zeros behind it cut off, with Intel's collateral.

    Raises:
        Malformed: no quote, or something else than zeros behind it.
    """
    bare = without_padding(quote)
    if any(quote[len(bare) :]):
        raise Malformed(f"{len(quote) - len(bare)} bytes behind the quote that are not padding: cut them off")
    return IntelEvidence(IntelQuote.decode(bare), beside.intel)


def snp_quote(report: bytes, beside: Beside) -> SnpQuote:
    """A bare report with the certificates beside it.

    Raises:
        WantsBeside: there are none.
    """
    if not beside.certificates:
        raise WantsBeside("a SEV-SNP report without certificates: give those of its VCEK or VLEK, from AMD's KDS, as collateral")
    return SnpQuote(report, beside.certificates, beside.crl)


def completed(own: tuple[bytes, ...], beside: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The certificates that came with a report, and of those `beside` the ones that it lacks.

    Told by their holders' names: AMD's service signs a VCEK anew each time it is asked, so that two copies differ.
    """
    holders = {_holder(der) for der in own}
    return (*own, *(der for der in dict.fromkeys(beside) if _holder(der) not in holders))


def _holder(der: bytes) -> bytes:
    try:
        return certificates.load(der).subject.public_bytes()
    except EvidenceError:
        return der  # whoever checks the chain says what is wrong with it


def device_item(report: bytes, chain: tuple[bytes, ...], kind: DeviceKind) -> Quote:
    """A device's item as it travels in our evidence."""
    return Quote(kind, DeviceItem(report, chain).encode())


def _collection(data: bytes, _: Beside) -> RawFile:
    evidence = Evidence.decode(data)
    what = f"Enclavia evidence, {evidence.cpu.media_type[:80]}"
    return RawFile(what=what, cpu=evidence.cpu, devices=evidence.devices, evidence=evidence)


def _is_collection(data: bytes) -> bool:
    return bool(data) and data[0] >> 5 == _CBOR_MAP


def _is_nitro(data: bytes) -> bool:
    return data.startswith(_NITRO)


def _nitro(data: bytes, _: Beside) -> RawFile:
    return RawFile(what="AWS Nitro attestation document", cpu=Quote(nitro.MEDIA_TYPE, data))


def _is_intel(data: bytes) -> bool:
    version, key_type, tee = (int.from_bytes(data[at:end], "little") for at, end in ((0, 2), (2, 4), (4, 8)))
    return len(data) >= 8 and version in {3, 4, 5} and key_type == _ECDSA_P256 and tee in set(Tee)


def _intel(data: bytes, beside: Beside) -> RawFile:
    evidence = intel_evidence(data, beside)
    media_type = TDX_TYPE if evidence.quote.tee is Tee.TDX else SGX_TYPE
    what = f"Intel {evidence.quote.tee.name} quote, version {evidence.quote.version}"
    return RawFile(what=what, cpu=Quote(media_type, evidence.encode()))


def _is_snp(data: bytes) -> bool:
    return len(data) >= REPORT_SIZE and int.from_bytes(data[:4], "little") in {2, 3, 4, 5}


def _snp(data: bytes, beside: Beside) -> RawFile:
    if len(data) == REPORT_SIZE:
        return RawFile(what="AMD SEV-SNP report", cpu=Quote(SNP_TYPE, snp_quote(data, beside).encode()))
    found = SnpQuote.from_extended(data)
    chain = completed(found.chain, beside.certificates)
    return RawFile(
        what="AMD SEV-SNP report with its certificate table", cpu=Quote(SNP_TYPE, SnpQuote(found.report, chain, beside.crl).encode())
    )


def _is_device(data: bytes) -> bool:
    return data.startswith(_SPDM)


def _device(data: bytes, beside: Beside) -> RawFile:
    if not beside.certificates:
        raise WantsBeside("a device's report without certificates: give its certificate chain as collateral")
    return RawFile(what="NVIDIA device report", devices=(device_item(data, beside.certificates, DeviceKind.GPU),))


_BARE: Final[tuple[tuple[Callable[[bytes], bool], Callable[[bytes, Beside], RawFile]], ...]] = (
    (_is_nitro, _nitro),
    (_is_collection, _collection),
    (_is_intel, _intel),
    (_is_snp, _snp),
    (_is_device, _device),
)
"""How each kind begins that is neither JSON nor wrapped, and who reads it."""


def _unwrapped(data: bytes, beside: Beside, wrappings: int) -> RawFile:
    framed = _of_frame(data)
    if framed is not None:
        inner = read_file(framed, beside, wrappings - 1)
        return RawFile(what=f"{inner.what}, in dstack's frame", cpu=inner.cpu, devices=inner.devices, evidence=inner.evidence)
    text = data.strip()
    spelt = of_text(text)
    if spelt:
        return read_file(spelt, beside, wrappings - 1)
    if text.startswith((b"-----BEGIN", b"<")):
        raise UnknownFile("certificates or a manifest, and no evidence: give it as collateral of the evidence it belongs to")
    if data.startswith(b"HCLA"):
        raise UnknownFile("Azure's HCL report alone binds no report data: give the JSON that has it with its TPM quote")
    raise UnknownFile("neither a collection of ours nor evidence of Intel, AMD, AWS, NVIDIA, Azure or dstack")


def _of_frame(data: bytes) -> bytes | None:
    """What dstack's SCALE frame holds: version, kind, a compact length of two bytes; its own configuration stands behind."""
    if len(data) <= _FRAME or data[0] or data[1] > 3 or data[2] & 3 != 1:
        return None
    end = _FRAME + (int.from_bytes(data[2:_FRAME], "little") >> 2)
    return data[_FRAME:end] if end <= len(data) else None
