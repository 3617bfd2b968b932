"""Azure's virtual TPM: a confidential VM's CPU report vouches for a TPM key, and that key for the boot and our nonce."""
