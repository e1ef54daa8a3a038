"""volume: did counts rise or fall as they should not.

One pass over all event types of an exposure at once, each also held against what the others do at
the same time. A table that is late as a whole is told by freshness; a movement that most event types
share is told once, about the exposure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from eventwatch.detect.clock import clock_of
from eventwatch.detect.newborn import Newborn
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.resume import run_on
from eventwatch.detect.settings import DAY, DetectSettings, grain, threshold_for
from eventwatch.kinds import volume_story as story
from eventwatch.kinds.definition import Duration, Rules
from eventwatch.kinds.results import Maker
from eventwatch.kinds.volume_calendar import holiday_marks, holiday_of, label_marks
from eventwatch.kinds.volume_cuts import Cuts
from eventwatch.kinds.volume_cuts_check import CutCheck
from eventwatch.kinds.volume_lived import lived
from eventwatch.kinds.volume_panel import VolumePanel, judged_at, panel_of
from eventwatch.kinds.volume_promise import promises
from eventwatch.kinds.volume_rates import RARE_PER_DAY, least_of_rise, rate, rates
from eventwatch.kinds.volume_stop import Verdict, stopped
from eventwatch.kinds.volume_verdict import Bars, failing
from eventwatch.kinds.volume_young import bounds, fallen, young
from eventwatch.model.contract import Contract, Direction, LifecycleState, Pattern
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import HOUR
from eventwatch.model.result import Fact, Result
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import ExposureView

MOST_FALSE_PER_DAY = 0.0002
"""A small team's budget would allow each of its few event types a false alarm a fortnight; ten such
teams are a noisy product. So no event type gets more than this, however small its team. Measured
over hourly cycles, young buckets make about five false alarms of one that is fitted to closed ones;
this leaves room for that."""
MOST_FALSE_SILENCES_PER_DAY = 0.001
"""The same where nothing came at all: an outage is worth more false alarms than a dent."""
FEW_PER_DAY = 48.0
FEW = 4.0
"""Counts of so few rows a day are steps, not a scale: what is fitted to them errs on the safe side by
this factor, so both limits are that much larger there."""
LEARNING = timedelta(days=3)
LEARNING_BY_DAY = timedelta(days=14)
ACCEPTED_IN = 3
"""Buckets in which a level that a person said is no problem becomes the usual one."""


class VolumeCheck(CutCheck):
    """How sensitive the rolling z-score is."""

    kind: Literal[KindName.VOLUME] = KindName.VOLUME
    false_alerts_per_team_and_week: float = Field(
        1.0, gt=0, le=1000, description="Budget of false alerts that the threshold is made for."
    )
    z_threshold: float | None = Field(
        None, gt=0, le=1000, description="A plain |z| to alert from, instead of the budget."
    )
    alert_on: Direction | None = Field(
        None, description="Which way counts; null: as the contract says, else both."
    )
    keep: Duration = Field(
        timedelta(hours=1),
        description="How long it must be good again before it is called resolved.",
    )


@dataclass(frozen=True)
class Subject:
    """One event type, what was promised of it and what rules it."""

    column: int
    event_type: str
    contract: Contract | None
    check: VolumeCheck
    threshold: float
    """Score to fail from."""
    silence_threshold: float
    """The same where nothing came in the window that spoke."""
    z_threshold: float | None
    direction: Direction
    by_day: bool
    most_false: float
    """False alarms a day that it may have at most, whatever its team's budget."""
    least_of_rise: float = 0.0
    """Rows that a rise must bring, where it is too rare to be judged otherwise."""


@dataclass(frozen=True)
class Pass:
    """A panel and what the detector says of it."""

    panel: VolumePanel
    scored: Scored
    labels: NDArray[np.int8] | None = None
    """What people said, [T, S]."""
    holiday: tuple[Fact, ...] = ()
    """Of the day of the newest bucket."""
    fails: NDArray[np.bool_] | None = None
    """[S] whether the newest bucket fails; None: not worked out for all."""

    @property
    def last(self) -> int:
        """The bucket that is judged: the newest."""
        return self.panel.grid.size - 1


