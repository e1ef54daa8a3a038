"""Vitals as Prometheus metrics.

Names of owners and exposures come from contracts and config, so their number is bounded: what is
beyond the bound counts under one common label, and never makes a new series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import CollectorRegistry

from eventwatch.alerting.escape import plain, truncate
from eventwatch.web.vitals import ExposureVitals, Vitals

MOST_OWNERS = 200
"""Owners with a label value of their own, those with most open incidents first."""
MOST_EXPOSURES = 200
OTHERS = "(others)"
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """The text of ``/metrics``; asks for the vitals each time it is wanted."""

    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collector(vitals))

    def text(self) -> bytes:
        """In the text format of Prometheus, version 0.0.4."""
        made: bytes = generate_latest(self._registry)
        return made


class _Collector:
    def __init__(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when the registry is made."""
        return ()

    def collect(self) -> Iterator[Metric]:
        return families(self._vitals())


def families(vitals: Vitals) -> Iterator[Metric]:
    """Every metric with its values."""
    exposures = _bounded(vitals.exposures)
    yield _gauge(
        "eventwatch_cycle_age_seconds",
        "Time since the last finished cycle of the exposure.",
        ("exposure",),
        {(name,): _seconds(e.cycle_age) for name, e in exposures.items()},
    )
    yield _gauge(
        "eventwatch_cycle_age_limit_seconds",
        "Age of the last finished cycle beyond which the next is late, by the schedule.",
        ("exposure",),
        {(name,): _seconds(e.cycle_age_limit) for name, e in exposures.items()},
    )
    yield _gauge(
        "eventwatch_cycle_duration_seconds",
        "How long the last cycle took.",
        ("exposure",),
        {(name,): _seconds(e.cycle_duration) for name, e in exposures.items()},
    )
    yield _gauge(
        "eventwatch_scan_duration_seconds",
        "How long the warehouse took for the last cycle's statements.",
        ("exposure",),
        {(name,): _seconds(e.scan_duration) for name, e in exposures.items()},
    )
    yield _counter(
        "eventwatch_rows_read",
        "Rows that the cycles of this process read.",
        ("exposure",),
        {(name,): float(e.rows_read) for name, e in exposures.items()},
    )
    yield _counter(
        "eventwatch_slots",
        "Scheduled cycles of this process by how they ended: ran, failed or skipped.",
        ("exposure", "status"),
        {(name, s): float(n) for name, e in exposures.items() for s, n in e.cycles.items()},
    )
    yield _gauge(
        "eventwatch_results",
        "Results of the last cycle by check kind and status.",
        ("exposure", "kind", "status"),
        {(name, *key): float(n) for name, e in exposures.items() for key, n in e.results.items()},
    )
    yield _gauge(
        "eventwatch_open_incidents",
        "Open incidents by severity and owner.",
        ("severity", "owner"),
        {key: float(n) for key, n in _owners(vitals.open_incidents).items()},
    )
    yield _gauge(
        "eventwatch_oldest_unsent_delivery_seconds",
        "Age of the oldest message that waits to be sent; 0 when none waits.",
        (),
        {(): _seconds(vitals.oldest_unsent) or 0.0},
    )
    yield _gauge(
        "eventwatch_unsent_deliveries",
        "Messages that wait to be sent.",
        (),
        {(): float(vitals.unsent)},
    )
    yield _gauge(
        "eventwatch_contracts_age_seconds",
        "Time since the contracts were read successfully.",
        (),
        {(): vitals.contracts_age.total_seconds()},
    )
    yield InfoMetricFamily(
        "eventwatch_contracts",
        "Digest of the contracts in use.",
        value={"digest": vitals.contracts_digest[:64]},
    )
    yield _gauge(
        "eventwatch_ready", "1 when the daemon is ready.", (), {(): float(not vitals.not_ready)}
    )
    yield _gauge(
        "eventwatch_leader",
        "1 when this process has the right to run cycles, 0 when it stands by.",
        (),
        {(): float(vitals.leads)},
    )
    yield InfoMetricFamily(
        "eventwatch_build", "Version of the program.", value={"version": vitals.version}
    )


def metric_names() -> frozenset[str]:
    """Every name that ``/metrics`` can show, as rules and dashboards write them."""
    blank = Vitals({"x": ExposureVitals()}, {}, None, 0, "", timedelta(0), "")
    names = set()
    for family in families(blank):
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        names.add(family.name + suffix)
    return frozenset(names)


Values = Mapping[tuple[str, ...], float | None]


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        if value is not None:
            family.add_metric(key, value)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], values: Values) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        if value is not None:
            family.add_metric(key, value)
    return family


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _bounded(exposures: Mapping[str, ExposureVitals]) -> dict[str, ExposureVitals]:
    # Exposures stand in the config in the order of their importance; the last are left out.
    return {_label(name): e for name, e in list(exposures.items())[:MOST_EXPOSURES]}


def _owners(counts: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    by_owner: Counter[str] = Counter()
    for (_, owner), n in counts.items():
        by_owner[owner] += n
    own = {owner for owner, _ in by_owner.most_common(MOST_OWNERS)}
    kept: Counter[tuple[str, str]] = Counter()
    for (severity, owner), n in counts.items():
        kept[severity, _label(owner) if owner in own else OTHERS] += n
    return kept


def _label(name: str) -> str:
    """A label value that any scraper takes: one line of valid UTF-8, of moderate length."""
    return plain(truncate(name, 100)).encode("utf-8", "replace").decode("utf-8")
