"""What a vendor took back since a node's evidence was made: a chip's certificate, an authority's, a GPU's.

Evidence is judged by the collateral that it brought, which is of its own day. What `enclavia attest collateral` collected for it
since is newer; here only revocations are looked for. Pure but for reading the archive.
"""

from collections.abc import Sequence

from agent.attestation import checklist
from agent.attestation.checks import CheckName
from agent.attestation.collection.errors import ArchiveError, NothingCollected
from agent.attestation.collection.replay import kept_for, replayed
from agent.attestation.collection.store import Store
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import Evidence
from agent.attestation.nvidia import GpuCheck
from agent.attestation.verifier import EvidenceVerifier
from agent.attestation.verify import DEVICES, authenticate
from agent.protocol.units import Millis


def revoked_since(
    evidence: bytes, store: Store, verifiers: Sequence[EvidenceVerifier], at: Millis, devices: checklist.DeviceTrust = DEVICES
) -> str | None:
    """Why `evidence` counts no longer at `at`, by what `store` has for it; None: nothing was collected, or nothing taken back.

    Raises:
        ArchiveError: the archive is spoilt, or holds what does not go with the evidence.
    """
    try:
        whole = Evidence.decode(replayed(evidence, kept_for(evidence, store, at)))
    except NothingCollected:
        return None
    except EvidenceError as error:
        raise ArchiveError(f"what was collected for it does not go with it ({error}): collect again") from error
    try:
        claims = authenticate(whole.cpu, verifiers, None, at)
    except EvidenceError as error:
        return f"{error.check}: {error}" if error.check is CheckName.REVOKED else None
    found, _ = checklist.device_checks(whole.devices, claims.report_data, at, devices.with_collateral_of(whole), None)
    return next((f"{check.name}: {check.detail}" for check in found if check.name is GpuCheck.REVOKED and not check.passed), None)
