"""Metrics: what can block answers `statistics()` with a frozen dataclass, and this makes Prometheus gauges of it.

Collection happens when somebody asks, so nothing has to be kept in step. Counts that only grow are exported as gauges
too: a dataclass does not say which of its fields never falls.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

PREFIX: Final = "enclavia"
CONTENT_TYPE: Final[str] = CONTENT_TYPE_LATEST

Source = Callable[[], Any]
"""Returns a frozen dataclass whose int, float and bool fields are metrics; others are skipped."""


class StatisticsCollector(Collector):
    """Reads every registered `statistics` when Prometheus asks."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}

    def add(self, name: str, source: Source) -> None:
        """Export `source` as `enclavia_<name>_<field>`.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._sources:
            raise ValueError(f"metrics {name!r} are registered already")
        self._sources[name] = source

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, source in self._sources.items():
            statistics = source()
            assert is_dataclass(statistics), f"statistics of {name!r} is no dataclass"
            for field in fields(statistics):
                value = getattr(statistics, field.name)
                if isinstance(value, (int, float)):
                    metric = f"{PREFIX}_{name}_{field.name}"
                    yield GaugeMetricFamily(metric, f"{type(statistics).__name__}.{field.name}", value=float(value))


class Metrics:
    """One process's registry: statistics of ours, and counters or histograms that a caller registers itself."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._statistics = StatisticsCollector()
        self.registry.register(self._statistics)

    def watch(self, name: str, source: Source) -> None:
        """Export the fields of what `source` returns, anew at every request.

        Raises:
            ValueError: the name is taken.
        """
        self._statistics.add(name, source)

    def exposition(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self.registry)
