"""One causal pass over a matrix of counts: level, season, spread, windows, calibration.

Series run side by side; time runs once, bucket by bucket, and what changes slowly is settled at the
end of each day. A bucket is never in its own baseline: the sum over a window is held against the
level from just before the window, so a level that adapts cannot hide what it adapts to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calibrate import Calibration
from eventwatch.detect.panel import BoolArray, FloatArray, Panel, Scored
from eventwatch.detect.season import YOUNG_DAYS, Season
from eventwatch.detect.settings import DetectSettings
from eventwatch.detect.spread import Spread
from eventwatch.detect.transform import z_of
from eventwatch.detect.witness import Common, Witness

STEP_CAP = 2.5
BACK_DAYS = (1, 2)
TREND = 0.9
DRIFT_HALF_LIFE = 10.0
DRIFT_PRIOR = 300.0
DRIFT_RATE = 5.0
HOT = 4.0
"""Score from which a series is not learned from."""
CALIBRATE_FROM = 8.0
"""Days of age from which large scores count as the series' own doing, not as our learning."""
ONSET = 6
"""First buckets of an alarm, which still count in what the series is like."""
CALM = 2
"""Quiet buckets after an alarm before learning goes on."""
YOUNG_DOUBT = 0.03


class Pass:
    """The state of one pass over a panel."""

    def __init__(self, panel: Panel, settings: DetectSettings) -> None:
        self.panel, self.settings = panel, settings
        total, series = panel.counts.shape
        self.total, self.series = total, series
        self.grain = panel.grain
        self.windows = np.array(panel.grain.windows, dtype=np.int64)
        self.seen = np.isfinite(panel.counts)
        self.x = np.where(self.seen, np.maximum(panel.counts, 0.0), 0.0)
        ever = self.seen.any(axis=0)
        self.birth = np.where(ever, self.seen.argmax(axis=0), total)
        shape = (total + 1, series)
        self.sum_x, self.sum_s, self.sum_d = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.levels = np.zeros(shape)
        self.level = np.zeros(series)
        self.doubt = np.full(series, 1.0)
        self.doubts = np.zeros(shape)
        self.drift = np.full(series, 0.5 * panel.grain.drift)
        self.trend = np.zeros(series)
        self.trend_product, self.trend_power = np.zeros(series), np.zeros(series)
        self.season = Season(series, panel.grain.slots_per_day)
        self.calibration = Calibration(series, panel.grain)
        self.spread = Spread(series, panel.grain)
        self.witness = Witness(series)
        self.hot = np.zeros(series, dtype=bool)
        self.hot_for = np.zeros(series, dtype=np.int64)
        self.calm_for = np.zeros(series, dtype=np.int64)
        self.zero_for = np.zeros(series, dtype=np.int64)
        self.reset = self.birth.copy()
        self.before = np.zeros(series)
        self.accepted = np.full(series, -1, dtype=np.int32)
        self.last_out = np.zeros(series)
        self.table_hot_for = 0
        self.onset = np.zeros((total, series), dtype=bool)
        self.out = self._blank()

    def _blank(self) -> Scored:
        shape = (self.total, self.series)
        return Scored(
            score=np.zeros(shape),
            z=np.zeros(shape),
            own_z=np.zeros(shape),
            window=np.zeros(shape, dtype=np.int16),
            observed=np.zeros(shape),
            expected=np.zeros(shape),
            spread=np.zeros(shape),
            scale=np.ones(shape),
            season=np.zeros(shape),
            level=np.zeros(shape),
            one_expected=np.full(shape, np.nan),
            one_spread=np.zeros(shape),
            age=np.full(shape, -1.0),
            alarm=np.zeros(shape, dtype=bool),
            common=np.zeros(self.total),
            common_hot=np.zeros(self.total, dtype=bool),
            accepted=self.accepted,
        )

    def run(self) -> Scored:
        """Scores every bucket."""
        self.go_on(0, self.total)
        return self.finish()

    def go_on(self, start: int, stop: int) -> None:
        """Scores the buckets from one end of a day to another, or to the end of the panel."""
        per_day = self.grain.per_day
        for begin in range(start, stop, per_day):
            self._day(begin, min(begin + per_day, stop))

    def finish(self) -> Scored:
        """All that was said."""
        self.out.level[:] = self.levels[:-1]
        return self.out

    def _day(self, start: int, stop: int) -> None:
        clock = self.panel.clock.part(start, stop)
        season, doubt, of_day = self.season.factors(clock)
        share = self.panel.share
        partial = None if share is None else np.broadcast_to(share[start:stop], season.shape)
        effective = season if partial is None else season * partial
        count, width = stop - start, len(self.windows)
        zs = np.zeros((count, width, self.series))
        error = np.zeros((count, width, self.series))
        expects = np.zeros((count, width, self.series))
        raws = np.zeros((count, 2, self.series))
        for i in range(count):
            t = start + i
            own = doubt[i] if self.panel.doubt is None else doubt[i] + self.panel.doubt[t]
            zs[i], error[i], expects[i], raws[i] = self._step(t, effective[i], own, of_day[i])
        if stop - start == self.grain.per_day:
            self._settle(start, stop, season, zs=zs, error=error, expects=expects, raws=raws)

    def _step(
        self, t: int, season: FloatArray, own: FloatArray, of_day: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        out, w = self.out, self.windows
        seen, x = self.seen[t], self.x[t]
        fresh = self.birth == t
        if fresh.any():
            self.level[fresh] = np.maximum(x[fresh], 0.5) / np.maximum(season[fresh], 0.2)
        self.levels[t], self.doubts[t] = self.level, self.doubt
        self.sum_x[t + 1] = self.sum_x[t] + x
        self.sum_s[t + 1] = self.sum_s[t] + np.where(seen, season, 0.0)
        self.sum_d[t + 1] = self.sum_d[t] + np.where(seen, own * season**2, 0.0)
        begin = np.maximum(t + 1 - w, 0)
        valid = (begin[:, None] >= self.reset[None, :]) & (seen & (self.birth <= t))[None, :]
        valid &= (t + 1 - w >= 0)[:, None]
        observed = self.sum_x[t + 1] - self.sum_x[begin]
        usual = np.maximum(self.sum_s[t + 1] - self.sum_s[begin], 1e-6)
        base = self._nearest(begin, observed / usual)
        expected = np.maximum(base * usual, 1e-6)
        age = (t - self.birth) / self.grain.per_day
        # Before its birth nothing about a series may depend on when that will be.
        young = YOUNG_DOUBT * np.clip(1.0 - age / 3.0, 0.0, 1.0)
        # What is not known of single buckets averages out over a window, what is of the day does not.
        extra = (self.sum_d[t + 1] - self.sum_d[begin]) / usual**2 + of_day
        phi = self.spread.phi + (0.5 * self.doubts[begin] + extra + young)
        own_z = z_of(observed, expected, phi)
        z, held, common = own_z, expected, Common(None, 0.0, False)
        if self.settings.witness:
            slack = self._slack(t, usual)
            common = self.witness.look(
                observed / expected - 1.0, 1.0 / expected + phi, valid, hot=self.hot, slack=slack
            )
        if common.moved is not None:
            held = np.maximum(expected * np.maximum(1.0 + common.moved, 0.02), 1e-6)
            z = z_of(observed, held, phi)
            agree = (np.sign(z) == np.sign(own_z)) & (np.abs(own_z) >= 2.0)
            z = np.where(agree, z, np.clip(z, -1.5, 1.5))
        calibrated = np.where(valid, self.calibration.apply(z), 0.0)
        column = np.arange(self.series)
        top, bottom = calibrated.argmax(axis=0), calibrated.argmin(axis=0)
        raws = np.maximum(np.stack([calibrated[top, column], -calibrated[bottom, column]]), 0.0)
        tails = self.calibration.tail(raws)
        falls = tails[1] > tails[0]
        best = np.where(falls, bottom, top)
        raw, single = np.where(falls, raws[1], raws[0]), np.where(falls, tails[1], tails[0])
        score = np.maximum(
            1.25 * np.minimum(single, self.last_out),
            np.where(single > 9.0, single, 0.85 * single),
        )
        score = np.where(seen, score, 0.0)
        self.last_out = np.where(seen, single, self.last_out)
        out.score[t] = score
        out.z[t] = calibrated[best, column]
        out.own_z[t] = own_z[best, column]
        out.window[t] = np.where(raw > 0, w[best], 0)
        out.observed[t] = observed[best, column]
        out.expected[t] = held[best, column]
        out.spread[t] = phi[best, column]
        scale = self.calibration.scale
        out.scale[t] = np.where(z > 0, scale[0], scale[1])[best, column]
        out.season[t] = season
        out.one_expected[t] = np.where(self.birth <= t, held[0], np.nan)
        out.one_spread[t] = phi[0]
        out.age[t] = np.where(age >= 0, age, -1.0)
        out.common[t], out.common_hot[t] = common.bucket, common.event
        self._gate(t, single, w[best], x)
        out.alarm[t] = self.hot
        self.onset[t] = self.hot_for <= ONSET
        self._learn_level(x, season, phi[0], seen, table_hot=common.event)
        return np.where(valid, z, 0.0), np.where(valid, observed - held, np.nan), held, raws

    def _slack(self, t: int, usual: FloatArray) -> FloatArray:
        """[W] relative variance that all series share because the newest buckets are incomplete."""
        if self.panel.doubt is None:
            return np.zeros(len(usual))
        doubt = np.broadcast_to(self.panel.doubt[t], usual.shape[1:]).mean()
        weight = np.median(np.minimum(usual[0] / usual, 1.0), axis=1)
        return np.asarray(doubt * weight**2, dtype=np.float64)

    def _nearest(self, begin: NDArray[np.int64], rate: FloatArray) -> FloatArray:
        """Level to judge by [W, S]: within what the level was just before the window and one and two
        days before that, the one nearest to what came. So the way back from a holiday, or from an
        incident too small to be told, is no news."""
        low = high = self.levels[begin]
        for days in BACK_DAYS:
            earlier = begin - days * self.grain.per_day
            old = self.levels[np.maximum(earlier, 0)]
            known = earlier[:, None] >= self.birth[None, :] + self.grain.per_day
            low = np.where(known, np.minimum(low, old), low)
            high = np.where(known, np.maximum(high, old), high)
        return np.clip(rate, low, high)

    def _gate(self, t: int, single: FloatArray, window: NDArray[np.int64], x: FloatArray) -> None:
        """Alarm in, alarm out, and the acceptance of a new level."""
        self.zero_for = np.where(x > 0, 0, self.zero_for + self.seen[t])
        over = (single > HOT) & self.seen[t] & (t - self.birth >= self.grain.per_day)
        entering = over & ~self.hot
        for s in np.flatnonzero(entering):
            begin = max(t + 1 - int(window[s]), int(self.reset[s]), 0)
            self.level[s] = self.levels[begin, s]
            self.levels[begin : t + 1, s] = self.level[s]
        self.calm_for = np.where(over, 0, self.calm_for + 1)
        self.hot = over | (self.hot & (self.calm_for <= CALM))
        self.hot_for = np.where(self.hot, self.hot_for + 1, 0)
        limit = np.where(
            self.zero_for >= self.grain.accept // 2, self.grain.accept_zero, self.grain.accept
        )
        done = self.hot & (self.hot_for >= limit)
        for s in np.flatnonzero(done):
            begin = max(t + 1 - self.grain.accept // 2, 0)
            total = self.sum_x[t + 1, s] - self.sum_x[begin, s]
            usual = self.sum_s[t + 1, s] - self.sum_s[begin, s]
            self.level[s] = max(total, 0.3) / max(usual, 1e-6)
            self.doubt[s] = 0.02
            self.reset[s] = t + 1
            self.hot[s], self.hot_for[s] = False, 0
            self.accepted[s] = t

    def _learn_level(
        self,
        x: FloatArray,
        season: FloatArray,
        phi: FloatArray,
        seen: BoolArray,
        *,
        table_hot: bool,
    ) -> None:
        """A Kalman step on the relative level with a bounded innovation."""
        drift = self.drift**2 / self.grain.per_day
        mean = np.maximum(self.level * season, 1e-6)
        variance = 1.0 / np.maximum(mean, 0.05) + phi
        bound = STEP_CAP * np.sqrt(variance)
        error = np.clip(x / mean - 1.0, -bound, bound)
        gain = self.doubt / (self.doubt + variance)
        learn = seen & ~self.hot & (self.level > 0)
        if table_hot and self.table_hot_for < self.grain.accept:
            learn = np.zeros_like(learn)
        self.table_hot_for = self.table_hot_for + 1 if table_hot else 0
        step = np.where(learn, gain * error, 0.0)
        self.level = self.level * np.maximum(1.0 + step, 0.2)
        self.doubt = np.where(learn, np.minimum((1.0 - gain) * self.doubt + drift, 1.0), self.doubt)
        # Does the error go on in the direction of the last ones? Then the level follows too slowly.
        unit = np.where(learn, error / np.sqrt(self.doubt + variance), 0.0)
        self.trend_product += unit * self.trend
        self.trend_power += unit**2
        self.trend = np.where(learn, TREND * self.trend + unit, self.trend)

    def _settle(
        self,
        start: int,
        stop: int,
        season: FloatArray,
        *,
        zs: FloatArray,
        error: FloatArray,
        expects: FloatArray,
        raws: FloatArray,
    ) -> None:
        """The end of a day: spread, calibration, season."""
        quiet = ~self.out.alarm[start:stop] & self.seen[start:stop]
        learn = quiet & (
            self.panel.share[start:stop] >= 0.99 if self.panel.share is not None else True
        )
        age = (stop - self.birth) / self.grain.per_day
        self.spread.learn(error, expects, learn & (age > 2.0))
        self._learn_drift(age)
        self.calibration.learn(
            zs,
            raws,
            self.out.alarm[start:stop] & ~self.onset[start:stop],
            np.where(age > CALIBRATE_FROM, self.seen[start:stop].sum(axis=0), 0),
        )
        self._learn_season(start, stop, season, learn)
        self.witness.settle()

    def _learn_drift(self, age: FloatArray) -> None:
        """How fast the level may wander, so that its errors have no memory (Mehra 1970: the
        innovations of a filter with the right gain are white)."""
        fade = 0.5 ** (1.0 / DRIFT_HALF_LIFE)
        old = age > 4.0
        if old.any():
            spread = self.trend_power * TREND / (1.0 - TREND)
            table = (self.trend_product[old] / np.maximum(spread[old] ** 0.5, 1e-9) ** 2).mean()
            memory = (self.trend_product + DRIFT_PRIOR * table * TREND / (1 - TREND)) / (
                spread + DRIFT_PRIOR * TREND / (1 - TREND)
            )
            change = np.exp(np.clip(DRIFT_RATE * memory, -0.25, 0.25))
            limit = self.grain.drift
            self.drift = np.where(
                old, np.clip(self.drift * change, limit / 8.0, limit * 1.25), self.drift
            )
        self.trend_product *= fade
        self.trend_power *= fade

    def _learn_season(self, start: int, stop: int, season: FloatArray, learn: BoolArray) -> None:
        per_day = self.grain.per_day
        age = (stop - self.birth) / per_day
        young = (age >= 1) & (age <= YOUNG_DAYS)
        level = np.maximum(self.levels[start:stop], 1e-9)
        mean = level * season
        phi = self.spread.usual[0] + self.spread.sparse[0]
        precision = np.where(
            learn & (age > YOUNG_DAYS), 1.0 / (1.0 / np.maximum(mean, 0.02) + phi), 0.0
        )
        bound = 3.0 / np.sqrt(1.0 / (1.0 / np.maximum(mean, 0.02) + phi))
        error = np.clip(self.x[start:stop] / np.maximum(mean, 1e-9) - 1.0, -bound, bound)
        ratio = np.maximum(season * (1.0 + error), 0.0)
        clock = self.panel.clock
        self.season.learn(clock.part(start, stop), ratio, precision)
        columns = np.flatnonzero(young)
        if not columns.size:
            return
        begin = max(0, stop - YOUNG_DAYS * per_day)
        part = clock.part(begin, stop).of(columns)
        seen = (self.seen[begin:stop] & ~self.out.alarm[begin:stop])[:, columns].astype(np.float64)
        counts = self.x[begin:stop][:, columns] * seen
        self.season.restart(columns, counts, seen, part, phi[columns])
        recent = slice(max(0, stop - 2 * per_day), stop)
        factors, _, _ = self.season.factors(clock.part(recent.start, stop))
        known = (self.seen[recent] & ~self.out.alarm[recent]).astype(np.float64)
        usual = (factors * known).sum(axis=0)
        level = (self.x[recent] * known).sum(axis=0) / np.maximum(usual, 1e-6)
        change = young & (usual > 0) & ~self.hot
        self.level = np.where(change, np.maximum(level, 1e-3), self.level)
        spread = 1.0 / np.maximum((self.x[recent] * known).sum(axis=0), 0.5)
        self.doubt = np.where(change, np.clip(spread + 0.004, 0.004, 0.5), self.doubt)


def run(panel: Panel, settings: DetectSettings) -> Scored:
    """Scores every bucket of a panel; row t rests on rows up to t only."""
    if not panel.counts.size:
        return Pass(panel, settings).out
    with np.errstate(all="ignore"):
        return Pass(panel, settings).run()
