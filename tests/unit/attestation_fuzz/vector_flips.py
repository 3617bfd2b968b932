"""One bit of each byte of real evidence, changed: what is accepted all the same, and does it say anything else?"""

from collections.abc import Iterable
from dataclasses import dataclass

from file_judges import Judge, content
from vector_rows import ROWS, Row, millis

from agent.attestation.intel.quote import Quote
from agent.attestation.nvidia.device import Device

JUDGED = [row for row in ROWS if row.signatures is not None or not row.fails]
"""Files that are accepted; of those that fail for want of collateral or the like, the signatures are judged."""


@dataclass(frozen=True)
class Survey:
    """What came of changing one file."""

    executions: int
    passed: tuple[int, ...]
    """Places whose change is accepted, and says the same as before."""
    changed: tuple[int, ...]
    """Places whose change is accepted and says something else: there must be none."""


def judge_of(row: Row) -> Judge:
    return row.judge if row.signatures is None else row.signatures


def survey(row: Row, places: Iterable[int] | None = None) -> Survey:
    """`row`'s file with one bit of each of `places` changed, a different one from byte to byte; all places if None."""
    data, judge, at = content(row.name), judge_of(row), millis(row.at)
    genuine = judge(data, at)
    assert not genuine.failed, row.name
    passed, changed, executions = [], [], 0
    for place in range(len(data)) if places is None else places:
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << place % 8
        found = judge(bytes(spoilt), at)
        executions += 1
        if not found.failed:
            (passed if no_more(said(found.believed), said(genuine.believed)) else changed).append(place)
    return Survey(executions, tuple(passed), tuple(changed))


def said(believed: object) -> object:
    """What is believed, without how it was spelt: of quotes and certificates only what is signed."""
    match believed:
        case Quote():
            return believed.report
        case Device():
            return tuple(each.tbs_certificate_bytes for each in believed.chain), believed.dice
        case tuple():
            return tuple(map(said, believed))
        case _:
            return believed


def no_more(found: object, genuine: object) -> bool:
    """Whether `found` says what `genuine` does; of a file of certificates, maybe fewer of them: a block that is none any more is text."""
    certificates = isinstance(genuine, tuple) and all(type(each) is bytes for each in genuine)
    if certificates and isinstance(found, tuple):
        return set(found) <= set(genuine)  # type: ignore[arg-type]
    return found == genuine


def ranges(places: Iterable[int]) -> list[tuple[int, int]]:
    """As half-open ranges."""
    found: list[tuple[int, int]] = []
    for place in sorted(places):
        if found and found[-1][1] == place:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return found


_FRAME = "dstack's frame: it says what lies inside, and brings its own certificates and configuration; the chain judged lies beside"
_NITRO_FRAME = "dstack's frame around the document"
_HCL = "the paravisor's header: no report hashes it"
UNSIGNED: dict[str, tuple[tuple[int, int, str], ...]] = {
    "coco-trustee/az-snp-vtpm/hcl-report.bin": ((4, 32, _HCL), (1216, 1224, _HCL), (2346, 2600, "zeros behind the runtime data")),
    "coco-trustee/az-tdx-vtpm/hcl-report.bin": (
        (4, 1224, f"{_HCL}; and the TDX report, which only the machine itself can check: the quote beside vouches for the runtime data"),
        (2437, 2600, "zeros behind the runtime data"),
    ),
    "dstack/sev_snp_attestation.bin": ((1, 2, _FRAME), (1188, 4045, _FRAME)),
    "dstack/nitro_attestation.bin": ((1, 2, _NITRO_FRAME), (4531, 4682, _NITRO_FRAME)),
    "dstack/nitro_attestation_vtpm.bin": ((1, 2, _NITRO_FRAME), (4530, 4709, _NITRO_FRAME)),
}
"""Where binary files may be changed without anybody's signature noticing; of all others no byte. Nothing in these places is believed."""


def is_text(data: bytes) -> bool:
    """Whether a file is text: PEM, hex, base64 or JSON, whose spelling (white space, case of digits, names nobody reads) is not signed."""
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data)
