"""After how long the freshness check would tell that an event type has stopped.

The check itself is asked, as of instants to come: until the stop, rows arrive as in the same hours of
the week before; from then on none of any event type, while the table goes on as in that week. That all
stop at once is no matter, since each is judged by its own past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from eventwatch.kinds.arrivals import Arrivals, arrivals_of
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.freshness_silence import judge_silences
from eventwatch.kinds.freshness_table import Scene, Table
from eventwatch.kinds.results import Maker
from eventwatch.model.measurement import HOUR
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import ExposureView

SPANS = tuple(timedelta(hours=h) for h in (1, 2, 4, 6, 9, 12, 18, 24, 36, 48, 72, 120, 168, 336))
"""Silences that are tried: what is said is rounded up to one of them."""
STARTS = tuple(timedelta(hours=h) for h in (0, 12))
"""Into the coming day: a stop in the evening may be told later than one in the morning."""
WEEK = 168


def silences(
    view: ExposureView, rules: Rules[FreshnessCheck], names: Sequence[str]
) -> dict[str, timedelta]:
    """The longest it takes, of STARTS, until the stop of each of these event types is told. One that
    is absent is not told of within the longest of SPANS."""
    if not len(view.rows.series) or not names:
        return {}
    arrivals = arrivals_of(view)
    longest = dict.fromkeys(names, 0)
    for start in STARTS:
        # Only a start from which it takes longer matters, and one question answers for all.
        slower = set(longest)
        for place in range(min(longest.values()), len(SPANS)):
            if not slower:
                break
            told = _told(view, rules, arrivals, start, SPANS[place])
            slower -= told
            for name in slower:
                longest[name] = max(longest[name], place + 1)
        if all(place == len(SPANS) for place in longest.values()):
            break
    return {name: SPANS[place] for name, place in longest.items() if place < len(SPANS)}


def _told(
    view: ExposureView,
    rules: Rules[FreshnessCheck],
    arrivals: Arrivals,
    start: timedelta,
    silent: timedelta,
) -> frozenset[str]:
    """Event types whose silence is told by then, if it began at ``start`` from now."""
    first = arrivals.now + start.total_seconds()
    at = first + silent.total_seconds()
    asked = _judged(view, rules, arrivals, first, at)
    failing = {r.event_type: r for r in asked if r.status is Status.FAIL}
    held = {r.event_type for r in failing.values() if not r.total and r.hold > timedelta(0)}
    if held:
        # What must last is told when it failed that long before.
        holds = {r.hold for r in failing.values() if r.event_type in held}
        for hold in holds:
            before = _judged(view, rules, arrivals, first, at - hold.total_seconds())
            bad = {r.event_type for r in before if r.status is Status.FAIL}
            held -= {name for name in held if failing[name].hold == hold and name in bad}
    return frozenset(n for n in failing if n is not None and n not in held)


def _judged(
    view: ExposureView,
    rules: Rules[FreshnessCheck],
    arrivals: Arrivals,
    first: float,
    at: float,
) -> list[Result]:
    ahead, ticking = _continued(arrivals, first, max(at, first))
    later = replace(view, now=datetime.fromtimestamp(max(at, first), tz=view.now.tzinfo))
    scene = Scene(later, ahead, Maker(view.exposure.name, KindName.FRESHNESS))
    return list(judge_silences(scene, rules, Table(at, False, ticking)))


def _continued(
    arrivals: Arrivals, first: float, at: float
) -> tuple[Arrivals, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Arrivals as of ``at`` if they go on as a week before until ``first``, and the hours in which
    the table has any."""
    hours = int(at) // HOUR - arrivals.start // HOUR + 1
    known = arrivals.hours - 1
    # The hour that runs is repeated too: it is not over.
    lag = WEEK if known > WEEK else 24 if known > 24 else max(known, 1)
    counts = np.zeros((arrivals.counts.shape[0], max(hours, known)), dtype=np.int64)
    counts[:, :known] = arrivals.counts[:, :known]
    for hour in range(known, counts.shape[1]):
        counts[:, hour] = counts[:, hour - lag]
    ticking = counts.sum(axis=0) > 0
    place = int(first) // HOUR - arrivals.start // HOUR
    counts[:, place:] = 0
    last = arrivals.last
    if place > known:
        came = counts[:, known:place] > 0
        newest = place - 1 - came[:, ::-1].argmax(axis=1)
        last = np.where(came.any(axis=1), arrivals.start + (newest + 1) * HOUR, last)
        last = np.minimum(last, int(first))
    measured = np.ones(counts.shape[1], dtype=np.bool_)
    measured[:known] = arrivals.measured[:known]
    made = Arrivals(arrivals.names, arrivals.start, at, counts, last, measured)
    return made, ticking & measured
