"""The Sui adapter: `SuiChain` is a `Chain` over a full node's gRPC API. pysui is imported in `pysui_parts` only."""

from agent.chain.sui.chain import SuiChain, SuiSettings
from agent.chain.sui.deploy import Deployer, PackageCode, PoolTerms
from agent.chain.sui.gas import GasStatistics
from agent.chain.sui.keys import Wallet
from agent.chain.sui.sender import GasPolicy
from agent.chain.sui.watcher import WatchPolicy
from agent.chain.sui.wire import Endpoint

__all__ = [
    "Deployer",
    "Endpoint",
    "GasPolicy",
    "GasStatistics",
    "PackageCode",
    "PoolTerms",
    "SuiChain",
    "SuiSettings",
    "Wallet",
    "WatchPolicy",
]
