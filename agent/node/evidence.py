"""Evidence for one challenge: an enclave for the new key epoch, its binding, a quote over it, all of it stored."""

from dataclasses import asdict

import cbor2

from agent.attestation.binding import report_data, user_data
from agent.attestation.errors import EvidenceError
from agent.attestation.evidence import Evidence, Quote
from agent.attestation.providers.base import EvidenceProvider
from agent.attestation.providers.devices import Attested, DeviceEvidence
from agent.chain.port import Chain
from agent.delivery.blob_store import BlobStore
from agent.enclave.errors import AlreadyBound
from agent.enclave.identity import EnclaveIdentity, Isolation
from agent.enclave.orders import BindingRequest, Committee
from agent.node.enclaves import Enclaves
from agent.node.errors import DutyError, KeysLost, NodeError
from agent.protocol.records import MemberView, NetworkView
from agent.protocol.units import Address, BlobId, Millis


class EvidenceMaker:
    """Makes this node's evidence."""

    def __init__(
        self,
        chain: Chain,
        enclaves: Enclaves,
        provider: EvidenceProvider,
        store: BlobStore,
        *,
        validity_ms: int,
        devices: DeviceEvidence | None = None,
    ) -> None:
        self._chain = chain
        self._enclaves = enclaves
        self._provider = provider
        self._store = store
        self._validity_ms = validity_ms
        self._devices = devices

    async def make(self, member: MemberView, network: NetworkView) -> BlobId:
        """Answer the challenge of `member`; returns the name of the stored evidence.

        Made again for the same challenge it is bound to the same words, so a crash between binding and posting costs
        nothing.

        Raises:
            NodeError: this enclave can never be attested for this pool; the text says what to change.
            EnclaveError, ProviderError, BlobError: it cannot be made now.
        """
        epoch = member.key_epoch
        try:
            identity = await self._enclaves.begin(epoch)
        except KeysLost as error:
            # nobody vouched for them yet, or there would be no evidence to make
            await self._enclaves.retire(epoch)
            raise DutyError(f"keys that nobody vouched for do not open any more ({error}): making others") from error
        await self._check(identity)
        try:
            bound = await self._enclaves.bind(epoch, self._request(member, network))
        except AlreadyBound as error:
            # Its binding was never posted, so nobody knows these keys yet.
            await self._enclaves.retire(epoch)
            raise DutyError("the committee or the challenge changed while evidence was made: starting over") from error
        quote = await self._provider.attest(user_data(bound.binding, bound.native), member.challenge, identity.hpke_pk)
        attested = Attested() if self._devices is None else await self._devices.attest(report_data(bound.binding))
        evidence = Evidence(
            bound.binding,
            Quote(self._provider.media_type, quote),
            isolation_report(identity.isolation),
            devices=attested.devices,
            collateral=attested.collateral,
        )
        try:
            return await self._store.put(evidence.encode())
        except EvidenceError as error:
            raise NodeError(f"the evidence is none that anybody would read ({error}): attest fewer devices") from error

    def _request(self, member: MemberView, network: NetworkView) -> BindingRequest:
        # At least two spans: with one, no task could be assigned any more by the time it is recorded.
        validity = max(self._validity_ms, 2 * network.params.span())
        return BindingRequest(
            chain_id=self._chain.deployment.chain_id,
            network=Address(self._chain.deployment.network.id),
            pool=Address(self._chain.deployment.pool.id),
            node=member.node,
            key_epoch=member.key_epoch,
            challenge=member.challenge,
            not_after=Millis(member.challenge_expires - network.params.challenge_ms + validity),
            committee=Committee(network.threshold, network.verifiers),
        )

    async def _check(self, identity: EnclaveIdentity) -> None:
        wanted, runs = (await self._chain.pool()).manifest, identity.manifest_hash
        if runs != wanted:
            raise NodeError(
                f"the pool wants the workload with manifest {wanted.hex()[:16]}…, the enclave runs {runs.hex()[:16]}…: "
                "correct [enclave] workload or [stake] pool in node.toml"
            )
        measured, is_ = self._provider.measurement, identity.measurement
        if is_ != measured:
            raise NodeError(
                f"the platform measured {measured.hex()[:16]}…, the enclave is {is_.hex()[:16]}…: "
                "install the agent again, its files have changed under the running node"
            )


def isolation_report(isolation: Isolation) -> bytes:
    """The enclave's own word on how well it is shut off, as it travels in evidence: deterministic CBOR, informative."""
    return cbor2.dumps(asdict(isolation), canonical=True)
