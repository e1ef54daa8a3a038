"""volume of cuts: one value of a watched dimension rose or fell, and its event type does not tell it.

A cut is judged twice, and both must say so: its share of its event type against the share's own record,
and its rows against what the event type usually brings. Everything that can be said once is said once:
if the event type itself fails the same way, the cut is a fact of that result; if a value moves in most
event types, the exposure tells it; if a value fell silent and drift watches it, drift tells it. In
those cases the cut's result is SKIPPED and says where to look; it keeps its amount and its beginning.
Cuts that are as usual give no result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import slots
from eventwatch.detect.panel import Scored
from eventwatch.detect.settings import SCORE_PER_FOLD, threshold_for
from eventwatch.kinds import volume_cuts_story as story
from eventwatch.kinds.definition import Check
from eventwatch.kinds.drift_novelty import novelty_of, watched_by
from eventwatch.kinds.results import Maker
from eventwatch.kinds.volume_cuts_check import CutCheck
from eventwatch.kinds.volume_cuts_counts import RECENT, CutHistory, CutSums, history_of, sums_of
from eventwatch.kinds.volume_cuts_drift import drift_watches
from eventwatch.kinds.volume_cuts_gate import Gate, Judged, gate_of, only_moved
from eventwatch.kinds.volume_cuts_score import CutScores, score_cuts
from eventwatch.kinds.volume_panel import VolumePanel
from eventwatch.model.contract import Contract, Direction, LifecycleState
from eventwatch.model.label import Opinion
from eventwatch.model.measurement import HOUR, NULL_VALUE, OTHER
from eventwatch.model.result import Cut, Fact, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PART_OF_BUDGET = 0.2
"""Of an event type's false alarms, what all its cuts together may have."""
FALSE_PER_DAY = 0.0004
"""Of the values of a dimension over all event types, together."""
RARE_PER_DAY = 12.0
"""Fewer rows a day than this: a cut is not judged."""
MOST_OF_ALL = 0.98
"""A value with more of its event type's rows is the event type."""
LEARNING_DAYS = 3.0
STAYS = 0.6
"""Part of the threshold down to which a failing cut goes on failing."""
HISTORY_HOURS = 35 * 24
MOST_SCORED = 200
"""Cuts scored in one cycle, those that are furthest off first."""
EXCUSED = timedelta(days=5)
"""So long after a person said that it is not a problem, a share is not held against anybody: by then
it is the usual one."""


class Ruled(Protocol):
    """One event type, and how it is judged."""

    @property
    def column(self) -> int:
        """In the panel."""

    @property
    def event_type(self) -> str:
        """Its name."""

    @property
    def contract(self) -> Contract | None:
        """None: nobody declared it."""

    @property
    def check(self) -> CutCheck:
        """What rules it."""

    @property
    def threshold(self) -> float:
        """Score the event type itself fails from."""

    @property
    def direction(self) -> Direction:
        """Which way counts."""

    @property
    def by_day(self) -> bool:
        """Whether it is too rare for hours."""


