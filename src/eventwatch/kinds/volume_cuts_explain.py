"""Why the volume check says of one value of a dimension, within its event type, what it says.

Nothing is judged here: the verdict is that of ``judge``, and the numbers are those of the same scores.
Cuts that the check lets pass without a close look are scored too, so that every value has its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from eventwatch.detect.resume import run_on
from eventwatch.detect.settings import SCORE_PER_FOLD
from eventwatch.kinds import volume, volume_cuts_story
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.drift_novelty import novelty_of, watched_by
from eventwatch.kinds.results import Maker
from eventwatch.kinds.volume import Subject, VolumeCheck
from eventwatch.kinds.volume_cuts import (
    LEARNING_DAYS,
    MOST_OF_ALL,
    PART_OF_BUDGET,
    RARE_PER_DAY,
    Cuts,
)
from eventwatch.kinds.volume_cuts_counts import RECENT, CutHistory, CutSums
from eventwatch.kinds.volume_cuts_gate import only_moved
from eventwatch.kinds.volume_cuts_score import CutScores, score_cuts
from eventwatch.kinds.volume_cuts_story import shown
from eventwatch.kinds.volume_lived import lived
from eventwatch.kinds.volume_panel import judged_at, panel_of
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import HOUR, OTHER, SeriesKey
from eventwatch.model.result import Cut, Result
from eventwatch.model.status import KindName, Status
from eventwatch.model.trace import Stretch, Trace
from eventwatch.model.view import ExposureView

DAYS = 4.0
"""So much the picture shows; what was expected is known of the last two days."""
LONGEST = 35.0


@dataclass(frozen=True)
class CutExplanation:
    """One cut at one instant. Numbers are None where it could not be scored."""

    event_type: str
    cut: Cut
    at: datetime
    """End of the newest hour that is over: only closed hours are judged."""
    result: Result
    """What the volume check says, exactly as a run does; a PASS where it says nothing."""
    sentence: str
    """Observed against expected, of so many rows of the event type."""
    why: str
    """What the status follows from."""
    window: timedelta | None = None
    """The hours that spoke, up to ``at``."""
    observed: float | None = None
    expected: float | None = None
    lower: float | None = None
    """The usual range with ``upper``."""
    upper: float | None = None
    group: float | None = None
    """Rows of the event type in the same hours."""
    z: float | None = None
    """Of the share of these rows, calibrated."""
    score: float | None = None
    threshold: float | None = None
    trace: Trace | None = None


def explain_cut(
    view: ExposureView,
    rules: Rules[VolumeCheck],
    event_type: str,
    cut: Cut,
    *,
    days: float | None = None,
) -> CutExplanation | None:
    """What decided about the cut at ``view.now``; None where no row of it ever came."""
    key = SeriesKey(event_type, cut.dimension, cut.value)
    if key not in view.cuts.keys or not len(view.rows.series):
        return None
    results = tuple(volume.judge(view, rules))
    at = judged_at(view)
    view = replace(view, rows=lived(view))
    panel = panel_of(view, max(int(view.exposure.bucket.total_seconds()), HOUR), at)
    subjects = volume.subjects_of(view, rules, panel)
    subject = next((s for s in subjects if s.event_type == event_type), None)
    if subject is None:
        return None
    whole = volume.scorable(view, panel)
    scored = volume.passed(view, panel, whole, run_on(whole, volume.settings_of(view))).scored
    make = Maker(view.exposure.name, KindName.VOLUME)
    scene = _Scene(view, make, rules.for_exposure(), panel, scored, subjects)
    own = next((r for r in results if r.event_type == event_type and r.cut == cut), None)
    alike = next((r for r in results if r.event_type is None and r.cut == cut), None)
    return scene.told_of(subject, cut, own, alike, days)


class _Scene(Cuts):
    """The pass that judges, kept to look at one cut of it."""

    def told_of(
        self,
        subject: Subject,
        cut: Cut,
        own: Result | None,
        alike: Result | None,
        days: float | None,
    ) -> CutExplanation:
        """All of it; ``own`` and ``alike``: what the check says of the cut, and of its value in most
        event types."""
        sums = self._sums
        result = own or self.make.make(
            subject.check,
            "cut",
            Status.PASS,
            event_type=subject.event_type,
            contract=subject.contract,
            cut=cut,
        )
        at = from_epoch(self.panel.at // HOUR * HOUR)
        if sums is None:
            text = f"less than {LEARNING_DAYS:g} days of closed hours are known of this dimension"
            result = replace(result, status=Status.LEARNING, summary=text)
            return CutExplanation(subject.event_type, cut, at, result, text, text)
        series = self.view.cuts.keys.index(SeriesKey(subject.event_type, cut.dimension, cut.value))
        history = self._history(np.array([series]), sums)
        share = (sums.before[series] + 1e-3) / max(
            sums.of_group(sums.before)[sums.group[series]], 1.0
        )
        scores = score_cuts(history, share * history.group, self._slots(history))
        off = self._not_judged(subject, cut, series, sums)
        threshold = self._threshold(subject)
        words = volume_cuts_story.failure(cut, scores, history, 0, sums.hour)
        if off and own is None:
            result = replace(result, status=Status.SKIPPED, summary=off)
        made = CutExplanation(
            event_type=subject.event_type,
            cut=cut,
            at=at,
            result=result,
            sentence=words.summary,
            why=off or self._why(result, scores, series, threshold, alike),
            window=timedelta(hours=int(scores.window[-1, 0])),
            observed=words.amount.observed,
            expected=words.amount.expected,
            lower=words.amount.lower,
            upper=words.amount.upper,
            group=float(scores.group[-1, 0]),
            z=words.amount.z,
            score=float(scores.score[-1, 0]),
            threshold=threshold,
        )
        return replace(made, trace=self._trace(made, scores, history, days))

    def _not_judged(self, subject: Subject, cut: Cut, series: int, sums: CutSums) -> str:
        """Why its share is held against nobody; empty: it is."""
        name, check = f"{cut.dimension} {shown(cut.value)}", subject.check
        known = self._judged
        if known is not None and series in known.series:
            return ""
        if not check.enabled:
            return "the volume check is switched off for its event type"
        if not watched_by(check.dimensions, cut.dimension):
            return f"the check does not judge values of {cut.dimension}"
        if cut.value == OTHER:
            return "values beyond the dimension's cap are counted as one, which nobody answers for"
        total = float(sums.before[series] + sums.recent[series].sum())
        if total < RARE_PER_DAY * (float(sums.days[series]) + RECENT / 24):
            return f"{name} has fewer than {RARE_PER_DAY:g} rows a day: its share says too little"
        group = float(
            (sums.before + sums.recent.sum(axis=1))[sums.group == sums.group[series]].sum()
        )
        if total > MOST_OF_ALL * group:
            return f"{name} is nearly all of its event type, which is judged itself"
        place = next(i for i, r in enumerate(self.rules) if r.event_type == subject.event_type)
        if not self._is_old(self.rules[place]):
            return "its event type is too young, too rare or not active: its cuts are not judged"
        if novelty_of(self.view, cut.dimension).is_usual and not self._is_stable(
            place, cut.dimension, ""
        ):
            return (
                f"values of {cut.dimension} come and go by nature: they explain what fails, and are "
                "not told by themselves"
            )
        return f"it came first less than {LEARNING_DAYS:g} days ago"

    def _threshold(self, subject: Subject) -> float:
        """The event type's, and what follows from how many cuts share a part of its budget."""
        known = self._judged
        place = next(i for i, r in enumerate(self.rules) if r.event_type == subject.event_type)
        size = 1 if known is None else max(int((known.owner == place).sum()), 1)
        return subject.threshold + SCORE_PER_FOLD * float(np.log(size / PART_OF_BUDGET))

    def _why(
        self,
        result: Result,
        scores: CutScores,
        series: int,
        threshold: float,
        alike: Result | None,
    ) -> str:
        score, window = float(scores.score[-1, 0]), int(scores.window[-1, 0])
        falls, sums = bool(scores.z[-1, 0] < 0), self._sums
        told = f"score {score:.1f} {'reaches' if score >= threshold else 'is under'} the threshold "
        told += f"{threshold:.1f}"
        if result.status is Status.SKIPPED:
            return f"{told}, but {result.summary}"
        if result.status is Status.FAIL or score < threshold:
            if alike is not None and alike.status is Status.FAIL:
                return f"{told}; it moves in most event types, which the exposure tells"
            return told
        if sums is not None and only_moved(sums, series, window, falls=falls):
            return f"{told}, but the rows moved to other values, or the others changed"
        return f"{told}, but its own rows are not off the same way from what its event type brings"

    def _trace(
        self,
        made: CutExplanation,
        scores: CutScores,
        history: CutHistory,
        days: float | None,
    ) -> Trace:
        wanted = round(min(DAYS if days is None else days, LONGEST) * 24)
        size = min(max(wanted, 24), history.size)
        counts = history.counts[-size:, 0]
        known = min(len(scores.hourly), size)
        expected: list[float | None] = [None] * (size - known)
        lower, upper = list(expected), list(expected)
        spread, scale = float(scores.spread[-1, 0]), float(scores.scale[-1, 0])
        for back in range(known, 0, -1):
            due, rows = float(scores.hourly[-back, 0]), float(history.group[-back, 0])
            low, high = volume_cuts_story.usual(min(due, rows), max(rows, 1.0), spread, scale)
            expected.append(due)
            lower.append(low)
            upper.append(high)
        start = from_epoch((history.start + history.size - size) * HOUR)
        end, since = made.at, made.result.since
        bad = made.result.status is Status.FAIL and since is not None and since < end
        return Trace(
            title=f"{made.event_type}, {made.cut.dimension} {shown(made.cut.value)}",
            sentence=made.sentence,
            start_at=start,
            step=timedelta(hours=1),
            zone=self.view.exposure.time_zone.key,
            observed=tuple(float(v) for v in counts),
            expected=tuple(expected),
            lower=tuple(lower),
            upper=tuple(upper),
            bad=(Stretch(max(since, start), end),) if bad and since is not None else (),
        )
