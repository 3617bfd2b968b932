"""`sui::nitro_attestation` on the ledger: what it tells of a document, whom it believes, and when."""

import base64
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from ledger_world import ALICE, World, arg, modules_of, result, text
from nitro_forge import GOOD, HOUR, MODULE, NOW, PCR0, PCR3, PCR9, ROOT, ZONE, Forge, certify

from agent.attestation.simulated_platform import SimulatedAuthority
from agent.protocol.units import Millis as ProtocolMillis
from localnet.ledger.clock import ManualClock
from localnet.ledger.errors import BadGenesis
from localnet.ledger.framework import Framework
from localnet.ledger.genesis import GenesisConfig
from localnet.ledger.ledger import Ledger
from localnet.ledger.model import (
    Argument,
    ArgumentErrorKind,
    Command,
    ExecutedTransaction,
    FailureKind,
    Input,
    Millis,
    MoveCall,
    Object,
    Package,
    Publish,
    PureInput,
    TransferObjects,
)
from localnet.ledger.names import CLOCK_ID, STD_PACKAGE, SUI_PACKAGE
from localnet.movevm.natives.aws_root import AWS_NITRO_ROOT
from localnet.movevm.natives.nitro_document import MAX_PAYLOAD, Unparsable, parse

VAULT = Path(__file__).parent / "move" / "vault" / "bytecode"
VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "tee" / "nitro-evervault"
PARSE, VERIFY = 1, 2


class Chain(World):
    """A ledger whose clock stands at `at` and which trusts `root`."""

    def __init__(self, framework: Framework, at: int = NOW, root: bytes = ROOT.der) -> None:
        clock = ManualClock(Millis(at))
        super().__init__(framework, GenesisConfig(seed=b"nitro", clock=clock, nitro_root=root))
        self.clock = clock
        made = self.run(
            ALICE,
            [PureInput(ALICE)],
            [Publish(modules_of(VAULT), (STD_PACKAGE, SUI_PACKAGE)), TransferObjects((result(0),), arg(0))],
        )
        self.vault = next(new.id for new in made.after.values() if isinstance(new, Package))

    def then(self, document: bytes, *commands: Command) -> ExecutedTransaction:
        """Load the document, which is result 0, then do the rest."""
        inputs: list[Input] = [text(document), self.shared(CLOCK_ID, mutable=False), PureInput(ALICE)]
        load = MoveCall(SUI_PACKAGE, "nitro_attestation", "load_nitro_attestation", (), (arg(0), arg(1)))
        return self.run(ALICE, inputs, [load, *commands])

    def into(self, function: str, *arguments: Argument) -> MoveCall:
        return MoveCall(self.vault, "vault", function, (), arguments or (result(0),))

    def admit(self, document: bytes) -> Object:
        done = self.then(document, self.into("admit"), TransferObjects((result(1),), arg(2)))
        assert done.effects.succeeded, done.effects.status
        return self.made(done, "Enclave")

    def refusal(self, document: bytes) -> int:
        failure = self.then(document).effects.status
        assert failure is not None, "it was accepted"
        assert (failure.kind, failure.location.module) == (FailureKind.MOVE_ABORT, "nitro_attestation"), failure
        return failure.abort_code


@pytest.fixture(scope="module")
def chain(framework: Framework) -> Chain:
    return Chain(framework)


def vec(data: bytes) -> bytes:
    return bytes([len(data)]) + data


# ---- what it tells


def test_document_is_told_as_sui_tells_it(chain: Chain) -> None:
    told = chain.admit(GOOD.encode()).contents[32:]
    indices = bytes([0, 1, 2, 3, 4, 8, 9])  # required ones, and those that are not zero
    pcrs = b"".join(vec({0: PCR0, 3: PCR3, 9: PCR9}.get(index, bytes(48))) for index in indices)
    options = b"\1" + vec(b"key") + b"\1" + vec(b"data") + b"\0"
    assert told == vec(b"i-0123-enc0456") + NOW.to_bytes(8, "little") + vec(b"SHA384") + vec(indices) + b"\7" + pcrs + options


