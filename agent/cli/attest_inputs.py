"""What `attest verify` and `policy explain` are given, read into what the verification wants."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agent.cli.printing import printable
from agent.cli.user_files import read_regular

if TYPE_CHECKING:
    from agent.attestation.checks import CheckName
    from agent.attestation.policy import Policy
    from agent.attestation.verdict import QuoteVerdict
    from agent.protocol.units import Millis

FILE = Annotated[Path, typer.Argument(help="Evidence: ours, or a vendor's own file; told by its content.")]
AT = Annotated[str | None, typer.Option("--at", help="As of when: 2026-01-31T12:00:00Z, or milliseconds since 1970; now, if not given.")]
COLLATERAL = Annotated[
    list[Path] | None,
    typer.Option(
        "--collateral",
        help="Certificates, revocation lists, Intel's collateral, NVIDIA's manifests, or the directory that `attest collateral` keeps; may be given "
        "several times.",
    ),
]
REPORT_DATA = Annotated[str | None, typer.Option("--report-data", help="What the hardware is to have signed, hex; for vendors' files.")]
EXPECT = Annotated[
    list[str] | None,
    typer.Option("--expect", help="What our evidence is to be bound to, such as node=0x…, chain-id=…, key-epoch=3; may be given several times."),
]
SIGNER = Annotated[list[str] | None, typer.Option("--signer", help="Whose signature a signed policy needs: Ed25519 key, 64 hexadecimal digits.")]
SIMULATED_ROOT = Annotated[Path | None, typer.Option("--simulated-root", help="The root of a localnet's simulated hardware (DER).")]
JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

KEY_BYTES: Final = 32
_EPOCH: Final = re.compile(r"[0-9]{1,20}\Z")
_CLOSE: Final = 4096
"""Bytes read beyond the limit, so that a larger file is refused as such and not cut."""


def judged(
    file: Path,
    policy: "Policy | None",
    at: str | None,
    collateral: list[Path] | None,
    report_data: str | None,
    expect: list[str] | None,
    simulated_root: Path | None,
) -> "QuoteVerdict":
    """The verdict on `file`.

    Raises:
        typer.BadParameter: an option cannot be used; nothing was judged.
    """
    from agent.attestation.checks import CheckName  # noqa: PLC0415 - verifiers load only where they are needed
    from agent.attestation.errors import EvidenceError  # noqa: PLC0415
    from agent.attestation.raw import MAX_FILE, verify_file  # noqa: PLC0415
    from agent.attestation.simulated import SimulatedVerifier  # noqa: PLC0415
    from agent.attestation.verify import HARDWARE  # noqa: PLC0415

    verifiers = [*HARDWARE]
    if simulated_root is not None:
        try:
            verifiers.append(SimulatedVerifier(content(simulated_root, "--simulated-root", _CLOSE * 4)))
        except EvidenceError as error:
            raise typer.BadParameter(str(error), param_hint="--simulated-root") from None
    wanted = None if report_data is None else octets(report_data, None, "--report-data")
    when = moment(at)
    data, beside = _with_collateral(content(file, "FILE", MAX_FILE + _CLOSE), collateral or [], when)
    verdict = verify_file(
        data,
        when,
        policy,
        beside=beside,
        report_data=wanted,
        wanted=_expected(expect or []),
        verifiers=verifiers,
    )
    # made for whatever brings a binding, and for nothing else
    bound = any(check.name is CheckName.PUBLIC_KEY for check in verdict.checks)
    if bound and report_data is not None:
        raise typer.BadParameter("this evidence brings the binding that it is compared with: use --expect", param_hint="--report-data")
    if not bound and verdict.claims is not None and expect:
        raise typer.BadParameter("this file has no binding: use --report-data", param_hint="--expect")
    return verdict


def _with_collateral(data: bytes, collateral: list[Path], at: "Millis") -> tuple[bytes, list[bytes]]:
    """The evidence `data` and what lies beside it. A directory is an archive of `attest collateral`: what counted at `at` is taken."""
    from agent.attestation.collection.errors import ArchiveError  # noqa: PLC0415
    from agent.attestation.collection.replay import kept_for, replayed  # noqa: PLC0415
    from agent.attestation.collection.store import Store  # noqa: PLC0415
    from agent.attestation.errors import EvidenceError, Oversized  # noqa: PLC0415
    from agent.attestation.raw import MAX_FILE  # noqa: PLC0415

    found, beside = data, []
    for each in collateral:
        if not _is_folder(each):
            beside.append(content(each, "--collateral", MAX_FILE + _CLOSE))
            continue
        try:
            kept = kept_for(data, Store(each), at)
            if _is_ours(found):
                found = replayed(found, kept)
            else:
                beside += kept.beside()
        except (ArchiveError, Oversized) as error:
            raise typer.BadParameter(printable(str(error)), param_hint="--collateral") from None
        except EvidenceError:
            # broken inside: the verdict on it as it is says where
            continue
    return found, beside


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # whoever reads it says what is wrong with it
        return False


def _is_ours(data: bytes) -> bool:
    from agent.attestation.errors import EvidenceError  # noqa: PLC0415
    from agent.attestation.evidence import Evidence  # noqa: PLC0415

    try:
        Evidence.decode(data)
    except EvidenceError:
        return False
    return True


def policy_in(file: Path, signer: list[str] | None, hint: str = "--policy") -> "Policy":
    """The policy in `file`, which `hint` named, signed by one of `signer` if any is given.

    Raises:
        typer.BadParameter: it cannot be used; the text says why.
    """
    from agent.attestation.errors import PolicyError  # noqa: PLC0415
    from agent.attestation.policy_document import MAX_DOCUMENT, load_policy  # noqa: PLC0415

    keys = [octets(each, KEY_BYTES, "--signer") for each in signer or ()]
    try:
        return load_policy(content(file, hint, MAX_DOCUMENT + _CLOSE), keys)
    except PolicyError as error:
        raise typer.BadParameter(printable(str(error)), param_hint=hint) from None


def moment(text: str | None, hint: str = "--at") -> "Millis":
    """The time that `text` says, or now; `hint` is the option that gave it.

    Raises:
        typer.BadParameter: it says none, or none since 1970.
    """
    from agent.protocol.units import Millis  # noqa: PLC0415

    if text is None:
        return Millis(int(datetime.now(UTC).timestamp() * 1000))
    if _EPOCH.match(text) and int(text) < 1 << 64:
        return Millis(int(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-01-31T12:00:00Z, or milliseconds", param_hint=hint) from None
    at = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    if at < 0:
        raise typer.BadParameter(f"{text!r} lies before 1970", param_hint=hint)
    return Millis(int(at * 1000))


def content(file: Path, hint: str, limit: int | None = None) -> bytes:
    """At most `limit` bytes of `file`.

    Raises:
        typer.BadParameter: it cannot be read, or is no regular file.
    """
    return read_regular(file, hint, limit)


def octets(text: str, size: int | None, hint: str) -> bytes:
    """The bytes that `text` spells in hex, `size` of them if that is given.

    Raises:
        typer.BadParameter: it does not.
    """
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise typer.BadParameter(f"{text[:40]!r} is not hexadecimal", param_hint=hint) from None
    if size is not None and len(value) != size:
        raise typer.BadParameter(f"{len(value)} bytes, wants {size}", param_hint=hint)
    return value


def _expected(pairs: list[str]) -> "dict[CheckName, bytes]":
    from agent.attestation.checks import CheckName  # noqa: PLC0415

    found: dict[CheckName, bytes] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        match name:
            case "chain-id":
                found[CheckName.CHAIN_ID] = value.encode()
            case "key-epoch" if _EPOCH.match(value) and int(value) < 1 << 64:
                found[CheckName.KEY_EPOCH] = int(value).to_bytes(8, "big")
            case "network" | "node" | "challenge" | "manifest" | "committee" | "hpke-key" | "signing-key":
                found[CheckName(f"binding-{name}")] = octets(value, KEY_BYTES, "--expect")
            case _:
                known = "chain-id, network, node, key-epoch, challenge, manifest, committee, hpke-key, signing-key"
                raise typer.BadParameter(f"{pair[:60]!r}: wants one of {known}, then = and its value", param_hint="--expect")
    return found
