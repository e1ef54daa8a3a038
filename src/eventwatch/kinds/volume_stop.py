"""The fast test: did an event type stop a moment ago, before its hour can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.panel import Scored
from eventwatch.detect.rate import silence_p_value
from eventwatch.kinds.volume_panel import VolumePanel
from eventwatch.kinds.volume_share import FINE_BACK
from eventwatch.model.measurement import FINE

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STOP_P = 1e-8
"""The test is made every cycle at whatever moment the last row came: a chance so small is never
luck, even if a rate is off by half."""
SPREAD_AT_LEAST = 0.04
SLACK = 0.7
"""Only this part of what is expected is counted on: season and delays inside an hour are not known
better."""
CLOSED = 24
"""Closed buckets that say how much an event type strays."""
MOST_STOPPED = 0.5
"""More of the event types than this at once are the table's trouble, not theirs."""


@dataclass(frozen=True)
class Verdict:
    """Why an event type fails: which window of which row spoke."""

    row: int
    window: int
    """Buckets; 0: the silence since the last row."""
    z: float
    p_value: float | None = None
    expected: float = 0.0
    """Rows that should have come since the last one; only where ``window`` is 0."""


def stopped(panel: VolumePanel, scored: Scored) -> dict[int, Verdict]:
    """Event types (columns) whose silence since their last row cannot be luck."""
    if panel.grid.step > 3600 or not panel.grid.size:
        return {}
    t = panel.grid.size - 1
    rate, quiet, expected, chance = silences(panel, scored)
    old = scored.age[t] >= 1.0
    hit = (chance < STOP_P) & old & (quiet < FINE_BACK - 1)
    judged = old & (rate > 1.0)
    if judged.sum() >= 4 and hit.sum() > MOST_STOPPED * judged.sum():
        return {}
    return {
        int(s): Verdict(t, 0, -9.0, float(chance[s]), float(expected[s] / SLACK))
        for s in np.flatnonzero(hit)
        if not panel.silent_before(int(s))
    }


def silences(
    panel: VolumePanel, scored: Scored
) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
    """Of each event type [S]: usual rows in a whole bucket now, fine buckets since the last row, rows
    that are counted on in them, and the chance of none."""
    t = panel.grid.size - 1
    rate = scored.level[t] * np.where(
        panel.share[t] > 0, scored.season[t] / np.maximum(panel.share[t], 1e-4), 0.0
    )
    quiet = np.asarray((panel.at - panel.last_row) // FINE, dtype=np.int64)
    phase = panel.at % FINE / FINE
    expected = counted_on(rate / panel.grid.step, quiet, panel.fine, phase=phase)
    return rate, quiet, expected, chance_of_silence(expected, _spread(panel, scored))


def _spread(panel: VolumePanel, scored: Scored) -> FloatArray:
    """[S] of closed buckets: that of one that has just begun is mostly about what has not come yet,
    which ``counted_on`` allows for, and would hush the first minutes of every hour."""
    t = panel.grid.size - 1
    closed = scored.one_spread[max(t - CLOSED, 0) : t]
    return np.asarray(np.median(closed, axis=0) if len(closed) else scored.one_spread[t])


def counted_on(
    rate: FloatArray, quiet: IntArray, fine: FloatArray, *, phase: float = 0.0
) -> FloatArray:
    """Rows that at least should have come in ``quiet`` fine buckets of silence [S], where ``rate``
    rows come a second [S], ``fine`` is the part of a fine bucket that has arrived by its age, and
    ``phase`` the part of the newest one that is over."""
    silent = np.clip(quiet, 0, FINE_BACK - 1)
    arrived = np.cumsum(fine)[np.maximum(silent - 1, 0)] + phase * (fine[silent] - fine[0])
    expected = SLACK * rate * arrived * FINE
    return np.asarray(np.where(silent >= 2, expected, 0.0), dtype=np.float64)


def chance_of_silence(expected: FloatArray, spread: FloatArray) -> FloatArray:
    """Of no row where so many are counted on; ``spread`` is their relative variance."""
    return silence_p_value(expected, np.maximum(spread, SPREAD_AT_LEAST))
