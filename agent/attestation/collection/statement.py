"""A statement of Intel's as it is archived: the exact text that is signed, the signature, and who signed.

In the form of Intel's own answers with the chain, which comes in a header there, as one member more:

    {"tcbInfo":<text>,"signature":"<hex>","issuerChain":"<PEM, signer first>"}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from agent.attestation import certificates
from agent.attestation.collection.window import Window
from agent.attestation.errors import Malformed
from agent.attestation.intel.collateral import MAX_COLLATERAL
from agent.attestation.intel.quote import certificates_in, pem
from agent.attestation.intel.signature import check_signed, p256_key

_SPACE: Final = " \t\r\n"
_SIGNATURE: Final = 64


class Kind(StrEnum):
    """What it is about; the value is the name of the member that is signed."""

    TCB_INFO = "tcbInfo"
    QE_IDENTITY = "enclaveIdentity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Well-formed but not trusted."""

    kind: Kind
    text: bytes
    """JSON, exactly as signed."""
    fields: Mapping[str, Any]
    """What the text says."""
    signature: bytes
    """r || s."""
    signer: bytes
    """DER."""

    def proven(self, root: bytes) -> Window:
        """When this counts, once its signature and its signer's chain to `root` (DER) hold.

        Raises:
            Malformed, BadChain, BadSignature, NotValidThen
        """
        window = Window.of(certificates.load(root), certificates.load(self.signer))
        signer = certificates.check_chain((root, self.signer), root, window.begins)
        check_signed(p256_key(signer), self.signature, self.text, f"Intel's {self.kind}")
        return Window.between(self._date("issueDate"), self._date("nextUpdate")).meet(window)

    def encode(self, root: bytes) -> bytes:
        """What is archived, with `root` (DER) at the end of the chain."""
        chain = json.dumps(pem((root, self.signer)))
        return b'{"%s":%s,"signature":"%s","issuerChain":%s}' % (
            self.kind.encode(), self.text, self.signature.hex().encode(), chain.encode(),
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes, kind: Kind) -> "Statement":
        """What `encode` wrote.

        Raises:
            Malformed: something else.
        """
        try:
            chain = json.loads(data)["issuerChain"] if len(data) <= MAX_COLLATERAL else None
        except (ValueError, KeyError, TypeError, RecursionError):
            chain = None
        if type(chain) is not str:
            raise Malformed(f"{kind} without the chain of its signer")
        return cls.read(data, kind, chain)

    @classmethod
    def read(cls, answer: bytes, kind: Kind, chain: str) -> "Statement":
        """The statement in a service's `answer`, whose `chain` (PEM) came in a header.

        Raises:
            Malformed: not one statement of this kind with its signature, or no chain.
        """
        if len(answer) > MAX_COLLATERAL:
            raise Malformed(f"{kind} in {len(answer)} bytes, at most {MAX_COLLATERAL}")
        try:
            text = answer.decode()
            found = json.loads(text)
            signature = bytes.fromhex(found["signature"])
            # a cache may spell the members around it as it likes; what is signed has to be found as it was sent
            start = text.index(":", text.index(f'"{kind}"')) + 1
            start += len(text[start:]) - len(text[start:].lstrip(_SPACE))
            value, end = json.JSONDecoder().raw_decode(text, start)
            # last, for it reads no bytes but those of the answer
            same = value == found[kind]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Malformed(f"no {kind} with its signature") from None
        if not same or type(value) is not dict or len(signature) != _SIGNATURE:
            raise Malformed(f"not exactly one {kind}, an object, with a signature of {_SIGNATURE} bytes")
        signer = certificates_in(chain.replace("\r", "").encode("ascii", "replace"))[-1]
        return cls(kind=kind, text=text[start:end].encode(), fields=value, signature=signature, signer=signer)

    def says(self, name: str) -> str:
        """The text in the member `name`.

        Raises:
            Malformed: it is none.
        """
        value = self.fields.get(name)
        if type(value) is not str:
            raise Malformed(f"{self.kind} has no text {name!r}")
        return value

    def _date(self, name: str) -> datetime:
        try:
            found = datetime.fromisoformat(self.says(name))
        except ValueError:
            raise Malformed(f"{self.kind}: {name} is no date") from None
        return found.replace(tzinfo=found.tzinfo or UTC)