def judge(view: ExposureView, rules: Rules[VolumeCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    make = Maker(view.exposure.name, KindName.VOLUME)
    whole = rules.for_exposure()
    if not len(view.rows.series):
        return
    at = judged_at(view)
    view = replace(view, rows=lived(view))
    step = max(int(view.exposure.bucket.total_seconds()), HOUR)
    panel = panel_of(view, step, at)
    subjects = subjects_of(view, rules, panel)
    if panel.grid.size < 2:
        yield make.make(
            whole, "common", Status.LEARNING, "too little history", learning_until=_learned(view)
        )
        for subject in subjects:
            yield from _promised(view, make, subject, panel)
        return
    hourly = _score(view, panel)
    daily = hourly
    if step < DAY and any(s.by_day for s in subjects):
        by_day = panel_of(view, DAY, at)
        # Before the first midnight there is no day to judge: all are learning.
        daily = _score(view, by_day) if by_day.grid.size else hourly
    if whole.enabled:
        yield from _exposure(make, whole, hourly)
    hourly, daily = (replace(of, fails=failures(subjects, of)) for of in (hourly, daily))
    halted = _unexcused(hourly, stopped(hourly.panel, hourly.scored))
    cuts = Cuts(view, make, whole, hourly.panel, hourly.scored, subjects)
    failed: dict[str, Result] = {}
    for subject in subjects:
        if not subject.check.enabled:
            continue
        result = _bucket(view, make, subject, daily if subject.by_day else hourly, halted)
        if result.status is Status.FAIL:
            failed[subject.event_type] = result
            result = cuts.explained(result, subject)
        yield result
        yield from _promised(view, make, subject, panel)
    yield from cuts.results(failed)


def _promised(
    view: ExposureView, make: Maker, subject: Subject, panel: VolumePanel
) -> Iterator[Result]:
    """What the contract says outright needs no history."""
    if subject.check.enabled:
        yield from promises(
            view, make, subject.check, subject.contract, panel=panel, column=subject.column
        )


def _learned(view: ExposureView) -> datetime:
    return view.measured_from + LEARNING


def _score(view: ExposureView, panel: VolumePanel) -> Pass:
    whole = scorable(view, panel)
    return passed(view, panel, whole, run_on(whole, settings_of(view)))


def scorable(view: ExposureView, panel: VolumePanel) -> Panel:
    """The panel as the detector takes it."""
    of = grain(panel.grid.step)
    clock = clock_of(panel.grid.edges[:-1], of, settings_of(view))
    labels = label_marks(view, panel.grid, view.rows.keys)
    marks = holiday_marks(view, panel.grid)
    return Panel(panel.counts, clock, of, panel.share, panel.doubt, marks, labels)


def passed(view: ExposureView, panel: VolumePanel, whole: Panel, scored: Scored) -> Pass:
    """With what was said of it; ``whole`` is what was scored."""
    facts = holiday_of(view, panel.grid, panel.grid.size - 1)
    return Pass(panel, scored, whole.labels, facts)


def settings_of(view: ExposureView) -> DetectSettings:
    """How counts of this exposure are scored."""
    return DetectSettings(time_zone=view.exposure.time_zone, witness=True, one_place=True)


def subjects_of(
    view: ExposureView, rules: Rules[VolumeCheck], panel: VolumePanel
) -> tuple[Subject, ...]:
    """Every event type of the panel that has a name."""
    names = [name for name in panel.names if name is not None]
    contracts = {name: view.catalog.of(name) for name in names}
    sizes = Counter("" if c is None else c.owner.team for c in contracts.values())
    per_day = rates(panel)
    least = least_of_rise(panel, per_day)
    checks = dict(rules.each(names))
    subjects = []
    for column, name in enumerate(panel.names):
        if name is None:
            continue
        contract, check = contracts[name], checks[name]
        team = "" if contract is None else contract.owner.team
        budget = check.false_alerts_per_team_and_week / (7.0 * sizes[team])
        z_threshold = check.z_threshold
        if z_threshold is None and contract is not None:
            z_threshold = contract.z_threshold
        pattern = Pattern.LEARNED if contract is None else contract.pattern
        rare = pattern is Pattern.SPARSE or (
            pattern is not Pattern.CONTINUOUS and per_day[column] < RARE_PER_DAY
        )
        direction = _direction(check, contract)
        # Who asks for rises, or sets a plain z, gets them.
        bounded = rare and direction is not Direction.SPIKE and z_threshold is None
        few = FEW if per_day[column] < FEW_PER_DAY else 1.0
        subjects.append(
            Subject(
                column=column,
                event_type=name,
                contract=contract,
                check=check,
                threshold=threshold_for(min(budget, few * MOST_FALSE_PER_DAY)),
                most_false=few * MOST_FALSE_PER_DAY,
                silence_threshold=threshold_for(min(budget, few * MOST_FALSE_SILENCES_PER_DAY)),
                z_threshold=z_threshold,
                direction=direction,
                by_day=rare,
                least_of_rise=float(least[column]) if bounded else 0.0,
            )
        )
    return tuple(subjects)


def _direction(check: VolumeCheck, contract: Contract | None) -> Direction:
    if check.alert_on is not None:
        return check.alert_on
    if contract is None:
        return Direction.BOTH
    if contract.pattern is Pattern.BURSTY and contract.alert_on is Direction.BOTH:
        return Direction.DROP
    if contract.state is LifecycleState.DEPRECATED and contract.alert_on is Direction.BOTH:
        return Direction.SPIKE
    return contract.alert_on


def _exposure(make: Maker, check: VolumeCheck, of: Pass) -> Iterator[Result]:
    """The table as a whole: late, or moving together."""
    panel, scored = of.panel, of.scored
    if panel.late:
        yield make.make(
            check,
            "late",
            Status.SKIPPED,
            f"nothing was loaded since {from_epoch(panel.at):%Y-%m-%d %H:%M} UTC: "
            "counts are judged as of then",
            since=from_epoch(panel.at),
        )
    yield story.together(make, check, panel, scored)


def _unexcused(of: Pass, halted: dict[int, Verdict]) -> dict[int, Verdict]:
    """Without those of which a person just said that it is not a problem."""
    if of.labels is None:
        return halted
    said: NDArray[np.bool_] = np.any(of.labels[-1 - ACCEPTED_IN :] < 0, axis=0)
    return {column: verdict for column, verdict in halted.items() if not said[column]}


def _bucket(
    view: ExposureView,
    make: Maker,
    subject: Subject,
    of: Pass,
    halted: dict[int, Verdict],
) -> Result:
    """The verdict on one event type's counts."""
    check, contract = subject.check, subject.contract
    state = LifecycleState.ACTIVE if contract is None else contract.state

    def say(
        status: Status, summary: str = "", facts: tuple[Fact, ...] = (), **more: object
    ) -> Result:
        return make.make(
            check,
            "bucket",
            status,
            summary,
            event_type=subject.event_type,
            contract=contract,
            facts=(*facts, *of.holiday),
            **more,  # type: ignore[arg-type]
        )

    if state in (LifecycleState.DRAFT, LifecycleState.RETIRED):
        return say(Status.SKIPPED, f"{state.value} in its contract: counts are not judged")
    learning = LEARNING_BY_DAY if subject.by_day else LEARNING
    age = of.scored.age[of.last, subject.column] * max(of.panel.grid.step, DAY) / DAY
    if age < learning.total_seconds() / DAY:
        until = view.now + learning - timedelta(days=max(float(age), 0.0))
        one = None if subject.by_day else _young(subject, of)
        if one is not None and one.fails:
            return _fail(say, fallen(of.panel, of.scored, subject.column, one))
        return say(
            Status.LEARNING,
            f"{max(age, 0.0):.1f} days of history, {learning.days} are needed",
            facts=() if one is None else (bounds(of.panel, one),),
            learning_until=until,
        )
    verdict = _verdict(subject, of, halted)
    if verdict is None:
        new = story.new_level(of.panel, of.scored, subject.column)
        if new is not None:
            return say(Status.PASS, new.text, facts=(new,))
        if not subject.by_day:
            return say(Status.PASS)
        if subject.least_of_rise:
            week = rate(of.panel, subject.column) * 7
            return say(
                Status.SKIPPED,
                f"too rare to judge its counts ({week:.1f} rows a week): its silence is watched, and "
                f"whether {subject.least_of_rise:,.0f} come at once",
            )
        return say(Status.PASS, "too rare to judge hourly: judged by day")
    return _fail(say, story.failure(of.panel, of.scored, subject.column, verdict))


def _fail(say: Callable[..., Result], told: story.Told) -> Result:
    return say(
        Status.FAIL,
        told.summary,
        amount=told.amount,
        since=told.since,
        facts=told.facts,
        spark=told.spark,
        total=told.total,
    )


def _young(subject: Subject, of: Pass) -> Newborn | None:
    """Of an event type that is still learned: what its first hours say, where a fall may be told."""
    if subject.contract is None or subject.direction is Direction.SPIKE:
        return None
    return young(of.panel, of.scored, subject.column)


def bars_of(subjects: Sequence[Subject]) -> Bars:
    """What they must reach to fail, in their order."""
    z = [np.nan if s.z_threshold is None else s.z_threshold for s in subjects]
    return Bars(
        score=np.array([s.threshold for s in subjects], dtype=np.float64),
        silence=np.array([s.silence_threshold for s in subjects], dtype=np.float64),
        z=np.array(z, dtype=np.float64),
        drops=np.array(
            [s.direction is not Direction.SPIKE and not s.least_of_rise for s in subjects]
        ),
        rises=np.array([s.direction is not Direction.DROP for s in subjects], dtype=np.bool_),
        rows=np.array([s.least_of_rise for s in subjects], dtype=np.float64),
    )


def failures(subjects: Sequence[Subject], of: Pass) -> NDArray[np.bool_]:
    """[S] which of the series fail in the newest bucket; False for those that are no subject."""
    scored, t = of.scored, of.last
    bars = bars_of(subjects).spread([s.column for s in subjects], scored.score.shape[1])
    score, alarm = scored.score[: t + 1], scored.alarm[: t + 1]
    return failing(bars, score, alarm, z=scored.z[t], observed=scored.observed[t])


def _verdict(subject: Subject, of: Pass, halted: dict[int, Verdict]) -> Verdict | None:
    """What is wrong, or None."""
    scored, t, s = of.scored, of.last, subject.column
    fails = failures([subject], of) if of.fails is None else of.fails
    if fails[s]:
        return Verdict(row=t, window=int(scored.window[t, s]), z=float(scored.z[t, s]))
    if not subject.by_day and subject.direction is not Direction.SPIKE and s in halted:
        return halted[s]
    return None


# For ``volume_explain``, which tells of one event type what ``judge`` says of all.
bucket, promised, exposure, unexcused = _bucket, _promised, _exposure, _unexcused
verdict_of, learned_at = _verdict, _learned
