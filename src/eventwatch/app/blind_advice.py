"""What to do about an event type whose stop would not be told: the line to write, where, and when its
stop would be told then. Only what its own past supports is proposed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from eventwatch.kinds.blind_habits import Habit
from eventwatch.kinds.volume_blind import Judged
from eventwatch.model.contract import Contract
from eventwatch.model.durations import format_duration

ROOM = 1.25
"""A limit on silence leaves so much room above the longest pause that was seen."""
LEAST = 0.5
"""A floor is this part of the emptiest day that was seen."""
DAY = timedelta(days=1)
LONGEST = timedelta(days=30)
"""A promise of a longer silence helps nobody."""


@dataclass(frozen=True)
class Advice:
    """One thing to do."""

    text: str
    """Why, in a few words without names from the data."""
    line: str
    """What to write, exactly; empty: nothing is to be written."""
    place: str
    """Where: ``events.proto:12``, ``checks/growth.yaml:3``."""
    told_after: timedelta | None
    """When a stop would be told at the latest; None: that cannot be said."""


@dataclass(frozen=True)
class Case:
    """What is known of one event type whose stop is not told in time."""

    event_type: str
    contract: Contract | None
    habit: Habit | None
    judged: Judged | None
    stop: timedelta | None
    """When its stop is told as things are; None: never."""
    within: timedelta
    freshness_off: str
    """Why its silence is not watched on purpose; empty: it is."""
    source: str
    """The check definition that rules its counts."""


def advice(case: Case) -> tuple[Advice, ...]:
    """The soonest first; at least one, which may say that there is nothing to do."""
    if case.contract is None:
        return (
            Advice(
                "nobody declared it: with a contract its silence is watched too",
                "",
                "",
                None,
            ),
        )
    place = str(case.contract.location)
    found = [
        made
        for made in (_gap(case, place), _by_day(case, place), _floor(case, place), _hold(case))
        if made is not None
    ]
    never = timedelta.max
    if not found:
        found = [Advice(_why_nothing(case), "", "", None)]
    return tuple(sorted(found, key=lambda a: never if a.told_after is None else a.told_after))


def _why_nothing(case: Case) -> str:
    pause = None if case.habit is None else case.habit.longest_pause
    if pause is None:
        return "too few rows came to propose a promise"
    return "its own pauses are too long for a promise that tells sooner"


def _gap(case: Case, place: str) -> Advice | None:
    """A limit on silence, where its pauses were shorter than what is told now."""
    habit, contract = case.habit, case.contract
    if contract is None or habit is None or habit.longest_pause is None or case.freshness_off:
        return None
    hours = max(math.ceil(ROOM * habit.longest_pause.total_seconds() / 3600), 1)
    limit = timedelta(hours=hours)
    if limit > LONGEST or (case.stop is not None and limit >= case.stop):
        return None
    if contract.max_gap is not None and contract.max_gap <= limit:
        return None
    pause = format_duration(habit.longest_pause)
    return Advice(
        f"its longest pause was {pause}",
        f"freshness {{ max_gap_seconds: {hours * 3600} }}",
        place,
        limit,
    )


def _by_day(case: Case, place: str) -> Advice | None:
    """Judging days instead of hours, where that was tried and tells."""
    judged = case.judged
    if judged is None or judged.by_day_instead is None or judged.by_day_instead.stop is None:
        return None
    return Advice(
        "its days tell more than its hours",
        "volume { pattern: PATTERN_SPARSE }",
        place,
        judged.by_day_instead.stop,
    )


def _floor(case: Case, place: str) -> Advice | None:
    """A floor, told when a day is over."""
    habit, contract = case.habit, case.contract
    if contract is None or contract.min_per_day is not None or habit is None:
        return None
    if not habit.least_day:
        return None
    told = 2 * DAY
    if case.stop is not None and told >= case.stop:
        return None
    least = max(int(LEAST * habit.least_day), 1)
    return Advice(
        f"its emptiest day had {habit.least_day:,} rows; told when a day is over",
        f"volume {{ min_per_day: {least} }}",
        place,
        told,
    )


def _hold(case: Case) -> Advice | None:
    """A failure that must last longer than the time that is asked for."""
    if case.judged is None or case.judged.hold < case.within:
        return None
    return Advice(
        f"a failure must last {format_duration(case.judged.hold)} before it is told",
        "for: 0",
        case.source,
        None,
    )
