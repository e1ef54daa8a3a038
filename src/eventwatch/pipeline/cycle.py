"""One exposure from measuring to remembering: the audit that changes nothing and the cycle that does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from eventwatch.alerting.causes import Past, Scene, attribute
from eventwatch.alerting.causes_evidence import Evidence
from eventwatch.alerting.routing import Directory
from eventwatch.kinds.definition import Check, rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.model.alert import Alert, AlertState, Silence
from eventwatch.model.contract import Catalog
from eventwatch.model.durations import from_epoch
from eventwatch.model.holiday import Holiday
from eventwatch.model.result import NEW_LEVEL, Result
from eventwatch.model.settings import Exposure, NotifySettings
from eventwatch.model.state import CycleRecord, ExposureState, Lease
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import Ledger
from eventwatch.pipeline.assess import Assessment, Knowledge, assess, with_causes
from eventwatch.pipeline.basis import with_basis
from eventwatch.pipeline.evidence import evidence
from eventwatch.pipeline.judge import Restriction, judge, lasted, unreadable
from eventwatch.pipeline.late import with_late
from eventwatch.pipeline.measure import Job, Measured, Unmeasured, as_seen_at, measure
from eventwatch.pipeline.report import ExposureReport
from eventwatch.pipeline.source import source_of
from eventwatch.pipeline.withheld import withheld
from eventwatch.ports.clock import Clock
from eventwatch.ports.history import History
from eventwatch.ports.tracing import span
from eventwatch.ports.warehouse import Progress, Warehouse

REPLAYS = 6
"""Instants at which a failure that has to last is looked at again, when no state remembers it."""


@dataclass(frozen=True)
class Watch:
    """All that is needed to look at one exposure once."""

    exposure: Exposure
    catalog: Catalog
    checks: tuple[Check, ...]
    directory: Directory
    notify: NotifySettings
    state: ExposureState
    remembers: bool
    """Whether ``state`` is that of a daemon; False: what must last is replayed from the rows."""
    now: datetime
    as_of: bool
    restriction: Restriction
    run_id: str
    holidays: tuple[Holiday, ...] = ()
    """Of the exposure's places, over the look-back."""
    trouble: tuple[Result, ...] = ()
    """ERROR results that were known before measuring, e.g. contracts that could not be read."""
    past: tuple[Past, ...] = ()
    """Causes that ended a while ago and may still have after-effects."""
    clock: Clock | None = None
    """Which ``now`` is from."""


@dataclass(frozen=True)
class Look:
    """What one look gave."""

    report: ExposureReport
    assessment: Assessment
    alerts: tuple[Alert, ...]
    """Every alert after the cycle; the open ones with their cause."""
    silences: tuple[Silence, ...]
    """Those that were known."""
    measured: Measured | None


def look(
    watch: Watch, warehouse: Warehouse, history: History, progress: Progress | None = None
) -> Look:
    """Measures, judges, tracks and finds the causes of one exposure. Records nothing but the
    measurements."""
    job = Job(
        exposure=watch.exposure,
        catalog=watch.catalog,
        state=watch.state,
        now=watch.now,
        as_of=watch.as_of,
        duplicates_over=_duplicates_over(watch),
        holidays=watch.holidays,
        clock=watch.clock,
    )
    with span("scan", exposure=watch.exposure.name):
        outcome = measure(job, warehouse, history, progress)
    results: tuple[Result, ...]
    known = Knowledge(
        exposure=watch.exposure,
        catalog=watch.catalog,
        directory=watch.directory,
        open_alerts=watch.state.alerts,
        silences=watch.state.silences,
        now=watch.now,
        measured=isinstance(outcome, Measured),
        restriction=watch.restriction,
        labels=watch.state.labels,
    )
    if isinstance(outcome, Unmeasured):
        results = (unreadable(watch.exposure.name, outcome.reason), *watch.trouble)
    else:
        with span("judge", exposure=watch.exposure.name):
            judged = judge(outcome.view, watch.checks, watch.restriction)
        judged = with_basis(judged, watch.exposure, watch.catalog, watch.checks)
        results = (*with_late(outcome.view, watch.state.alerts, judged), *watch.trouble)
        if not watch.remembers:
            known = replace(known, open_alerts=_replayed(watch, outcome, results))
    assessment = assess(results, known)
    alerts = tuple(t.alert for t in assessment.transitions)
    current = tuple(alert for alert in alerts if alert.open)
    seen = evidence(outcome.view, current) if isinstance(outcome, Measured) else Evidence()
    scene = Scene(
        exposure=watch.exposure,
        source=source_of(watch.exposure),
        alerts=current,
        results=assessment.results,
        catalog=watch.catalog,
        evidence=seen,
        now=watch.now,
        closed=tuple(alert for alert in alerts if not alert.open),
        past=watch.past,
    )
    attributed = {alert.id: alert for alert in attribute(scene)}
    alerts = tuple(attributed.get(alert.id, alert) for alert in alerts)
    assessment = with_causes(assessment, alerts)
    return Look(
        report=_report(watch, outcome, assessment),
        assessment=assessment,
        alerts=alerts,
        silences=watch.state.silences,
        measured=outcome if isinstance(outcome, Measured) else None,
    )


