"""Why the volume check says of one event type what it says: the same pass, with everything kept.

Nothing is judged here. The verdict is made by the functions that ``judge`` uses, from the same panel;
the rest is read off the arrays the verdict was made with.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from scipy.special import ndtr

from eventwatch.detect.aloud import Aloud, run_aloud
from eventwatch.detect.calendar import DAY, slots
from eventwatch.detect.rate import silence_p_value
from eventwatch.detect.settings import SCORE_AT_TAIL_START, SCORE_PER_FOLD, TAIL_START
from eventwatch.kinds import volume, volume_story
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.results import Maker
from eventwatch.kinds.volume import Pass, Subject, VolumeCheck
from eventwatch.kinds.volume_explain_words import judged_by, season_words, sentence, why
from eventwatch.kinds.volume_explanation import (
    Common,
    Completeness,
    Explanation,
    Season,
    Silence,
    Threshold,
    Window,
)
from eventwatch.kinds.volume_lived import lived
from eventwatch.kinds.volume_panel import VolumePanel, judged_at, panel_of
from eventwatch.kinds.volume_rates import rates
from eventwatch.kinds.volume_stop import STOP_P, Verdict, silences, stopped
from eventwatch.kinds.volume_trace import trace_of
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import HOUR
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status
from eventwatch.model.trace import Mark, Trace
from eventwatch.model.view import ExposureView

MATTERS = 0.02
"""The others are said to have spoken when they moved what was expected by this part of it."""
BUDGET = "false_alerts_per_team_and_week"
NEVER = timedelta(days=3650)
"""What is rarer than this is said to be so: a tail fitted to some weeks knows no more."""


def explain(
    view: ExposureView, rules: Rules[VolumeCheck], event_type: str, *, days: float | None = None
) -> Explanation | None:
    """What decided about the event type at ``view.now``; None where none of its rows ever came.

    ``days``: how much the trace shows; None: what fits its grain.
    """
    if not len(view.rows.series):
        return None
    at = judged_at(view)
    view = replace(view, rows=lived(view))
    step = max(int(view.exposure.bucket.total_seconds()), HOUR)
    panel = panel_of(view, step, at)
    subject = next(
        (s for s in volume.subjects_of(view, rules, panel) if s.event_type == event_type), None
    )
    if subject is None:
        return None
    scene = _Scene(view, rules, subject, panel, days)
    return scene.unlearned() if panel.grid.size < 2 else scene.explained()


@dataclass(frozen=True)
class _Scene:
    view: ExposureView
    rules: Rules[VolumeCheck]
    subject: Subject
    panel: VolumePanel
    """By the hour."""
    days: float | None

    @property
    def make(self) -> Maker:
        return Maker(self.view.exposure.name, KindName.VOLUME)

    def unlearned(self) -> Explanation:
        """Before the first whole bucket: only what the contract promises outright."""
        whole = self.rules.for_exposure()
        until = volume.learned_at(self.view)
        result = self.make.make(
            self.subject.check,
            "bucket",
            Status.LEARNING,
            "too little history",
            event_type=self.subject.event_type,
            contract=self.subject.contract,
            learning_until=until,
        )
        table = self.make.make(
            whole, "common", Status.LEARNING, "too little history", learning_until=until
        )
        return self._plain(self._off() or result, (table,) if whole.enabled else ())

    def _plain(self, result: Result, exposure: tuple[Result, ...]) -> Explanation:
        subject = self.subject
        return Explanation(
            event_type=subject.event_type,
            at=from_epoch(self.panel.at),
            late=self.panel.late,
            result=result,
            promises=self._promises(),
            exposure=exposure,
            by_day=subject.by_day,
            judged_by=judged_by(subject, float(rates(self.panel)[subject.column])),
            sentence=result.summary,
            why=result.summary,
            threshold=self._threshold(),
        )

    def explained(self) -> Explanation:
        """All of it."""
        view, subject = self.view, self.subject
        hourly, aloud = self._aloud(self.panel)
        of = hourly
        step = self.panel.grid.step
        if subject.by_day and step < DAY:
            days = panel_of(view, DAY, self.panel.at)
            if days.grid.size:
                of, aloud = self._aloud(days)
        whole = self.rules.for_exposure()
        table = tuple(volume.exposure(self.make, whole, hourly)) if whole.enabled else ()
        halted = volume.unexcused(hourly, stopped(hourly.panel, hourly.scored))
        off = self._off()
        result = off or volume.bucket(view, self.make, subject, of, halted)
        verdict = None if off else volume.verdict_of(subject, of, halted)
        made = self._numbers(self._plain(result, table), of, aloud, verdict)
        silence = None if subject.by_day else self._silence(hourly)
        made = replace(made, silence=silence)
        made = replace(made, why=why(made, subject, verdict), sentence=sentence(made, verdict))
        return replace(made, trace=self._trace(made, of, aloud))

    def _aloud(self, panel: VolumePanel) -> tuple[Pass, Aloud]:
        whole = volume.scorable(self.view, panel)
        aloud = run_aloud(whole, volume.settings_of(self.view))
        return volume.passed(self.view, panel, whole, aloud.scored), aloud

    def _off(self) -> Result | None:
        check = self.subject.check
        if check.enabled:
            return None
        where = f" in {check.source}" if check.source else ""
        return self.make.make(
            check,
            "bucket",
            Status.SKIPPED,
            f"the volume check is switched off for it{where}",
            event_type=self.subject.event_type,
            contract=self.subject.contract,
        )

    def _promises(self) -> tuple[Result, ...]:
        return tuple(volume.promised(self.view, self.make, self.subject, self.panel))

    def _numbers(
        self, made: Explanation, of: Pass, aloud: Aloud, verdict: Verdict | None
    ) -> Explanation:
        """Read off the newest bucket of the pass that judges the event type."""
        scored, panel, t, s = of.scored, of.panel, of.last, self.subject.column
        age = max(float(scored.age[t, s]) * max(panel.grid.step, DAY) / DAY, 0.0)
        made = replace(
            made,
            learned_days=age,
            season=self._season(of),
            level=float(scored.level[t, s]) if scored.age[t, s] > 0 else None,
            level_by="day" if panel.grid.step >= DAY else "hour",
            completeness=Completeness(
                float(panel.share[t, s]), math.sqrt(max(float(panel.doubt[t, s]), 0.0))
            ),
            holiday="; ".join(fact.text for fact in of.holiday),
            said=_said(of, s),
        )
        new = volume_story.new_level(panel, scored, s)
        made = made if new is None else replace(made, new_level=new.text)
        if made.status in (Status.LEARNING, Status.SKIPPED) and verdict is None and age <= 0:
            return made
        row = int(scored.window[t, s])
        expected, phi = float(scored.expected[t, s]), float(scored.spread[t, s])
        scale, z, score = (float(a[t, s]) for a in (scored.scale, scored.z, scored.score))
        if row:
            lower, upper = volume_story.usual(expected, phi, scale)
            observed = float(scored.observed[t, s])
            made = replace(
                made,
                observed=observed,
                nothing=None if observed else float(silence_p_value(expected, phi)),
                expected=expected,
                lower=lower,
                upper=upper,
                z=z,
                p_value=float(2.0 * ndtr(-abs(z))),
                score=score,
                once_in=_once_in(score),
                spread=phi,
                deviation=scale * math.sqrt(1.0 / max(expected, 1e-9) + phi),
                scale=scale,
                windows=self._windows(of, aloud, row),
            )
            made = replace(made, common=self._common(of, made))
        amount = made.result.amount
        if amount is not None:
            # The silence since the last row is told with numbers of its own.
            made = replace(
                made,
                observed=amount.observed,
                expected=amount.expected,
                lower=amount.lower,
                upper=amount.upper,
                z=amount.z,
                p_value=amount.p_value,
            )
        return made

    def _windows(self, of: Pass, aloud: Aloud, spoke: int) -> tuple[Window, ...]:
        grid, t, s, said = of.panel.grid, of.last, self.subject.column, aloud.windows
        windows = []
        for w, length in enumerate(int(n) for n in said.length):
            if not np.isfinite(said.observed[w, s]):
                continue
            end = min(int(grid.edges[t + 1]), of.panel.at)
            windows.append(
                Window(
                    start_at=from_epoch(grid.edges[t + 1 - length]),
                    end_at=from_epoch(end),
                    length=timedelta(seconds=length * grid.step),
                    observed=float(said.observed[w, s]),
                    expected=float(said.expected[w, s]),
                    others=float(said.moved[w, s]),
                    z=float(said.z[w, s]),
                    calibrated=float(said.calibrated[w, s]),
                    spoke=length == spoke,
                )
            )
        return tuple(windows)

    def _common(self, of: Pass, made: Explanation) -> Common | None:
        spoke, scored, t = made.spoke, of.scored, of.last
        if spoke is None:
            return None
        return Common(
            movement=float(scored.common[t]),
            together=bool(scored.common_hot[t]),
            shared=spoke.others,
            spoke=abs(spoke.others) >= MATTERS,
            own_z=float(scored.own_z[t, self.subject.column]),
            z=spoke.z,
        )

    def _season(self, of: Pass) -> Season | None:
        panel, t, s = of.panel, of.last, self.subject.column
        week = slice(max(0, t + 1 - 7 * DAY // panel.grid.step), t + 1)
        whole = of.scored.season[week, s] / np.maximum(panel.share[week, s], 1e-4)
        mean = float(whole.mean()) if whole.size else 0.0
        if mean <= 0 or of.scored.age[t, s] <= 0:
            return None
        factor = float(whole[-1]) / mean
        middle = (int(panel.grid.edges[t]) + int(panel.grid.edges[t + 1])) // 2
        when = slots(np.array([middle]), self.view.exposure.time_zone)
        by_day = panel.grid.step >= DAY
        return Season(
            factor, season_words(factor, int(when.weekday[0]), int(when.hour[0]), by_day=by_day)
        )

    def _silence(self, of: Pass) -> Silence | None:
        s = self.subject.column
        if of.panel.grid.step > HOUR or of.scored.age[of.last, s] < 1.0:
            return None
        _, _, expected, chance = silences(of.panel, of.scored)
        last = int(of.panel.last_row[s])
        return Silence(
            from_epoch(last),
            timedelta(seconds=of.panel.at - last),
            float(expected[s]),
            float(chance[s]),
            STOP_P,
        )

    def _threshold(self) -> Threshold:
        subject, check, contract = self.subject, self.subject.check, self.subject.contract
        owner = "" if contract is None else contract.owner.team
        names = [name for name in self.panel.names if name is not None]
        teams = Counter("" if c is None else c.owner.team for c in map(self.view.catalog.of, names))
        size = max(teams[owner], 1)
        allowed = check.false_alerts_per_team_and_week / (7.0 * size)
        field = "z_threshold" if subject.z_threshold is not None else BUDGET
        source = self.rules.source_of(subject.event_type, field)
        if check.z_threshold is None and contract is not None and contract.z_threshold is not None:
            source = str(contract.location)
        return Threshold(
            score=subject.threshold,
            silent_score=subject.silence_threshold,
            z=subject.z_threshold,
            budget=check.false_alerts_per_team_and_week,
            team=owner,
            team_size=size,
            false_per_day=min(allowed, subject.most_false),
            capped=allowed > subject.most_false,
            source=source,
        )

    def _trace(self, made: Explanation, of: Pass, aloud: Aloud) -> Trace:
        s = self.subject.column
        result = made.result
        marks: tuple[Mark, ...] = ()
        if made.new_level:
            begun = volume_story.new_level_since(of.panel, of.scored, s)
            marks = () if begun is None else (Mark(begun, "new level"),)
        if made.late:
            marks = (*marks, Mark(made.at, "last load"))
        return trace_of(
            of.panel,
            of.scored,
            s,
            zone=self.view.exposure.time_zone.key,
            sentence=made.sentence,
            since=result.since if result.status is Status.FAIL else None,
            days=self.days,
            scale=aloud.scale[:, :, s],
            marks=marks,
        )


def _once_in(score: float) -> timedelta | None:
    """How seldom the largest score of a day is so large, by the tail that scores are fitted to."""
    if score < SCORE_AT_TAIL_START:
        return None
    rate = TAIL_START * math.exp(-(score - SCORE_AT_TAIL_START) / SCORE_PER_FOLD)
    return min(timedelta(days=min(1.0 / rate, 1e6)), NEVER)


def _said(of: Pass, column: int) -> str:
    if of.labels is None or not of.labels[of.last, column]:
        return ""
    return "was real" if of.labels[of.last, column] > 0 else "not a problem"
