"""The long-running process: every exposure on its own schedule, and a clean stop.

The only file that knows a scheduler. APScheduler decides when; leases, deadlines and what was done
are kept elsewhere.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from datetime import datetime, timedelta
from itertools import pairwise
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from eventwatch import app
from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.model.errors import EventwatchError
from eventwatch.model.settings import Exposure
from eventwatch.ports.history import History
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

SEND_EVERY = timedelta(seconds=5)
GRACE_SECONDS = 6.0
"""How long running work may take to end after a signal; container engines kill after ten."""
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Daemon:
    """Runs until it is told to stop."""

    def __init__(self, house: app.House) -> None:
        self._house = house
        self._stop = threading.Event()
        self._store: Store = app.store(house)
        self._history: History = app.adapter("history")(house.settings.history)
        self._speaker: Notifier = app.notifier(house.settings.notify)
        self._keeper: CatalogKeeper = app.keeper(house)
        exposures = house.settings.exposures
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={
                "default": {"type": "threadpool", "max_workers": min(len(exposures), 8)},
                "sending": {"type": "threadpool", "max_workers": 1},
            },
            # Late is better than never, once is enough, and never two of one exposure at a time.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def serve(self) -> int:
        """Blocks until SIGTERM, SIGINT or ``stop``; 0 after a clean stop, 70 when the scheduler
        died."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        self._scheduler.add_listener(_note, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        for exposure in self._house.settings.exposures:
            self._scheduler.add_job(
                self._cycle,
                trigger(exposure),
                args=[exposure],
                id=f"exposure:{exposure.name}",
                next_run_time=self._house.clock.now(),
            )
        self._scheduler.add_job(
            self._send,
            IntervalTrigger(seconds=SEND_EVERY.total_seconds(), timezone="UTC"),
            id="sending",
            executor="sending",
        )
        self._scheduler.start()
        log.info("watching %d exposures", len(self._house.settings.exposures))
        while not self._stop.wait(1.0):
            thread = getattr(self._scheduler, "_thread", None)
            if thread is not None and not thread.is_alive():
                log.critical("the scheduler died")
                return 70
        return self._shut_down()

    def stop(self) -> None:
        """Asks for a clean stop; returns at once."""
        self._stop.set()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        self._stop.set()

    def _cycle(self, exposure: Exposure) -> None:
        if self._stop.is_set():
            return
        catalog, trouble = self._keeper.current()
        run_id = app.new_run_id(self._house.clock.now())
        try:
            report = app.run_cycle(
                app.Workplace(self._house, self._store, self._history, catalog, trouble),
                exposure,
                app.RunOptions(),
                run_id,
            )
            app.tell(self._house, self._store, self._speaker, catalog)
        except EventwatchError as error:
            log.error("%s: the cycle was not recorded: %s", exposure.name, error)
            return
        log.info(
            "%s: %s",
            exposure.name,
            report.error or f"{report.rows_read} rows read, {len(report.findings)} findings",
        )

    def _send(self) -> None:
        try:
            # Reminders, ends of silences and flush windows come due without a cycle.
            app.tell(self._house, self._store, self._speaker, self._keeper.current()[0])
            app.send_due(self._house, self._store, self._speaker, stop=self._stop.is_set)
        except EventwatchError as error:
            log.error("messages wait: %s", error)

    def _shut_down(self) -> int:
        self._scheduler.shutdown(wait=False)
        executors = getattr(self._scheduler, "_executors", {})
        deadline = time.monotonic() + GRACE_SECONDS
        busy = [
            thread
            for executor in executors.values()
            for thread in getattr(getattr(executor, "_pool", None), "_threads", ())
        ]
        for thread in busy:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in busy):
            # The state is changed in single transactions, so a cut cycle leaves nothing half done;
            # waiting longer would only end in a kill.
            log.warning("work was still running after %.0f s and was cut", GRACE_SECONDS)
            logging.shutdown()
            os._exit(0)
        self._store.close()
        log.info("stopped")
        return 0


def serve(house: app.House) -> int:
    """Runs the daemon in this thread."""
    return Daemon(house).serve()


def trigger(exposure: Exposure) -> IntervalTrigger | CronTrigger:
    """The exposure's schedule. Cron weekdays are cron's (0 and 7 are Sunday), in UTC."""
    if exposure.cron is None:
        return IntervalTrigger(seconds=exposure.every.total_seconds(), timezone="UTC")
    minute, hour, day, month, weekday = exposure.cron.split()
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=weekday_names(weekday),
        timezone="UTC",
    )


def longest_wait(exposure: Exposure, now: datetime) -> timedelta:
    """The longest time between two cycles that the schedule leaves, over the next ten."""
    if exposure.cron is None:
        return exposure.every
    schedule, fires = trigger(exposure), [now]
    for _ in range(10):
        following = schedule.get_next_fire_time(fires[-1], fires[-1])
        if following is None:
            break
        fires.append(following)
    return max((b - a for a, b in pairwise(fires[1:])), default=timedelta(days=1))


def weekday_names(field: str) -> str:
    """Cron's weekday numbers as names: APScheduler counts from Monday, cron from Sunday.

    Ranges are written out, so that one over the week's end keeps its meaning. Raises ValueError.
    """
    if field in ("*", "?"):
        return "*"
    names: list[str] = []
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = 0 if first == "*" else _weekday(first)
        end = 6 if first == "*" else (_weekday(last) if last else (6 if step else start))
        if end < start:
            end += 7
        names.extend(_DAYS[d % 7] for d in range(start, end + 1, int(step) if step else 1))
    return ",".join(dict.fromkeys(names))


def _weekday(text: str) -> int:
    number = int(text) if text.isdigit() else _DAYS.index(text)
    if not 0 <= number <= 7:
        raise ValueError(f"{text} is no weekday: 0 to 7 or sun to sat")
    return number


def _note(event: JobExecutionEvent) -> None:
    error = getattr(event, "exception", None)
    if error is None:
        log.warning("%s: the run before has not ended; this one is skipped", event.job_id)
    else:
        log.error("%s: the run failed", event.job_id, exc_info=error)
