"""The buckets of one day, or of a part of it, and all about their windows that no level decides.

What a bucket teaches moves the level for the next one, so buckets are judged one by one. The sums over
their windows, seasons and spreads need not wait for that: they are made here for all buckets at once,
and so is what was said of them when the last one is through. Where the past itself is told anew
meanwhile (an alarm is over, yesterday was another kind of day), ``again`` makes the rest anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect import silence
from eventwatch.detect.panel import BoolArray, FloatArray
from eventwatch.detect.transform import EXACT_BELOW

if TYPE_CHECKING:
    from eventwatch.detect.engine import Pass

IntArray = NDArray[np.int64]

BACK_DAYS = (1, 2)
"""Days before a window whose levels are usual too."""
YOUNG_DOUBT = 0.03
AT_ONCE = 60_000
"""Numbers worked on at once: what does not fit the processor's cache is slow."""


@dataclass(frozen=True)
class Seasons:
    """What the seasons say of a stretch; arrays [n, S]."""

    usual: FloatArray
    """Without what is known of completeness and holidays."""
    effective: FloatArray
    unlike: FloatArray
    """On the other kind of day."""
    rough: FloatArray
    doubt: FloatArray
    """Relative variance of single buckets, and of a whole day."""
    of_day: FloatArray


class Stretch:
    """Mutable while its buckets are judged. Arrays of windows are laid out [n, W, S]."""

    def __init__(self, made: Pass, start: int, stop: int, seasons: Seasons) -> None:
        self.made, self.start, self.stop, self.seasons = made, start, stop, seasons
        ends = np.arange(start + 1, stop + 1)
        self.begin: IntArray = np.maximum(ends[:, None] - made.windows, 0)
        """[n, W] first bucket of each window."""
        self.inside = ends[:, None] - made.windows >= 0
        per_day = made.grain.per_day
        since = ends[:, None] - 1 - made.birth
        self.age = since / per_day
        """[n, S] days."""
        self.born = since >= 0
        self.seen = made.seen[start:stop]
        self.births = bool((since == 0).any())
        # Before its birth nothing about a series may depend on when that will be.
        young = np.minimum(np.maximum(1.0 - self.age / 3.0, 0.0), 1.0)
        self.young = YOUNG_DOUBT * young if (young > 0.0).any() else None
        shape = (stop - start, len(made.windows), made.series)
        names = ("observed", "usual", "roughness", "phi", "unsure", "own_z", "held", "z")
        arrays = [np.empty(shape) for _ in names]
        self.observed, self.usual, self.roughness, self.phi, self.unsure = arrays[:5]
        """``phi`` and ``unsure`` (the relative variance for what is not known) lack what is not known
        of the level, and ``phi`` the spread of sparse windows, until their bucket is judged."""
        self.own_z, self.held, self.z = arrays[5:]
        """``z`` is 0 where nothing can be judged."""
        self.scaled = np.empty((shape[0], 2, *shape[1:]))
        """[n, 2, W, S] z in the units of a normal variable, for rises and for falls."""
        self.raws = np.empty((shape[0], 2, made.series))
        self.tails = np.empty((shape[0], 2, made.series))
        self.common = np.zeros(shape[0])
        self.event = np.zeros(shape[0], dtype=bool)
        self.valid: BoolArray = np.empty(shape, dtype=bool)
        self.fresh = np.concatenate(
            [made.hot_for[None] <= made.grain.onset, np.empty((shape[0] - 1, made.series), bool)]
        )
        """[n, S] where scores are no old alarm's."""
        # Whether all reach back to where every series had lived for a day.
        back = self.begin.min() - max(BACK_DAYS) * per_day
        self.grown = bool(made.series and back >= made.birth.max() + per_day)
        self.again(start)
        self.judgeable(start)

    def judgeable(self, t: int) -> None:
        """Which windows can be judged from bucket ``t`` on: none that began before its series did, or
        before the level of now."""
        part = slice(t - self.start, None)
        valid = self.begin[part, :, None] >= self.made.reset
        valid &= (self.seen & self.born)[part, None, :]
        valid &= self.inside[part, :, None]
        self.valid[part] = valid
        self.all_valid = bool(valid.all())

    def again(self, t: int, columns: IntArray | None = None) -> None:
        """From bucket ``t`` on, of some series; None: of all."""
        made, of = self.made, self.seasons
        rows = slice(t, self.stop)
        part = slice(t - self.start, None)
        some = slice(None) if columns is None else columns
        season, seen = of.effective[part][:, some], self.seen[part][:, some]
        added = (
            (made.sum_x, made.x[rows][:, some]),
            (made.sum_s, season),
            (made.sum_d, of.doubt[part][:, some] * season**2),
            (made.sum_h, of.rough[part][:, some] * season),
            (made.sum_a, of.unlike[part][:, some] - season),
        )
        for sums, values in added:
            new = np.concatenate([sums[t : t + 1, some], np.where(seen, values, 0.0)])
            sums[t : self.stop + 1, some] = np.add.accumulate(new, axis=0)
        width = self.z.shape[1] * season.shape[1]
        step = max(AT_ONCE // max(width, 1), 1)
        for first in range(t - self.start, self.stop - self.start, step):
            self._fill(first, min(first + step, self.stop - self.start), columns)

    def _fill(self, first: int, last: int, columns: IntArray | None) -> None:
        made, begin = self.made, self.begin[first:last]
        some = slice(None) if columns is None else columns
        newest = slice(self.start + first + 1, self.start + last + 1)

        def over(sums: FloatArray) -> FloatArray:
            before = sums[begin] if columns is None else sums[begin[:, :, None], columns]
            return np.asarray(sums[newest, some][:, None] - before)

        part = (slice(first, last), slice(None), some)
        self.observed[part] = over(made.sum_x)
        usual = np.maximum(over(made.sum_s), 1e-6)
        self.usual[part] = usual
        roughness = np.maximum(over(made.sum_h), 1e-9) / usual
        self.roughness[part] = roughness
        self.phi[part] = made.spread.usual[:, some] * roughness
        # What is not known of single buckets averages out over a window, what is of the day does not.
        of_day = self.seasons.of_day[first:last, some]
        self.unsure[part] = over(made.sum_d) / usual**2 + of_day[:, None]

    def say(self) -> None:
        """Writes what was said of the buckets."""
        made, out, rows = self.made, self.made.out, slice(self.start, self.stop)
        falls = self.tails[:, 1] > self.tails[:, 0]
        single = np.maximum(self.tails[:, 0], self.tails[:, 1])
        # The first window that is as loud as the loudest, in the louder direction.
        best = np.zeros(falls.shape, dtype=np.int64)
        for k in range(len(made.windows) - 1, -1, -1):
            up = (self.scaled[:, 0, k] == self.raws[:, 0]) & ~falls
            down = (self.scaled[:, 1, k] == -self.raws[:, 1]) & falls
            np.copyto(best, k, where=up | down)
        count, windows, series = self.z.shape
        column = np.arange(series)
        at = (np.arange(count)[:, None] * windows + best) * series + column
        z = self.z.take(at)
        last = np.empty_like(single)
        for i in range(count):
            last[i] = made.last_out
            made.last_out = np.where(self.seen[i], single[i], made.last_out)
        score = np.maximum(made.grain.twice * np.minimum(single, last), single)
        self._silent(score, best, at)
        out.score[rows] = made.habit.score(np.where(self.seen, score, 0.0), self.fresh)
        out.z[rows] = np.where(falls, -self.raws[:, 1], self.raws[:, 0])
        out.own_z[rows] = self.own_z.take(at)
        out.window[rows] = np.where(single > 0, made.windows[best], 0)
        out.observed[rows] = self.observed.take(at)
        out.expected[rows] = self.held.take(at)
        out.spread[rows] = self.phi.take(at)
        scale = made.calibration.scale
        out.scale[rows] = np.where(z > 0, scale[0][best, column], scale[1][best, column])
        out.one_expected[rows] = np.where(self.born, self.held[:, 0], np.nan)
        out.one_spread[rows] = self.phi[:, 0]
        out.age[rows] = np.where(self.age >= 0, self.age, -1.0)
        out.common[rows], out.common_hot[rows] = self.common, self.event

    def _silent(self, score: FloatArray, best: IntArray, at: IntArray) -> None:
        """Raises ``score`` [n, S] where nothing came at all and counting alone says more; ``best`` is
        the window that spoke and ``at`` its place in the arrays of windows."""
        z = np.maximum(self.z.take(at), self.own_z.take(at))
        none = (self.observed.take(at) == 0) & (z < silence.FROM) & self.seen
        none &= self.held.take(at) < EXACT_BELOW
        if not none.any():
            return
        calibration = self.made.calibration
        farthest = silence.record(calibration.raws[:, 1], calibration.days)
        none &= self.raws[:, 1] > farthest
        none &= calibration.scale[1][best, np.arange(best.shape[1])] <= silence.STRAYS
        found = silence.score_of(z[none], calibration.looks[best[none]])
        score[none] = np.maximum(score[none], found)
