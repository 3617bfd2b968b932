"""Sealed inputs and outputs: what a client makes and opens. Their insides are for enclaves; a host moves the bytes.

    input blob   = CBOR {v, enc_key, nonce, body}
    enc_key      = HPKE(executor's hpke_pk, data_key,
                        info = "enclavia-data-key/1:" || network || task || node || u64le(key_epoch))       80 bytes
    body         = ChaCha20-Poly1305(input key, nonce, pad(CBOR {header, text}), aad = network || task)
    output blob  = HPKE(output_pk, pad(CBOR {v, output, salt}), info = "enclavia-output/1:" || task || node)

The executor learns the data key from `enc_key`, an auditor from its wrap (`agent.enclave.handoff`); both open the same
`body`. `output_pk` stands inside the header, because a host could otherwise name its own.
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
from agent.enclave.errors import MalformedMessage, OutputMismatch, SealBroken
from agent.enclave.padding import LARGEST, pad, unpad
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.tags import DATA_KEY, OUTPUT
from agent.protocol.units import Address, BlobId, Digest, Millis, NodeId, TaskId

VERSION: Final = 1
DATA_KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

MAX_SEALED_INPUT: Final = LARGEST + 512
"""Bytes of the largest input blob; hand an enclave one byte more and it signs `too large`."""

MAX_SEALED_OUTPUT: Final = LARGEST + hpke.OVERHEAD

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
    """Seal `output` and the salt of its commitment to the requester: the same bytes for the same arguments, so that a
    restarted enclave repeats itself [M6].

    Raises:
        PlaintextTooLarge, SealBroken: the output is too long, or the key unusable.
    """
    plaintext = pad(cbor.encode({"v": VERSION, "output": output, "salt": keys.salt(data_key, task, node)}))
    # the ephemeral key depends on the whole plaintext: no two outputs ever share a keystream
    ikm = keys.output_ephemeral(data_key, task, node, plaintext)
    return hpke.seal(output_pk, plaintext, info=output_info(task, node), ephemeral_ikm=ikm)


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
        OutputMismatch: these bytes, or this output, are not what the executor committed to.
        SealBroken: it does not open with the task's secrets.
    """
    if blob_digest(sealed) != sealed_output_digest:
        raise OutputMismatch("the blob is not the one named on chain: fetch it from another store")
    private = X25519PrivateKey.from_private_bytes(secrets.output_sk)
    try:
        value = cbor.decode(unpad(hpke.open_sealed(private, sealed, info=output_info(task, node))))
        content = from_value(_OutputContent, value)
    except MalformedMessage as error:
        raise SealBroken(f"the sealed output holds something else: {error}") from None
    root = output_root(keys.leaf_key(secrets.data_key, task), task, content.output)
    if commitment(task, node, root, content.salt) != posted_commitment:
        raise OutputMismatch("the output is not the one that the executor committed to on chain: keep it as evidence")
    return OpenedOutput(content.output, root)


def data_key_info(network: Address, task: TaskId, node: NodeId, key_epoch: int) -> bytes:
    """HPKE info of `enc_key`."""
    return DATA_KEY + network + task + node + key_epoch.to_bytes(8, "little")


def output_info(task: TaskId, node: NodeId) -> bytes:
    """HPKE info of an output."""
    return OUTPUT + task + node


@dataclass(frozen=True, slots=True)
class _OutputContent:
    v: int
    output: bytes
    salt: bytes
