"""One trial: a possible future of all event types in which a change begins at some moment of the
coming day, and the smallest change in it that is told.

The state, the thresholds and the verdict are those of the live check; the counts are drawn. All event
types change in the same trial, but each alone: the others are heard as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.ahead import Ahead, Future, Noted, Scripted
from eventwatch.detect.clock import clock_of
from eventwatch.detect.panel import Panel
from eventwatch.detect.settings import DAY, grain
from eventwatch.detect.standing import near_buckets
from eventwatch.detect.witness import Common
from eventwatch.kinds.blind_futures import DROPS, UNCHANGED, Rates, Timing, rates, timing
from eventwatch.kinds.blind_promises import Course, told_by_promise
from eventwatch.kinds.volume import Subject, bars_of, settings_of
from eventwatch.kinds.volume_calendar import holiday_marks, label_marks
from eventwatch.kinds.volume_panel import Grid, VolumePanel, grid_of
from eventwatch.kinds.volume_share import FINE_BACK
from eventwatch.kinds.volume_stop import STOP_P, chance_of_silence, counted_on
from eventwatch.kinds.volume_verdict import failing
from eventwatch.model.contract import Direction
from eventwatch.model.measurement import FINE
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

HORIZONS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
TRIALS = 30
SEED = 20_260_101
WIDE = 600
"""Columns that one step of the detector takes hardly longer for than for one."""
NONE = len(DROPS)
"""Place beyond the largest change that is tried: nothing is told. As many rises are tried as drops."""


@dataclass(frozen=True)
class Stage:
    """Everything one grain's trials start from."""

    view: ExposureView
    panel: VolumePanel
    grid: Grid
    """That of the panel, and two days more."""
    whole: Ahead
    """After the newest complete bucket."""
    holiday: FloatArray | None

    @staticmethod
    def of(view: ExposureView, panel: VolumePanel) -> Stage:
        """Runs the detector over the past, once."""
        step, zone = panel.grid.step, view.exposure.time_zone
        start = int(view.measured_from.timestamp())
        grid = grid_of(start, max(panel.at, start) + 3 * DAY, step, zone)
        settings, size = settings_of(view), panel.grid.size - 1
        clock = clock_of(grid.edges[:-1], grain(step), settings)
        marks = holiday_marks(view, grid)
        labels = label_marks(view, panel.grid, view.rows.keys)
        past = Panel(
            counts=panel.counts[:size],
            clock=clock.part(0, size),
            grain=grain(step),
            share=panel.share[:size],
            doubt=panel.doubt[:size],
            holiday=None if marks is None else marks[:size],
            labels=None if labels is None else labels[:size],
        )
        return Stage(view, panel, grid, Ahead.of(past, settings), marks)

    def future(
        self, known: int, counts: FloatArray, share: FloatArray, doubt: FloatArray
    ) -> Future:
        """The buckets after the ``known`` first ones; ``share`` and ``doubt`` [F]."""
        part = slice(known, known + len(counts))
        clock = clock_of(self.grid.edges[part], self.whole.made.grain, self.whole.made.settings)
        marks = None if self.holiday is None else self.holiday[part]
        wide = np.ones((1, counts.shape[1]))
        return Future(counts, clock, marks, share[:, None] * wide, doubt[:, None] * wide)


@dataclass(frozen=True)
class _Start:
    """All series when the change begins, and what comes of them if nothing happens."""

    ahead: Ahead
    said: list[Common]
    """By the witness, for each bucket from then on."""
    rate: FloatArray
    """[F, n] rows a second that are usual."""
    spread: FloatArray
    """[F, n]."""


