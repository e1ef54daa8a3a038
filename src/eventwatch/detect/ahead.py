"""What a pass would say next: its state with some of its series, or many copies of them, taken into
futures that have not happened.

The series of such a future know nothing of each other. What the others do is heard from a witness
that says again what it said where only the usual happened, so that a copy that falls to nothing is
held against the table as it would be. The slow learning at the end of a day is left out: what is asked
lies within two days.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import Clock
from eventwatch.detect.engine import Pass
from eventwatch.detect.panel import FloatArray, Panel, Scored
from eventwatch.detect.settings import DetectSettings
from eventwatch.detect.witness import Common

IntArray = NDArray[np.int64]

_AT = ("birth", "reset", "since", "until", "accepted", "midnight")
"""State that names a bucket by its place."""
_OWN = ("panel", "settings", "grain", "told", "witness", "total", "series")
"""What a pass over another panel has of its own."""
_SAID = ("score", "alarm", "season")
"""Of what was said, what later buckets or verdicts rest on."""


@dataclass(frozen=True)
class Future:
    """Buckets that follow those of a pass; arrays [F, S] for as many series as are wanted."""

    counts: FloatArray
    clock: Clock
    holiday: FloatArray | None
    """[F]; None where the panel has none."""
    share: FloatArray
    doubt: FloatArray


class Scripted:
    """A witness that says what another one said, for columns of its series."""

    def __init__(self, said: list[Common], columns: IntArray) -> None:
        self.said, self.columns, self.at = said, columns, 0

    def look(self, *_: object, **__: object) -> Common:
        """The next thing that was said."""
        common = self.said[self.at]
        self.at += 1
        moved, own = common.moved, common.ordinary
        return replace(
            common,
            moved=None if moved is None else moved[:, self.columns],
            ordinary=None if own is None else own[self.columns],
        )

    def settle(self) -> None:
        """Nothing is learned."""


class Noted:
    """A witness of whom is noted what it says."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.said: list[Common] = []

    def look(self, *arguments: Any, **named: Any) -> Common:
        """As the inner one."""
        common: Common = self.inner.look(*arguments, **named)
        self.said.append(common)
        return common

    def settle(self) -> None:
        """As the inner one."""
        self.inner.settle()


