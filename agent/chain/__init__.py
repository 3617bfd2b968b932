"""The chain: the port `agent.chain.port.Chain`, its in-memory twin, and the Sui adapter `agent.chain.sui`."""
