"""The other level of a series: the one it had before a new one was accepted, or one that a person said
is no problem.

Counts there, or between the two, are no news. When evidence has gathered that the series is at the
other one, that becomes the level, and the level the other one. So the way back after an acceptance is
quiet, and so is what a person accepted.
"""

from __future__ import annotations

import numpy as np

from eventwatch.detect.panel import BoolArray, FloatArray, Panel

ENOUGH = 9.0
"""Logarithm of the odds for the other level from which on it is the level: chance alone has them once
in thousands of buckets."""
SHOWS = 4.0
"""The same, from which on counts between the two are no news."""
AT_ONCE = 5.0
"""Most that one bucket can say: two at least must agree."""
NEWEST = 12
"""Part of the buckets acceptance takes over which the level of a labelled span is measured."""
LEAST = 0.3
"""Rows that stand for none: a level is never 0."""
MOVED = 0.25
"""Logarithm of the change from which on a level is another one."""
NOTHING = 0.2
"""Part of the present level under which a former one is not a way back but a stop."""
RETURN = 5
"""For so many times the buckets that acceptance takes, the level before it is remembered."""


class OtherLevel:
    """Mutable while a pass runs; one per pass."""

    def __init__(self, series: int) -> None:
        self.level = np.full(series, np.nan)
        self.until = np.full(series, -1, dtype=np.int64)
        self.evidence = np.zeros(series)
        self.against = np.zeros(series)
        self.trial = np.zeros(series, dtype=bool)
        """By a label: forgotten as soon as the series is where it was."""
        self.before = np.zeros(series)
        """Level when the last alarm began; 0: there was none, or it is told already."""

    def remember(
        self, chosen: BoolArray, level: FloatArray, until: int, now: FloatArray | None = None
    ) -> None:
        """``level`` [S] is the other one of the chosen series before bucket ``until``, unless it is
        next to nothing beside what they send ``now`` [S]: that a type stops is always news."""
        kept = chosen if now is None else chosen & (level >= NOTHING * now)
        self.level = np.where(kept, level, np.where(chosen, np.nan, self.level))
        self.until = np.where(kept, until, np.where(chosen, -1, self.until))
        self.evidence = np.where(chosen, 0.0, self.evidence)
        self.against = np.where(chosen, 0.0, self.against)
        self.trial &= ~chosen

    def follow(
        self, t: int, panel: Panel, level: FloatArray, *, began: BoolArray, over: BoolArray
    ) -> None:
        """A level may also be left without being accepted, when an alarm ends because the level came
        after the counts, or when a person said that they are no problem. ``began`` [S]: an alarm
        begins after a day without one; ``over`` [S]: one ended lately, and there is none."""
        if panel.labels is not None:
            said = panel.labels[t] < 0
            began = began | (said & (panel.labels[max(t - 1, 0)] >= 0) & (self.before <= 0))
        self.before = np.where(began, level, self.before)
        left = over & (self.before > 0) & (self.until <= t)
        if not left.any():
            return
        moved = np.abs(np.log(np.maximum(level, 1e-9) / np.maximum(self.before, 1e-9))) > MOVED
        left &= moved
        if not left.any():
            return
        self.remember(left, self.before, t + RETURN * panel.grain.accept, level)
        self.before = np.where(left, 0.0, self.before)

    def accept(self, t: int, panel: Panel, season: FloatArray) -> None:
        """What came in the labelled buckets up to ``t`` is no news in the day after them; ``season``
        [T, S] includes how complete buckets can be."""
        if panel.labels is None:
            return
        # The newest of them: a span that a person names seldom begins where the counts change.
        last = slice(max(t + 1 - max(panel.grain.accept // NEWEST, 2), 0), t + 1)
        counts = panel.counts[last]
        said = (panel.labels[last] < 0) & np.isfinite(counts)
        usual = np.where(said, season[last], 0.0).sum(axis=0)
        total = np.maximum(np.where(said, counts, 0.0).sum(axis=0), LEAST)
        level = total / np.maximum(usual, 1e-6)
        chosen = (panel.labels[t] < 0) & (usual > 0)
        self.remember(chosen, level, t + 1 + max(panel.grain.per_day, 2))
        self.trial |= chosen

    def known(self, t: int) -> bool:
        """Whether any series has another level at bucket ``t``."""
        return bool((self.until > t).any())

    def undecided(self, t: int) -> BoolArray:
        """[S] whether it must show which of two levels a series has: until then it learns neither."""
        return np.asarray(self.trial & (self.until > t))

    def between(self, t: int, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The range of levels [W, S] that are no news at bucket ``t``, widened by the other one."""
        known = self.until > t
        if not known.any():
            return low, high
        # Only where it shows: two levels that are always usual would make everything look calm, and
        # the series would be calibrated to that.
        known &= self.trial | (self.evidence > SHOWS)
        level = np.where(known, self.level, np.nan)
        before = np.where(known & self.trial & (self.before > 0), self.before, np.nan)
        low, high = np.fmin(low, level), np.fmax(high, level)
        return np.fmin(low, before), np.fmax(high, before)

    def change(self, t: int, panel: Panel, changed: BoolArray, level: FloatArray) -> FloatArray:
        """The levels after some changed to the other one, which is now the former."""
        former = np.where(self.trial & (self.before > 0), self.before, level)
        new = np.where(changed, self.level, level)
        self.remember(changed, former, t + RETURN * panel.grain.accept, new)
        self.before = np.where(changed, 0.0, self.before)
        return np.asarray(new, dtype=np.float64)

    def reached(self, t: int) -> BoolArray:
        """[S] which series have come to their other level."""
        return np.asarray((self.until > t) & (self.evidence > ENOUGH))

    def weigh(
        self, t: int, came: FloatArray, season: FloatArray, level: FloatArray, phi: FloatArray
    ) -> None:
        """Adds what bucket ``t`` says of where each series is; all [S], ``season`` 0 where nothing is
        to be said, ``phi`` the relative variance beyond Poisson. For every bucket, once, first.

        Page's cumulated sum of log likelihood ratios (1954), tempered by what counts stray beyond
        Poisson.
        """
        known = (self.until > t) & np.isfinite(self.level)
        if not known.any():
            return
        here = np.maximum(level * season, 1e-3)
        there = np.maximum(np.where(known, self.level, 0.0) * season, 1e-3)
        ratio = came * np.log(there / here) - (there - here)
        ratio = ratio / (1.0 + phi * np.maximum(here, there))
        ratio = np.where(known & (season > 0), np.clip(ratio, -AT_ONCE, AT_ONCE), 0.0)
        self.evidence = np.maximum(self.evidence + ratio, 0.0)
        self.against = np.maximum(self.against - ratio, 0.0)
        self.until = np.where(self.trial & (self.against > ENOUGH), t, self.until)
