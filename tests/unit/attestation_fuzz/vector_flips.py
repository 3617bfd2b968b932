"""One bit of a byte of real evidence, changed: what is accepted all the same, does it say anything else, and why may it?

A file of text is spelt in many ways: hex in either case, white space, members of JSON that nobody reads. There a change
is harmless if what reaches a verifier is the same. In binary files `UNSIGNED` lists the places.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from file_judges import AZURE_SNP, AZURE_TDX, REPORT_SIZE, Judge, Judged, authentic, content, parts_of_json
from vector_rows import Row, millis
from vector_table import CASES

from agent.attestation.amd import AMD_ROOTS
from agent.attestation.amd.intermediates import AMD_INTERMEDIATES
from agent.attestation.errors import EvidenceError
from agent.attestation.nvidia import NVIDIA_ROOTS, DeviceItem
from agent.attestation.raw import Beside, read_file
from agent.attestation.raw.file import RawFile

_CASES = {case.name: case for case in CASES}
_FRAME_KIND = "kind in dstack's frame: the content tells it"
_FRAME_REST = "dstack's own configuration, behind what the frame holds"
_HCL_HEAD = "head of the HCL report, which only tells its sort"
_HCL_REST = "what stands behind the runtime data that the report hashes"


@dataclass(frozen=True)
class Region:
    """Bytes that nobody signs."""

    start: int
    end: int
    """Exclusive."""
    why: str


UNSIGNED: Mapping[str, tuple[Region, ...]] = {
    "dstack/sev_snp_attestation.bin": (Region(1, 2, _FRAME_KIND), Region(4 + REPORT_SIZE, 4045, _FRAME_REST)),
    "dstack/nitro_attestation.bin": (Region(1, 2, _FRAME_KIND), Region(4531, 4682, _FRAME_REST)),
    "dstack/nitro_attestation_vtpm.bin": (Region(1, 2, _FRAME_KIND), Region(4530, 4709, _FRAME_REST)),
    "dstack/nitro_attestation_dbg.bin": (Region(1, 2, _FRAME_KIND), Region(4533, 4684, _FRAME_REST)),
    f"{AZURE_SNP}/hcl-report.bin": (
        Region(4, 32, _HCL_HEAD), Region(1216, 1224, "sizes and version of the runtime data, which stand once more behind"), Region(2346, 2600, _HCL_REST),
    ),
    f"{AZURE_TDX}/hcl-report.bin": (
        Region(4, 32, _HCL_HEAD), Region(32, 1216, "TDREPORT, of which only the machine can make a quote: the quote beside it counts"),
        Region(1216, 1224, "sizes and version of the runtime data, which stand once more behind"), Region(2437, 2600, _HCL_REST),
    ),
}  # fmt: skip
"""By file; of every other binary file nothing at all is unsigned."""


class Passed(StrEnum):
    """Why an accepted change is harmless."""

    UNSIGNED = "in a listed region"
    SPELLING = "the same, spelt otherwise"
    ROOT = "a certificate's PEM cannot be read, and is known here anyway: NVIDIA's root, AMD's authorities"


@dataclass(frozen=True)
class Survey:
    """What came of changing one file."""

    name: str
    executions: int
    passed: Mapping[Passed, tuple[int, ...]]
    """Places whose change is accepted and says the same as before."""
    wrong: tuple[int, ...]
    """Places whose change is accepted and says something else, or is not listed: there must be none."""


def judge_of(row: Row) -> Judge:
    """What decides whether a change is accepted: of evidence that is refused, whether it is authentic, and nothing else fails."""
    if row.signatures is not None:
        return row.signatures
    if row.name in _CASES and row.fails:
        return authentic(_CASES[row.name].beside, row.fails)
    return row.judge


def survey(row: Row, places: Iterable[int] | None = None) -> Survey:
    """`row`'s file with one bit of each of `places` changed, a different one from byte to byte; all places if None."""
    data, judge, at = content(row.name), judge_of(row), millis(row.at)
    genuine = judge(data, at)
    passed: dict[Passed, list[int]] = {why: [] for why in Passed}
    wrong: list[int] = []
    executions = 0
    for place in range(len(data)) if places is None else places:
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << place % 8
        found = judge(bytes(spoilt), at)
        executions += 1
        if not found.failed:
            why = _why(row, data, bytes(spoilt), place) if _says_the_same(found, genuine) else None
            (wrong if why is None else passed[why]).append(place)
    return Survey(row.name, executions, {why: tuple(found) for why, found in passed.items()}, tuple(wrong))


def ranges(places: Iterable[int]) -> list[tuple[int, int]]:
    """As half-open ranges."""
    found: list[tuple[int, int]] = []
    for place in sorted(places):
        if found and found[-1][1] == place:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return found


def is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)


def _says_the_same(found: Judged, genuine: Judged) -> bool:
    return not genuine.failed and found.believed == genuine.believed


def _why(row: Row, data: bytes, spoilt: bytes, place: int) -> Passed | None:
    if any(region.start <= place < region.end for region in UNSIGNED.get(row.name, ())):
        return Passed.UNSIGNED
    if not is_text(data):
        return None
    read = _reader(row.name)
    before, after = read(data), read(spoilt)
    if before == after:
        return Passed.SPELLING
    lost, new = _certificates(before) - _certificates(after), _certificates(after) - _certificates(before)
    return Passed.ROOT if lost.total() == 1 and not new and lost.keys() <= _ROOTS else None


_ROOTS = frozenset({NVIDIA_ROOTS.device, *AMD_ROOTS.values(), *AMD_INTERMEDIATES})


def _certificates(read: object) -> Counter[bytes]:
    """Those in what was read of a file."""
    match read:
        case Beside():
            return Counter(read.certificates)
        case RawFile():
            return Counter(der for device in read.devices for der in DeviceItem.decode(device.content).chain)
        case _:
            return Counter()


def _reader(name: str) -> Callable[[bytes], object]:
    """What of a file of text reaches whoever judges it."""
    if name in _CASES:
        beside = Beside.read([content(other) for other in _CASES[name].beside])
        return lambda data: read_file(data, beside)
    if name.endswith("tpm-quote-v1.json"):
        return parts_of_json
    if "_response" in name:
        return _answer
    return lambda data: Beside.read([data])


def _answer(data: bytes) -> object:
    """Intel's statement and its signature."""
    statement, _, signature = data.partition(b',"signature":"')
    try:
        return statement, bytes.fromhex(signature.decode().strip().removesuffix('"}'))
    except ValueError as error:
        raise EvidenceError(str(error)) from None


def sample(row: Row) -> list[int]:
    """Places for the ordinary run: how the file begins, and some at a prime stride."""
    size = len(content(row.name))
    stride = max(size // 16, 1) | 1
    return sorted({*range(min(8, size)), *range(len(row.name) % stride, size, stride)})


def regions() -> str:
    """`UNSIGNED` as docs/attestation-tests.md has it."""
    lines = (f"| `{name}` | {each.start}–{each.end - 1} | {each.why} |\n" for name, listed in UNSIGNED.items() for each in listed)
    return "| file | bytes | what |\n|---|---|---|\n" + "".join(lines)
