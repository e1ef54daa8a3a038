"""The fast test: did an event type stop a moment ago, before its hour can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eventwatch.detect.panel import Scored
from eventwatch.detect.rate import silence_p_value
from eventwatch.kinds.volume_panel import FINE_BACK, VolumePanel
from eventwatch.model.measurement import FINE

STOP_P = 1e-9
"""The test is made every cycle at whatever moment the last row came: a chance so small is never
luck, even if a rate is off by half."""
SPREAD_AT_LEAST = 0.04
SLACK = 0.6
"""Only this part of what is expected is counted on: season and delays inside an hour are not known
better."""
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
    rate = scored.level[t] * np.where(
        panel.share[t] > 0, scored.season[t] / np.maximum(panel.share[t], 1e-4), 0.0
    )
    fines = np.arange(1, FINE_BACK)
    quiet = (panel.at - panel.last_row) // FINE
    arrived = np.cumsum(panel.fine)
    silent = np.clip(quiet, 0, FINE_BACK - 1)
    expected = SLACK * rate * arrived[np.maximum(silent - 1, 0)] * FINE / panel.grid.step
    expected = np.where(silent >= 2, expected, 0.0)
    spread = np.maximum(scored.one_spread[t], SPREAD_AT_LEAST)
    chance = silence_p_value(expected, spread)
    old = scored.age[t] >= 1.0
    hit = (chance < STOP_P) & old & (quiet < len(fines))
    judged = old & (rate > 1.0)
    if judged.sum() >= 4 and hit.sum() > MOST_STOPPED * judged.sum():
        return {}
    return {
        int(s): Verdict(t, 0, -9.0, float(chance[s]), float(expected[s] / SLACK))
        for s in np.flatnonzero(hit)
    }
