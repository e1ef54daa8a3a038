"""Scenes of one exposure, told in event types and platforms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.alerting.causes import Past, Scene, Source, attribute
from eventwatch.alerting.causes_evidence import Across, Evidence, Moved
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.contract import Catalog
from eventwatch.model.result import Amount, Cut, Result, Spark
from eventwatch.model.settings import Dimension, Exposure, Secret
from eventwatch.model.status import KindName, Severity, Status

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCE = Source("5eed", "postgres db1/analytics")
TABLE = Exposure(
    name="analytics_events",
    connection=Secret("duckdb://"),
    owner="data-platform",
    dimensions=(Dimension("platform", "platform"),),
)
SHARES = {"android": 0.5, "ios": 0.3, "web": 0.2}
ROWS = 200.0
"""Of each event type in its span."""
BEGAN = NOW - 2 * HOUR


def result(event_type: str | None, **changes: Any) -> Result:
    """A FAIL of volume, unless told otherwise."""
    values: dict[str, Any] = {
        "exposure": TABLE.name,
        "kind": KindName.VOLUME,
        "aspect": "bucket",
        "status": Status.FAIL,
        "summary": "as told",
    }
    return Result(event_type=event_type, **(values | changes))


def alert(of: Result, **changes: Any) -> Alert:
    """A firing alert that no cycle has seen before."""
    made = Alert(
        id=of.fingerprint[:12],
        fingerprint=of.fingerprint,
        state=AlertState.FIRING,
        result=of,
        started_at=NOW - HOUR,
        seen_at=NOW,
        fired_at=NOW - HOUR,
    )
    return replace(made, **changes)


def volume(name: str | None, *, came: float = 100.0, usual: float = 200.0, **more: Any) -> Alert:
    """Counts of an event type that are not as usual."""
    since, started_at = more.pop("since", BEGAN), more.pop("started_at", NOW - HOUR)
    at: dict[str, Any] = {
        "amount": Amount("events", came, usual, start_at=since, end_at=NOW),
        "since": since,
    }
    return alert(result(name, **(at | more)), started_at=started_at)


def silent(name: str, **more: Any) -> Alert:
    """An event type that does not come any more."""
    at: dict[str, Any] = {"kind": KindName.FRESHNESS, "aspect": "silence", "since": BEGAN}
    return alert(result(name, **(at | more)))


def stale(**more: Any) -> Alert:
    """A table that gets no rows."""
    at: dict[str, Any] = {"kind": KindName.FRESHNESS, "aspect": "staleness", "since": BEGAN}
    return alert(result(None, **(at | more)))


def unseen(name: str, **more: Any) -> Alert:
    """An event type that nobody declared."""
    at: dict[str, Any] = {"kind": KindName.DRIFT, "aspect": "unseen", "since": BEGAN}
    return alert(result(name, **(at | more)))


def of_value(value: str, *, came: float = 4.0, usual: float = 100.0, **more: Any) -> Alert:
    """A value that moves in most event types."""
    return volume(
        None, came=came, usual=usual, aspect="cut_all", cut=Cut("platform", value), **more
    )


def error(**changes: Any) -> Result:
    """The exposure could not be read."""
    values: dict[str, Any] = {
        "exposure": TABLE.name,
        "kind": KindName.FRESHNESS,
        "aspect": "unreadable",
        "status": Status.ERROR,
        "severity": Severity.WARNING,
        "summary": "could not be measured: connection refused",
    }
    return Result(**(values | changes))


def table(down: Mapping[str, float], rows: float = ROWS) -> dict[str, Moved]:
    """Rows by platform; ``down``: the part of its rows that each keeps."""
    return {v: Moved(rows * s * down.get(v, 1.0), rows * s) for v, s in SHARES.items()}


def rows(types: Mapping[str, Mapping[str, float]], dimension: str = "platform") -> Evidence:
    """Evidence of these event types; the exposure has no others."""
    moved = {(name, dimension): table(down) for name, down in types.items()}
    whole = {
        value: Across(
            Moved(
                sum(t[value].observed for t in moved.values()),
                sum(t[value].expected for t in moved.values()),
            ),
            len(moved),
            tuple(sorted(n for n, d in types.items() if d.get(value, 1.0) <= 0.5)),
            tuple(sorted(n for n, d in types.items() if d.get(value, 1.0) >= 2.0)),
        )
        for value in SHARES
    }
    return Evidence(moved, dict.fromkeys(types, 2.0), {dimension: whole})


def scene(
    alerts: Iterable[Alert],
    evidence: Evidence | None = None,
    *,
    now: datetime = NOW,
    results: Iterable[Result] = (),
    closed: Iterable[Alert] = (),
    past: Iterable[Past] = (),
    source: Source = SOURCE,
    catalog: Catalog | None = None,
) -> Scene:
    """One cycle."""
    return Scene(
        exposure=TABLE,
        source=source,
        alerts=tuple(alerts),
        results=tuple(results),
        catalog=Catalog({}, {}, "") if catalog is None else catalog,
        evidence=Evidence() if evidence is None else evidence,
        now=now,
        closed=tuple(closed),
        past=tuple(past),
    )


def seen(*alerts: Alert, **more: Any) -> tuple[Alert, ...]:
    """What one cycle makes of these alerts."""
    return attribute(scene(alerts, more.pop("evidence", None), **more))


def keys(alerts: Iterable[Alert]) -> set[str]:
    """Causes of what speaks."""
    return {a.cause.key for a in alerts if a.cause is not None and not a.explained}


def with_hours(of: Alert, hours: Mapping[int, float], usual: float = 20.0) -> Alert:
    """The alert with the counts of the last 24 hours: as usual but in these hours back."""
    last = NOW.replace(minute=0, second=0)
    spark = Spark(
        last - 24 * HOUR,
        timedelta(hours=1),
        tuple(hours.get(24 - i, usual) for i in range(24)),
        (usual,) * 24,
    )
    return replace(of, result=replace(of.result, spark=spark))
