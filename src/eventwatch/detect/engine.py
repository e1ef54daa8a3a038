"""One causal pass over a matrix of counts: level, season, spread, windows, calibration.

Series run side by side; time runs once, bucket by bucket, and what changes slowly is settled at the
end of each day. A bucket is never in its own baseline: the sum over a window is held against the
level from just before the window, so a level that adapts cannot hide what it adapts to.
"""

from __future__ import annotations

import numpy as np

from eventwatch.detect.accept import is_level
from eventwatch.detect.calibrate import Calibration
from eventwatch.detect.daytype import FROM_DAYS, DayType, other
from eventwatch.detect.echo import Echo
from eventwatch.detect.empty import FLOOR
from eventwatch.detect.excuse import Excuses
from eventwatch.detect.fresh import fresh, without
from eventwatch.detect.habit import Habit
from eventwatch.detect.holiday import Holidays
from eventwatch.detect.other_level import RETURN, OtherLevel
from eventwatch.detect.panel import BoolArray, FloatArray, Panel, Scored
from eventwatch.detect.season import YOUNG_DAYS, Season, once, weekly
from eventwatch.detect.settings import DetectSettings
from eventwatch.detect.spread import Spread
from eventwatch.detect.stretch import BACK_DAYS, Seasons, Stretch
from eventwatch.detect.told import Told
from eventwatch.detect.transform import z_of
from eventwatch.detect.wander import Wander
from eventwatch.detect.witness import Witness, slack_of