def record_of(watch: Watch, seen: Look, lease: Lease | None, elapsed: timedelta) -> CycleRecord:
    """All that a look changes in the state, for one transaction."""
    return CycleRecord(
        exposure=watch.exposure.name,
        run_id=watch.run_id,
        now=watch.now,
        lease=lease,
        watermark=None if seen.measured is None else watch.now,
        recounted_on=None,
        ledger={} if seen.measured is None else _news(watch, seen.measured.arrived),
        alerts=seen.alerts,
        deliveries=withheld(seen.assessment.findings, watch.now),
        counts={status.value: n for status, n in seen.report.status_counts.items()},
        catalog_digest=watch.catalog.digest,
        elapsed_seconds=elapsed.total_seconds(),
        error=seen.report.error,
    )


def _news(watch: Watch, arrived: Ledger) -> Ledger:
    """What the ledger did not know. Every look reads again some of what the one before it read."""
    known = watch.state.ledger
    return {
        key: seen
        for key, seen in arrived.items()
        if (old := known.get(key)) is None
        or seen.first_at < old.first_at
        or seen.last_at > old.last_at
    }


def _duplicates_over(watch: Watch) -> timedelta | None:
    if watch.exposure.columns.event_id is None:
        return None
    kind = KINDS[KindName.DUPLICATES]
    rules = rules_for(kind.defaults, watch.checks, watch.exposure.name, watch.catalog)
    spans = [getattr(d, "over", timedelta(0)) for d in (kind.defaults, *rules.definitions)]
    return min(max(spans), timedelta(days=7))


def _replayed(watch: Watch, outcome: Measured, results: Sequence[Result]) -> tuple[Alert, ...]:
    """Alerts as a daemon would remember them, for failures that have to last: the same rows are
    judged as they were to be seen a little earlier."""
    held = [r for r in results if r.status is Status.FAIL and r.hold > timedelta(0) and not r.total]
    if not held:
        return ()
    span = max(r.hold for r in held)
    step = max(watch.exposure.every, span / REPLAYS)
    instants = [watch.now - step * (k + 1) for k in range(int(np.ceil(span / step)))]
    failed = lasted(
        held,
        (judge(as_seen_at(outcome.view, at), watch.checks, watch.restriction) for at in instants),
    )
    return tuple(
        Alert(
            id=f"replayed-{r.fingerprint}",
            fingerprint=r.fingerprint,
            state=AlertState.PENDING,
            result=r,
            started_at=watch.now - step * failed[r.fingerprint],
            seen_at=watch.now,
        )
        for r in held
        if failed[r.fingerprint]
    )


def _report(watch: Watch, outcome: Measured | Unmeasured, assessment: Assessment) -> ExposureReport:
    results = assessment.results
    counts = {s: sum(r.status is s for r in results) for s in Status}
    by_kind = Counter((r.kind, r.status) for r in results)
    errors = tuple(r for r in results if r.status is Status.ERROR)
    if isinstance(outcome, Unmeasured):
        return ExposureReport(
            name=watch.exposure.name,
            at=watch.now,
            errors=errors,
            status_counts=counts,
            kind_counts=by_kind,
            error=outcome.reason,
        )
    view, scan = outcome.view, outcome.scan
    # A row whose time is unusable is in no series.
    came = int((view.rows.cell_count > 0).sum())
    last = int(view.rows.last_loaded.max()) if len(view.rows.rows) else None
    return ExposureReport(
        name=watch.exposure.name,
        at=watch.now,
        row_count=int(view.rows.rows.sum()),
        event_type_count=came,
        last_arrival_at=None if last is None else from_epoch(last),
        findings=assessment.findings,
        errors=errors,
        learning=tuple(r for r in results if r.status is Status.LEARNING),
        status_counts=counts,
        kind_counts=by_kind,
        notes=(*_notes(outcome), *_usual_now(outcome, results)),
        rows_read=scan.rows,
        statements=outcome.statements,
        elapsed=scan.elapsed,
        read_from=scan.request.rows_from,
    )


MOST_NEW_LEVELS = 5


def _usual_now(outcome: Measured, results: Sequence[Result]) -> Iterable[str]:
    """What is judged otherwise than usual: holidays, and levels that were accepted lately."""
    zone = outcome.view.exposure.time_zone
    today = outcome.view.now.astimezone(zone).date()
    names = {str(each): None for each in outcome.view.holidays if each.day == today}
    if names:
        yield f"today is a holiday, {', '.join(names)}: a wider range of counts is usual"
    new = [
        f"{result.event_type}: {fact.text}"
        for result in results
        if result.status is Status.PASS
        for fact in result.facts
        if fact.label == NEW_LEVEL
    ]
    yield from new[:MOST_NEW_LEVELS]
    if len(new) > MOST_NEW_LEVELS:
        yield f"{len(new) - MOST_NEW_LEVELS} further event types have a new level"


def _notes(outcome: Measured) -> Iterable[str]:
    view = outcome.view
    if view.approximate:
        yield (
            "approximate: without a load time, rows that came later than this instant cannot be "
            "told from those that were there"
        )
    elif not view.exposure.has_load_time:
        yield "no load time is mapped: delay and completeness are unknown"
    for dimension in view.capped:
        yield f"{dimension} has more values than are followed; the rarest count as one"
    if view.null_loaded:
        yield f"rows without a load time, in no count: {view.null_loaded:,}"
    if view.future_loaded:
        yield f"rows with a load time in the future, in no count yet: {view.future_loaded:,}"
