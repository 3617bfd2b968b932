"""From the ledger's plain data to the messages of `sui.rpc.v2`."""
