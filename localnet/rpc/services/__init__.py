"""The services of `sui.rpc.v2`, one module each."""
