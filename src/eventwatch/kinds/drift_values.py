"""drift of values: a platform that stopped, never came, or that nobody named.

Three questions, from the surest to the most careful. What a contract names must come, and what it
does not name must not. What a contract does not speak of is judged by history alone, and only where
it was a substantial part. Dimensions whose values change all the time, as app versions do, are left
alone unless a contract names their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from eventwatch.kinds.definition import Rules
from eventwatch.kinds.drift_check import DriftCheck
from eventwatch.kinds.drift_known import shown
from eventwatch.kinds.drift_novelty import Novelty, novelty_of, watched_by
from eventwatch.kinds.drift_parts import judge_parts
from eventwatch.kinds.drift_scene import (
    LEARNED_HISTORY,
    LEARNED_P,
    LEARNED_ROWS,
    NEW_NORMAL,
    Scene,
    expected,
    percent,
    picture,
    suspicious,
)
from eventwatch.kinds.drift_stops import Stop, weigh_stops
from eventwatch.kinds.results import Maker
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import OTHER
from eventwatch.model.names import is_misspelling
from eventwatch.model.result import Cut, Fact, Result
from eventwatch.model.status import Severity, Status
from eventwatch.model.view import ExposureView, Seen

WHOLE_SHARE = 0.01
"""Of the exposure's rows."""
WHOLE_TIME_P = 5e-4
"""Of a silence by the value's own pauses; enough for the few values of a whole exposure, whose other
values may come so seldom that their hours prove nothing."""


def judge_values(view: ExposureView, rules: Rules[DriftCheck], maker: Maker) -> Iterator[Result]:
    """Results about values of watched dimensions, of the exposure and of each event type."""
    scene = Scene(view, maker)
    novelty = {d.name: novelty_of(view, d.name) for d in view.exposure.dimensions}
    check = rules.for_exposure()
    gone: set[tuple[str, str]] = set()
    if view.exposure.dimensions:
        stopped = _stopped_whole(scene, novelty)
        gone = set(stopped)
        if check.enabled:
            for dimension in view.exposure.dimensions:
                if watched_by(check.dimensions, dimension.name):
                    yield from _of_dimension(scene, check, novelty[dimension.name], stopped)
    yield from judge_parts(scene, rules, novelty, gone)


def _stopped_whole(scene: Scene, novelty: dict[str, Novelty]) -> dict[tuple[str, str], Stop]:
    members, pairs, sums = scene.whole
    if not pairs:
        return {}
    judged = np.array(
        [d in novelty and not novelty[d].is_usual and v != OTHER for d, v in pairs], dtype=np.bool_
    )
    chosen = np.flatnonzero(judged & suspicious(sums, LEARNED_ROWS, WHOLE_SHARE))
    stops = weigh_stops(scene.view.cuts, members, sums, chosen)
    oldest = scene.view.now - NEW_NORMAL
    return {
        pairs[s.member]: s
        for s in stops
        if (s.p_value <= LEARNED_P or (s.by_rows <= LEARNED_P and s.by_time <= WHOLE_TIME_P))
        and s.history_hours >= LEARNED_HISTORY
        and from_epoch(s.last_loaded) >= oldest
    }


def _of_dimension(
    scene: Scene,
    check: DriftCheck,
    novelty: Novelty,
    stopped: dict[tuple[str, str], Stop],
) -> Iterator[Result]:
    """Values of one dimension over all event types."""
    maker, name = scene.maker, novelty.dimension
    if novelty.is_usual:
        yield maker.make(check, "value_all", Status.PASS, novelty.reason, cut=Cut(name, ""))
        return
    for value, seen in novelty.values:
        cut = Cut(name, value)
        stop = stopped.get((name, value))
        if stop is not None:
            yield maker.make(
                check,
                "value_stopped",
                Status.FAIL,
                f"{name} {shown(value)} stopped in the whole exposure: it had "
                f"{percent(stop.share)} of the rows, and none of the {stop.others:,} since",
                cut=cut,
                amount=expected(stop),
                since=from_epoch(stop.last_loaded),
                spark=picture(scene, stop),
                total=True,
            )
        else:
            yield maker.make(check, "value_stopped", Status.PASS, "it comes", cut=cut)
        yield _novel(scene, check, novelty, cut, seen)


def _novel(scene: Scene, check: DriftCheck, novelty: Novelty, cut: Cut, seen: Seen) -> Result:
    view, maker = scene.view, scene.maker
    if view.now - novelty.began_at < timedelta(days=7):
        until = novelty.began_at + timedelta(days=7)
        return maker.make(
            check,
            "value_unknown",
            Status.LEARNING,
            "the values of this dimension are still being learned",
            cut=cut,
            learning_until=until,
        )
    is_new = seen.first_at > view.now - check.recent and cut.value != OTHER
    age = format_duration(view.now - seen.first_at)
    others = [v for v, _ in novelty.values if v != cut.value]
    slip = is_misspelling(cut.value, others) if is_new else None
    summary = f"{cut.dimension} {shown(cut.value)} is new, it first came {age} ago"
    if slip is not None:
        summary += f"; it looks like a misspelling of {slip}"
    types = sorted(
        {
            k.event_type
            for k in view.cuts.keys
            if k.dimension == cut.dimension and k.value == cut.value and k.event_type is not None
        }
        if is_new
        else ()
    )
    facts = [Fact("event types", ", ".join(types[:5]) + (" …" if len(types) > 5 else ""))]
    return maker.make(
        check,
        "value_unknown",
        Status.FAIL if is_new else Status.PASS,
        summary if is_new else f"known for {age}",
        cut=cut,
        severity=Severity.WARNING if is_new else None,
        since=seen.first_at if is_new else None,
        facts=facts if is_new and types else (),
    )