class Ahead:
    """A pass that stands at the end of ``known`` buckets and can be led on.

    Its panel may begin later than that of the pass it was taken from: only as many buckets are kept
    as the longest window and the memory of the level need.
    """

    def __init__(self, made: Pass, known: int) -> None:
        self.made, self.known = made, known

    @staticmethod
    def of(panel: Panel, settings: DetectSettings) -> Ahead:
        """At the end of a panel of things that happened."""
        made = Pass(panel, settings)
        with np.errstate(all="ignore"):
            made.go_on(0, made.total)
        return Ahead(made, made.total)

    def with_future(
        self, future: Future, columns: IntArray, witness: Any = None, keep: int | None = None
    ) -> Ahead:
        """Standing at the same bucket, with these series of this one (one may come several times)
        and another future. ``witness`` replaces the own one, which only fits all series in order;
        ``keep`` is how many buckets of the past to keep, None: all."""
        panel, ahead = self.made.panel, len(future.counts)
        cut = 0 if keep is None else max(self.known - keep, 0)
        if cut and self.known - cut + ahead == self.made.total:
            # Buckets are known by their number: see _Transfer.
            cut -= 1
        past = slice(cut, self.known)

        def joined(mine: Any, new: Any, blank: float) -> Any:
            shape = (self.known - cut, self.made.series)
            old = np.full(shape, blank) if mine is None else np.broadcast_to(mine[past], shape)
            return np.concatenate([old[:, columns], new])

        labels = panel.labels
        if labels is not None:
            fresh = np.zeros((ahead, len(columns)), dtype=np.int8)
            labels = np.concatenate([labels[past][:, columns], fresh])
        holiday = panel.holiday
        if holiday is not None:
            more = np.zeros(ahead) if future.holiday is None else future.holiday
            holiday = np.concatenate([holiday[past], more])
        clock = Clock(
            np.concatenate([panel.clock.slot[past], future.clock.slot]),
            np.concatenate([panel.clock.weekday[past], future.clock.weekday]),
            panel.clock.slots_per_day,
        )
        whole = Panel(
            counts=joined(panel.counts, future.counts, np.nan),
            clock=clock,
            grain=panel.grain,
            share=joined(panel.share, future.share, 1.0),
            doubt=joined(panel.doubt, future.doubt, 0.0),
            holiday=holiday,
            labels=labels,
        )
        made = Pass(whole, self.made.settings)
        made.witness = copy.deepcopy(self.made.witness) if witness is None else witness
        _Transfer(self.made, made, columns, cut, self.known).run()
        return Ahead(made, self.known - cut)

    def go(self, buckets: int) -> Scored:
        """Leads it on by so many buckets of its future; all that was said so far."""
        # Never a whole day at once: that would settle it.
        step = max(self.made.grain.per_day - 1, 1)
        end = self.known + buckets
        with np.errstate(all="ignore"):
            for begin in range(self.known, end, step):
                self.made.go_on(begin, min(begin + step, end))
        self.known = end
        return self.made.out

    def usual(self, clock: Clock, holiday: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Expected in full buckets to come [F, S], and their relative variance for what is not known
        of the season."""
        made = self.made
        season, doubt, of_day = made.season.factors(clock)
        mark = np.zeros(len(clock.slot)) if holiday is None else holiday
        shift = made.holidays.shift(mark)
        return np.maximum(made.level * season * shift, 1e-6), doubt + of_day

    def strays(self, clock: Clock) -> tuple[FloatArray, FloatArray]:
        """Relative variances beyond Poisson: what each bucket to come strays by itself [F, S], and
        what those of a day stray together, with what is not known of the level [S]."""
        made = self.made
        windows = np.asarray(made.windows)
        day = int(np.argmin(np.abs(windows - max(made.grain.per_day, windows[1]))))
        phi = made.spread.phi_of(made.level * windows[:, None])
        alone = 1.0 / float(windows[day])
        together = np.clip((phi[day] - alone * phi[0]) / (1.0 - alone), 0.0, phi[0])
        own = (phi[0] - together) * made.spread.rough(clock)
        return own, together + 0.5 * made.doubt


class _Transfer:
    """Copies the state of one pass into another over fewer buckets and other columns.

    What belongs to series or to buckets is known by its shape: the axis differs in length between
    the two passes as the numbers of series and of buckets do.
    """

    def __init__(self, source: Pass, target: Pass, columns: IntArray, cut: int, known: int) -> None:
        self.source, self.target = source, target
        self.columns, self.cut, self.known = columns, cut, known
        same = len(columns) == source.series
        self.identity = same and bool((columns == np.arange(source.series)).all())
        if same and not self.identity:
            raise ValueError("other columns must be of another number")

    def run(self) -> None:
        """All of it."""
        self._copy(self.source, self.target)
        out = self.target.out
        for name in _SAID:
            self._rows(getattr(self.source.out, name), getattr(out, name))
        self.target.out = replace(out, accepted=self.target.accepted)

    def _copy(self, source: Any, target: Any) -> None:
        for name, old in vars(source).items():
            new = getattr(target, name)
            if name in _OWN or isinstance(old, Scored):
                continue
            if isinstance(old, np.ndarray):
                if self._by_bucket(old, new):
                    self._rows(old, new)
                    continue
                value = self._of_columns(old, new)
                setattr(target, name, value - self.cut if name in _AT else value)
            elif hasattr(old, "__dict__"):
                self._copy(old, new)
            else:
                setattr(target, name, copy.copy(old))

    def _by_bucket(self, old: NDArray[Any], new: NDArray[Any]) -> bool:
        return any(
            old.shape[0] == self.source.total + more and new.shape[0] == self.target.total + more
            for more in (0, 1)
            if old.ndim and new.ndim
        )

    def _rows(self, old: NDArray[Any], new: NDArray[Any]) -> None:
        more = old.shape[0] - self.source.total
        part = old[self.cut : self.known + more]
        new[: len(part)] = self._of_columns(part, new)

    def _of_columns(self, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        count = self.source.series
        if old.ndim and old.shape[-1] == count and not self.identity:
            grown = new.ndim and new.shape[-1] == len(self.columns)
            return old[..., self.columns] if grown else old.copy()
        return old.copy()


def said_fields() -> tuple[str, ...]:
    """Names of what a pass says, for those who compare two."""
    return tuple(f.name for f in fields(Scored) if f.name != "accepted")
