"""Runs: the audit that records nothing, the cycle that does, and the sending of what is due."""

from __future__ import annotations

import atexit
import contextlib
import gc
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from structlog.contextvars import bound_contextvars

from eventwatch.alerting.causes_after import Past, past_of
from eventwatch.app.adapters import adapter
from eventwatch.app.heartbeat import Heart
from eventwatch.app.house import House, RunOptions, notifier, store, stuck_after
from eventwatch.app.telling import office_of, preview, tell
from eventwatch.app.tracing import set_up as set_up_tracing
from eventwatch.model.alert import Delivery, Outcome
from eventwatch.model.contract import Catalog
from eventwatch.model.errors import LeaseHeld
from eventwatch.model.holiday import Holiday
from eventwatch.model.incident import Board
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState, Lease
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.pipeline.cycle import Look, Watch, look, record_of
from eventwatch.pipeline.dead_letters import DeadLetters
from eventwatch.pipeline.deliver import Delivering, deliver
from eventwatch.pipeline.measure import history_name
from eventwatch.pipeline.plan import look_back_start
from eventwatch.pipeline.report import ExposureReport, Report
from eventwatch.pipeline.source import source_of
from eventwatch.ports.history import History
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import StateReader, Store
from eventwatch.ports.tracing import span

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Exposures measured side by side; each holds one connection and its share of memory."""
_LETTERS = DeadLetters()
"""Of the process, since it counts refusals by day."""
_swept: dict[Path, date] = {}
"""History → the day on which this process last looked for what nobody uses there."""
SEND_PATIENCE = timedelta(seconds=30)
"""How long a command that ends waits for a limited channel before it leaves the rest to the next."""


def audit(house: House, options: RunOptions) -> Report:
    """One look at each exposure; records nothing but the measurements, and for a past instant not
    even those."""
    now = house.clock.now() if options.at is None else options.at
    as_of = options.at is not None
    run_id = new_run_id(now)
    with _reader(house) as reader:
        watches = [
            _watch(house, house.catalog, exposure, reader, now=now, run_id=run_id, options=options)
            for exposure in house.chosen(options)
        ]
        # The past is told from its rows alone.
        board = None if reader is None or as_of else reader.board(now)
    history: History = adapter("memory")() if as_of else adapter("history")(house.settings.history)
    standings = None if as_of else adapter("standings")(house.settings.history)

    def seen_by(watch: Watch) -> Look:
        with bound_contextvars(run_id=run_id, exposure=watch.exposure.name):
            return seen_in(watch)

    def seen_in(watch: Watch) -> Look:
        if standings is None:
            return look(watch, house.warehouse, history, options.progress)
        name = history_name(watch.exposure)
        with standings.remembered(name):
            seen = look(watch, house.warehouse, history, options.progress)
        standings.save(name, now)
        return seen

    with ThreadPoolExecutor(AT_ONCE) as pool:
        looks = list(pool.map(seen_by, watches))
    return Report(
        run_id=run_id,
        at=now,
        exposures=tuple(seen.report for seen in looks),
        messages=_would_be_told(house, looks, board, now),
        fallback_team=house.settings.notify.fallback_team,
    )


def cycle(house: House, options: RunOptions) -> Report:
    """One full cycle of each exposure as the daemon's: takes the lease, records, sends.

    An exposure whose lease somebody else holds is reported as not measured.
    """
    now = house.clock.now()
    run_id = new_run_id(now)
    opened = store(house)
    history: History = adapter("history")(house.settings.history)
    place = Workplace(house, opened, history, house.catalog)
    from eventwatch.app.chart import drawer  # It looks at what this module measures.

    speaker = notifier(house.settings.notify, drawer(house, opened))
    heart = None if house.settings.heartbeat_url is None else Heart(house.settings.heartbeat_url)
    try:
        reports = [run_cycle(place, e, options, run_id) for e in house.chosen(options)]
        if heart is not None and reports and not any(report.error for report in reports):
            heart.beat()
        with bound_contextvars(run_id=run_id):
            told = tell(house, opened, speaker)
            outcomes = send_due(house, opened, speaker, patience=SEND_PATIENCE)
    finally:
        opened.close()
    if heart is not None:
        heart.wait()
    return Report(
        run_id=run_id,
        at=now,
        exposures=tuple(reports),
        messages=told.deliveries,
        outcomes=outcomes,
        recorded=True,
        fallback_team=house.settings.notify.fallback_team,
    )


def _would_be_told(
    house: House, looks: Sequence[Look], board: Board | None, now: datetime
) -> tuple[Delivery, ...]:
    """What a telling step would put into the outbox after these looks."""
    office = office_of(house, notifier(house.settings.notify).abilities)
    alerts = (alert for seen in looks for alert in seen.alerts)
    silences = tuple({s.id: s for seen in looks for s in seen.silences}.values())
    return preview(office, now, alerts, silences, board)


@dataclass(frozen=True)
class Workplace:
    """What recording cycles share."""

    house: House
    store: Store
    history: History
    catalog: Catalog
    trouble: str = ""
    """Why the contracts could not be read again; empty: they could."""
    refused: str = ""
    """Why a changed configuration was not taken; empty: the newest one is used."""
    holder: str = ""
    """Who takes the leases; empty: this process, by its host and number."""
    given_up: Callable[[], bool] = lambda: False
    """Asked before anything is recorded: True leaves the state as it was."""


def run_cycle(
    place: Workplace, exposure: Exposure, options: RunOptions, run_id: str
) -> ExposureReport:
    """Lease, look, commit, heartbeat: one exposure, once. Tells nobody yet. Every line that is logged
    meanwhile in this thread carries the run and the exposure."""
    set_up_tracing()
    with (
        bound_contextvars(run_id=run_id, exposure=exposure.name),
        span("cycle", run_id=run_id, exposure=exposure.name),
    ):
        return _run_cycle(place, exposure, options, run_id)


def _run_cycle(
    place: Workplace, exposure: Exposure, options: RunOptions, run_id: str
) -> ExposureReport:
    house, opened, history = place.house, place.store, place.history
    now = house.clock.now()
    try:
        lease = opened.take_lease(
            lease_name(exposure), place.holder or holder(), now, lease_time(exposure)
        )
    except LeaseHeld as error:
        return ExposureReport(exposure.name, now, error=str(error))
    try:
        watch = _watch(
            house, place.catalog, exposure, opened, now=now, run_id=run_id, options=options
        )
        trouble = _trouble(place)
        if trouble:
            watch = replace(watch, trouble=(_not_as_written(exposure, trouble),))
        began = house.clock.monotonic()
        name = history_name(exposure)
        standings = adapter("standings")(house.settings.history)
        with standings.remembered(name):
            seen = look(watch, house.warehouse, history, options.progress)
        elapsed = timedelta(seconds=house.clock.monotonic() - began)
        if place.given_up():
            return ExposureReport(exposure.name, now, error="given up before it was recorded")
        with span("commit", exposure=exposure.name):
            opened.commit_cycle(record_of(watch, seen, lease, elapsed))
        # A cache: it may be lost between the two, and is never needed.
        standings.save(name, now)
        if seen.measured is not None:
            history.forget_before(name, look_back_start(exposure, now) - timedelta(days=2))
            _sweep(house, now)
        opened.heartbeat(lease_name(exposure), house.clock.now())
        _keep_for_good()
        return seen.report
    except LeaseHeld as error:
        return ExposureReport(exposure.name, now, error=str(error))
    finally:
        _give(opened, lease)


def send_due(
    house: House,
    opened: Store,
    speaker: Notifier,
    *,
    patience: timedelta = timedelta(0),
    stop: Callable[[], bool] = lambda: False,
) -> tuple[tuple[Delivery, Outcome], ...]:
    """Sends what the outbox holds. One speaker per process: it remembers each channel's pace."""
    directory = house.directory()

    def fallback(delivery: Delivery, reason: str, now: datetime) -> Delivery | None:
        return _LETTERS.letter(delivery, reason, directory.fallback, now)

    work = Delivering(opened, speaker, house.clock, fallback, stuck_after(house.settings.notify))
    return deliver(work, patience=patience, sleep=time.sleep if patience else None, stop=stop)


