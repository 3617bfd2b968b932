"""The service of a verifier committee's member."""

from agent.node.verifier.board import SignatureBoard
from agent.node.verifier.member import Member
from agent.node.verifier.orders import Orders
from agent.node.verifier.peers import BoardPeer, HttpPeer
from agent.node.verifier.service import VerifierService
from agent.node.verifier.signatures import SignatureCollector

__all__ = ["BoardPeer", "HttpPeer", "Member", "Orders", "SignatureBoard", "SignatureCollector", "VerifierService"]
