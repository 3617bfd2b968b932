"""Files as vendors' tools write them, known by their content, and the verdict on a quote alone."""

from agent.attestation.raw.beside import Beside
from agent.attestation.raw.errors import UnfitBeside, UnknownFile, WantsBeside
from agent.attestation.raw.file import MAX_FILE, RawFile, read_file
from agent.attestation.raw.judging import verify_file

__all__ = ["MAX_FILE", "Beside", "RawFile", "UnfitBeside", "UnknownFile", "WantsBeside", "read_file", "verify_file"]