def test_simulated_platform_is_believed_where_genesis_names_its_root(framework: Framework, chain: Chain) -> None:
    authority = SimulatedAuthority.create("test", ProtocolMillis(NOW), lambda size: sha256(b"a").digest() * (size // 32))
    platform = authority.platform("node", ProtocolMillis(NOW), lambda size: sha256(b"p").digest() * (size // 32))
    document = platform.document(PCR0, ProtocolMillis(NOW), user_data=b"u" * 64, nonce=b"n" * 32, public_key=b"k" * 32)
    assert PCR0 in Chain(framework, root=authority.root).admit(document).contents
    assert chain.refusal(document) == VERIFY
    assert Chain(framework, root=AWS_NITRO_ROOT).refusal(document) == VERIFY


def test_root_is_amazons_unless_genesis_says_otherwise() -> None:
    assert GenesisConfig().nitro_root == AWS_NITRO_ROOT
    assert sha256(AWS_NITRO_ROOT).hexdigest() == "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"


def test_genesis_refuses_a_root_that_is_no_certificate(framework: Framework) -> None:
    with pytest.raises(BadGenesis, match=r"no X\.509 certificate"):
        Ledger(framework, GenesisConfig(nitro_root=b"root"))


# ---- real documents


def real(name: str) -> bytes:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"no real TEE vectors at {VECTORS}")
    return base64.b64decode(file.read_bytes()) if name.endswith("base64") else file.read_bytes()


REAL = ("valid-attestation-doc-bytes", "debug-mode-attestation-doc-bytes", "valid-attestation-doc-base64")


@pytest.mark.parametrize("name", REAL)
def test_real_document_is_accepted_at_its_time_and_refused_hours_later(framework: Framework, name: str) -> None:
    document = real(name)
    fields = cbor2.loads(cbor2.loads(document)[2])
    chain = Chain(framework, fields["timestamp"], AWS_NITRO_ROOT)
    enclave = chain.admit(document)
    assert all(fields["pcrs"][index] in enclave.contents for index in (0, 1, 2, 3, 4, 8))
    chain.clock.advance(Millis(4 * HOUR))
    assert chain.refusal(document) == VERIFY


def test_real_document_is_refused_under_another_root(framework: Framework) -> None:
    document = real(REAL[0])
    assert Chain(framework, cbor2.loads(cbor2.loads(document)[2])["timestamp"]).refusal(document) == VERIFY


def test_real_document_with_any_byte_changed_is_refused(framework: Framework) -> None:
    document = real(REAL[0])
    chain = Chain(framework, cbor2.loads(cbor2.loads(document)[2])["timestamp"], AWS_NITRO_ROOT)
    for at in range(0, len(document), 97):
        changed = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
        assert chain.refusal(changed) in {PARSE, VERIFY}, f"byte {at}"


# ---- in a transaction


def test_result_of_the_private_entry_function_goes_on_to_a_public_one(chain: Chain) -> None:
    done = chain.then(GOOD.encode(), chain.into("pass"), chain.into("admit", result(1)), TransferObjects((result(2),), arg(2)))
    assert done.effects.succeeded, done.effects.status


def test_result_of_the_private_entry_function_goes_on_to_another_one(chain: Chain) -> None:
    assert chain.then(GOOD.encode(), chain.into("admit_privately")).effects.succeeded


def test_document_that_a_public_function_gave_back_is_kept_from_private_entry_functions(chain: Chain) -> None:
    failure = chain.then(GOOD.encode(), chain.into("pass"), chain.into("admit_privately", result(1))).effects.status
    assert failure.argument_error is ArgumentErrorKind.INVALID_ARGUMENT_TO_PRIVATE_ENTRY_FUNCTION


def test_document_cannot_be_made_up(chain: Chain) -> None:
    failure = chain.run(ALICE, [PureInput(b"\0" * 20)], [chain.into("admit", arg(0)), TransferObjects((result(0),), arg(0))]).effects.status
    assert failure.argument_error is ArgumentErrorKind.INVALID_USAGE_OF_PURE_ARG


def test_verification_costs_more_the_longer_the_chain(chain: Chain) -> None:
    short = chain.then(GOOD.encode()).effects.gas.computation
    middle = certify("middle", ZONE_OF_ANY_LENGTH)
    long = replace(GOOD, leaf=certify("leaf", middle, authority=False), bundle=(ROOT.der, ZONE_OF_ANY_LENGTH.der, middle.der))
    assert chain.then(long.encode()).effects.gas.computation >= short + 2_000 * 1_000


def test_out_of_gas_before_the_signatures_are_checked(chain: Chain) -> None:
    inputs = [text(GOOD.encode()), chain.shared(CLOCK_ID, mutable=False)]
    load = MoveCall(SUI_PACKAGE, "nitro_attestation", "load_nitro_attestation", (), (arg(0), arg(1)))
    failure = chain.run(ALICE, inputs, [load], 2_000_000).effects.status
    assert failure.kind is FailureKind.INSUFFICIENT_GAS


# ---- when, and by whom


def test_certificates_are_judged_by_the_clock_of_the_chain(framework: Framework) -> None:
    chain = Chain(framework, NOW - HOUR - 1_000)
    assert chain.refusal(GOOD.encode()) == VERIFY
    chain.clock.advance(Millis(1_000))
    chain.admit(GOOD.encode())
    chain.clock.advance(Millis(2 * HOUR))
    chain.admit(GOOD.encode())
    chain.clock.advance(Millis(1_000))
    assert chain.refusal(GOOD.encode()) == VERIFY


ZONE_OF_ANY_LENGTH = certify("long zone", ROOT)
OTHER_ROOT = certify("root")
"""Named as ours, with another key."""


def signed_by(issuer: object = ZONE, **how: object) -> Forge:
    return replace(GOOD, leaf=certify("module", issuer, **{"authority": False, **how}))  # type: ignore[arg-type]


def through(zone: object) -> Forge:
    leaf = certify("module", zone, authority=False)  # type: ignore[arg-type]
    return replace(GOOD, leaf=leaf, bundle=(ROOT.der, zone.der))  # type: ignore[attr-defined]


MIDDLE = certify("middle", ZONE)


@pytest.mark.parametrize(
    "forged",
    [
        replace(GOOD, signature=bytes(96)),
        replace(GOOD, signature=b"\1" * 96),
        replace(GOOD, leaf=replace(MODULE, key=ZONE.key)),
        signed_by(ends=NOW - 1_000),
        signed_by(starts=NOW + 1_000),
        signed_by(curve="P-256"),
        signed_by(usage=False),
        signed_by(signs_certificates=True),
        signed_by(authority=True, signs_certificates=False),
        signed_by(claimed_issuer="somebody"),
        signed_by(ROOT),
        through(certify("zone", ROOT, ends=NOW - 1_000)),
        through(certify("zone", ROOT, authority=False)),
        through(certify("zone", ROOT, signs_certificates=False)),
        through(certify("zone", ROOT, usage=False)),
        through(certify("zone", ROOT, constraints=False)),
        through(certify("zone", ROOT, critical=False)),
        through(certify("zone", OTHER_ROOT)),
        replace(GOOD, leaf=certify("module", MIDDLE, authority=False), bundle=(ROOT.der, ZONE.der, MIDDLE.der)),
        replace(GOOD, bundle=(OTHER_ROOT.der, ZONE.der)),
        replace(GOOD, bundle=(ZONE.der, ROOT.der)),
        replace(GOOD, bundle=(ROOT.der,)),
        GOOD.but(certificate=b"no certificate"),
        GOOD.but(cabundle=[ROOT.der, b"no certificate"]),
    ],
    ids=[
        "signature of zeros", "signature of ones", "signed by another key", "leaf expired", "leaf not yet valid", "leaf on P-256", "leaf without usage",
        "leaf signs certificates", "leaf an authority", "leaf names another issuer", "leaf of the root, zone in between", "zone expired", "zone no authority",
        "zone may not sign", "zone without usage", "zone without constraints", "constraints not critical", "zone of another root",
        "longer than the zone allows", "another root in the bundle", "bundle turned round", "zone left out", "leaf no certificate", "zone no certificate",
    ],
)  # fmt: skip
def test_what_is_not_proven_is_a_verify_error(chain: Chain, forged: Forge) -> None:
    assert chain.refusal(forged.encode()) == VERIFY


def test_bundle_without_the_root_is_fine_if_the_root_signed_its_first(chain: Chain) -> None:
    chain.admit(replace(GOOD, bundle=(ZONE.der,)).encode())


# ---- what is a document at all


@pytest.mark.parametrize(
    "forged",
    [
        replace(GOOD, tag=18),
        replace(GOOD, unprotected={"kid": b"x"}),
        GOOD.but(pcrs={index: bytes(48) for index in range(32)}),
        GOOD.but(pcrs={0: bytes(32), 200: b"\1" * 64}),
        GOOD.but(pcrs={}),
        GOOD.but(public_key="text", user_data=None),
        GOOD.but(public_key=bytes(1024), user_data=bytes(512), nonce=bytes(512)),
        replace(GOOD, without=("public_key", "user_data", "nonce")),
    ],
    ids=["tagged", "unprotected headers", "32 registers", "register 200", "no register", "not bytes", "longest fields", "nothing optional"],
)
def test_what_sui_reads_is_read(chain: Chain, forged: Forge) -> None:
    chain.admit(forged.encode())


@pytest.mark.parametrize(
    "forged",
    [
        replace(GOOD, tag=17),
        replace(GOOD, protected=cbor2.dumps({1: -7})),
        replace(GOOD, protected=cbor2.dumps({1: -35, 4: b"kid"})),
        replace(GOOD, protected=b""),
        replace(GOOD, unprotected=[]),
        replace(GOOD, signature=bytes(95)),
        replace(GOOD, signature=bytes(97)),
        replace(GOOD, payload=b""),
        replace(GOOD, payload=cbor2.dumps(["digest"])),
        replace(GOOD, payload=cbor2.dumps({1: 2})),
        replace(GOOD, payload=bytes.fromhex("a2616101616102")),
        replace(GOOD, payload=b"\x81" * 400 + b"\0"),
        *(replace(GOOD, without=(name,)) for name in ("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle")),
        GOOD.but(module_id=""),
        GOOD.but(module_id=b"i"),
        GOOD.but(digest="SHA256"),
        GOOD.but(timestamp=-1),
        GOOD.but(timestamp=2**64),
        GOOD.but(timestamp=True),
        GOOD.but(pcrs=[bytes(48)]),
        GOOD.but(pcrs={index: bytes(48) for index in range(33)}),
        GOOD.but(pcrs={0: bytes(47)}),
        GOOD.but(pcrs={256: bytes(48)}),
        GOOD.but(pcrs={"0": bytes(48)}),
        GOOD.but(pcrs={0: "zero"}),
        GOOD.but(certificate=b""),
        GOOD.but(certificate=bytes(1025)),
        GOOD.but(cabundle=[]),
        GOOD.but(cabundle=[ROOT.der] * 11),
        GOOD.but(cabundle=[b""]),
        GOOD.but(public_key=bytes(1025)),
        GOOD.but(user_data=bytes(513)),
        GOOD.but(nonce=bytes(513)),
    ],
)
def test_what_is_no_document_is_a_parse_error(chain: Chain, forged: Forge) -> None:
    assert chain.refusal(forged.encode()) == PARSE


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\xff", b"\x84", GOOD.encode()[:-1], b"\x9b" + b"\xff" * 8, b"\x5b\x7f" + b"\xff" * 7, b"\xd8\x1c\x81\xd8\x1d\x00", b"\x81" * 5_000],
    ids=["nothing", "number", "break", "cut array", "cut document", "endless array", "endless bytes", "array in itself", "deep"],
)
def test_bytes_of_any_kind_are_a_parse_error(chain: Chain, data: bytes) -> None:
    assert chain.refusal(data) == PARSE


def test_payload_over_the_limit_is_no_document() -> None:
    over = replace(GOOD, payload=GOOD.but(more=bytes(MAX_PAYLOAD)).content())  # no transaction has room for it
    with pytest.raises(Unparsable, match="wrong length"):
        parse(over.encode())


def test_what_follows_a_document_is_not_looked_at(chain: Chain) -> None:
    chain.admit(GOOD.encode() + b"more")
