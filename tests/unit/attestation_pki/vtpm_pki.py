"""A virtual TPM as Azure's paravisor plays it, on whichever CPU vouches for it."""

import base64
import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, shake_256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from agent.attestation.errors import Malformed
from agent.attestation.verifier import Claims, EvidenceVerifier
from agent.attestation.vtpm.evidence import VtpmEvidence, extra_data
from agent.attestation.vtpm.tpm import Scheme, signature_of
from agent.protocol.statements import TeeKind
from agent.protocol.units import Millis

PCRS = tuple(sha256(b"PCR%d" % index).digest() for index in range(24))
EVERY = tuple(range(24))
REPORT_DATA = b"\x0d" * 64
PARAVISOR = b"\xaa" * 48


@cache
def attestation_key(name: str = "AK", bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of that name: the same in every run, found in a second."""
    p, q = (_prime(f"{name} {side}".encode(), bits // 2) for side in "pq")
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()


def _prime(seed: bytes, bits: int) -> int:
    # both highest bits set, so that a product of two has all its bits
    number = int.from_bytes(shake_256(seed).digest(bits // 8), "big") | 3 << (bits - 2) | 1
    small = [at for at in range(3, 2000, 2) if all(at % by for by in range(3, at, 2))]
    while not (all(number % by for by in small) and pow(2, number - 1, number) == 1 and (number - 1) % 65537):
        number += 2
    return number


def jwk(key: rsa.RSAPublicKey, kid: str = "HCLAkPub") -> dict[str, Any]:
    numbers = key.public_numbers()
    n, e = (base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode() for value, size in ((numbers.n, key.key_size // 8), (numbers.e, 3)))
    return {"kid": kid, "kty": "RSA", "key_ops": ["sign"], "e": e, "n": n}


def runtime_data(*keys: dict[str, Any], **more: Any) -> bytes:
    machine = {"console-enabled": True, "secure-boot": True, "tpm-enabled": True}
    return json.dumps({"keys": list(keys), "vm-configuration": machine, "user-data": "00" * 64} | more).encode()


RUNTIME = runtime_data(jwk(attestation_key().public_key()))


def bound(runtime: bytes) -> bytes:
    """The report data of a CPU report that vouches for `runtime`."""
    return sha256(runtime).digest() + bytes(32)


def tpm_quote(extra: bytes, selected: tuple[int, ...] = EVERY, pcrs: tuple[bytes, ...] = PCRS) -> bytes:
    """TPMS_ATTEST."""
    mask = sum(1 << index for index in selected).to_bytes(3, "little")
    digest = sha256(b"".join(pcrs[index] for index in selected)).digest()
    name = b"\x00\x0b" + sha256(b"name").digest()
    selection = (1).to_bytes(4, "big") + b"\x00\x0b\x03" + mask
    return b"\xffTCG\x80\x18" + _sized(name) + _sized(extra) + bytes(17) + bytes(8) + selection + _sized(digest)


def signed(message: bytes, key: rsa.RSAPrivateKey | None = None, scheme: Scheme = Scheme.RSASSA) -> bytes:
    """TPMT_SIGNATURE."""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    how = padding.PKCS1v15() if scheme is Scheme.RSASSA else pss
    return signature_of((key or attestation_key()).sign(message, how, hashes.SHA256()), scheme)


def hcl_report(hardware: bytes, runtime: bytes = RUNTIME, *, kind: int = 2, algorithm: int = 1) -> bytes:
    """What lies at NV index 0x01400001."""
    head = b"HCLA" + (2).to_bytes(4, "little") + bytes(24)
    tail = b"".join(number.to_bytes(4, "little") for number in (20 + len(runtime), 1, kind, algorithm, len(runtime)))
    return (head + hardware.ljust(1184, b"\0") + tail + runtime).ljust(2600, b"\0")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine that boots and quotes; `replace` a part to spoil it."""

    cpu: bytes = bound(RUNTIME)
    """What `FakeCpu` reads: report data; or a real CPU's evidence."""
    runtime: bytes = RUNTIME
    report_data: bytes = REPORT_DATA
    extra: bytes | None = None
    selected: tuple[int, ...] = EVERY
    pcrs: tuple[bytes, ...] = PCRS
    sent: tuple[bytes, ...] | None = None
    key: rsa.RSAPrivateKey | None = None
    scheme: Scheme = Scheme.RSASSA

    def evidence(self) -> bytes:
        quote = tpm_quote(extra_data(self.report_data) if self.extra is None else self.extra, self.selected, self.pcrs)
        return VtpmEvidence(
            cpu=self.cpu,
            runtime=self.runtime,
            quote=quote,
            signature=signed(quote, self.key, self.scheme),
            pcrs=tuple(self.pcrs[index] for index in self.selected) if self.sent is None else self.sent,
            report_data=self.report_data,
        ).encode()


class FakeCpu(EvidenceVerifier):
    """Stands where a CPU's verifier does, and takes 64 bytes of report data as its evidence."""

    def __init__(self, kind: TeeKind = TeeKind.SEV_SNP, *, debug: bool = False) -> None:
        self._kind = kind
        self._debug = debug

    @property
    def kind(self) -> TeeKind:
        return self._kind

    @property
    def media_type(self) -> str:
        return "application/x-fake-cpu"

    def authenticate(self, quote: bytes, at: Millis) -> Claims:
        if len(quote) != 64:
            raise Malformed("the fake CPU wants 64 bytes")
        return Claims(
            kind=self._kind,
            measurement=PARAVISOR,
            report_data=quote,
            nonce=None,
            public_key=None,
            issued_at=None,
            debug=self._debug,
            hardware_id=b"chip",
            tcb_status="UpToDate",
            advisories=("AMD-SB-1",),
        )

    def claimed_time(self, quote: bytes) -> Millis | None:
        return None


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value
