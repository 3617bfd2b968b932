"""Evidence in the JSON of vendors' and others' tools.

Sources: NVIDIA's attestation SDK (a list with one entry for each device), dstack's guest agent (`GetQuote`, `Attest`),
and `az-cvm-vtpm` as CoCo's trustee stores it (base64 for URLs, hex for what the TPM says).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from agent.attestation.amd import SnpQuote
from agent.attestation.amd.report import REPORT_SIZE
from agent.attestation.dstack.events import EventLog
from agent.attestation.dstack.evidence import MEDIA_TYPE as DSTACK_TYPE
from agent.attestation.dstack.evidence import DstackEvidence
from agent.attestation.errors import Malformed
from agent.attestation.evidence import Quote
from agent.attestation.nvidia import MAX_DEVICES, DeviceKind
from agent.attestation.raw.beside import Beside
from agent.attestation.raw.errors import UnknownFile
from agent.attestation.raw.file import RawFile, completed, device_item, intel_evidence, read_file
from agent.attestation.raw.spelling import of_base64, of_hex
from agent.attestation.vtpm.evidence import SNP_TYPE, TDX_TYPE, VtpmEvidence
from agent.attestation.vtpm.hcl import HclReport
from agent.attestation.vtpm.tpm import PCR_COUNT, signature_of

_SWITCH: Final = "LS10"


def read_document(text: bytes, beside: Beside, wrappings: int) -> RawFile:
    """The evidence in the JSON `text`, with what of `beside` belongs to it.

    Raises:
        UnknownFile: not the JSON of any tool that is known here.
        Malformed: a field has not the form that the tool writes.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the file begins as JSON and is none") from None
    match found:
        case {"hcl_report": str(), "tpm_quote": dict()}:
            return _azure(found, beside)
        case {"quote": str(), "event_log": str()}:
            return _dstack(found, beside)
        case {"attestation": str(framed)}:
            return read_file(of_hex(framed, "attestation"), beside, wrappings - 1)
        case [dict(), *_] if all(type(entry) is dict and {"evidence", "certificate"} <= entry.keys() for entry in found):
            return _nvidia(found)
        case {"tcb_info": _, "qe_identity": _}:
            raise UnknownFile("Intel's collateral, and no evidence: give it as collateral of the quote it belongs to")
        case _:
            raise UnknownFile("JSON of no tool that is known here: evidence of dstack, of Azure's vTPM or of NVIDIA's SDK is")


def _azure(document: Mapping[str, Any], beside: Beside) -> RawFile:
    hcl = HclReport.decode(of_base64(document["hcl_report"], "hcl_report"))
    tpm = document["tpm_quote"]
    match tpm:
        case {"message": str(message), "signature": str(signature), "pcrs": list(pcrs)} if len(pcrs) <= PCR_COUNT:
            pass
        case _:
            raise Malformed("tpm_quote is not a message, a signature and its PCRs")
    if "td_quote" in document:
        what, media_type = "TDX", TDX_TYPE
        cpu = intel_evidence(of_base64(document["td_quote"], "td_quote"), beside).encode()
    else:
        what, media_type = "SEV-SNP", SNP_TYPE
        own = (of_base64(document["vcek"], "vcek"),) if "vcek" in document else ()
        cpu = SnpQuote(hcl.hardware[:REPORT_SIZE], completed(own, beside.certificates), beside.crl).encode()
    evidence = VtpmEvidence(
        cpu=cpu,
        runtime=hcl.runtime,
        quote=of_hex(message, "tpm_quote.message"),
        signature=signature_of(of_hex(signature, "tpm_quote.signature")),
        pcrs=tuple(of_hex(pcr, "tpm_quote.pcrs") for pcr in pcrs),
    )
    return RawFile(what=f"Azure vTPM on {what}", cpu=Quote(media_type, evidence.encode()))


def _dstack(document: Mapping[str, Any], beside: Beside) -> RawFile:
    intel = intel_evidence(of_hex(document["quote"], "quote"), beside)
    log = EventLog.from_json(_utf8(document["event_log"], "event_log"))
    return RawFile(what="dstack TDX quote with its event log", cpu=Quote(DSTACK_TYPE, DstackEvidence(intel, log).encode()))


def _nvidia(entries: list[dict[str, Any]]) -> RawFile:
    if len(entries) > MAX_DEVICES:
        raise Malformed(f"{len(entries)} devices, at most {MAX_DEVICES}")
    items = []
    for entry in entries:
        kind = DeviceKind.SWITCH if entry.get("arch") == _SWITCH else DeviceKind.GPU
        chain = Beside.read([of_base64(entry["certificate"], "certificate")]).certificates
        items.append(device_item(of_base64(entry["evidence"], "evidence"), chain, kind))
    return RawFile(what=f"NVIDIA evidence of {len(items)} devices", devices=tuple(items))


def _utf8(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Malformed(f"{name} is not Unicode") from None


