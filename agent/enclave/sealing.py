"""Sealed inputs and outputs: what a client makes and opens. Their insides are for enclaves; a host moves the bytes.

    input blob   = CBOR {v, enc_key, nonce, body}
    enc_key      = HPKE(executor's hpke_pk, data_key,
                        info = "enclavia-data-key/1:" || network || task || node || u64le(key_epoch))       80 bytes
    body         = ChaCha20-Poly1305(input key, nonce, pad(CBOR {header, text}), aad = network || task)
    output blob  = HPKE(output_pk, pad(CBOR {v, output, salt, leaf_key}), info = "enclavia-output/1:" || task || node)

The executor learns the data key from `enc_key`, an auditor from its wrap (`agent.enclave.handoff`); both open the same
`body`. `output_pk` stands inside the header, because a host could otherwise name its own. An output carries all that it
takes to open the commitment, so that an arbiter of the delivery can, who has the secret of `output_pk` and nothing else.
"""

import secrets as system_random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from agent.enclave import cbor, hpke
from agent.enclave.codec import from_value
from agent.enclave.errors import MalformedMessage, NotAuditable, OutputMismatch, PlaintextTooLarge, SealBroken, WrongBlob
from agent.enclave.padding import LARGEST, pad, unpad
from agent.protocol import keys
from agent.protocol.blob import BLOB_CHUNK, MAX_PUBLISHED_CHUNKS, blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.tags import DATA_KEY, OUTPUT
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, TaskId

VERSION: Final = 1
DATA_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

MAX_SEALED_INPUT: Final = LARGEST + 512
"""Bytes of the largest input blob; of a larger one, whole and named on chain, an enclave signs `too large`."""

MAX_SEALED_OUTPUT: Final = MAX_PUBLISHED_CHUNKS * BLOB_CHUNK
"""Bytes of the largest output blob: what can be published on chain, should it come to that."""

LARGEST_OUTPUT: Final = MAX_SEALED_OUTPUT - hpke.OVERHEAD
"""Bytes of the largest class of outputs."""

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class InputHeader:
    """What the requester fixes for everybody who ever opens the input.

    Every field repeats the chain's: a difference is refused before anything runs [H2].
    """

    network: Address
    task: TaskId
    manifest: Digest
    """The Pool's."""
    opened_at: Millis
    """The Task's; a draw ticket cannot be older."""
    output_pk: bytes
    """X25519, 32 bytes, fresh for this task."""
    max_units: int
    """The most that the requester lets itself be billed for."""
    tee_mask: int
    """TEE kinds that an audit may reach; 0: none may."""
    denied: tuple[Address, ...] = ()
    """Operators that an audit may not reach, as `post_input` names them."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The executor's enclave, as pinned in the Task and verified by the client."""

    node: NodeId
    key_epoch: int
    hpke_pk: bytes


@dataclass(frozen=True, slots=True)
class TaskSecrets:
    """What a client keeps for one task; without it neither the output opens nor the commitment."""

    data_key: bytes = field(repr=False)
    output_sk: bytes = field(repr=False)
    """X25519 private key, 32 bytes."""

    @classmethod
    def generate(cls, random: Random = system_random.token_bytes) -> "TaskSecrets":
        """Fresh ones; using them for two tasks would link and expose both."""
        return cls(random(DATA_KEY_BYTES), random(hpke.KEY_BYTES))

    @property
    def output_pk(self) -> bytes:
        """The public half, for the header and for `post_input`."""
        return X25519PrivateKey.from_private_bytes(self.output_sk).public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class SealedInput:
    """What `post_input` takes, and the bytes to store."""

    blob: bytes
    digest: BlobId
    key_commitment: Digest


@dataclass(frozen=True, slots=True)
class InputBlob:
    """The fields of an input blob."""

    enc_key: bytes
    nonce: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class OpenedInput:
    """What an enclave finds in an input."""

    header: InputHeader
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedOutput:
    """An output that is the one committed on chain."""

    output: bytes = field(repr=False)
    root: Digest
    salt: bytes = field(repr=False)
    leaf_key: bytes = field(repr=False)
    """With `salt`, what lets a contract see that this is the output: `task::opens`."""


@dataclass(frozen=True, slots=True)
class OutputContent:
    """What an output blob holds, not yet compared with anything."""

    v: int
    output: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    leaf_key: bytes = field(repr=False)


def seal_input(
    text: str,
    header: InputHeader,
    secrets: TaskSecrets,
    recipient: Recipient,
    random: Random = system_random.token_bytes,
) -> SealedInput:
    """Seal `text` for `recipient` and, through its handoffs, for those drawn to audit it.

    Raises:
        PlaintextTooLarge: the text does not fit the largest size class.
        SealBroken: the recipient's key is not usable.
    """
    plaintext = pad(cbor.encode({"header": asdict(header), "text": text}))
    nonce = random(NONCE_BYTES)
    cipher = ChaCha20Poly1305(keys.input_key(secrets.data_key, header.task))
    body = cipher.encrypt(nonce, plaintext, header.network + header.task)
    info = data_key_info(header.network, header.task, recipient.node, recipient.key_epoch)
    enc_key = hpke.seal(recipient.hpke_pk, secrets.data_key, info=info, ephemeral_ikm=random(hpke.KEY_BYTES))
    blob = cbor.encode({"v": VERSION, "enc_key": enc_key, "nonce": nonce, "body": body})
    return SealedInput(blob, blob_digest(blob), keys.key_commitment(secrets.data_key, header.task))


