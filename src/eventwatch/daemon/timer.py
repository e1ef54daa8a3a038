"""APScheduler as an alarm clock: it says that an exposure may be due, and nothing more.

What is due, what was missed and what runs is decided elsewhere, so none of its defaults matter: jobs
take no time (they only put a name into a queue), are rebuilt at every start, and are asked again at
once whenever the machine's clock jumps, which it would not notice by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

NextStart = Callable[[], datetime | None]
"""The next start on the machine's clock; None: there is none."""
_AT_LEAST = timedelta(seconds=0.5)
"""Between two alarms of one job, whatever its next start says."""
_NEVER = timedelta(days=1)


class Alarm(BaseTrigger):  # type: ignore[misc]
    """Asks its owner when it is to go off."""

    def __init__(self, next_start: NextStart) -> None:
        self._next_start = next_start

    def get_next_fire_time(
        self,
        previous_fire_time: datetime | None,  # noqa: ARG002
        now: datetime,
    ) -> datetime | None:
        """APScheduler's question. A job without a time would be removed, so it gets a far one."""
        at = self._next_start()
        return max(now + _AT_LEAST, now + _NEVER if at is None else at).astimezone(UTC)


class Timer:
    """Jobs by name, each with an alarm."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # Jobs run in the scheduler's own thread: there is no pool that could starve.
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """From now on alarms go off."""
        self._scheduler.start()

    @property
    def thread(self) -> threading.Thread | None:
        """Where alarms go off; None: it was not started, or has ended."""
        thread: threading.Thread | None = getattr(self._scheduler, "_thread", None)
        return thread

    def set(self, name: str, next_start: NextStart, ring: Callable[[str], None]) -> None:
        """Goes off at once and then whenever ``next_start`` says. ``ring`` must return at once."""
        self._scheduler.add_job(
            ring,
            Alarm(next_start),
            args=[name],
            id=name,
            next_run_time=datetime.now(UTC),
            replace_existing=True,
        )

    def remove(self, name: str) -> None:
        """It goes off no more."""
        try:
            self._scheduler.remove_job(name)
        except JobLookupError:
            return

    def ring_all(self) -> None:
        """Every alarm goes off now, and asks for its next time again."""
        for job in self._scheduler.get_jobs():
            try:
                job.modify(next_run_time=datetime.now(UTC))
            except JobLookupError:
                continue
        self._scheduler.wakeup()

    def stop(self) -> None:
        """No further alarm; returns at once, even when its thread hangs."""
        if self._scheduler.running:
            threading.Thread(
                target=self._scheduler.shutdown, kwargs={"wait": False}, daemon=True
            ).start()