def new_run_id(now: datetime) -> str:
    """Sortable by time, unique for ever."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def holder() -> str:
    """Names this process to people who meet its lease."""
    return f"{socket.gethostname()} pid {os.getpid()}"


@contextlib.contextmanager
def _reader(house: House) -> Iterator[StateReader | None]:
    reader: StateReader | None = adapter("reader")(house.settings.state)
    try:
        yield reader
    finally:
        if reader is not None:
            reader.close()


def _watch(
    house: House,
    catalog: Catalog,
    exposure: Exposure,
    reader: StateReader | None,
    *,
    now: datetime,
    run_id: str,
    options: RunOptions,
) -> Watch:
    as_of = options.at is not None
    state = ExposureState() if reader is None else reader.exposure_state(exposure.name, now)
    recording = options.at is None and state.watermark is not None
    if as_of:
        # The past is judged from its rows alone; what a person muted then is still muted.
        # So is what people said by then.
        state = ExposureState(silences=state.silences, labels=state.labels)
    return Watch(
        exposure=exposure,
        catalog=catalog,
        checks=tuple(house.loaded.checks),
        directory=house.directory(catalog),
        notify=house.settings.notify,
        state=state,
        remembers=recording,
        now=now,
        as_of=as_of,
        restriction=options.restriction,
        run_id=run_id,
        holidays=holidays_of(exposure, now),
        past=() if reader is None or as_of else _past(reader, exposure, now),
        clock=None if as_of else house.clock,
    )


def _past(reader: StateReader, exposure: Exposure, now: datetime) -> tuple[Past, ...]:
    """Causes that ended a while ago, which may still have after-effects."""
    known = reader.incidents(open_only=False)
    return past_of(known, exposure, source_of(exposure), now)


def holidays_of(exposure: Exposure, now: datetime) -> tuple[Holiday, ...]:
    """Holidays of the exposure's places over its look-back and the days around ``now``."""
    if not exposure.holidays:
        return ()
    first = look_back_start(exposure, now) - timedelta(days=2)
    last = now + timedelta(days=2)
    found: tuple[Holiday, ...] = adapter("holidays")(exposure.holidays, first.date(), last.date())
    return found


