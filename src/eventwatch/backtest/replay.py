"""One exposure from its recording to incidents: judged day by day in any order, followed in theirs.

A process that judges days whose look-back begins alike goes on from what the detector knew at the end of
the day before, and replays weeks of counts where it begins differently. So days that follow each other
stay together, as far as that leaves enough to do for every process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventwatch.backtest.follow import Follower, Setting
from eventwatch.backtest.incident import Replay
from eventwatch.backtest.judging import Assignment, judge_days
from eventwatch.backtest.pool import workers
from eventwatch.backtest.recording import Recording
from eventwatch.backtest.span import DAY, Span
from eventwatch.kinds.definition import Check
from eventwatch.model.durations import floor_to
from eventwatch.pipeline import plan

MOST_DAYS = 4
"""Days that one process is given at once. Nobody sees anything of them before the last one is judged."""

Day = tuple[datetime, ...]
"""The instants of cycles within one UTC day."""
Watched = Callable[[int], None]
"""Told how many cycles are done."""


@dataclass(frozen=True)
class Job:
    """One exposure, one or two sets of checks, and the cycles to run."""

    setting: Setting
    checks: tuple[tuple[Check, ...], ...]
    span: Span
    jobs: int = 1
    """Processes."""


def replay(job: Job, recording: Recording, watched: Watched = lambda _: None) -> tuple[Replay, ...]:
    """One replay per set of checks. Raises OSError where processes cannot share the recording."""
    setting = job.setting
    assignment = Assignment(setting.scene, job.checks, setting.restriction)
    followers = [Follower(setting) for _ in job.checks]
    days: tuple[Day, ...] = job.span.by_day()
    jobs = min(job.jobs, len(days))
    starts = [plan.look_back_start(setting.scene.exposure, floor_to(day[0], DAY)) for day in days]
    done = 0
    with workers(assignment, recording, jobs) as desk:
        for judged in desk.each(judge_days, shares(days, starts, jobs)):
            for cycles in judged:
                for place, cycle in enumerate(cycles):
                    for follower, said in zip(followers, cycle.said, strict=True):
                        follower.cycle(cycle.at, said, new_day=place == 0)
                done += len(cycles)
            watched(done)
    return tuple(follower.replay() for follower in followers)


def shares(
    days: Sequence[Day], starts: Sequence[datetime], jobs: int
) -> tuple[tuple[Day, ...], ...]:
    """The days in their order, put into shares for so many processes: of days whose look-back begins
    alike (``starts``), and smaller towards the end, so that all are through at about the same time."""
    found: list[tuple[Day, ...]] = []
    at = 0
    while at < len(days):
        # One process forgets nothing from one share to the next.
        most = 1 if jobs <= 1 else min(MOST_DAYS, max((len(days) - at) // jobs, 1))
        stop = at + 1
        while stop < min(at + most, len(days)) and starts[stop] == starts[at]:
            stop += 1
        found.append(tuple(days[at:stop]))
        at = stop
    return tuple(found)
