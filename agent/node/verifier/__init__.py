"""The service of a verifier committee's member."""

from agent.node.verifier.service import VerifierService
from agent.node.verifier.signatures import Alone, SignatureCollector, ThresholdNotReached

__all__ = ["Alone", "SignatureCollector", "ThresholdNotReached", "VerifierService"]
