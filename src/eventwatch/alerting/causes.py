"""Which alerts have one cause: from what one cycle of one exposure found. Pure.

The widest cause that fits takes an alert: the source, the exposure, a cut, a rename, the event type.
What a cause explained stays with it for a while after the cause is over, since windows that reach back
into it still look bad; after that it speaks for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch.alerting.causes_cut import AT_LEAST, best_cut
from eventwatch.alerting.causes_evidence import Evidence, Moved
from eventwatch.alerting.causes_falls import AROUND, began, falls, lost_share, rises
from eventwatch.alerting.causes_rename import renames
from eventwatch.alerting.trouble import JUDGING, NOT_JUDGED, UNREADABLE, is_trouble
from eventwatch.model.alert import Alert
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Catalog
from eventwatch.model.result import Cut, Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName

__all__ = ["Evidence", "Moved", "Scene", "Source", "attribute"]

SETTLES = timedelta(hours=3)
"""Least time that what was explained keeps its cause after the cause is over."""
LONGEST = timedelta(hours=36)
WINDOWS = 1.5
"""Lengths of the window that it was judged by."""


@dataclass(frozen=True)
class Source:
    """Where an exposure is read: what several exposures may share."""

    key: str
    """Hex; of the connection, never the connection itself."""
    label: str
    """For people, without user, password or options: ``postgres db1/analytics``."""


@dataclass(frozen=True)
class Scene:
    """One exposure after the life of its alerts was followed for one cycle."""

    exposure: Exposure
    source: Source
    alerts: tuple[Alert, ...]
    """Open ones, with the cause that the cycle before gave them."""
    results: tuple[Result, ...]
    catalog: Catalog
    evidence: Evidence
    now: datetime


def attribute(scene: Scene) -> tuple[Alert, ...]:
    """The same alerts in the same order, each with its cause, and whether something bigger speaks
    for it."""
    given: dict[str, tuple[Cause, bool]] = {}
    for step in (_troubles, _exposure, _cuts, _renames, _settling):
        rest = [a for a in scene.alerts if a.id not in given]
        given.update(step(scene, rest))
    made = []
    for alert in scene.alerts:
        cause, explained = given.get(alert.id) or (_own(alert), False)
        made.append(replace(alert, cause=cause, explained=explained))
    return tuple(made)


Given = Mapping[str, tuple[Cause, bool]]


def _troubles(scene: Scene, alerts: Sequence[Alert]) -> Given:
    """Our own trouble, the operators'."""
    name = scene.exposure.name
    given = {}
    for alert in alerts:
        result = alert.result
        if not is_trouble(result):
            continue
        if result.aspect == UNREADABLE and result.kind is KindName.DRIFT:
            cause = Cause(CauseKind.SOURCE, _key("contracts"), "", "the contracts")
        elif result.aspect == UNREADABLE:
            cause = Cause(
                CauseKind.SOURCE, _key("source", scene.source.key), "", scene.source.label
            )
        else:
            key = _key("judging", name, result.kind.value, result.aspect)
            cause = Cause(CauseKind.SOURCE, key, name, f"{result.kind.value} of {name}")
        assert result.aspect in (UNREADABLE, JUDGING, NOT_JUDGED)
        given[alert.id] = (cause, False)
    return given


def _exposure(scene: Scene, alerts: Sequence[Alert]) -> Given:
    """The table is late or stopped."""
    own = [a for a in alerts if a.result.event_type is None and a.result.cut is None and falls(a)]
    if not own:
        return {}
    start = min(map(began, own)) - AROUND
    key = _key("exposure", scene.exposure.name)
    under = [
        a
        for a in alerts
        if a not in own
        and falls(a)
        and (began(a) >= start or (a.cause is not None and a.cause.key == key))
    ]
    types = len({a.result.event_type for a in under})
    detail = f"{scene.exposure.name} {_summary(own[0])}"
    if types:
        detail += f"; it explains {types:,} event type{'s' if types > 1 else ''}"
    cause = Cause(
        CauseKind.EXPOSURE,
        key,
        scene.exposure.name,
        scene.exposure.name,
        detail=detail,
        team=scene.exposure.owner,
    )
    return {a.id: (cause, False) for a in own} | {a.id: (cause, True) for a in under}


def _cuts(scene: Scene, alerts: Sequence[Alert]) -> Given:
    """Values of a watched dimension that broke across event types."""
    fallen = [a for a in alerts if falls(a) and not is_trouble(a.result)]
    given: dict[str, tuple[Cause, bool]] = {}
    while True:
        rest = [a for a in fallen if a.id not in given]
        found = _cut(scene, rest)
        if not found:
            return given
        given.update(found)


