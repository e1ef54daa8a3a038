"""Measures one exposure: recount when due, scan, history, and the view that judging works on.

A failed measurement is a value (``Unmeasured``), never an exception: it is our trouble, and the
cycle of the other exposures goes on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pyarrow as pa

from eventwatch.model.contract import Catalog
from eventwatch.model.durations import floor_to, from_epoch
from eventwatch.model.errors import ExposureBusy, StoreError, WarehouseError
from eventwatch.model.holiday import Holiday
from eventwatch.model.measurement import (
    CELL_SCHEMA,
    DELAY,
    DUPLICATE,
    TIME,
    Cells,
    Changed,
    HistoryNote,
    Scan,
    SeriesKey,
)
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.model.view import ExposureView, Ledger, Seen
from eventwatch.pipeline import plan
from eventwatch.ports.clock import Clock
from eventwatch.ports.history import History
from eventwatch.ports.warehouse import Progress, Warehouse

CHANGED_TOLD_FOR = timedelta(hours=24)
RECENT = timedelta(days=14)
MANY_CELLS = 200_000
WAITED = timedelta(minutes=5)
"""A measurement that came so long after its instant knows nothing of the future."""


@dataclass(frozen=True)
class Measured:
    """What was read and all that may be judged."""

    view: ExposureView
    scan: Scan
    statements: int
    arrived: Ledger
    """Series that arrived in the rows of this scan."""


@dataclass(frozen=True)
class Unmeasured:
    """Why an exposure could not be measured. About us, never about the data."""

    reason: str
    busy: bool = False


@dataclass(frozen=True)
class Job:
    """One exposure to measure at one instant."""

    exposure: Exposure
    catalog: Catalog
    state: ExposureState
    now: datetime
    as_of: bool
    """The instant is past: nothing that was loaded later exists, and the cache must not be used."""
    duplicates_over: timedelta | None
    holidays: tuple[Holiday, ...] = ()
    clock: Clock | None = None
    """Which ``now`` is from; None: no time passes while it measures."""


def measure(
    job: Job, warehouse: Warehouse, history: History, progress: Progress | None = None
) -> Measured | Unmeasured:
    """Reads what is new and gives the view, or says why it cannot."""
    try:
        return _measure(job, warehouse, history, progress)
    except ExposureBusy as error:
        return Unmeasured(str(error), busy=True)
    except (WarehouseError, StoreError) as error:
        return Unmeasured(str(error))


def _measure(
    job: Job, warehouse: Warehouse, history: History, progress: Progress | None
) -> Measured:
    exposure, now = job.exposure, job.now
    kept_as = history_name(exposure)
    coverage = _coverage(history, kept_as)
    note = history.note(kept_as)
    statements = 0
    if not job.as_of and plan.recount_due(note.recounted_on, now, coverage):
        note, counted = _recount(job, warehouse, history, note, coverage)
        statements += counted
    reread = None
    if note.changed_at == now and note.changed:
        reread = from_epoch(min(change.day for change in note.changed))
    request = plan.plan_scan(
        exposure,
        now,
        coverage,
        known_values={d.name: history.known_values(kept_as, d.name) for d in exposure.dimensions},
        duplicates_over=job.duplicates_over,
        reread_from=reread,
        as_of=job.as_of,
    )
    scan = warehouse.scan(exposure, request, progress)
    history.replace(kept_as, scan)
    history.write_note(kept_as, note)
    arrived = _arrived(scan)
    # The cells of a first scan are hundreds of megabytes, and from here on the history has them.
    scan = replace(scan, cells=CELL_SCHEMA.empty_table())
    pa.default_memory_pool().release_unused()
    view = _view(job, history, scan, note)
    return Measured(view, scan, statements + scan.statements, arrived)


def remembered(job: Job, history: History) -> ExposureView | None:
    """The exposure as the history knows it, without a word to the warehouse; None: it knows nothing.
    Raises StoreError."""
    name = history_name(job.exposure)
    until = history.covered_until(name)
    if until is None:
        return None
    return _view(replace(job, now=min(job.now, until)), history, None, history.note(name))


def history_name(exposure: Exposure) -> str:
    """The name its measurements are kept under. It changes with whatever decides what they mean, so
    that counts of another table or with other columns are never mixed with these."""
    meaning = repr(
        (
            urlsplit(exposure.connection.reveal())._replace(query="").geturl().rpartition("@")[2],
            exposure.table,
            exposure.parquet,
            exposure.columns,
            [(d.name, d.column, d.cap) for d in exposure.dimensions],
            exposure.partition,
            str(exposure.naive_time_zone),
        )
    )
    return f"{exposure.name}@{hashlib.sha256(meaning.encode()).hexdigest()[:12]}"


def _coverage(history: History, name: str) -> plan.Coverage | None:
    start, end = history.covered_from(name), history.covered_until(name)
    return None if start is None or end is None else plan.Coverage(start, end)


def _recount(
    job: Job,
    warehouse: Warehouse,
    history: History,
    note: HistoryNote,
    coverage: plan.Coverage | None,
) -> tuple[HistoryNote, int]:
    span = None if coverage is None else plan.recount_span(job.exposure, job.now, coverage)
    if span is None:
        return note, 0
    recount = warehouse.recount(job.exposure, *span)
    changed = plan.changed_days(history.day_counts(history_name(job.exposure), span[0]), recount)
    return (
        HistoryNote(
            recounted_on=job.now.date(),
            changed_at=job.now if changed else note.changed_at,
            changed=changed or note.changed,
        ),
        1,
    )


def _future(job: Job, scan: Scan | None) -> int:
    """Rows of the future. None where the process was paused, or waited, since the instant that it
    measures at: what came meanwhile is not from the future."""
    waited = timedelta(0) if job.clock is None else job.clock.now() - job.now
    return 0 if scan is None or waited > WAITED else scan.future_loaded


def _view(job: Job, history: History, scan: Scan | None, note: HistoryNote) -> ExposureView:
    exposure, now = job.exposure, job.now
    start = plan.look_back_start(exposure, now)
    end = now + timedelta(seconds=1)
    name = history_name(exposure)
    rows = history.cells(name, ("",), start, end)
    watched = tuple(d.name for d in exposure.dimensions)
    cuts = (
        history.cells(name, watched, plan.cuts_start(exposure, now), end, merge_loads=True)
        if watched
        else Cells.empty()
    )
    recent = max(start, floor_to(now - max(RECENT, 28 * exposure.bucket), 86400))
    covered = history.covered_from(name)
    measured_from = start if covered is None else max(start, covered)
    told = note.changed_at is not None and now - note.changed_at < CHANGED_TOLD_FOR
    changed: tuple[Changed, ...] = note.changed if told and not job.as_of else ()
    since = job.state.watching_since
    return ExposureView(
        exposure=exposure,
        now=now,
        catalog=job.catalog,
        rows=rows,
        cuts=cuts,
        delays=history.cells(name, (DELAY,), recent, end),
        duplicates=history.cells(name, (DUPLICATE,), recent, end),
        bad_times=history.cells(name, (TIME,), recent, end),
        ledger=_with(_with({} if job.as_of else job.state.ledger, rows), cuts),
        measured_from=measured_from,
        watching_since=measured_from if since is None else min(since, measured_from),
        future_loaded=_future(job, scan),
        null_loaded=0 if scan is None else scan.null_loaded,
        changed=changed,
        approximate=job.as_of and not exposure.has_load_time,
        capped=() if scan is None else scan.capped,
        holidays=job.holidays,
        labels=job.state.labels,
    )


def _with(ledger: Ledger, cells: Cells) -> dict[SeriesKey, Seen]:
    """The ledger with the arrivals of these cells; nearly all are in it already."""
    merged = dict(ledger)
    first = cells.least(cells.first_loaded, 0).tolist()
    last = cells.most(cells.last_loaded, 0).tolist()
    for i, (key, count) in enumerate(zip(cells.keys, cells.cell_count.tolist(), strict=True)):
        if not count:
            continue
        known = merged.get(key)
        if known is None:
            merged[key] = Seen(from_epoch(first[i]), from_epoch(last[i]))
        elif first[i] < known.first_at.timestamp() or last[i] > known.last_at.timestamp():
            first_at, last_at = from_epoch(first[i]), from_epoch(last[i])
            merged[key] = Seen(min(first_at, known.first_at), max(last_at, known.last_at))
    return merged


def _arrived(scan: Scan) -> Ledger:
    """The ledger's part of a scan, without turning its millions of cells into objects."""
    table = scan.cells.select(["event_type", "dimension", "value", "first_loaded", "last_loaded"])
    # Threads are not worth waking for the few cells of a daemon's cycle.
    threads = table.num_rows > MANY_CELLS
    grouped = table.group_by(["event_type", "dimension", "value"], use_threads=threads).aggregate(
        [("first_loaded", "min"), ("last_loaded", "max")]
    )
    words = [
        grouped.column(name).cast(pa.string()).to_pylist()
        for name in ("event_type", "dimension", "value")
    ]
    times = [
        grouped.column(name).to_numpy().tolist() for name in ("first_loaded_min", "last_loaded_max")
    ]
    return {
        SeriesKey(event_type, dimension, value): Seen(from_epoch(first), from_epoch(last))
        for event_type, dimension, value, first, last in zip(*words, *times, strict=True)
        if not dimension.startswith("@")
    }


def as_seen_at(view: ExposureView, at: datetime) -> ExposureView:
    """The same exposure as it was to be seen a little earlier, for replaying how long a failure
    has lasted. Exact where cells are fine; see ``Cells.as_of``."""
    rows, cuts = view.rows.as_of(at), view.cuts.as_of(at)
    return replace(
        view,
        now=at,
        rows=rows,
        cuts=cuts,
        delays=view.delays.as_of(at),
        duplicates=view.duplicates.as_of(at),
        bad_times=view.bad_times.as_of(at),
        ledger={
            key: Seen(seen.first_at, min(seen.last_at, at))
            for key, seen in view.ledger.items()
            if seen.first_at <= at
        },
    )
