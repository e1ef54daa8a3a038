"""The few thousand rows that ``eventwatch init`` writes, so that the first audit has data to read."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eventwatch.config.template import EVENT_TYPE, PLATFORMS

DAYS = 35
PER_HOUR = 12.0


def write_sample(path: Path, now: datetime, seed: int = 7) -> int:
    """Writes DAYS days of one event type up to ``now`` (aware), more by day than by night, and gives
    the number of rows. Equal arguments make an equal file. Raises OSError."""
    random = np.random.default_rng(seed)
    hours = DAYS * 24
    start = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    of_day = (start.hour + np.arange(hours + 1)) % 24
    rates = PER_HOUR * (1 + 0.6 * np.sin((of_day - 9) / 24 * 2 * np.pi))
    counts = random.poisson(rates)
    first = int(start.timestamp() * 1e6)
    hour_starts = np.repeat(first + np.arange(hours + 1) * 3_600_000_000, counts)
    occurred = hour_starts + random.integers(0, 3_600_000_000, len(hour_starts))
    loaded = occurred + (random.gamma(2.0, 20.0, len(occurred)) * 1e6).astype(np.int64)
    end = int(now.timestamp() * 1e6)
    arrived = np.sort(np.flatnonzero(loaded < end))
    order = arrived[np.argsort(loaded[arrived], kind="stable")]
    instant = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "event_id": pa.array([f"e{i:07d}" for i in range(len(order))]),
            "event_type": pa.array([EVENT_TYPE] * len(order)),
            "occurred_at": pa.array(occurred[order]).cast(instant),
            "loaded_at": pa.array(loaded[order]).cast(instant),
            "platform": pa.array(
                random.choice(PLATFORMS, len(order), p=(0.4, 0.35, 0.25)).tolist()
            ),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    # A file that changed a moment ago may still be being written, so readers wait; this one is done.
    before = now.timestamp() - 60
    os.utime(path, (before, before))
    return len(order)