class Trial:
    """One possible future of ``count``. Equal numbers give equal futures."""

    def __init__(
        self, stage: Stage, subjects: Sequence[Subject], number: int, count: int = TRIALS
    ) -> None:
        self.stage, self.subjects = stage, subjects
        self.rng = np.random.default_rng([SEED, number, stage.grid.step])
        self.columns = np.array([s.column for s in subjects], dtype=np.int64)
        self.bars = bars_of(subjects)
        self.hold = np.array([s.check.hold.total_seconds() for s in subjects], dtype=np.float64)
        edges = stage.grid.edges
        # One change in each part of the coming day, so that every hour of it is asked.
        self.begins_at = stage.panel.at + (number + self.rng.random()) / count * DAY
        self.first = int(np.searchsorted(edges, self.begins_at, side="right")) - 1
        width = edges[self.first + 1] - edges[self.first]
        self.begins = float((self.begins_at - edges[self.first]) / width)
        self.before = self.first - stage.whole.known
        """Buckets that are still as usual."""
        self.day = self._timing(HORIZONS[-1])
        self.rates = self._rates(self.before + len(self.day.share))
        self.quiet = self.rates.usual(self.rng)

    def run(self) -> tuple[IntArray, FloatArray]:
        """Places in DROPS and RISES of the smallest changes told [horizons, 2, n], and seconds until
        a stop is told [n]; infinity: not within the longest horizon."""
        start = self._start()
        counts = self._changed(self.day)
        course = Course(
            self.stage.grid,
            self.first,
            self.begins_at,
            self.quiet[: self.before, self.columns],
            counts,
            self.day.looks,
        )
        promised = told_by_promise(self.stage.view, self.stage.panel, self.subjects, course)
        by_counts = self._told(start, self.day, counts[0], np.arange(len(self.subjects)))
        by_counts = np.where(self.bars.drops, by_counts, np.inf)
        stop = np.minimum(np.minimum(by_counts, self._silence(start)), promised[0])
        found = np.full((len(HORIZONS), 2, len(self.subjects)), NONE)
        # What is not told within a day is not told sooner: the longest horizon first.
        least = np.zeros((2, len(self.subjects)), dtype=np.int64)
        least[0] = np.where(self.bars.drops & np.isfinite(by_counts), 0, NONE)
        least[1] = np.where(self.bars.rises, 0, NONE)
        for h in reversed(range(len(HORIZONS))):
            seconds = HORIZONS[h].total_seconds()
            least = self._search(start, HORIZONS[h], least)
            kept = promised <= seconds
            drops, rises = _first(kept[:UNCHANGED][::-1]), _first(kept[UNCHANGED + 1 :])
            silent = np.where(stop <= seconds, NONE - 1, NONE)
            found[h] = np.minimum(least, [np.minimum(drops, silent), rises])
        return found, stop

    def _timing(self, within: timedelta) -> Timing:
        fine = self.stage.panel.fine
        return timing(self.begins, within.total_seconds(), self.stage.grid.step, fine, FINE)

    def _rates(self, buckets: int) -> Rates:
        whole = self.stage.whole
        blank = np.zeros((buckets, whole.made.series))
        coming = self.stage.future(whole.known, blank, np.ones(buckets), np.zeros(buckets))
        expected, unsure = whole.usual(coming.clock, coming.holiday)
        alone, together = whole.strays(coming.clock)
        return rates(self.rng, expected, alone + unsure, together)

    def _changed(self, when: Timing) -> FloatArray:
        mine = Rates(self.rates.mean[:, self.columns])
        return mine.changed(self.rng, self.before, when)

    def _start(self) -> _Start:
        stage = self.stage
        everything = np.arange(stage.whole.made.series)
        keep = near_buckets(stage.whole.made.grain)

        def led(ahead: Ahead, at: int, counts: FloatArray) -> Ahead:
            ones = np.ones(len(counts))
            future = stage.future(at, counts, ones, 0.0 * ones)
            return ahead.with_future(future, everything, keep=keep)

        ahead = led(stage.whole, stage.whole.known, self.quiet[: self.before])
        ahead.go(self.before)
        rest = led(ahead, self.first, self.quiet[self.before :])
        noted = Noted(rest.made.witness)
        rest.made.witness = noted  # type: ignore[assignment]
        begin = rest.known
        rest.go(len(self.quiet) - self.before)
        part = (slice(begin, rest.known), self.columns)
        rate = rest.made.levels[:-1][part] * rest.made.out.season[part] / stage.grid.step
        return _Start(ahead, noted.said, rate, rest.made.out.one_spread[part])

    def _search(self, start: _Start, within: timedelta, least: IntArray) -> IntArray:
        """Places [2, n] of the smallest drops and rises that are told, by dividing what lies
        between ``least`` [2, n] and NONE."""
        when = self._timing(within)
        counts = self._changed(when)
        low, high = least.copy(), np.full(least.shape, NONE)
        while (low < high).any():
            ways, which = np.nonzero(low < high)
            begin, end = low[ways, which], high[ways, which]
            # Few columns cost as much as some hundred: then many sizes are tried at once.
            probes = int(np.clip(WIDE // len(which), 1, NONE))
            parts = (np.arange(probes)[:, None] + 1) / (probes + 1)
            sizes = begin + np.minimum((parts * (end - begin)).astype(np.int64), end - begin - 1)
            if probes == NONE:
                sizes = np.minimum(np.arange(NONE)[:, None] + begin, end - 1)
            factor = np.where(ways == 0, UNCHANGED - 1 - sizes, UNCHANGED + 1 + sizes).ravel()
            many = np.tile(which, probes)
            told = np.isfinite(self._told(start, when, counts[factor, :, many].T, many))
            told = told.reshape(probes, len(which))
            first = np.where(told.any(axis=0), told.argmax(axis=0), probes)
            column = np.arange(len(which))
            under = sizes[np.maximum(first - 1, 0), column] + 1
            high[ways, which] = np.where(
                first < probes, sizes[np.minimum(first, probes - 1), column], end
            )
            low[ways, which] = np.where(first > 0, under, begin)
        return low

    def _told(self, start: _Start, when: Timing, counts: FloatArray, which: IntArray) -> FloatArray:
        """Seconds after its beginning at which a change is told, infinity: not; ``counts`` [F, n] of
        the subjects ``which`` [n], one of which may come several times."""
        wanted, count = self.columns[which], len(which)
        if count == start.ahead.made.series:
            # States are told apart by their number of series.
            wanted, counts = np.append(wanted, wanted[-1:]), np.c_[counts, counts[:, -1:]]
        future = self.stage.future(self.first, counts, when.share, when.doubt)
        ahead = start.ahead.with_future(future, wanted, Scripted(start.said, wanted))
        known = ahead.known
        out = ahead.go(len(counts))
        score, alarm = out.score[:, :count], out.alarm[:, :count]
        # What the alarm that runs at the beginning has come to, as one row.
        same = np.logical_and.accumulate(alarm[:known][::-1], axis=0)[::-1]
        top = np.where(same, score[:known], 0.0).max(axis=0, keepdims=True)
        score = np.concatenate([top, score[known:]])
        alarm = np.concatenate([alarm[known - 1 : known], alarm[known:]])
        bars, hold = self.bars.of(which), self.hold[which]
        since, told = np.full(count, np.inf), np.full(count, np.inf)
        for row, look in enumerate(when.looks):
            observed = out.observed[known + row, :count]
            z = out.z[known + row, :count]
            fails = failing(bars, score[: row + 2], alarm[: row + 2], z=z, observed=observed)
            since = np.where(fails, np.minimum(since, look), np.inf)
            lasts = fails & ((look - since >= hold) | (observed == 0))
            told = np.where(lasts, np.minimum(told, look), told)
        return told

    def _silence(self, start: _Start) -> FloatArray:
        """Seconds until the silence since the last row tells a stop; infinity: not within a day."""
        told = np.full(len(self.subjects), np.inf)
        if self.stage.grid.step > 3600:
            return told
        late = self.stage.view.exposure.every.total_seconds()
        watched = np.array(
            [not s.by_day and s.direction is not Direction.SPIKE for s in self.subjects]
        )
        edges = self.stage.grid.edges[self.first :]
        for quiet in range(1, FINE_BACK - 1):
            row = int(np.searchsorted(edges, self.begins_at + quiet * FINE, side="right")) - 1
            if row >= len(start.rate):
                break
            passed = np.full(len(self.subjects), quiet)
            expected = counted_on(start.rate[row], passed, self.stage.panel.fine)
            hit = watched & (chance_of_silence(expected, start.spread[row]) < STOP_P)
            # The last row came a little before, and nobody looks between two cycles.
            told = np.where(hit, np.minimum(told, quiet * FINE + late), told)
        return told


def _first(told: BoolArray) -> IntArray:
    """Place of the first in each column [n], NONE where there is none."""
    return np.asarray(np.where(told.any(axis=0), told.argmax(axis=0), NONE), dtype=np.int64)