@dataclass(frozen=True)
class Cuts:
    """All cuts of one exposure, ready to be judged."""

    view: ExposureView
    make: Maker
    whole: Check
    panel: VolumePanel
    scored: Scored
    rules: tuple[Ruled, ...]

    @cached_property
    def _sums(self) -> CutSums | None:
        """None: the panel's buckets are not hours, or there is nothing to judge."""
        view, panel = self.view, self.panel
        if not len(view.cuts.series) or panel.grid.step != HOUR or panel.grid.size < RECENT + 2:
            return None
        sums = sums_of(view.cuts, panel.at, int(view.measured_from.timestamp()))
        return sums if len(sums.days) and sums.days[0] >= LEARNING_DAYS else None

    @cached_property
    def _judged(self) -> Judged | None:
        sums = self._sums
        if sums is None:
            return None
        by_type = {rule.event_type: i for i, rule in enumerate(self.rules) if self._is_old(rule)}
        novelty = {d.name: novelty_of(self.view, d.name) for d in self.view.exposure.dimensions}
        of_dimension: dict[tuple[str | None, str], int | None] = {}
        for event_type, dimension in sums.labels:
            place = by_type.get(event_type or "")
            of_dimension[event_type, dimension] = None
            if event_type is None or place is None or dimension not in novelty:
                continue
            # Values that come and go by nature, as app versions do, are never told by themselves: the
            # next one takes over, and nobody can say of a few rows whether it has. They only explain.
            if novelty[dimension].is_usual and not self._is_stable(place, dimension, ""):
                continue
            if watched_by(self.rules[place].check.dimensions, dimension):
                of_dimension[event_type, dimension] = place
        group_total = sums.of_group(sums.before + sums.recent.sum(axis=1))[sums.group]
        own_total = sums.before + sums.recent.sum(axis=1)
        often = own_total >= RARE_PER_DAY * (sums.days + RECENT / 24)
        often &= own_total <= MOST_OF_ALL * group_total
        series, owner, steady = [], [], []
        young = self.view.now - timedelta(days=LEARNING_DAYS)
        for s in np.flatnonzero(often):
            key = self.view.cuts.keys[s]
            found = of_dimension[sums.labels[sums.group[s]]]
            seen = self.view.ledger.get(key)
            if found is None or key.value == OTHER or (seen is not None and seen.first_at > young):
                continue
            series.append(int(s))
            owner.append(found)
            steady.append(self._is_stable(found, key.dimension, key.value))
        return Judged(
            series=np.array(series, dtype=np.int64),
            owner=np.array(owner, dtype=np.int64),
            column=np.array([self.rules[i].column for i in owner], dtype=np.int64),
            steady=np.array(steady, dtype=np.bool_),
            drops=np.array([self.rules[i].direction is not Direction.SPIKE for i in owner], bool),
            rises=np.array([self.rules[i].direction is not Direction.DROP for i in owner], bool),
        )

    def _is_old(self, rule: Ruled) -> bool:
        contract = rule.contract
        if contract is not None and contract.state in (
            LifecycleState.DRAFT,
            LifecycleState.RETIRED,
        ):
            return False
        age = self.scored.age[self.panel.grid.size - 1, rule.column]
        return rule.check.enabled and not rule.by_day and age >= LEARNING_DAYS

    def _named(self, place: int, dimension: str) -> bool:
        contract = self.rules[place].contract
        return contract is not None and bool(contract.expected_values.get(dimension))

    def _is_stable(self, place: int, dimension: str, value: str) -> bool:
        """Whether rows that moved to this value, or from it, are told all the same."""
        rule = self.rules[place]
        return (
            value == NULL_VALUE
            or self._named(place, dimension)
            or watched_by(rule.check.stable_dimensions or (), dimension)
        )

    @cached_property
    def _gate(self) -> Gate | None:
        sums, judged = self._sums, self._judged
        if sums is None or judged is None or not len(judged.series):
            return None
        return gate_of(sums, judged, self.panel, self.scored)

    def explained(self, result: Result, rule: Ruled) -> Result:
        """A failing result of an event type with the values that explain the change, as far as hours
        that closed since it began can tell."""
        if result.status is not Status.FAIL or result.since is None or result.amount is None:
            return result
        sums = self._sums
        if sums is None:
            return result
        hours = min(sums.hour - int(result.since.timestamp() + HOUR - 1) // HOUR, RECENT)
        if hours < 1:
            return result
        last = self.panel.grid.size - 1
        usual = float(np.nansum(self.scored.one_expected[last - hours : last, rule.column]))
        facts = story.explanations(self.view, sums, usual, rule.event_type, hours)
        return story.with_facts(result, facts)

    def results(self, told: Mapping[str, Result]) -> Iterator[Result]:
        """Results of the cuts that are off; ``told``: the failing results of event types by name."""
        gate, judged, sums = self._gate, self._judged, self._sums
        if gate is None or judged is None or sums is None:
            return
        everywhere = dict(self._everywhere(gate, judged, sums))
        yield from (result for result in everywhere.values() if result is not None)
        chosen: IntArray = np.flatnonzero(gate.open)
        if len(chosen) > MOST_SCORED:
            chosen = np.sort(chosen[np.argsort(-gate.far[chosen])[:MOST_SCORED]])
        if not len(chosen):
            return
        history = self._history(judged.series[chosen], sums)
        prior = gate.share[chosen] * history.group
        scores = score_cuts(history, prior, self._slots(history))
        sizes = np.bincount(judged.owner, minlength=len(self.rules))
        found: list[tuple[int, int]] = []
        for k, j in enumerate(int(c) for c in chosen):
            rule = self.rules[judged.owner[j]]
            split = SCORE_PER_FOLD * np.log(sizes[judged.owner[j]] / PART_OF_BUDGET)
            window, falls = int(scores.window[-1, k]), bool(scores.z[-1, k] < 0)
            if not _fails(scores, k, rule.threshold + split) or not gate.agrees(j, window, falls):
                continue
            if judged.steady[j] or not only_moved(sums, int(judged.series[j]), window, falls=falls):
                found.append((k, j))
        for k, j in _one_way(found, scores, judged, sums):
            rule = self.rules[judged.owner[j]]
            key = self.view.cuts.keys[judged.series[j]]
            cut = Cut(key.dimension, key.value)
            words = story.failure(cut, scores, history, k, sums.hour)
            if self._excused(rule.event_type, cut):
                continue
            reason = self._told_elsewhere(rule, cut, words, told.get(rule.event_type))
            if not reason and cut in everywhere:
                name = f"{cut.dimension} {story.shown(cut.value)}"
                reason = f"{name} moves in most event types, which is told once"
            yield self.make.make(
                rule.check,
                "cut",
                Status.SKIPPED if reason else Status.FAIL,
                reason or words.summary,
                event_type=rule.event_type,
                contract=rule.contract,
                cut=cut,
                amount=words.amount,
                since=words.since,
                facts=words.facts,
                spark=words.spark,
                total=words.silent,
            )

    def _history(self, series: IntArray, sums: CutSums) -> CutHistory:
        start = max(-(-int(self.view.measured_from.timestamp()) // HOUR), sums.hour - HISTORY_HOURS)
        return history_of(self.view.cuts, sums, series, self.panel.at, start)

    def _slots(self, history: CutHistory) -> IntArray:
        hours = (history.start + np.arange(history.size, dtype=np.int64)) * HOUR
        local = slots(hours, self.view.exposure.time_zone)
        return np.asarray(local.hour + 24 * (local.weekday >= 5), dtype=np.int64)

    def _told_elsewhere(self, rule: Ruled, cut: Cut, words: story.Words, own: Result | None) -> str:
        """Where the same is told already; ``own``: the event type's failing result. Empty: nowhere."""
        z = words.amount.z or 0.0
        if own is not None and own.amount is not None and (own.amount.z or 0.0) * z > 0:
            return "the event type itself fails the same way, and this value is a fact of that"
        declared = words.silent and rule.contract is not None
        if declared and drift_watches(self.view, rule.contract, cut):
            return "it is silent, which drift tells"
        return ""

    def _excused(self, event_type: str | None, cut: Cut) -> bool:
        """Whether a person said lately that this is not a problem."""
        return any(
            label.opinion is Opinion.NOT_A_PROBLEM
            and label.known_at(self.view.now)
            and label.event_type == event_type
            and (label.dimension, label.value) == (cut.dimension, cut.value)
            and label.given_at >= self.view.now - EXCUSED
            for label in self.view.labels
        )

    def _everywhere(
        self, gate: Gate, judged: Judged, sums: CutSums
    ) -> Iterator[tuple[Cut, Result | None]]:
        """Values that move in most event types, and the exposure's result of each; None: drift tells
        it, or a person said that it is no problem."""
        if not self.whole.enabled:
            return
        members: dict[Cut, list[int]] = {}
        for j, s in enumerate(judged.series):
            key = self.view.cuts.keys[s]
            members.setdefault(Cut(key.dimension, key.value), []).append(j)
        threshold = threshold_for(FALSE_PER_DAY / max(len(members), 1))
        found: list[Everywhere] = []
        for cut, listed in members.items():
            own = np.array(listed)
            scope = gate.together(own)
            if scope is None:
                continue
            history = self._history(judged.series[own], sums)
            prior = gate.share[own] * history.group
            total = prior.sum(axis=1, keepdims=True)
            whole = CutHistory(
                history.start,
                history.counts.sum(axis=1, keepdims=True),
                history.group.sum(axis=1, keepdims=True),
                (prior * history.lead).sum(axis=1, keepdims=True) / np.maximum(total, 1e-9),
                history.missing,
            )
            scores = score_cuts(whole, total, self._slots(history))
            if not _fails(scores, 0, threshold):
                continue
            found.append((cut, scope, scores, whole))
        for cut, scope, scores, whole in _furthest_way(found):
            yield cut, self._everywhere_told(cut, scope, scores, whole, sums.hour)

    def _everywhere_told(
        self, cut: Cut, scope: tuple[int, int], scores: CutScores, whole: CutHistory, hour: int
    ) -> Result | None:
        words = story.failure(cut, scores, whole, 0, hour)
        if self._excused(None, cut) or (words.silent and drift_watches(self.view, None, cut)):
            return None
        moved, all_of = scope
        return self.make.make(
            self.whole,
            "cut_all",
            Status.FAIL,
            f"in most event types, {words.summary}",
            cut=cut,
            amount=words.amount,
            since=words.since,
            facts=(
                *words.facts,
                Fact("scope", f"{moved:,} of {all_of:,} event types moved alike"),
            ),
            spark=words.spark,
            total=words.silent,
        )


Everywhere = tuple[Cut, tuple[int, int], CutScores, CutHistory]


def _furthest_way(found: Sequence[Everywhere]) -> list[Everywhere]:
    """Of each dimension only the way of the value that is furthest off, as in ``_one_way``."""
    way: dict[str, tuple[float, bool]] = {}
    for cut, _, scores, _ in found:
        score, down = float(scores.score[-1, 0]), bool(scores.z[-1, 0] < 0)
        if score > way.get(cut.dimension, (-1.0, down))[0]:
            way[cut.dimension] = (score, down)
    return [each for each in found if way[each[0].dimension][1] == bool(each[2].z[-1, 0] < 0)]


def _fails(scores: CutScores, k: int, limit: float) -> bool:
    """At the threshold, or over it earlier in the same excursion and not well under it since."""
    score, down = scores.score[:, k], scores.z[:, k] < 0
    goes_on = (score >= STAYS * limit) & (down == down[-1])
    calm = np.flatnonzero(~goes_on)
    first = int(calm[-1]) + 1 if calm.size else 0
    return bool(first < len(score) and score[first:].max() >= limit)


def _one_way(
    found: Sequence[tuple[int, int]], scores: CutScores, judged: Judged, sums: CutSums
) -> list[tuple[int, int]]:
    """When one value falls the shares of the others rise: of each group only the way of the one that
    is furthest off is told."""
    way: dict[int, tuple[float, bool]] = {}
    for k, j in found:
        group = int(sums.group[judged.series[j]])
        score, down = float(scores.score[-1, k]), bool(scores.z[-1, k] < 0)
        if score > way.get(group, (-1.0, down))[0]:
            way[group] = (score, down)
    return [
        (k, j)
        for k, j in found
        if way[int(sums.group[judged.series[j]])][1] == bool(scores.z[-1, k] < 0)
    ]
