"""One exposure from its recording to incidents: judged day by day in any order, followed in theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eventwatch.backtest.follow import Follower, Setting
from eventwatch.backtest.incident import Replay
from eventwatch.backtest.judging import Assignment, judge_day
from eventwatch.backtest.pool import workers
from eventwatch.backtest.recording import Recording
from eventwatch.backtest.span import Span
from eventwatch.kinds.definition import Check

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
    days: tuple[tuple[datetime, ...], ...] = job.span.by_day()
    done = 0
    with workers(assignment, recording, min(job.jobs, len(days))) as desk:
        for cycles in desk.each(judge_day, days):
            for place, cycle in enumerate(cycles):
                for follower, said in zip(followers, cycle.said, strict=True):
                    follower.cycle(cycle.at, said, new_day=place == 0)
            done += len(cycles)
            watched(done)
    return tuple(follower.replay() for follower in followers)
