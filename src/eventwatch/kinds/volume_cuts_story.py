"""What a failing cut is told with, and which values explain a failing event type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from eventwatch.detect.transform import USUAL_Z
from eventwatch.kinds.drift_known import shown
from eventwatch.kinds.volume_cuts_counts import RECENT, CutHistory, CutSums
from eventwatch.kinds.volume_cuts_score import CutScores
from eventwatch.kinds.volume_words import number, span_of, when
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.figures import percent_change, signed
from eventwatch.model.measurement import HOUR, OTHER
from eventwatch.model.result import Amount, Cut, Fact, Result, Spark
from eventwatch.model.view import ExposureView

__all__ = ["Words", "explanations", "failure", "shown", "usual", "with_facts"]

FloatArray = NDArray[np.float64]

EXPLAINS = 0.5
"""Part of the missing rows that one value must have to be called the explanation."""
BEYOND_SHARE = 1.5
"""Times its share of all rows."""
LOOK_BACK_HOURS = 96
SILENT_ROWS = 8.0
SILENT_PART = 0.7
"""Rows expected in a silence, and their part of all that are missing, from which a change is called a
silence."""
MOST_VALUES = 3
SETTLED_ROWS = 100.0


@dataclass(frozen=True)
class Words:
    """The parts of a failing result."""

    summary: str
    amount: Amount
    since: datetime
    facts: tuple[Fact, ...]
    spark: Spark
    silent: bool


def failure(cut: Cut, scores: CutScores, history: CutHistory, k: int, hour: int) -> Words:
    """Words and numbers for cut ``k``; ``hour``: the open one, hours since 1970."""
    window = int(scores.window[-1, k])
    observed, expected = float(scores.observed[-1, k]), float(scores.expected[-1, k])
    rows = max(float(scores.group[-1, k]), 1.0)
    lower, upper = usual(expected, rows, float(scores.spread[-1, k]), float(scores.scale[-1, k]))
    begin, end = (hour - window) * HOUR, hour * HOUR
    since, silent = _since(scores, history, k, window), False
    quiet = _quiet(scores, history, k)
    if quiet >= 1:
        due = float(scores.hourly[-quiet:, k].sum())
        silent = due >= SILENT_ROWS and due >= SILENT_PART * (expected - observed)
        since = history.start + history.size - quiet if silent else since
    name = f"{cut.dimension} {shown(cut.value)}"
    summary = (
        f"{name}: {number(observed)} of {number(rows)} events {when(begin, end)}, "
        f"usually {span_of(lower, upper)} of so many"
    )
    length = "the hour" if window == 1 else format_duration(window * HOUR)
    z = float(scores.z[-1, k])
    facts = [
        Fact("spoke", f"{length} (z {signed(z)} by its share)"),
        Fact("share", f"{observed / rows * 100:.1f} %, usually {expected / rows * 100:.1f} %"),
    ]
    if expected > 0:
        facts.append(Fact("change", percent_change(observed / expected - 1)))
    return Words(
        summary=summary,
        amount=Amount(
            "events",
            observed,
            expected,
            lower,
            upper,
            from_epoch(begin),
            from_epoch(end),
            z,
            float(2.0 * ndtr(-abs(z))),
        ),
        since=from_epoch(since * HOUR),
        facts=tuple(facts),
        spark=_spark(scores, history, k),
        silent=silent,
    )


def _quiet(scores: CutScores, history: CutHistory, k: int) -> int:
    """Newest hours without a row."""
    came = np.flatnonzero(history.counts[-len(scores.hourly) :, k])
    width = min(len(scores.hourly), history.size)
    return width - 1 - int(came[-1]) if came.size else width


def usual(expected: float, rows: float, spread: float, scale: float) -> tuple[float, float]:
    """The range of rows that 99 of 100 quiet windows lie in, of so many of the group."""
    middle = np.arcsin(np.sqrt(min(expected / rows, 1.0)))
    half = USUAL_Z * max(scale, 1.0) * np.sqrt(0.25 / rows + spread)
    low, high = np.clip([middle - half, middle + half], 0.0, np.pi / 2)
    return float(rows * np.sin(low) ** 2), float(rows * np.sin(high) ** 2)


def _since(scores: CutScores, history: CutHistory, k: int, window: int) -> int:
    """The hour from which on "it was so" beats "as usual" by the largest likelihood ratio."""
    reach = min(max(window, RECENT), LOOK_BACK_HOURS, history.size, len(scores.hourly))
    came, rows = history.counts[-reach:, k], history.group[-reach:, k]
    usually = np.clip(scores.hourly[-reach:, k] / np.maximum(rows, 1.0), 1e-6, 1 - 1e-6)
    observed, expected = float(scores.observed[-1, k]), float(scores.expected[-1, k])
    ratio = (observed + 0.2) / (expected + 0.2)
    now = np.clip(usually * ratio, 1e-9, 1 - 1e-6)
    gain = came * np.log(now / usually) + (rows - came) * np.log((1 - now) / (1 - usually))
    tail = np.cumsum(gain[::-1])[::-1]
    return history.start + history.size - reach + int(tail.argmax())


def _spark(scores: CutScores, history: CutHistory, k: int) -> Spark:
    width = min(RECENT, history.size)
    first = history.start + history.size - width
    return Spark(
        from_epoch(first * HOUR),
        timedelta(hours=1),
        tuple(float(v) for v in history.counts[-width:, k]),
        tuple(round(float(v), 2) for v in scores.hourly[-width:, k]),
    )


def with_facts(result: Result, facts: Sequence[Fact]) -> Result:
    """The result with further facts behind its own."""
    return replace(result, facts=(*result.facts, *facts)) if facts else result


def explanations(
    view: ExposureView, sums: CutSums, usual: float, event_type: str, hours: int
) -> tuple[Fact, ...]:
    """One fact per watched dimension: the values that explain a change over the last closed hours, by
    their part of the missing or extra rows; or that all values moved alike. ``usual``: rows that the
    event type usually has in so many hours."""
    facts = []
    for dimension in view.exposure.dimensions:
        label = (event_type, dimension.name)
        if label not in sums.labels or usual <= 0:
            continue
        group = sums.labels.index(label)
        members = np.flatnonzero(sums.group == group)
        # Of some days ago, where that is enough to tell: versions come and go.
        before = sums.settled[members]
        before = before if before.sum() >= SETTLED_ROWS else sums.before[members]
        if len(members) < 2 or before.sum() <= 0:
            continue
        names = [view.cuts.keys[m].value for m in members]
        came = sums.recent[members, :hours].sum(axis=1)
        text = _explained(dimension.name, names, came, usual * before / before.sum())
        if text:
            facts.append(Fact("explained by", text))
    return tuple(facts)


def _explained(dimension: str, names: Sequence[str], came: FloatArray, due: FloatArray) -> str:
    off = came - due
    total = float(off.sum())
    if abs(total) < 1.0:
        return ""
    part, share = off / total, due / due.sum()
    order = np.argsort(-part)
    # A value that is most of the rows cannot have half as much again of what is missing.
    beyond = np.minimum(BEYOND_SHARE * share, (1.0 + share) / 2.0)
    said = [
        i
        for i in order[:MOST_VALUES]
        if part[i] >= EXPLAINS / 2 and part[i] >= beyond[i] and names[i] != OTHER
    ]
    rest = np.setdiff1d(np.arange(len(names)), said)
    change, left = total / due.sum(), off[rest].sum() / max(due[rest].sum(), 1.0)
    if not said or part[said].sum() < EXPLAINS or abs(left) > abs(change) / 2:
        alike = np.abs(off / np.maximum(due, 1.0) - change)[due >= 20]
        return f"all values of {dimension} alike" if len(alike) > 1 and alike.max() < 0.15 else ""
    listed = ", ".join(
        f"{dimension} {shown(names[i])} "
        + (percent_change(came[i] / due[i] - 1) if due[i] >= 1 else f"+{number(came[i])} rows")
        for i in said
    )
    word = "missing" if total < 0 else "extra"
    text = f"{listed} ({min(part[said].sum(), 1.0) * 100:.0f} % of the {word} rows)"
    if due[rest].sum() >= 1:
        text += f", the others {percent_change(left)}"
    return text
