from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.enclave import cbor, hpke
from agent.enclave.errors import NotAuditable, OutputMismatch, PlaintextTooLarge, SealBroken
from agent.enclave.padding import LARGEST, SMALLEST, pad, unpad
from agent.enclave.sealing import (
    LARGEST_OUTPUT,
    InputHeader,
    Recipient,
    TaskSecrets,
    data_key_info,
    open_body,
    open_data_key,
    open_output,
    output_info,
    parse_input,
    read_body,
    seal_input,
    seal_output,
)
from agent.protocol import keys
from agent.protocol.blob import blob_digest
from agent.protocol.commitment import commitment, output_root
from agent.protocol.units import Address, Digest, Millis, NodeId, TaskId

NETWORK, TASK, NODE = Address(b"\x01" * 32), TaskId(b"\x02" * 32), NodeId(b"\x03" * 32)
ENCLAVE = X25519PrivateKey.from_private_bytes(b"\x04" * 32)
RECIPIENT = Recipient(NODE, 7, ENCLAVE.public_key().public_bytes_raw())
SECRETS = TaskSecrets(b"\x05" * 32, b"\x06" * 32)
HEADER = InputHeader(NETWORK, TASK, Digest(b"\x07" * 32), Millis(1), SECRETS.output_pk, 16, 1)


@given(st.text(max_size=2000))
def test_the_executor_reads_what_the_client_sealed(text: str) -> None:
    sealed = seal_input(text, HEADER, SECRETS, RECIPIENT)
    blob = parse_input(sealed.blob)
    data_key = open_data_key(blob, ENCLAVE, data_key_info(NETWORK, TASK, NODE, 7))
    opened = read_body(open_body(blob, data_key, NETWORK, TASK))
    assert (opened.header, opened.text, data_key) == (HEADER, text, SECRETS.data_key)


def test_digest_and_key_commitment_are_those_of_the_chain() -> None:
    sealed = seal_input("text", HEADER, SECRETS, RECIPIENT)
    assert sealed.digest == blob_digest(sealed.blob)
    assert sealed.key_commitment == keys.key_commitment(SECRETS.data_key, TASK)


@pytest.mark.parametrize("info", [
    data_key_info(NETWORK, TASK, NODE, 8),
    data_key_info(NETWORK, TASK, NodeId(bytes(32)), 7),
    data_key_info(NETWORK, TaskId(bytes(32)), NODE, 7),
    data_key_info(Address(bytes(32)), TASK, NODE, 7),
])
def test_the_data_key_opens_only_for_its_network_task_node_and_epoch(info: bytes) -> None:
    blob = parse_input(seal_input("text", HEADER, SECRETS, RECIPIENT).blob)
    with pytest.raises(SealBroken):
        open_data_key(blob, ENCLAVE, info)


def test_two_sealings_of_one_text_have_nothing_in_common() -> None:
    one, two = (parse_input(seal_input("text", HEADER, SECRETS, RECIPIENT).blob) for _ in range(2))
    assert one.nonce != two.nonce
    assert one.enc_key != two.enc_key
    assert one.body != two.body


def test_a_text_over_the_largest_class_is_not_sealed() -> None:
    with pytest.raises(PlaintextTooLarge):
        seal_input("x" * LARGEST, HEADER, SECRETS, RECIPIENT)


def test_a_recipient_without_secrecy_is_not_sealed_to() -> None:
    with pytest.raises(SealBroken):
        seal_input("text", HEADER, SECRETS, replace(RECIPIENT, hpke_pk=bytes(32)))


@given(st.binary(max_size=5000))
def test_padding_is_undone_and_fills_a_class(plaintext: bytes) -> None:
    padded = pad(plaintext)
    assert unpad(padded) == plaintext
    assert len(padded) >= SMALLEST
    assert len(padded).bit_count() == 1


@pytest.mark.parametrize("wrong", [b"", b"\x00" * 3, pad(b"x")[:-1], pad(b"x") + b"\x00", pad(b"x")[:-1] + b"\x01", pad(b"x").ljust(2048, b"\x00"), b"\xff" * 1024])
def test_other_paddings_are_refused(wrong: bytes) -> None:
    with pytest.raises(SealBroken):
        unpad(wrong)


@pytest.mark.parametrize("largest", [SMALLEST + 10, 3000])
def test_the_last_class_may_be_no_power_of_two(largest: int) -> None:
    fullest = bytes(largest - 4)
    assert len(pad(fullest, largest)) == largest
    assert unpad(pad(fullest, largest), largest) == fullest
    with pytest.raises(PlaintextTooLarge):
        pad(fullest + b"x", largest)
    with pytest.raises(SealBroken):
        unpad(pad(fullest), largest)


