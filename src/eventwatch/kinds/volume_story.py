"""What a failing count is told with: the sentence, the numbers, since when, the picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from eventwatch.detect.panel import Scored
from eventwatch.detect.transform import EXACT_BELOW, USUAL_Z, exact_range, stabilise, unstabilise
from eventwatch.kinds.definition import Check
from eventwatch.kinds.results import Maker
from eventwatch.kinds.volume_panel import VolumePanel
from eventwatch.kinds.volume_stop import Verdict
from eventwatch.kinds.volume_words import events, number, span_of, when
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.figures import percent_change, signed
from eventwatch.model.measurement import HOUR
from eventwatch.model.result import NEW_LEVEL, Amount, Fact, Result, Spark
from eventwatch.model.status import Status

FloatArray = NDArray[np.float64]

LOOK_BACK_DAYS = 4
"""How far before the alarm its beginning is looked for."""
LEAST_TOGETHER = 20.0
"""Rows of all event types that should have come before they can be said to move alike."""
TABLE_LEARNS_DAYS = 3.0
"""Days that most event types must have before their common movement means anything."""
NEW_LEVEL_DAYS = 7
"""So long a new level is told as one."""
WORTH_TELLING = 0.1
"""A level that differs by less is not called a new one."""
SCATTERED = 0.3
"""Relative variance from which a transformed range is far too wide."""
WITNESSED = 0.05
"""From this common movement on it is worth telling."""


@dataclass(frozen=True)
class Told:
    """The parts of a failing result."""

    summary: str
    amount: Amount
    since: datetime
    facts: tuple[Fact, ...]
    spark: Spark
    total: bool


def failure(panel: VolumePanel, scored: Scored, column: int, verdict: Verdict) -> Told:
    """Words and numbers for one event type that fails."""
    if verdict.window == 0:
        return _halt(panel, scored, column, verdict)
    grid, t = panel.grid, verdict.row
    first = t + 1 - verdict.window
    begin, end = int(grid.edges[first]), min(int(grid.edges[t + 1]), panel.at)
    observed = float(scored.observed[t, column])
    expected = float(scored.expected[t, column])
    lower, upper = usual(expected, float(scored.spread[t, column]), float(scored.scale[t, column]))
    since = _since(panel, scored, column, verdict)
    silent = observed == 0
    unit = "the hour" if grid.step == HOUR else "the bucket"
    if silent:
        summary = (
            f"no events since {since:%Y-%m-%d %H:%M} UTC; the last {format_duration(end - begin)} "
            f"usually bring {span_of(lower, upper)}"
        )
    else:
        hour = " at this hour" if verdict.window * grid.step <= 3 * HOUR else ""
        summary = f"{events(observed)} {when(begin, end)}, usually {span_of(lower, upper)}{hour}"
    length = unit if verdict.window == 1 else format_duration(verdict.window * grid.step)
    facts = [Fact("spoke", f"{length} (z {signed(verdict.z)})")]
    common = float(scored.common[t])
    if abs(common) >= WITNESSED:
        newest = {HOUR: "hour", 24 * HOUR: "day"}.get(grid.step, "bucket")
        text = f"all event types together: {percent_change(common)} in the newest {newest}"
        facts.append(Fact("the others", text))
        facts.append(Fact("by its own past", f"z {signed(float(scored.own_z[t, column]))}"))
    if expected >= 1 and not silent:
        facts.append(Fact("change", percent_change(observed / expected - 1)))
    return Told(
        summary=summary,
        amount=Amount(
            "events",
            observed,
            expected,
            lower,
            upper,
            from_epoch(begin),
            from_epoch(end),
            verdict.z,
            float(2.0 * ndtr(-abs(verdict.z))),
        ),
        since=since,
        facts=tuple(facts),
        spark=spark(panel, scored, column),
        total=silent,
    )


def usual(expected: float, spread: float, scale: float) -> tuple[float, float]:
    """The range that 99 of 100 quiet windows lie in."""
    phi = np.array([max(spread, 1e-6)])
    half = USUAL_Z * max(scale, 1.0)
    if expected < EXACT_BELOW or spread > SCATTERED:
        return exact_range(expected, float(phi[0]), half)
    middle = stabilise(np.array([expected]), phi)
    return (
        float(unstabilise(middle - half, phi)[0]),
        float(unstabilise(middle + half, phi)[0]),
    )


def _halt(panel: VolumePanel, scored: Scored, column: int, verdict: Verdict) -> Told:
    """The silence since the last row, before the bucket itself can tell."""
    last = int(panel.last_row[column])
    spread = max(float(scored.one_spread[verdict.row, column]), 0.04)
    lower, upper = usual(verdict.expected, spread, 1.0)
    return Told(
        summary=(
            f"no events for {format_duration(panel.at - last)}, since "
            f"{from_epoch(last):%Y-%m-%d %H:%M} UTC, usually {span_of(lower, upper)} in such a time"
        ),
        amount=Amount(
            "events",
            0.0,
            verdict.expected,
            lower,
            upper,
            from_epoch(last),
            from_epoch(panel.at),
            verdict.z,
            verdict.p_value,
        ),
        since=from_epoch(last),
        facts=(Fact("spoke", "the silence since the last row"),),
        spark=spark(panel, scored, column),
        total=True,
    )


def _since(panel: VolumePanel, scored: Scored, column: int, verdict: Verdict) -> datetime:
    """Where the change most likely began: the largest likelihood ratio of "from here on it was so"
    against "as usual", over the alarm and what came before it."""
    grid, t = panel.grid, verdict.row
    quiet = np.flatnonzero(~scored.alarm[: t + 1, column])
    entered = int(quiet[-1]) + 1 if quiet.size else 0
    entered = min(entered, t)
    reach = max(int(scored.window[entered, column]), verdict.window)
    floor = max(0, entered + 1 - reach - LOOK_BACK_DAYS * 86400 // grid.step // 8)
    counts = panel.counts[floor : t + 1, column]
    usually = scored.level[t, column] * scored.season[floor : t + 1, column]
    known = np.isfinite(counts)
    counts, usually = np.where(known, counts, 0.0), np.where(known, usually, 0.0)
    inside = slice(len(counts) - verdict.window, len(counts))
    ratio = (counts[inside].sum() + 0.2) / max(usually[inside].sum() + 0.2, 1e-9)
    phi = max(float(scored.one_spread[t, column]), 1e-4)
    weight = 1.0 / (1.0 + phi * usually)
    gain = weight * (counts * np.log(ratio) - (ratio - 1.0) * usually)
    tail = np.cumsum(gain[::-1])[::-1]
    start = int(tail.argmax())
    begin = int(grid.edges[floor + start])
    if not counts[start:].any():
        return from_epoch(min(int(panel.last_row[column]), panel.at))
    return from_epoch(begin)


def new_level(panel: VolumePanel, scored: Scored, column: int) -> Fact | None:
    """That another level was lately taken for the usual one, since when, and by how much it differs;
    None: none was."""
    change = _accepted(panel, scored, column)
    if change is None:
        return None
    first, share = change
    size = f"{share * 100:.0f} % of" if share < 2 else f"{share:.1f} times"
    return Fact(
        NEW_LEVEL,
        f"new level since {from_epoch(panel.grid.edges[first]):%Y-%m-%d %H:%M} UTC, "
        f"{size} the one before",
    )


def new_level_since(panel: VolumePanel, scored: Scored, column: int) -> datetime | None:
    """When the level that ``new_level`` tells of began; None: it tells of none."""
    change = _accepted(panel, scored, column)
    return None if change is None else from_epoch(panel.grid.edges[change[0]])


def _accepted(panel: VolumePanel, scored: Scored, column: int) -> tuple[int, float] | None:
    """First bucket of a level that was lately accepted, and the part of the one before that it is."""
    t, taken = panel.grid.size - 1, int(scored.accepted[column])
    if taken < 0 or (t - taken) * panel.grid.step > NEW_LEVEL_DAYS * 86400 or taken >= t:
        return None
    alarm = scored.alarm[:taken, column]
    quiet = np.flatnonzero(~alarm)
    # Without an alarm it was found by its last two buckets.
    first = int(quiet[-1]) + 1 if quiet.size else 0
    first = min(first, max(taken - 1, 0))
    before, after = float(scored.level[first, column]), float(scored.level[taken + 1, column])
    if before <= 0 or abs(after / before - 1.0) < WORTH_TELLING:
        return None
    return first, after / before


def spark(panel: VolumePanel, scored: Scored, column: int) -> Spark:
    """The last 48 buckets, or 14 of a day; the open one as far as it has come."""
    width = 48 if panel.grid.step < 86400 else 14
    counts = panel.counts[-width:, column]
    expected = np.nan_to_num(scored.one_expected[-width:, column])
    return Spark(
        from_epoch(panel.grid.edges[panel.grid.size - len(counts)]),
        timedelta(seconds=panel.grid.step),
        tuple(float(v) for v in counts),
        tuple(round(float(v), 2) for v in expected),
    )


def together(make: Maker, check: Check, panel: VolumePanel, scored: Scored) -> Result:
    """Whether most of the table moves at once."""
    t = panel.grid.size - 1
    age_days = float(np.median(scored.age[t])) * max(panel.grid.step, 86400) / 86400
    if age_days < TABLE_LEARNS_DAYS:
        return make.make(
            check,
            "common",
            Status.LEARNING,
            "too little history of the table",
            learning_until=from_epoch(panel.at) + timedelta(days=TABLE_LEARNS_DAYS - age_days),
        )
    if not scored.common_hot[t]:
        return make.make(check, "common", Status.PASS)
    calm = np.flatnonzero(~scored.common_hot[: t + 1])
    first = int(calm[-1]) + 1 if calm.size else 0
    rows = slice(first, t + 1)
    known = np.isfinite(panel.counts[rows])
    observed = float(np.nansum(panel.counts[rows]))
    expected = float((scored.level[first] * scored.season[rows] * known).sum())
    if expected < LEAST_TOGETHER:
        return make.make(check, "common", Status.PASS)
    begin, end = int(panel.grid.edges[first]), min(int(panel.grid.edges[t + 1]), panel.at)
    change = observed / max(expected, 1e-9) - 1.0
    return make.make(
        check,
        "common",
        Status.FAIL,
        f"all event types together: {events(observed)} {when(begin, end)}, "
        f"usually about {number(expected)} ({percent_change(change)})",
        amount=Amount(
            "events",
            observed,
            expected,
            start_at=from_epoch(begin),
            end_at=from_epoch(end),
        ),
        since=from_epoch(begin),
        facts=(Fact("scope", "most event types moved alike, none is told by itself"),),
    )
