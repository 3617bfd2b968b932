"""A ledger with Sui's rules: objects, programmable transactions, gas, checkpoints."""
