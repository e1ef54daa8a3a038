"""Traces as charts are made of them, without a detector."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from eventwatch.model.trace import Mark, Stretch, Trace

START = datetime(2026, 3, 2, 5, tzinfo=UTC)
"""Midnight in New York, a Monday."""
ZONE = "America/New_York"


def trace(title: str = "user_followed_user", sentence: str = "it fell", hours: int = 80) -> Trace:
    """A daily wave around 100 rows an hour that falls to 20 in its last six hours; the last bucket has
    come half-way."""
    usual = [100 + 60 * math.sin(2 * math.pi * h / 24) for h in range(hours)]
    seen = [value if h < hours - 6 else 20.0 for h, value in enumerate(usual)]
    end = START + timedelta(hours=hours)
    return Trace(
        title=title,
        sentence=sentence,
        start_at=START,
        step=timedelta(hours=1),
        zone=ZONE,
        observed=tuple(seen),
        expected=tuple(usual),
        lower=tuple(0.7 * value for value in usual),
        upper=tuple(1.3 * value for value in usual),
        bad=(Stretch(end - timedelta(hours=6), end - timedelta(minutes=30)),),
        open_until=end - timedelta(minutes=30),
    )


def with_gaps() -> Trace:
    """Nothing is known of some buckets, with marks and a late end."""
    made = trace()
    observed = tuple(None if 10 <= i < 14 else v for i, v in enumerate(made.observed))
    return replace(
        made,
        observed=observed,
        upper=(None,) * 20 + made.upper[20:],
        lower=(None,) * 20 + made.lower[20:],
        marks=(Mark(START + timedelta(hours=30), "new level"),),
        shown_until=made.end_at + timedelta(hours=9),
    )


def by_day(days: int = 40) -> Trace:
    """Days of a zone, over the night in which its clocks change."""
    return Trace(
        "rare",
        "",
        START,
        timedelta(days=1),
        ZONE,
        observed=tuple(float(d % 5) for d in range(days)),
    )