def _sweep(house: House, now: datetime) -> None:
    """Once a day: what was measured of exposures as they were configured long ago."""
    root, today = house.settings.history, now.date()
    if _swept.get(root) != today:
        _swept[root] = today
        used = [history_name(exposure) for exposure in house.settings.exposures]
        adapter("orphans")(root, used, now)


@lru_cache(maxsize=1)
def _keep_for_good() -> None:
    """After the first cycle, all that the process will ever import is there: the collector need not
    look at a million objects again and again, which costs as much as half a cycle."""
    gc.freeze()
    # Who looks for leaks at the end shall find none.
    atexit.register(gc.unfreeze)


def _trouble(place: Workplace) -> str:
    """What of contracts and config is not as it was last written; empty: nothing."""
    if place.refused:
        return f"the changed configuration is refused, the old one is used: {place.refused}"
    if place.trouble:
        return f"contracts could not be read, the last good ones are used: {place.trouble}"
    return ""


def _not_as_written(exposure: Exposure, trouble: str) -> Result:
    return Result(
        exposure=exposure.name,
        kind=KindName.DRIFT,
        aspect="unreadable",
        status=Status.ERROR,
        severity=Severity.WARNING,
        summary=trouble,
    )


def lease_name(exposure: Exposure) -> str:
    """Under which the right to run its cycles is taken."""
    return f"exposure:{exposure.name}"


def lease_time(exposure: Exposure) -> timedelta:
    """Long enough for the slowest honest cycle: waiting for a lock, three statements, the rest."""
    return exposure.lock_wait + 3 * exposure.query_timeout + timedelta(minutes=2)


def _give(opened: Store, lease: Lease) -> None:
    try:
        opened.give_lease(lease)
    except Exception:
        log.warning("the lease %s could not be given back; it ends by itself", lease.name)
