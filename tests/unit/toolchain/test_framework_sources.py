import hashlib
import json
import os
import subprocess
import sys

from localnet.toolchain.framework_sources import decompiled_sources, interface_sources

DIGEST = """
import hashlib, json
from localnet.toolchain.framework_sources import decompiled_sources, interface_sources
made = [interface_sources(), decompiled_sources(["use sui::coin;"])]
print(hashlib.sha256(json.dumps(made).encode()).hexdigest())
"""


def digest_with(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_sources_do_not_depend_on_the_process_that_makes_them() -> None:
    here = hashlib.sha256(json.dumps([interface_sources(), decompiled_sources(["use sui::coin;"])]).encode()).hexdigest()
    assert {digest_with("1"), digest_with("2")} == {here}


def test_interfaces_tell_signatures_and_no_bodies() -> None:
    coin = interface_sources()["Sui"]["sources/coin.move"]
    assert "public fun value<T0>(p0: &0x2::coin::Coin<T0>): u64 { abort 0 }" in coin
    assert "treasury_into_supply" in coin
    assert "return" not in coin


def test_interfaces_have_what_bytecode_lacks() -> None:
    framework = interface_sources()
    assert "public macro fun do<" in framework["MoveStdlib"]["sources/vector.move"]
    assert "Balance.into_coin" in framework["Sui"]["sources/balance.move"]


def test_only_what_the_sources_can_reach_is_decompiled() -> None:
    modules = decompiled_sources(["module a::b; use sui::clock::Clock;"])["Sui"]
    assert "sources/clock.move" in modules
    assert "sources/transfer.move" in modules  # every source knows it without a `use`
    assert "sources/kiosk.move" not in modules


def test_what_a_reached_module_needs_is_there_too() -> None:
    modules = decompiled_sources(["module a::b; use sui::{coin, clock};"])["Sui"]
    assert {"sources/coin.move", "sources/balance.move", "sources/pay.move"} <= modules.keys()


def test_without_dependents_everything_is_decompiled() -> None:
    modules = decompiled_sources()
    assert sum(len(package) for package in modules.values()) == 3 + 22 + 61 + 11 + 3  # manifests, bytecode, test-only modules
