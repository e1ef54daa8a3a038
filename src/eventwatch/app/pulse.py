"""Whether the daemon is alive, told from outside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from eventwatch.app.adapters import adapter
from eventwatch.app.house import SystemClock
from eventwatch.config.load import Loaded
from eventwatch.model.durations import format_duration
from eventwatch.model.settings import Exposure
from eventwatch.pipeline.deliver import REFUSED_BEAT, SENT_BEAT
from eventwatch.ports.store import StateReader

DAEMON_BEAT, STEADY_BEAT, STOPPED_BEAT = "daemon", "daemon:steady", "daemon:stopped"
"""Heartbeats of the daemon as a whole: by the machine's clock, by its own at the same moment, and
when it was last stopped on purpose. Each went through the scheduler and into the state."""
DAEMON_SILENT = timedelta(seconds=30)
"""A beat is due every ten seconds; a state that is busy may take two of them."""
MISSES = 3
"""Cycles an exposure may be late by: one may be slow and one be skipped for it."""


def late_exposures(
    config: Path, longest_wait: Callable[[Exposure, datetime], timedelta]
) -> tuple[str, ...]:
    """One line per exposure without a recent heartbeat. ``longest_wait`` gives the time between two
    cycles by the schedule. Raises ConfigError and StoreError; contracts are not read."""
    loaded: Loaded = adapter("config")(config, os.environ)
    now = SystemClock().now()
    reader: StateReader | None = adapter("reader")(loaded.settings.state)
    if reader is None:
        return ("no cycle was ever recorded; `eventwatch run` starts the daemon",)
    try:
        return late_in(loaded, reader, now, longest_wait)
    finally:
        reader.close()


def late_in(
    loaded: Loaded,
    reader: StateReader,
    now: datetime,
    longest_wait: Callable[[Exposure, datetime], timedelta],
) -> tuple[str, ...]:
    """The same of a config and a state that are open."""
    # The daemon's own clock may rightly differ from the machine's, which somebody just set.
    beat, steady = reader.last_heartbeat(DAEMON_BEAT), reader.last_heartbeat(STEADY_BEAT)
    its_now = now if beat is None or steady is None else now - (beat - steady)
    lines = (
        _silent(reader, now),
        *(
            _late(exposure, reader, its_now, longest_wait(exposure, its_now))
            for exposure in loaded.settings.exposures
        ),
        _refused(reader, now),
    )
    return tuple(line for line in lines if line)


def _silent(reader: StateReader, now: datetime) -> str:
    """Whether a daemon that should run gives no sign; it never ran, or was stopped: it need not."""
    beat, stopped = reader.last_heartbeat(DAEMON_BEAT), reader.last_heartbeat(STOPPED_BEAT)
    if beat is None or (stopped is not None and stopped >= beat):
        return ""
    if now - beat <= DAEMON_SILENT:
        return ""
    return (
        f"the daemon gave its last sign {format_duration(now - beat)} ago, though one is due every "
        "10 s; it died or hangs: see its log, and start it again"
    )


def _refused(reader: StateReader, now: datetime) -> str:
    refused, sent = reader.last_heartbeat(REFUSED_BEAT), reader.last_heartbeat(SENT_BEAT)
    if refused is None or (sent is not None and sent >= refused):
        return ""
    return (
        f"messages were refused as a whole {format_duration(now - refused)} ago and none was accepted "
        "since; `eventwatch doctor` says why"
    )


def _late(exposure: Exposure, reader: StateReader, now: datetime, wait: timedelta) -> str:
    beat = reader.last_heartbeat(f"exposure:{exposure.name}")
    if beat is None:
        return f"{exposure.name}: no cycle was ever recorded"
    if now - beat <= allowed_age(exposure, wait):
        return ""
    return (
        f"{exposure.name}: the last cycle ended {format_duration(now - beat)} ago, "
        f"though one is due every {format_duration(wait)}"
    )


def allowed_age(exposure: Exposure, wait: timedelta) -> timedelta:
    """How long ago the last cycle may have ended; ``wait``: the time between two by the schedule."""
    return MISSES * wait + exposure.query_timeout + exposure.lock_wait
