"""The sentences of an explanation."""

from __future__ import annotations

from eventwatch.kinds.volume import Subject
from eventwatch.kinds.volume_explanation import Explanation
from eventwatch.kinds.volume_rates import RARE_PER_DAY
from eventwatch.kinds.volume_stop import Verdict
from eventwatch.kinds.volume_verdict import STAYS
from eventwatch.kinds.volume_words import events, number, span_of, when
from eventwatch.model.contract import Direction, Pattern
from eventwatch.model.durations import format_duration
from eventwatch.model.status import Status

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
QUIET = 1.0
"""Spreads from which on a direction is worth a word."""


def sentence(made: Explanation, verdict: Verdict | None) -> str:
    """Observed against expected in units of its own spread."""
    if made.status in (Status.LEARNING, Status.SKIPPED) and verdict is None:
        return made.result.summary
    silence, spoke = made.silence, made.spoke
    if verdict is not None and verdict.window == 0 and silence is not None:
        return (
            f"no events for {format_duration(silence.quiet)}, about {number(verdict.expected)} were "
            f"expected in that time"
        )
    if spoke is None or made.observed is None or made.expected is None or made.z is None:
        return made.result.summary or "nothing can be said of its counts now"
    seen = "no events" if made.observed == 0 else events(made.observed)
    if made.observed == 1:
        seen = "1 event"
    start, end = int(spoke.start_at.timestamp()), int(spoke.end_at.timestamp())
    usually = ""
    if made.lower is not None and made.upper is not None:
        usually = f" (usually {span_of(made.lower, made.upper)})"
    return (
        f"{seen} {when(start, end)}, {number(made.expected)} were expected{usually}: "
        f"{_distance(made.z)}"
    )


def _distance(z: float) -> str:
    if abs(z) < QUIET:
        return "within its own spread"
    return f"{abs(z):.1f} times its own spread {'above' if z > 0 else 'below'}"


def why(made: Explanation, subject: Subject, verdict: Verdict | None) -> str:
    """What the status follows from."""
    result, score, limit = made.result, made.score, made.threshold
    if result.status in (Status.LEARNING, Status.SKIPPED) or limit is None:
        return result.summary
    if verdict is not None and verdict.window == 0:
        chance = 0.0 if verdict.p_value is None else verdict.p_value
        under = made.silence.limit if made.silence is not None else 0.0
        return f"the chance of such a silence is {chance:.0e}, told from {under:.0e} on"
    if score is None or made.z is None:
        return result.summary or "no window could be judged"
    if limit.z is not None:
        over = abs(made.z) >= limit.z
        told = (
            f"|z| {abs(made.z):.1f} {'reaches' if over else 'is under'} the threshold {limit.z:g}"
        )
    else:
        # A window without a row is held against the threshold for silence.
        bar = limit.silent_score if made.observed == 0 else limit.score
        over = score >= bar
        told = f"score {score:.1f} {'reaches' if over else 'is under'} the threshold {bar:.1f}"
        if result.status is Status.FAIL and not over:
            return (
                f"{told}, but it was over it in this alarm and goes on failing until it is under "
                f"{STAYS * bar:.1f}"
            )
    if over and result.status is Status.PASS:
        wanted = {Direction.DROP: "only drops", Direction.SPIKE: "only rises"}
        return f"{told}, but {wanted.get(subject.direction, 'neither direction')} is to be told"
    return told


def season_words(factor: float, weekday: int, hour: int, *, by_day: bool) -> str:
    """``this hour on Sundays is 0.4 of the average hour``."""
    size = f"{factor:.2f} of" if factor < 1.95 else f"{factor:.1f} times"
    if by_day:
        return f"{_DAYS[weekday]} are {size} the average day"
    return (
        f"{hour:02d}:00 to {(hour + 1) % 24:02d}:00 on {_DAYS[weekday]} is {size} the average hour"
    )


def judged_by(subject: Subject, per_day: float) -> str:
    """By which width of bucket, and why."""
    rate = (
        f"{number(per_day)} rows a day" if per_day < 100 else f"{number(round(per_day))} rows a day"
    )
    pattern = Pattern.LEARNED if subject.contract is None else subject.contract.pattern
    if subject.by_day:
        if pattern is Pattern.SPARSE:
            return f"by day: its contract says PATTERN_SPARSE ({rate})"
        return f"by day: {rate}, and hours say something from {RARE_PER_DAY:g} on"
    if pattern is Pattern.CONTINUOUS and per_day < RARE_PER_DAY:
        return f"by hour: its contract says PATTERN_CONTINUOUS ({rate})"
    return f"by hour: {rate}"
