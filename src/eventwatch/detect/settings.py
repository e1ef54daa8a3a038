"""What may be set about the detector, and what follows from the width of a bucket.

One set of defaults for every table. A constant here was chosen on development data and is explained
in docs/detection.md; none depends on the table that is judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAY = 86400
UTC = ZoneInfo("UTC")
TAIL_START = 0.2
"""Share of days whose largest score lies beyond the start of the fitted tail."""
SCORE_AT_TAIL_START = 3.0
SCORE_PER_FOLD = 0.5
"""How much a score rises when false alarms become e times rarer."""


def threshold_for(false_per_series_day: float) -> float:
    """Score from which on false alarms come at this rate per series and day.

    The tail of a series' daily maxima is fitted so that P(score > y) = 0.2 exp(-2 (y - 3)).
    """
    rate = min(max(false_per_series_day, 1e-9), TAIL_START)
    return SCORE_AT_TAIL_START + SCORE_PER_FOLD * math.log(TAIL_START / rate)


@dataclass(frozen=True)
class DetectSettings:
    """How counts are scored; every field has the default that all tables use."""

    false_per_series_day: float = 0.003
    """Budget: false alarms per series and day that the threshold is made for."""
    z_threshold: float | None = None
    """A plain |z| to fail from, instead of the budget."""
    time_zone: ZoneInfo = UTC
    """Whose hours and days the season follows."""
    witness: bool = False
    """Whether a series is also held against the common movement of all the others."""
    one_place: bool = False
    """Whether the series are of one table, so that a public holiday comes to all of them at once. Only
    heard with ``witness``."""
    learning_days: float = 2.0
    """Days of a series before it may fail."""

    @property
    def threshold(self) -> float:
        """The score a row fails from."""
        return threshold_for(self.false_per_series_day)


@dataclass(frozen=True)
class Grain:
    """What follows from the width of a bucket."""

    seconds: int
    per_day: int
    """Buckets of one step of slow learning: a day's, or one for buckets of a day and more."""
    windows: tuple[int, ...]
    """Lengths, in buckets, over which sums are judged."""
    slots_per_day: int
    drift: float
    """Standard deviation of the level's random walk over a day, relative."""
    accept: int
    """Buckets of unbroken alarm after which the new level is taken for the usual one."""
    accept_zero: int
    """The same where next to nothing comes, or nothing steady."""
    hot: float = 4.0
    """Score from which a series is not learned from: with many buckets a day, lower ones are merely
    unusual and would freeze the level."""
    once: bool = False
    """An alarm that is over is taken out of the sums that longer windows see."""
    onset: int = 6
    """First buckets of an alarm, which still count in what the series is like."""
    twice: float = 1.2
    """What two buckets in a row count, in the score of the lesser one."""
    steady: bool = False
    """A new level is accepted before ``accept_zero`` only where the counts lie steadily around it."""
    known_from: float = 8.0
    """Days of age from which large scores count as the series' own doing, not as our learning."""


def grain(bucket_seconds: int) -> Grain:
    """The grain for a bucket width between a minute and a week."""
    b = bucket_seconds
    if b >= DAY:
        return Grain(b, 1, (1, 2, 3, 7), 1, 0.05, 7, 21)
    per_day = DAY // b
    if b > 1800:
        hours = (1, 2, 4, 8, 24, 48)
        windows = tuple(sorted({max(1, round(h * 3600 / b)) for h in hours}))
    else:
        minutes = (5, 15, 30, 60, 180, 360, 1440)
        windows = tuple(sorted({max(1, round(m * 60 / b)) for m in minutes}))
    if b > 1800:
        return Grain(b, per_day, windows, per_day, 0.12, 3 * per_day, 7 * per_day)
    return Grain(
        *(b, per_day, windows, per_day, 0.10, per_day, 7 * per_day),
        hot=5.0,
        once=True,
        steady=True,
        onset=3,
        twice=1.4,
        known_from=5.5,
    )
