"""Which alerts have one cause: from what one cycle of one exposure found. Pure.

The widest cause that fits takes an alert: the source, the exposure, a cut, a rename, the event type.
An alert that a cause took stays with it while the cause goes on, and for a while after
(``causes_after``). While the exposure cannot be read, nothing is known, so nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from eventwatch.alerting.causes_after import (
    WIDE,
    Past,
    grace_of,
    left_behind,
    lingers,
    source_grace,
)
from eventwatch.alerting.causes_evidence import Evidence, Moved
from eventwatch.alerting.causes_falls import (
    began,
    falls,
    is_lag,
    is_unseen,
    is_whole,
    rises,
    slack,
)
from eventwatch.alerting.causes_own import (
    Source,
    event_type_cause,
    is_unreadable,
    own_cause,
    trouble_cause,
)
from eventwatch.alerting.causes_rename import renames
from eventwatch.alerting.causes_wide import exposure_cause, wide_cuts
from eventwatch.alerting.causes_words import of_handover, of_rename, of_type
from eventwatch.alerting.trouble import UNREADABLE, is_trouble
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Catalog
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName, Status

__all__ = ["Evidence", "Moved", "Past", "Scene", "Source", "attribute"]


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
    closed: tuple[Alert, ...] = ()
    """Those that ended in this cycle."""
    past: tuple[Past, ...] = ()
    """Causes that ended a while ago, as far as incidents remember them."""

    @property
    def unmeasured(self) -> bool:
        """The exposure could not be read in this cycle."""
        return any(
            r.status is Status.ERROR and r.aspect == UNREADABLE and r.kind is KindName.FRESHNESS
            for r in self.results
        )


def attribute(scene: Scene) -> tuple[Alert, ...]:
    """The same alerts in the same order, each with its cause, and whether something bigger speaks
    for it."""
    table = _Table(scene)
    table.troubles()
    if scene.unmeasured:
        table.held()
    else:
        table.source_back()
        table.exposure()
        table.renamed()
        table.cuts()
        table.handed_over()
        table.after()
    return table.alerts()


class _Table:
    """Who was given what so far."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._given: dict[str, tuple[Cause, bool]] = {}
        self._going: set[str] = set()
        """Keys of the causes that go on."""

    def alerts(self) -> tuple[Alert, ...]:
        """Every alert with what it was given, its own cause where that is nothing."""
        made = []
        for alert in self._scene.alerts:
            given = self._given.get(alert.id)
            cause, explained = given if given is not None else (self._own(alert), False)
            made.append(replace(alert, cause=cause, explained=explained))
        return tuple(made)

    def troubles(self) -> None:
        """Our own, the operators'."""
        for alert in self._scene.alerts:
            if is_trouble(alert.result):
                self._given[alert.id] = (trouble_cause(alert, self._scene.source), False)

    def held(self) -> None:
        """Nothing is known: everything stays as it is, and no grace runs out."""
        for alert in self._rest():
            if alert.cause is not None:
                self._given[alert.id] = (alert.cause, alert.explained)

    def source_back(self) -> None:
        """It can be read again: what it did not load meanwhile shows for a few cycles."""
        scene = self._scene
        grace = source_grace(scene.exposure)
        over = [
            p
            for p in _merged([*scene.past, *self._ended()])
            if p.cause.kind is CauseKind.SOURCE and scene.now - p.ended_at < grace
        ]
        for alert in self._rest():
            cause = alert.cause
            if cause is None:
                past = left_behind(alert, over)
                if past is not None:
                    given = replace(past.cause, ended_at=past.ended_at)
                    self._given[alert.id] = (given, True)
            elif cause.kind is CauseKind.SOURCE:
                ended_at = min(cause.ended_at or scene.now, scene.now)
                if lingers(alert, ended_at, grace, scene.now):
                    self._given[alert.id] = (replace(cause, ended_at=ended_at), True)

    def _ended(self) -> list[Past]:
        """Causes whose own alerts, or the last of what they explained, ended in this cycle."""
        found = []
        for alert in self._scene.closed:
            cause = alert.cause
            ours = is_trouble(alert.result) and not is_unreadable(alert)
            if cause is not None and cause.kind in WIDE and not ours:
                ended_at = min(cause.ended_at or self._scene.now, self._scene.now)
                found.append(Past(cause, began(alert), ended_at))
        return found

    def exposure(self) -> None:
        """The table is late, stopped, or has fewer rows as a whole."""
        scene = self._scene
        whole = [a for a in self._rest() if is_whole(a) and falls(a)]
        cause = exposure_cause(scene.exposure, whole, scene.evidence)
        if cause is None:
            return
        roots = [a for a in whole if not self._keeps_other(a, cause)]
        if not roots:
            return
        # Slow loads explain slow loads; that rows come late does not mean that they are missing.
        stops = [a for a in roots if not is_lag(a)]
        start = min((began(a) - slack(a) for a in stops), default=None)
        slow = min((began(a) - slack(a) for a in roots if is_lag(a)), default=start)
        if start is not None and (slow is None or start < slow):
            slow = start
        under = []
        for alert in self._rest():
            if alert in roots or not falls(alert) or self._keeps_other(alert, cause):
                continue
            since = slow if is_lag(alert) else start
            if self._keeps(alert, cause) or (since is not None and began(alert) >= since):
                under.append(alert)
        types = len({a.result.event_type for a in under if a.result.event_type is not None})
        self._give(exposure_cause(scene.exposure, roots, scene.evidence, types), roots, under)

    def renamed(self) -> None:
        """A declared event type that goes on under a name that nobody declared."""
        scene = self._scene
        # A value of a dimension that fell everywhere is the wider cause of what fell with it.
        cut = {id(a) for wide in wide_cuts(scene, self._rest(), proven=True) for a in wide.under}
        rest = [a for a in self._rest() if id(a) not in cut]
        by_type: dict[str | None, list[Alert]] = {}
        for alert in rest:
            by_type.setdefault(alert.result.event_type, []).append(alert)
        for pair in renames(rest, scene.evidence):
            base = event_type_cause(scene.exposure.name, pair.old)
            contract = scene.catalog.of(pair.old)
            cause = replace(
                base,
                kind=CauseKind.RENAME,
                other=pair.new,
                detail=of_rename(pair, scene.evidence),
                team="" if contract is None else contract.owner.team,
            )
            self._give(cause, _of_rename(by_type, cause), ())
        # What was seen to be one stays one while both sides are open.
        known = {
            (a.cause.event_type, a.cause.other): a.cause
            for a in rest
            if a.id not in self._given and a.cause is not None and a.cause.kind is CauseKind.RENAME
        }
        for cause in known.values():
            members = [a for a in _of_rename(by_type, cause) if self._keeps(a, cause)]
            both = {a.result.event_type for a in members if a.id not in self._given}
            if both >= {cause.event_type, cause.other}:
                self._give(cause, members, ())

    def handed_over(self) -> None:
        """A new name whose rows go missing of a similar one that is declared: most likely it is its new
        name, so its owner hears of it first."""
        scene = self._scene
        for alert in self._rest():
            name = alert.result.event_type
            found = None if name is None else scene.evidence.handed.get(name)
            if name is None or found is None or not is_unseen(alert):
                continue
            contract = scene.catalog.of(found.old)
            team = "" if contract is None else contract.owner.team
            cause = replace(
                event_type_cause(scene.exposure.name, found.old, of_handover(name, found, team)),
                kind=CauseKind.RENAME,
                other=name,
                team=team,
            )
            old = [a for a in self._rest() if a.result.event_type == found.old and falls(a)]
            self._give(cause, [alert, *old], ())

    def cuts(self) -> None:
        """Values of a watched dimension that moved across event types."""
        for wide in wide_cuts(self._scene, self._rest()):
            self._give(wide.cause, wide.roots, wide.under)

    def after(self) -> None:
        """What causes that are over left behind."""
        scene = self._scene
        grace = grace_of(scene.exposure)
        over = [p for p in (*scene.past, *self._ended()) if p.cause.key not in self._going]
        for alert in self._rest():
            cause = alert.cause
            if cause is None or cause.kind not in (CauseKind.EXPOSURE, CauseKind.CUT):
                continue
            if cause.key in self._going:
                continue
            # A clock that was ahead and stepped back must not keep it for years.
            ended_at = min(cause.ended_at or scene.now, scene.now)
            if lingers(alert, ended_at, grace, scene.now):
                cause = replace(cause, ended_at=ended_at)
                self._given[alert.id] = (cause, alert.explained)
                over.append(Past(cause, began(alert), ended_at))
        over = _merged(over)
        for alert in self._rest():
            # What had a cause of its own before keeps it.
            past = left_behind(alert, over) if over and alert.cause is None else None
            if past is not None:
                self._given[alert.id] = (replace(past.cause, ended_at=past.ended_at), True)

    def _rest(self) -> list[Alert]:
        return [a for a in self._scene.alerts if a.id not in self._given]

    def _give(self, cause: Cause | None, roots: Iterable[Alert], under: Iterable[Alert]) -> None:
        if cause is None:
            return
        roots, under = list(roots), list(under)
        # An incident takes the words of the first that speaks; the names need not stand in each.
        first = min(
            roots or under,
            key=lambda a: (a.state is not AlertState.FIRING, a.started_at, a.fingerprint, a.id),
            default=None,
        )
        short = replace(cause, affected=())
        for alert in under:
            self._given[alert.id] = (short, bool(roots))
        for alert in roots:
            self._given[alert.id] = (short, False)
        if first is not None:
            self._given[first.id] = (cause, False)
        self._going.add(cause.key)

    def _keeps(self, alert: Alert, cause: Cause) -> bool:
        return alert.cause is not None and alert.cause.key == cause.key

    def _keeps_other(self, alert: Alert, cause: Cause) -> bool:
        """It belongs to another wide cause that goes on: a cut that was there before."""
        known = alert.cause
        return (
            known is not None
            and known.kind is CauseKind.CUT
            and known.ended_at is None
            and known.key != cause.key
        )

    def _own(self, alert: Alert) -> Cause:
        detail = ""
        if is_whole(alert) and falls(alert):
            scene = self._scene
            found = exposure_cause(scene.exposure, [alert], scene.evidence, whatever=True)
            return own_cause(alert) if found is None else found
        name = alert.result.event_type
        if name is not None and (falls(alert) or rises(alert)):
            detail = of_type(name, self._scene.evidence, down=falls(alert))
        return own_cause(alert, detail)


def _of_rename(by_type: Mapping[str | None, Sequence[Alert]], cause: Cause) -> list[Alert]:
    """What a rename shows itself by: of the old name what fails to come, of the new one that it is
    unknown and that it rose. Not what is wrong with either in itself."""
    old = [a for a in by_type.get(cause.event_type, ()) if falls(a)]
    new = [a for a in by_type.get(cause.other, ()) if is_unseen(a) or rises(a)]
    return [*old, *new]


def _merged(past: Sequence[Past]) -> list[Past]:
    """One of each cause: from its first beginning to its last end."""
    found: dict[str, Past] = {}
    for each in past:
        known = found.get(each.cause.key, each)
        found[each.cause.key] = Past(
            each.cause,
            min(each.began_at, known.began_at),
            max(each.ended_at, known.ended_at),
        )
    return list(found.values())