def opened(sealed: bytes, output: bytes, secrets: TaskSecrets = SECRETS) -> bytes:
    root = output_root(keys.leaf_key(SECRETS.data_key, TASK), TASK, output)
    posted = commitment(TASK, NODE, root, keys.salt(SECRETS.data_key, TASK, NODE))
    result = open_output(sealed, secrets, TASK, NODE, posted_commitment=posted, sealed_output_digest=blob_digest(sealed))
    return result.output


@given(st.binary(max_size=5000))
def test_the_client_opens_what_was_committed(output: bytes) -> None:
    sealed = seal_output(output, SECRETS.data_key, SECRETS.output_pk, TASK, NODE)
    assert opened(sealed, output) == output


def test_another_output_than_the_committed_one_is_noticed() -> None:
    """The C4 forgery: the right root on chain, other bytes delivered, their digest signed."""
    forged = seal_output(b"no", SECRETS.data_key, SECRETS.output_pk, TASK, NODE)
    with pytest.raises(OutputMismatch):
        opened(forged, b"yes")


def sealed_by_hand(output: bytes, salt: bytes, leaf_key: bytes) -> tuple[bytes, Digest]:
    """What a broken executor may seal, and the commitment that it opens."""
    content = cbor.encode({"v": 1, "output": output, "salt": salt, "leaf_key": leaf_key})
    sealed = hpke.seal(SECRETS.output_pk, pad(content, LARGEST_OUTPUT), info=output_info(TASK, NODE), ephemeral_ikm=b"e" * 32)
    return sealed, commitment(TASK, NODE, output_root(leaf_key, TASK, output), salt)


SALT, LEAF_KEY = keys.salt(SECRETS.data_key, TASK, NODE), keys.leaf_key(SECRETS.data_key, TASK)


@pytest.mark.parametrize(("salt", "leaf_key"), [(b"s" * 32, LEAF_KEY), (SALT, b"k" * 32)])
def test_a_commitment_by_keys_of_the_executors_own_is_to_be_challenged(salt: bytes, leaf_key: bytes) -> None:
    """Arbiters of the delivery would find nothing wrong with it; auditors, who derive the keys, would."""
    sealed, posted = sealed_by_hand(b"yes", salt, leaf_key)
    with pytest.raises(NotAuditable):
        open_output(sealed, SECRETS, TASK, NODE, posted_commitment=posted, sealed_output_digest=blob_digest(sealed))


@pytest.mark.parametrize(("salt", "leaf_key"), [(SALT, LEAF_KEY + b"x"), (SALT + b"x", LEAF_KEY), (b"", LEAF_KEY), (SALT, b"")])
def test_keys_of_another_length_open_nothing(salt: bytes, leaf_key: bytes) -> None:
    """A longer leaf key could swallow the beginning of a chunk: two outputs under one root."""
    sealed, posted = sealed_by_hand(b"yes", salt, leaf_key)
    with pytest.raises(SealBroken):
        open_output(sealed, SECRETS, TASK, NODE, posted_commitment=posted, sealed_output_digest=blob_digest(sealed))


def test_the_opened_output_carries_what_a_contract_wants_to_see() -> None:
    sealed = seal_output(b"yes", SECRETS.data_key, SECRETS.output_pk, TASK, NODE)
    _, posted = sealed_by_hand(b"yes", SALT, LEAF_KEY)
    result = open_output(sealed, SECRETS, TASK, NODE, posted_commitment=posted, sealed_output_digest=blob_digest(sealed))
    assert commitment(TASK, NODE, output_root(result.leaf_key, TASK, result.output), result.salt) == posted


def test_the_output_opens_with_the_tasks_own_key_only() -> None:
    sealed = seal_output(b"yes", SECRETS.data_key, SECRETS.output_pk, TASK, NODE)
    with pytest.raises(SealBroken):
        opened(sealed, b"yes", replace(SECRETS, output_sk=b"\x09" * 32))


def test_sealing_an_output_repeats_itself_and_never_its_keystream() -> None:
    yes, again, no = (seal_output(o, SECRETS.data_key, SECRETS.output_pk, TASK, NODE) for o in (b"yes", b"yes", b"no!"))
    assert yes == again
    assert yes[:32] != no[:32]