STEP_CAP = 2.5
CALM = 2
"""Quiet buckets after an alarm before learning goes on."""
NEW_LEVEL_DOUBT = 0.3
ECHO_FROM = 3.0
"""Days of age from which errors are learned from as deviations and no longer as our learning."""


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
        self.birth = np.where(ever, self.seen.argmax(axis=0) if total else 0, total)
        shape = (total + 1, series)
        self.sum_x, self.sum_s, self.sum_d = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.sum_h, self.sum_a, self.echoes = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.levels = np.zeros(shape)
        self.level = np.zeros(series)
        self.doubt = np.full(series, 1.0)
        self.doubts = np.zeros(shape)
        self.wander = Wander(series, panel.grain.drift)
        self.echo = Echo(self.windows, series, panel.grain.per_day)
        self.day_type, self.habit = DayType(series, one_place=settings.one_place), Habit(series)
        self.season = Season(series, panel.grain.slots_per_day)
        self.calibration = Calibration(series, panel.grain)
        self.spread = Spread(series, panel.grain)
        self.witness = Witness(series, one_place=settings.one_place)
        self.hot = np.zeros(series, dtype=bool)
        self.since = np.zeros(series, dtype=np.int64)
        self.hot_for = np.zeros(series, dtype=np.int64)
        self.calm_for = np.zeros(series, dtype=np.int64)
        self.reset = self.birth.copy()
        self.accepted = np.full(series, -1, dtype=np.int32)
        self.last_out = np.zeros(series)
        self.table_hot_for = 0
        self.told = Told.of(panel)
        self.teaches = self.seen & self.told.lesson
        self.holidays, self.excuses = Holidays(panel), Excuses(panel)
        self.other = OtherLevel(series)
        self.onset = np.zeros((total, series), dtype=bool)
        self.out = Scored.blank(total, series, self.accepted)

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
        stretch = self._stretch(start, stop)
        self.out.season[start:stop] = stretch.seasons.effective
        for t in range(start, stop):
            self._step(t, stretch)
        stretch.say()
        if stop - start == self.grain.per_day:
            self._settle(stretch)

    def _stretch(self, start: int, stop: int) -> Stretch:
        clock = self.panel.clock.part(start, stop)
        season, doubt, of_day = self.season.factors(clock)
        share = self.panel.share
        partial = None if share is None else np.broadcast_to(share[start:stop], season.shape)
        season = self.season.empty.bend(clock, season, self.x[start:stop], self.level, partial)
        effective = season if partial is None else season * partial
        shift = self.holidays.shift(self.told.mark[start:stop])
        effective = effective * shift
        unlike = effective
        if self.grain.per_day > 1:
            unlike = self.season.factors(other(clock))[0] * shift
            unlike = unlike if partial is None else unlike * partial
        if self.panel.doubt is not None:
            doubt = doubt + self.panel.doubt[start:stop]
        rough = self.spread.rough(clock)
        return Stretch(self, start, stop, Seasons(season, effective, unlike, rough, doubt, of_day))

    def _step(self, t: int, of: Stretch) -> None:
        i, panel = t - of.start, self.panel
        season, unlike = of.seasons.effective[i], of.seasons.unlike[i]
        seen, x = self.seen[t], self.x[t]
        if of.births and (new := self.birth == t).any():
            self.level[new] = np.maximum(x[new], 0.5) / np.maximum(season[new], 0.2)
        self.levels[t], self.doubts[t], self.echoes[t] = self.level, self.doubt, self.echo.last
        changed = self.day_type.turn(t, panel.clock.slot, self.hot, self.sum_s, self.sum_a)
        if changed.size:
            of.again(t, changed)
        begin, observed, usual = of.begin[i], of.observed[i], of.usual[i]
        another = self.other.known(t)
        if another:
            shown = np.where(seen & ~self.told.fine[t], season, 0.0)
            self.other.weigh(t, x, shown, self.level, self.spread.phi[0])
        base = self._nearest(t, of, observed / usual, another=another)
        base *= self.echo.ahead(self.echoes[begin])
        expected = self.excuses.expected(
            t, panel, self.level, season=season, observed=observed, usually=base * usual
        )
        unsure, phi = of.unsure[i], of.phi[i]
        unsure += 0.5 * self.doubts[begin]
        if of.young is not None:
            unsure += of.young[i]
        day = self.holidays.variance(self.told.mark[t], np.where(seen, season, 0.0), usual)
        if self.holidays.active:
            unsure += day
        self.spread.widen(phi, expected)
        phi += unsure
        own_z = single = z_of(observed, expected, phi)
        # A day that is known to be a holiday has its own season and doubt.
        if self.grain.per_day > 1 and not self.told.mark[t]:
            own_z = self.day_type.bend(
                t, own_z, begin, (observed, expected, phi), usual=usual, sum_a=self.sum_a
            )
            known = seen & (of.age[i] > FROM_DAYS)
            usually = z_of(x, base[0] * season, phi[0]) if self.excuses.active else single[0]
            self.day_type.weigh(x, usually, base[0] * unlike, phi[0], known)
        z, held, valid, event = own_z, expected, of.valid[i], False
        if self.settings.witness:
            common = self.witness.look(
                observed / expected - 1.0,
                1.0 / expected + phi,
                valid,
                hot=self.hot,
                slack=day.mean(axis=1) + slack_of(panel.doubt, t, usual),
                evidence=self.day_type.evidence,
                age=of.age[i],
            )
            of.common[i], of.event[i], event = common.bucket, common.event, common.event
            if common.ordinary is not None:
                self.day_type.ordinary = common.ordinary
            if common.moved is not None:
                held = np.maximum(expected * np.maximum(1.0 + common.moved, 0.02), 1e-6)
                z = z_of(observed, held, phi)
                agree = (np.sign(z) == np.sign(own_z)) & (np.abs(own_z) >= 2.0)
                z = np.where(agree, z, np.minimum(np.maximum(z, -1.5), 1.5))
        z = fresh(z, observed, held, phi)
        if not of.all_valid:
            z = np.where(valid, z, 0.0)
        of.own_z[i], of.held[i], of.z[i] = own_z, held, z
        scaled = np.divide(z, self.calibration.scale, out=of.scaled[i])
        raws, tails = of.raws[i], of.tails[i]
        np.maximum(np.maximum.reduce(scaled[0], axis=0), 0.0, out=raws[0])
        np.maximum(-np.minimum.reduce(scaled[1], axis=0), 0.0, out=raws[1])
        tails[:] = self.calibration.tail(raws)
        self._gate(t, of)
        if another or self.told.some:
            self._change_level(t, of)
        self.out.alarm[t] = self.hot
        self.onset[t] = self.hot_for <= self.grain.onset
        of.fresh[i + 1 : i + 2] = self.onset[t]
        follows = self.teaches[t]
        if self.told.some:
            follows = follows & ~self.other.undecided(t) & ~self.told.fine[t]
        today = np.where(self.day_type.sure, unlike, season)
        self._learn_level(t, today, phi[0], follows, table_hot=event)

    def _nearest(self, t: int, of: Stretch, rate: FloatArray, *, another: bool) -> FloatArray:
        """Level to judge by [W, S]: within what the level was just before the window and one and two
        days before that, the one nearest to what came. So the way back from a holiday, or from an
        incident too small to be told, is no news."""
        begin, per_day = of.begin[t - of.start], self.grain.per_day
        low = high = self.levels[begin]
        for days in BACK_DAYS:
            earlier = begin - days * per_day
            old = self.levels[np.maximum(earlier, 0)]
            if of.grown:
                low, high = np.minimum(low, old), np.maximum(high, old)
                continue
            known = earlier[:, None] >= self.birth + per_day
            low = np.where(known, np.minimum(low, old), low)
            high = np.where(known, np.maximum(high, old), high)
        if another:
            low, high = self.other.between(t, low, high)
        return np.asarray(np.minimum(np.maximum(rate, low), high))

    def _gate(self, t: int, of: Stretch) -> None:
        """Alarm in, alarm out, and the acceptance of a new level."""
        said, tails, scaled = self.told.some, of.tails[t - of.start], of.scaled[t - of.start]
        single = np.maximum(tails[0], tails[1])
        over = (single > self.grain.hot) & self.seen[t]
        over &= t - self.birth >= self.grain.per_day
        if said:
            over &= ~self.told.fine[t]
        if not over.any() and not self.hot.any():
            self.calm_for = self.calm_for + 1
            self.other.follow(t, self.panel, self.level, began=over, over=self._lately(t))
            return
        entering = over & ~self.hot
        for s in np.flatnonzero(entering):
            falls = tails[1, s] > tails[0, s]
            best = scaled[1, :, s].argmin() if falls else scaled[0, :, s].argmax()
            self.since[s] = t + 1 - self.windows[best]
            if said and np.broadcast_to(self.told.real[t], over.shape)[s]:
                continue
            begin = max(int(self.since[s]), int(self.reset[s]), 0)
            self.level[s] = self.levels[begin, s]
            self.levels[begin : t + 1, s] = self.level[s]
            self.echo.last[s] = self.echoes[begin, s]
        began = entering & (self.calm_for >= self.grain.per_day)
        self.calm_for = np.where(over, 0, self.calm_for + 1)
        was, self.hot = self.hot, over | (self.hot & (self.calm_for <= CALM) & ~self.told.fine[t])
        # What was told is not told again by the longer windows, and does not hide what comes next.
        ended = np.flatnonzero(was & ~self.hot & ~self.told.fine[t]) if self.grain.once else ()
        for s in ended:
            reach = t + 1 - int(self.windows[-1])
            begin, end = max(int(self.since[s]), int(self.reset[s]), reach, 0), t + 1 - CALM
            usual = self.levels[begin:end, s] * np.diff(self.sum_s[begin : end + 1, s])
            without(self.sum_x[: t + 2, s], begin, usual)
        if len(ended) and t + 1 < of.stop:
            of.again(t + 1, np.asarray(ended))
        self.hot_for = np.where(self.hot, self.hot_for + 1, 0)
        done = self.hot & (self.hot_for >= self.grain.accept)
        half = max(t + 1 - self.grain.accept // 2, 0)
        for s in np.flatnonzero(done & (self.hot_for < self.grain.accept_zero)):
            usual = self.level[s] * np.diff(self.sum_s[half : t + 2, s])
            done[s] = is_level(self.x[half : t + 1, s], usual, self.spread.phi[0, s], self.grain)
        self.other.follow(t, self.panel, self.level, began=began, over=self._lately(t))
        if not done.any():
            return
        former = self.level.copy()
        for s in np.flatnonzero(done):
            total = self.sum_x[t + 1, s] - self.sum_x[half, s]
            usual = self.sum_s[t + 1, s] - self.sum_s[half, s]
            self.level[s] = max(total, 0.3) / max(usual, 1e-6)
            self.doubt[s] = NEW_LEVEL_DOUBT
            self.reset[s] = t + 1
            self.hot[s], self.hot_for[s] = False, 0
            self.accepted[s] = t
        self.other.remember(done, former, t + RETURN * self.grain.accept, self.level)
        of.judgeable(t + 1)

    def _lately(self, t: int) -> BoolArray:
        """[S] where an alarm ended lately, and there is none."""
        return ~self.hot & (self.calm_for <= 3 * self.grain.per_day) & (t > self.birth)

    def _change_level(self, t: int, of: Stretch) -> None:
        """The other level becomes the level when the series is there. What people said makes one."""
        change = self.other.reached(t)
        if change.any():
            self.level = self.other.change(t, self.panel, change, self.level)
            self.doubt = np.where(change, np.maximum(self.doubt, 0.02), self.doubt)
            self.reset, self.accepted[change] = np.where(change, t + 1, self.reset), t
            self.hot, self.hot_for = self.hot & ~change, np.where(change, 0, self.hot_for)
            self.excuses.forget(change)
            of.judgeable(t + 1)
        if self.told.fine[t].any():
            self.other.accept(t, self.panel, self.out.season)

    def _learn_level(
        self,
        t: int,
        season: FloatArray,
        phi: FloatArray,
        seen: BoolArray,
        *,
        table_hot: bool,
    ) -> None:
        """A Kalman step on the relative level with a bounded innovation."""
        drift = self.wander.drift**2 / self.grain.per_day
        mean = np.maximum(self.level * season, 1e-6)
        variance = 1.0 / np.maximum(mean, 0.05) + phi
        bound = STEP_CAP * np.sqrt(variance)
        error = np.minimum(np.maximum(self.x[t] / mean - 1.0, -bound), bound)
        gain = self.doubt / (self.doubt + variance)
        learn = seen & ~self.hot & (self.level > 0) & (season > FLOOR)
        if table_hot and self.table_hot_for < self.grain.accept:
            learn = np.zeros_like(learn)
        self.table_hot_for = self.table_hot_for + 1 if table_hot else 0
        trust = phi / variance
        old = t - self.birth > ECHO_FROM * self.grain.per_day
        error = error - self.echo.learn(error, variance, trust, learn & old)
        step = np.where(learn, gain * error, 0.0)
        self.level = self.level * np.maximum(1.0 + step, 0.2)
        self.doubt = np.where(learn, np.minimum((1.0 - gain) * self.doubt + drift, 1.0), self.doubt)
        unit = np.where(learn, error / np.sqrt(self.doubt + variance), 0.0)
        self.wander.learn(unit, learn)

    def _settle(self, of: Stretch) -> None:
        """The end of a day: spread, calibration, season."""
        start, stop, season = of.start, of.stop, of.seasons.usual
        quiet = ~self.out.alarm[start:stop] & self.seen[start:stop] & ~self.told.real[start:stop]
        learn = quiet & (
            self.panel.share[start:stop] >= 0.99 if self.panel.share is not None else True
        )
        level = self.levels[start:stop]
        self.holidays.learn(self.told.mark[start:stop], self.x[start:stop], level * season, learn)
        learn, teaches = learn & self.told.lesson[start:stop], self.teaches[start:stop]
        age = (stop - self.birth) / self.grain.per_day
        learn = learn & self.day_type.taught(start, stop)
        clock = self.panel.clock.part(start, stop)
        # Hours in which nothing ever comes say nothing of how the others stray.
        some = of.usual > 1.5 * FLOOR * self.windows[:, None]
        error = np.where(of.valid & some, of.observed - of.held, np.nan)
        wide = (of.roughness, of.unsure)
        self.spread.learn(error, of.held, learn & (age > 2.0), clock, wide)
        self.wander.settle(age)
        self.echo.settle()
        self.habit.settle(age)
        self.calibration.learn(
            of.z,
            of.raws,
            (self.out.alarm[start:stop] & ~self.onset[start:stop]) | ~self.told.lesson[start:stop],
            np.where(age > self.grain.known_from, teaches.sum(axis=0), 0),
        )
        self.season.wake(clock, self.x[start:stop], self.level, teaches)
        rhythm = weekly(self.out.alarm, start, stop, self.grain.per_day)
        self._learn_season(start, stop, season, learn | (rhythm & teaches))
        self.witness.settle()

    def _learn_season(self, start: int, stop: int, season: FloatArray, learn: BoolArray) -> None:
        per_day = self.grain.per_day
        age = (stop - self.birth) / per_day
        young = (age >= 1) & (age <= YOUNG_DAYS)
        level = np.maximum(self.levels[start:stop], 1e-9)
        mean = level * season
        phi = self.spread.single(mean)
        precision = np.where(
            learn & (age > YOUNG_DAYS), 1.0 / (1.0 / np.maximum(mean, 0.02) + phi), 0.0
        )
        bound = 3.0 / np.sqrt(1.0 / (1.0 / np.maximum(mean, 0.02) + phi))
        error = np.clip(self.x[start:stop] / np.maximum(mean, 1e-9) - 1.0, -bound, bound)
        ratio = np.maximum(season * (1.0 + error), 0.0)
        clock = self.panel.clock
        self.season.learn(clock.part(start, stop), ratio, precision, level.mean(axis=0))
        columns = np.flatnonzero(young)
        if not columns.size:
            return
        begin = max(0, stop - YOUNG_DAYS * per_day)
        part = clock.part(begin, stop).of(columns)
        alarm = once(self.out.alarm[begin:stop][:, columns], per_day)
        seen = (self.teaches[begin:stop][:, columns] & ~alarm).astype(float)
        counts = self.x[begin:stop][:, columns] * seen
        self.season.restart(columns, counts, seen, part, self.spread.single)
        recent = slice(max(0, stop - 2 * per_day), stop)
        factors, _, _ = self.season.factors(clock.part(recent.start, stop))
        known = (self.teaches[recent] & ~self.out.alarm[recent]).astype(np.float64)
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
