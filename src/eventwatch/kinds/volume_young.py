"""An event type that came days ago at most: judged in wide bounds while its own rhythm is learned.

Only where a contract declares it: what nobody declared is told by drift already, and may be a test.
"""

from __future__ import annotations

import math

import numpy as np

from eventwatch.detect.newborn import Newborn, Table, newborn
from eventwatch.detect.panel import Scored
from eventwatch.kinds.volume_panel import DAY, VolumePanel
from eventwatch.kinds.volume_story import Told, spark
from eventwatch.kinds.volume_words import events, number, span_of, when
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.figures import signed
from eventwatch.model.measurement import HOUR
from eventwatch.model.result import Amount, Fact

REACH_DAYS = 4
"""Learning ends after three; its longest window and a first day lie in these."""
GROWN_DAYS = 14.0
"""From this age on an event type's season is its own."""


def young(panel: VolumePanel, scored: Scored, column: int) -> Newborn | None:
    """What its own few hours and the table's season say of the newest bucket; None: not enough."""
    step = panel.grid.step
    if step > HOUR or not panel.grid.size:
        return None
    grown = np.flatnonzero(scored.age[-1] >= GROWN_DAYS)
    rows = slice(max(panel.grid.size - REACH_DAYS * DAY // step, 0), panel.grid.size)
    season = scored.season[rows][:, grown]
    expected = np.nan_to_num(scored.one_expected[rows][:, grown])
    table = Table(panel.counts[rows][:, grown], expected, season)
    return newborn(panel.counts[rows, column], table, per_hour=HOUR / step)


def fallen(panel: VolumePanel, scored: Scored, column: int, one: Newborn) -> Told:
    """Words and numbers for one that fell out of its bounds."""
    grid = panel.grid
    begin = int(grid.edges[grid.size - one.window])
    end = min(int(grid.edges[grid.size]), panel.at)
    last = int(panel.last_row[column])
    silent = one.observed == 0
    since = from_epoch(min(last, panel.at) if silent else begin)
    if silent:
        summary = (
            f"no events since {since:%Y-%m-%d %H:%M} UTC; the last {format_duration(end - begin)} "
            f"usually bring {span_of(one.lower, one.upper)}"
        )
    else:
        summary = (
            f"{events(one.observed)} {when(begin, end)}, usually {span_of(one.lower, one.upper)}"
        )
    return Told(
        summary=summary,
        amount=Amount(
            "events",
            one.observed,
            one.expected,
            one.lower,
            one.upper,
            from_epoch(begin),
            from_epoch(end),
            one.z,
            math.erfc(abs(one.z) / math.sqrt(2.0)),
        ),
        since=since,
        facts=(Fact("spoke", f"wide bounds while it is learned (z {signed(one.z)})"), BOUNDS),
        spark=spark(panel, scored, column),
        total=silent,
    )


def bounds(panel: VolumePanel, one: Newborn) -> Fact:
    """Down to where a fall would not be told."""
    begin = int(panel.grid.edges[panel.grid.size - one.window])
    end = min(int(panel.grid.edges[panel.grid.size]), panel.at)
    return Fact(
        "wide bounds",
        f"{events(one.observed)} {when(begin, end)}, told under {number(one.lower)} "
        "(its own first hours in the table's rhythm)",
    )


BOUNDS = Fact("bounds", "its own first hours in the rhythm of the table's other event types")
