"""Judges the cycles of one UTC day, and packs what was said into what following needs.

A cycle of three hundred event types says some fifteen hundred things, nearly all of them "as it
should be" and the same as an hour ago. So good results travel as changes, and of a failure that goes
on only what is worth showing travels whole: its beginning and each time it is worse than ever.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from eventwatch.alerting.causes_evidence import Evidence
from eventwatch.backtest.past import PastDay, Scene
from eventwatch.backtest.recording import Recording
from eventwatch.backtest.worse import badness
from eventwatch.kinds.definition import Check
from eventwatch.kinds.registry import KINDS
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.result import Cut, Result
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.pipeline.evidence import evidence
from eventwatch.pipeline.judge import Restriction, judge

Key = tuple[KindName, str, str | None, Cut | None]
"""What a result is about, without its exposure: kind, aspect, event type, cut."""
Calm = tuple[tuple[Status, timedelta, Severity], ...]
"""Results that are not FAIL or ERROR of one key: status, ``keep``, severity."""


@dataclass(frozen=True)
class Assignment:
    """What the cycles of a replay have in common."""

    scene: Scene
    checks: tuple[tuple[Check, ...], ...]
    """One or two sets of definitions, judged side by side on the same views."""
    restriction: Restriction


@dataclass(frozen=True)
class Said:
    """What one set of checks said in one cycle."""

    bad: tuple[Result, ...]
    """FAIL and ERROR. Without sentence, facts and picture where an earlier one of the same day says
    enough."""
    calm: Mapping[Key, Calm | None]
    """All else, as far as it differs from the cycle before; None: said no more. The first cycle of a
    day holds all of it."""
    evidence: Evidence = field(default_factory=Evidence)
    """How the event types that failed did by the values of the watched dimensions."""


@dataclass(frozen=True)
class Cycle:
    """One cycle: what each set of checks said."""

    at: datetime
    said: tuple[Said, ...]
    judged: int
    """Results of the first set."""


def key_of(result: Result) -> Key:
    """What the result is about."""
    return result.kind, result.aspect, result.event_type, result.cut


def judge_days(
    assignment: Assignment, recording: Recording, days: Sequence[Sequence[datetime]]
) -> tuple[tuple[Cycle, ...], ...]:
    """The cycles of days that follow each other, day by day."""
    return tuple(judge_day(assignment, recording, instants) for instants in days)


def judge_day(
    assignment: Assignment, recording: Recording, instants: Sequence[datetime]
) -> tuple[Cycle, ...]:
    """The cycles of one UTC day, in order."""
    day = PastDay(assignment.scene, recording, instants[0])
    packers = [_Packer() for _ in assignment.checks]
    shared = _shared_kinds(assignment.checks)
    cycles = []
    # Thousands of short-lived records a cycle, none of them in a ring.
    enabled = gc.isenabled()
    gc.disable()
    try:
        for at in instants:
            view = day.view(at)
            results: list[list[Result]] = [[] for _ in assignment.checks]
            for kind in KINDS:
                if not assignment.restriction.wants_kind(kind):
                    continue
                only = replace(assignment.restriction, kinds=(kind,))
                for i, checks in enumerate(assignment.checks):
                    if i and kind in shared:
                        results[i].extend(r for r in results[0] if r.kind is kind)
                    else:
                        results[i].extend(judge(view, checks, only))
            said = tuple(
                replace(p.pack(found), evidence=evidence(view, as_alerts(found, at)))
                for p, found in zip(packers, results, strict=True)
            )
            cycles.append(Cycle(at, said, len(results[0])))
    finally:
        if enabled:
            gc.enable()
    return tuple(cycles)


def as_alerts(results: Sequence[Result], at: datetime) -> list[Alert]:
    """Failures as the alerts that they would open now."""
    return [
        Alert(r.fingerprint, r.fingerprint, AlertState.FIRING, r, at, at)
        for r in results
        if r.status is Status.FAIL
    ]


def _shared_kinds(sets: Sequence[Sequence[Check]]) -> frozenset[KindName]:
    """Kinds that all sets define alike; then what the first says holds for all."""
    return frozenset(
        kind
        for kind in KINDS
        if all(_of(checks, kind) == _of(sets[0], kind) for checks in sets[1:])
    )


def _of(checks: Sequence[Check], kind: KindName) -> list[tuple[object, object]]:
    # Written out: a field that is set to its default overrides, one left out inherits.
    return [
        (c.model_dump(exclude={"source"}), c.model_fields_set) for c in checks if c.kind is kind
    ]


class _Packer:
    """Remembers the cycle before, within a day."""

    def __init__(self) -> None:
        self._calm: dict[Key, Calm] = {}
        self._worst: dict[Key, tuple[float, ...]] = {}
        self._plain: dict[object, Result] = {}

    def pack(self, results: Sequence[Result]) -> Said:
        bad: list[Result] = []
        calm: dict[Key, Calm] = {}
        worst: dict[Key, tuple[float, ...]] = {}
        for result in results:
            key = key_of(result)
            if result.status in (Status.FAIL, Status.ERROR):
                weight = badness(result)
                before = self._worst.get(key)
                worst[key] = weight if before is None else max(before, weight)
                new = before is None or weight > before
                bad.append(result if new else self._without_story(result))
            else:
                one = (result.status, result.keep, result.severity)
                calm[key] = (*calm[key], one) if key in calm else (one,)
        changed: dict[Key, Calm | None] = {}
        if calm != self._calm:
            changed.update({k: v for k, v in calm.items() if self._calm.get(k) != v})
            changed.update({k: None for k in self._calm if k not in calm})
        self._calm, self._worst = calm, worst
        return Said(tuple(bad), changed)

    def _without_story(self, result: Result) -> Result:
        """The same object each time, so that it is sent between processes once."""
        # What the cause is found by stays: the amount, and since when.
        bare = replace(result, summary="", facts=(), spark=None, learning_until=None)
        return self._plain.setdefault(bare, bare)
