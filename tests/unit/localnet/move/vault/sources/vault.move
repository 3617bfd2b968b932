/// What a contract does with a verified attestation document of a Nitro enclave.
module vault::vault;

use sui::nitro_attestation::NitroAttestationDocument;

public struct Enclave has key, store {
    id: UID,
    module_id: vector<u8>,
    timestamp: u64,
    digest: vector<u8>,
    indices: vector<u8>,
    pcrs: vector<vector<u8>>,
    public_key: Option<vector<u8>>,
    user_data: Option<vector<u8>>,
    nonce: Option<vector<u8>>,
}

public fun admit(document: NitroAttestationDocument, ctx: &mut TxContext): Enclave {
    Enclave {
        id: object::new(ctx),
        module_id: *document.module_id(),
        timestamp: *document.timestamp(),
        digest: *document.digest(),
        indices: document.pcrs().map_ref!(|pcr| pcr.index()),
        pcrs: document.pcrs().map_ref!(|pcr| *pcr.value()),
        public_key: *document.public_key(),
        user_data: *document.user_data(),
        nonce: *document.nonce(),
    }
}

/// Sees a document and gives it back: which makes it a value that a public function has touched.
public fun pass(document: NitroAttestationDocument): NitroAttestationDocument { document }

/// Takes what nothing but an entry function, or nobody, has touched.
entry fun admit_privately(document: NitroAttestationDocument, ctx: &mut TxContext) {
    transfer::public_transfer(admit(document, ctx), ctx.sender())
}
