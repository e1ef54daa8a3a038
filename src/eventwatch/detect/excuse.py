"""What people said is usual: counts that are no news when they come again in the same slot of the week.

A batch that runs every Sunday at three is an outlier to any average. Once a person has said that it is
not a problem, that slot may hold anything from its season to what came then. Other slots are judged as
before, and so is what lies beyond.
"""

from __future__ import annotations

import numpy as np

from eventwatch.detect.panel import BoolArray, FloatArray, Panel


class Excuses:
    """Mutable while a pass runs; one per pass. All in units of the level, as the season is.

    Without labels in the panel it excuses nothing.
    """

    def __init__(self, panel: Panel) -> None:
        series = panel.counts.shape[1]
        self.active = panel.labels is not None
        self.windows = np.array(panel.grain.windows, dtype=np.int64)
        slots = 7 * panel.grain.slots_per_day if self.active else 1
        self.low = np.full((slots, series), np.inf)
        self.high = np.zeros((slots, series))
        # Cumulated [short, beyond] of the newest buckets, as far as the longest window reaches.
        reach = int(self.windows.max()) + 1 if self.active else 1
        self.recent = np.zeros((reach, 2, series))

    def expected(
        self,
        t: int,
        panel: Panel,
        level: FloatArray,
        *,
        season: FloatArray,
        observed: FloatArray,
        usually: FloatArray,
    ) -> FloatArray:
        """What is expected in the windows [W, S] that end with bucket ``t``: of what they may hold by
        what people said, the count nearest to what came. At least a little.

        ``season`` [S] includes how complete the bucket can be; ``observed`` and ``usually`` are [W, S].
        Every bucket must be shown once, in order.
        """
        if not self.active or panel.labels is None:
            return np.maximum(usually, 1e-6)
        slot = int(panel.clock.week[t])
        seen = np.isfinite(panel.counts[t])
        share = 1.0 if panel.share is None else panel.share[t]
        said = (panel.labels[t] < 0) & seen
        came = panel.counts[t] / np.maximum(level * share, 1e-9)
        self.low[slot] = np.where(said, np.minimum(self.low[slot], came), self.low[slot])
        self.high[slot] = np.where(said, np.maximum(self.high[slot], came), self.high[slot])
        short = np.where(seen, np.fmin(self.low[slot] * share - season, 0.0), 0.0)
        beyond = np.where(seen, np.fmax(self.high[slot] * share - season, 0.0), 0.0)
        self.recent[:-1] = self.recent[1:]
        self.recent[-1] = self.recent[-2] + np.stack([short, beyond])
        inside = self.recent[-1][None] - self.recent[-1 - self.windows]
        low = np.maximum(usually + level * inside[:, 0], 0.0)
        return np.maximum(np.clip(observed, low, usually + level * inside[:, 1]), 1e-6)

    def forget(self, columns: BoolArray) -> None:
        """These series have another level now: what was said was about the old one."""
        self.low[:, columns] = np.inf
        self.high[:, columns] = 0.0
        self.recent[:, :, columns] = 0.0