def _cut(scene: Scene, fallen: Sequence[Alert]) -> Given:
    """One cut: that which explains most of what fell."""
    by_cut: dict[Cut, list[Alert]] = {}
    for alert in fallen:
        if alert.result.cut is not None:
            by_cut.setdefault(alert.result.cut, []).append(alert)
    wide = {
        cut: group
        for cut, group in by_cut.items()
        if any(a.result.event_type is None for a in group)
        or len({a.result.event_type for a in group}) >= AT_LEAST
    }
    moved = sorted({n for a in fallen if (n := a.result.event_type) is not None})
    best = best_cut(scene.evidence, moved)
    if best is None and not wide:
        return {}
    if best is not None:
        dimension, values, names = best.dimension, set(best.values), set(best.explains)
        lost = best.lost
    else:
        cut = max(wide, key=lambda c: (len(wide[c]), c))
        dimension, values, names = cut.dimension, {cut.value}, set()
        lost = max(map(lost_share, wide[cut]))
    under = [a for a in fallen if _within(a, dimension, values, names)]
    types = {a.result.event_type for a in under if a.result.event_type is not None} | names
    old = [
        a.cause
        for a in under
        if a.cause is not None
        and a.cause.kind is CauseKind.CUT
        and a.cause.cut is not None
        and a.cause.cut.dimension == dimension
    ]
    key = old[0].key if old else _key("cut", scene.exposure.name, dimension, *sorted(values))
    first = sorted(values)[0]
    listed = ", ".join(sorted(values))
    detail = f"{listed}: "
    if types:
        detail += f"{len(types):,} event type{'s' if len(types) > 1 else ''} at "
    detail += f"−{lost:.0%}, other values of {dimension} as usual"
    owners = [d.owners for d in scene.exposure.dimensions if d.name == dimension]
    team = next((o[v] for o in owners for v in sorted(values) if v in o), scene.exposure.owner)
    cause = Cause(
        CauseKind.CUT,
        key,
        scene.exposure.name,
        listed,
        cut=Cut(dimension, first),
        detail=detail,
        team=team,
    )
    return {a.id: (cause, a.result.event_type is not None) for a in under}


def _within(alert: Alert, dimension: str, values: set[str], names: set[str]) -> bool:
    cut = alert.result.cut
    if cut is not None:
        return cut.dimension == dimension and cut.value in values
    return alert.result.event_type in names


def _renames(scene: Scene, alerts: Sequence[Alert]) -> Given:
    given = {}
    for pair in renames(alerts, scene.evidence):
        cause = Cause(
            CauseKind.RENAME,
            _key("rename", scene.exposure.name, pair.old, pair.new),
            scene.exposure.name,
            pair.old,
            event_type=pair.old,
            other=pair.new,
            detail=(
                f"{pair.old} stopped as {pair.new} began, which no contract declares: renamed? "
                "Declare the new name, or send the old one again"
            ),
        )
        for alert in alerts:
            if alert.result.event_type == pair.old:
                given[alert.id] = (cause, False)
            elif alert.result.event_type == pair.new:
                given[alert.id] = (cause, True)
    return given


def _settling(scene: Scene, alerts: Sequence[Alert]) -> Given:
    """What was explained, and by what is over now."""
    given = {}
    for alert in alerts:
        cause = alert.cause
        if cause is None or not alert.explained:
            continue
        if cause.kind not in (CauseKind.EXPOSURE, CauseKind.CUT):
            continue
        # A clock that was ahead and stepped back must not keep it for years.
        ended_at = scene.now if cause.ended_at is None else min(cause.ended_at, scene.now)
        if scene.now - ended_at < _settles(alert):
            given[alert.id] = (replace(cause, ended_at=ended_at), True)
    over = [c for c, _ in given.values()]
    for alert in alerts:
        if alert.id in given or not rises(alert) or alert.result.event_type is None:
            continue
        # What was held up comes all at once.
        after = [c for c in over if c.kind is CauseKind.EXPOSURE and c.ended_at is not None]
        if after and alert.result.kind is KindName.VOLUME and _soon(alert, after[0]):
            given[alert.id] = (after[0], True)
    return given


def _soon(alert: Alert, cause: Cause) -> bool:
    return cause.ended_at is not None and abs(began(alert) - cause.ended_at) <= SETTLES


def _settles(alert: Alert) -> timedelta:
    amount = alert.result.amount
    window = timedelta(0)
    if amount is not None and amount.start_at is not None and amount.end_at is not None:
        window = amount.end_at - amount.start_at
    return min(max(SETTLES, WINDOWS * window), LONGEST)


def _own(alert: Alert) -> Cause:
    result = alert.result
    if result.event_type is None:
        return Cause(
            CauseKind.ALONE,
            _key("alone", alert.fingerprint),
            result.exposure,
            result.exposure,
            cut=result.cut,
        )
    return Cause(
        CauseKind.EVENT_TYPE,
        _key("event_type", result.exposure, result.event_type),
        result.exposure,
        result.event_type,
        event_type=result.event_type,
    )


def _summary(alert: Alert) -> str:
    return alert.result.summary or "is late or stopped"


def _key(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
