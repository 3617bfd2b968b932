"""The one place where commands choose the Sui adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

import agent
from agent.chain.calls import CreateNetwork
from agent.chain.deployment import Deployment
from agent.chain.errors import FaucetError
from agent.chain.port import Chain
from agent.chain.sui import Deployer, Endpoint, PackageCode, PoolTerms, SuiChain, Wallet
from agent.chain.transaction_log import TransactionLog
from agent.node.config import NodeConfig
from agent.protocol.units import Address, Mist

__all__ = ["BYTECODE", "Endpoint", "deploy", "open_chain", "open_endpoint", "request_sui"]

BYTECODE: Final = Path(agent.__file__).resolve().parents[1] / "contracts" / "sui" / "bytecode"
"""The compiled package, in a checkout."""


@asynccontextmanager
async def open_endpoint(endpoint: Endpoint, deployment: Deployment, wallet: Wallet, log: TransactionLog) -> AsyncIterator[Chain]:
    """A chain for as long as the body runs.

    Raises:
        WrongChain, Unreachable: the endpoint is not of the deployment's chain, or does not answer.
    """
    async with await SuiChain.open(endpoint, deployment, wallet=wallet, log=log) as chain:
        yield chain


@asynccontextmanager
async def open_chain(config: NodeConfig, deployment: Deployment, wallet: Wallet, log: TransactionLog) -> AsyncIterator[Chain]:
    """The chain that a node's configuration names."""
    ca = None if config.chain.ca is None else config.path(config.chain.ca)
    async with open_endpoint(Endpoint(config.chain.endpoint, ca), deployment, wallet, log) as chain:
        yield chain


async def deploy(endpoint: Endpoint, wallet: Wallet, network: CreateNetwork, terms: PoolTerms) -> Deployment:
    """Publish the package of this checkout and create a Network with one Pool, by ordinary signed transactions."""
    async with Deployer(endpoint, wallet) as deployer:
        return await deployer.deploy(PackageCode.load(BYTECODE), network, terms)


async def request_sui(endpoint: Endpoint, recipient: Address, amount: Mist) -> None:
    """Have a localnet's faucet mint `amount` in one coin.

    Raises:
        FaucetError: it did not.
    """
    body = {"FixedAmountRequest": {"recipient": "0x" + recipient.hex(), "amount": amount}}
    try:
        async with httpx.AsyncClient(timeout=30.0) as http:
            answer = await http.post(f"{endpoint.url}/v2/gas", json=body)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise FaucetError(f"the faucet of {endpoint.url} gave nothing ({error!r}): is it a localnet?") from error
