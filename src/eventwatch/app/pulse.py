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
    late = tuple(
        line
        for exposure in loaded.settings.exposures
        if (line := _late(exposure, reader, now, longest_wait(exposure, now)))
    )
    refused = _refused(reader, now)
    return (*late, refused) if refused else late


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
    allowed = MISSES * wait + exposure.query_timeout + exposure.lock_wait
    if now - beat <= allowed:
        return ""
    return (
        f"{exposure.name}: the last cycle ended {format_duration(now - beat)} ago, "
        f"though one is due every {format_duration(wait)}"
    )