def parse_input(blob: bytes) -> InputBlob:
    """The fields of a sealed input.

    Raises:
        SealBroken: it is no input blob of this version.
    """
    try:
        value = cbor.decode(blob)
        if type(value) is not dict or value.pop("v", None) != VERSION:
            raise SealBroken(f"not an input blob of version {VERSION}")
        fields = from_value(InputBlob, value)
    except MalformedMessage as error:
        raise SealBroken(f"not an input blob: {error}") from None
    if len(fields.enc_key) != DATA_KEY_BYTES + hpke.OVERHEAD or len(fields.nonce) != NONCE_BYTES:
        raise SealBroken("an input blob has an encapsulated key of 80 bytes and a nonce of 12")
    return fields


def open_data_key(blob: InputBlob, private: X25519PrivateKey, info: bytes) -> bytes:
    """The data key inside `enc_key`; `info` is `data_key_info` of the executor.

    Raises:
        SealBroken: it was sealed to another key, node or epoch.
    """
    return hpke.open_sealed(private, blob.enc_key, info=info)


def open_body(blob: InputBlob, data_key: bytes, network: Address, task: TaskId) -> bytes:
    """The padded plaintext of an input.

    Raises:
        SealBroken: it was sealed with another data key or for another task, or was altered.
    """
    try:
        cipher = ChaCha20Poly1305(keys.input_key(data_key, task))
        return unpad(cipher.decrypt(blob.nonce, blob.body, network + task))
    except InvalidTag:
        raise SealBroken("the body does not open under the data key of this task") from None


def read_body(plaintext: bytes) -> OpenedInput:
    """Header and text.

    Raises:
        MalformedMessage: it is no body of this version; the text names the field.
    """
    return from_value(OpenedInput, cbor.decode(plaintext))


def seal_output(output: bytes, data_key: bytes, output_pk: bytes, task: TaskId, node: NodeId) -> bytes:
    """Seal `output` to the requester, with what opens its commitment: the same bytes for the same arguments, so that a
    restarted enclave repeats itself [M6].

    Raises:
        PlaintextTooLarge: the output could not be published on chain.
        SealBroken: the key is not usable.
    """
    plaintext = _framed(output, keys.salt(data_key, task, node), keys.leaf_key(data_key, task))
    # the ephemeral key depends on the whole plaintext: no two outputs ever share a keystream
    ikm = keys.output_ephemeral(data_key, task, node, plaintext)
    return hpke.seal(output_pk, plaintext, info=output_info(task, node), ephemeral_ikm=ikm)


def is_deliverable(output: bytes) -> bool:
    """Whether `output`, sealed, could be published on chain: an enclave commits to no other."""
    anything = bytes(keys.KEY_BYTES)
    try:
        _framed(output, anything, anything)
    except PlaintextTooLarge:
        return False
    return True


def open_output(
    sealed: bytes,
    secrets: TaskSecrets,
    task: TaskId,
    node: NodeId,
    *,
    posted_commitment: Digest,
    sealed_output_digest: BlobId,
) -> OpenedOutput:
    """The output in `sealed`, checked against the chain's commitment and digest [C4].

    Raises:
        WrongBlob: these are not the bytes named on chain.
        SealBroken, OutputMismatch: they are, and are not what was committed to; arbiters of the delivery would say so too.
        NotAuditable: they are, but by a leaf key or salt of the executor's own making.
    """
    if blob_digest(sealed) != sealed_output_digest:
        raise WrongBlob("the blob is not the one named on chain: fetch it from another store")
    content = open_content(sealed, X25519PrivateKey.from_private_bytes(secrets.output_sk), task, node)
    root = committed_root(content, task, node, posted_commitment)
    if root is None:
        raise OutputMismatch(
            "the output is not the one that the executor committed to on chain: have it published there, and dispute the delivery"
        )
    derived = keys.salt(secrets.data_key, task, node), keys.leaf_key(secrets.data_key, task)
    if (content.salt, content.leaf_key) != derived:
        raise NotAuditable("the output opens the commitment, but not as the data key says: challenge, no auditor will agree to it")
    return OpenedOutput(content.output, root, content.salt, content.leaf_key)


def open_content(sealed: bytes, private: X25519PrivateKey, task: TaskId, node: NodeId) -> OutputContent:
    """What `sealed` holds; `private` is the secret of `output_pk`, `node` the executor.

    Raises:
        SealBroken: it does not open, or no enclave made it.
    """
    plaintext = unpad(hpke.open_sealed(private, sealed, info=output_info(task, node)), LARGEST_OUTPUT)
    try:
        content = from_value(OutputContent, cbor.decode(plaintext))
    except MalformedMessage as error:
        raise SealBroken(f"the sealed output holds something else: {error}") from None
    if content.v != VERSION or {len(content.salt), len(content.leaf_key)} != {keys.KEY_BYTES}:
        # a leaf key of another length could swallow the beginning of a chunk
        raise SealBroken(f"the sealed output is not of version {VERSION}, or has a salt or leaf key that is not {keys.KEY_BYTES} bytes")
    return content


def committed_root(content: OutputContent, task: TaskId, node: NodeId, posted: Digest) -> Digest | None:
    """The root of the output in `content`, if `posted` is the commitment of `node` to it; else None."""
    root = output_root(content.leaf_key, task, content.output)
    return root if commitment(task, node, root, content.salt) == posted else None


def data_key_info(network: Address, task: TaskId, node: NodeId, key_epoch: int) -> bytes:
    """HPKE info of `enc_key`."""
    return DATA_KEY + network + task + node + key_epoch.to_bytes(8, "little")


def output_info(task: TaskId, node: NodeId) -> bytes:
    """HPKE info of an output."""
    return OUTPUT + task + node


def _framed(output: bytes, salt: bytes, leaf_key: bytes) -> bytes:
    return pad(cbor.encode({"v": VERSION, "output": output, "salt": salt, "leaf_key": leaf_key}), LARGEST_OUTPUT)
