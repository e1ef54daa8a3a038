"""Causes wider than an event type: the exposure as a whole, and values of its dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from eventwatch.alerting.causes_cut import (
    AT_LEAST,
    Cutting,
    best_cut,
    moved_types,
    only_share,
    whole_explained,
    worst_value,
)
from eventwatch.alerting.causes_evidence import Evidence
from eventwatch.alerting.causes_falls import (
    began,
    falls,
    is_value,
    is_whole,
    rises,
    slack,
)
from eventwatch.alerting.causes_own import key_of
from eventwatch.alerting.causes_words import listed, of_cut, of_exposure, percent
from eventwatch.model.alert import Alert
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName

if TYPE_CHECKING:
    from eventwatch.alerting.causes import Scene

TOGETHER = timedelta(hours=12)
"""Beginnings that are at most so far apart are one: volume cannot say it better."""
MOST_AFFECTED = 2_000
"""Event types named by one cause."""


def exposure_cause(
    exposure: Exposure,
    whole: Sequence[Alert],
    evidence: Evidence,
    types: int = 0,
    *,
    whatever: bool = False,
) -> Cause | None:
    """The cause that alerts about the exposure as a whole show; None: they show none, or a value of a
    dimension explains all that they say, unless ``whatever``. ``types``: event types it explains."""
    if not whole:
        return None
    only_volume = all(a.result.kind is KindName.VOLUME for a in whole)
    cutting = worst_value(evidence, True) if only_volume else None
    known = any(a.cause is not None and a.cause.kind is CauseKind.EXPOSURE for a in whole)
    if cutting is not None and not (known or whatever):
        return None
    worst = min(
        whole, key=lambda a: (_ORDER.get(a.result.aspect, 9), began(a), a.fingerprint, a.id)
    )
    return Cause(
        CauseKind.EXPOSURE,
        key_of("exposure", exposure.name),
        exposure.name,
        exposure.name,
        detail=of_exposure(_happened(worst), types, cutting),
        team=exposure.owner,
    )


_ORDER = {"staleness": 0, "common": 1, "lag": 2}


def _happened(alert: Alert) -> str:
    """Without numbers that grow: they stand in the message."""
    amount = alert.result.amount
    if alert.result.aspect == "staleness":
        return "nothing arrives any more"
    if alert.result.aspect == "lag":
        return "rows arrive much later than they occur"
    if amount is not None and amount.expected:
        return f"all event types together are at {percent(amount.observed / amount.expected - 1)}"
    return alert.result.summary


@dataclass(frozen=True)
class Wide:
    """A cut that is a cause, and what belongs to it."""

    cause: Cause
    roots: tuple[Alert, ...]
    """Alerts about the values themselves, over all event types: they speak for it."""
    under: tuple[Alert, ...]
    at: datetime
    """When it began."""


def wide_cuts(scene: Scene, rest: Sequence[Alert], *, proven: bool = False) -> tuple[Wide, ...]:
    """Every cut that is a cause of some of these alerts, one after the other: what the first explains
    the next need not. ``proven``: only those that alerts about the values themselves show."""
    found: list[Wide] = []
    for down in (True, False):
        left = [a for a in rest if (falls(a) if down else rises(a))]
        while left:
            wide = _Search(scene, left, down).cut(proven=proven)
            if wide is None:
                break
            place = next(
                (i for i, w in enumerate(found) if w.cause.key == wide.cause.key), len(found)
            )
            if place < len(found):
                # The rest of the same cause, worded as its first part.
                first = found.pop(place)
                under = (a for a in wide.under if began(a) >= first.at - slack(a))
                roots = (*first.roots, *wide.roots)
                found.insert(place, replace(first, roots=roots, under=(*first.under, *under)))
            else:
                found.append(wide)
            taken = {a.id for a in (*wide.roots, *wide.under)}
            left = [a for a in left if a.id not in taken]
    return _without_mirrors(found, rest, scene.evidence)


def _without_mirrors(
    found: Sequence[Wide], rest: Sequence[Alert], evidence: Evidence
) -> tuple[Wide, ...]:
    """Where one value falls, the shares of the others rise. Alerts about a value whose own rows are as
    usual belong to the cut of the same dimension that is really off."""
    mirrors = {
        a.id: a
        for a in rest
        if is_value(a) and a.result.cut is not None and only_share(evidence, a.result.cut)
    }
    real = [w for w in found if any(a.id not in mirrors for a in (*w.roots, *w.under))]
    made = []
    for wide in real:
        own = {a.id for a in (*wide.roots, *wide.under)}
        more = [
            mirrors.pop(a.id)
            for a in rest
            if a.id in mirrors
            and a.id not in own
            and a.result.cut is not None
            and wide.cause.cut is not None
            and a.result.cut.dimension == wide.cause.cut.dimension
        ]
        made.append(replace(wide, under=(*wide.under, *more)))
    taken = {a.id for w in made for a in (*w.roots, *w.under)}
    left = (w for w in found if w not in real and not taken & {a.id for a in w.roots})
    return (*made, *left)


@dataclass(frozen=True)
class _Search:
    """Alerts of one direction that nothing explains yet."""

    scene: Scene
    left: Sequence[Alert]
    down: bool

    def cut(self, *, proven: bool) -> Wide | None:
        """The cut that explains the most of them; None: none does."""
        roots = self._roots()
        if proven and not roots:
            return None
        cutting = self._proven(roots) if roots else self._found()
        if cutting is None:
            return None
        known = self._known(cutting)
        mine = [a for a in self.left if self._is_in(a, cutting, known)]
        at = self._began(mine, roots, known)
        speaking = [a for a in roots if _is_value_of(a, cutting)]
        under = [
            a for a in mine if a not in speaking and (_keeps(a, known) or began(a) >= at - slack(a))
        ]
        # The same rows are cut by other dimensions as well: with android go its versions.
        under += [a for a in roots if a not in speaking and a not in under]
        if whole_explained(self.scene.evidence, cutting.dimension, cutting.values, self.down):
            under += [
                a for a in self.left if is_whole(a) and a not in under and began(a) >= at - slack(a)
            ]
        if not speaking and not self._is_wide(under, cutting):
            return None
        return Wide(self._cause(cutting, known, under), tuple(speaking), tuple(under), at)

    def _roots(self) -> list[Alert]:
        """Alerts about values over all event types, those that began with the first of them."""
        found = sorted(
            (a for a in self.left if is_value(a)), key=lambda a: (began(a), a.fingerprint, a.id)
        )
        return [a for a in found if began(a) - began(found[0]) <= TOGETHER]

    def _names(self) -> list[str]:
        return sorted({n for a in self.left if (n := a.result.event_type) is not None})

    def _proven(self, roots: Sequence[Alert]) -> Cutting | None:
        """Of the dimensions that these alerts are about, the one whose values explain the most."""
        by_dimension: dict[str, list[Alert]] = {}
        for root in roots:
            assert root.result.cut is not None
            by_dimension.setdefault(root.result.cut.dimension, []).append(root)
        found = []
        for dimension, group in sorted(by_dimension.items()):
            ordered = sorted(group, key=lambda a: (-_size(a), a.fingerprint, a.id))
            values = tuple(dict.fromkeys(a.result.cut.value for a in ordered if a.result.cut))
            across = self.scene.evidence.whole.get(dimension, {})
            types = tuple(sorted(moved_types(across, values, self.down)))
            known = [across[v].rows for v in values if v in across]
            usual = sum(r.expected for r in known)
            # An alert about a value says how its share changed, which is less than its rows did.
            change = sum(r.observed for r in known) / usual - 1.0 if usual else _change(ordered[0])
            given = Cutting(dimension, values, (), change, types)
            best = best_cut(self.scene.evidence, self._names(), down=self.down, given=given)
            if best is None or not best.explains:
                best = given
            found.append(best)
        return min(
            found, key=lambda c: (-len(c.explains), len(c.values), -abs(c.change), c.dimension)
        )

    def _found(self) -> Cutting | None:
        """By the rows, else by what the checks say of one value of several event types, else by the
        rows of the exposure as a whole."""
        best = best_cut(self.scene.evidence, self._names(), down=self.down)
        if best is not None:
            return best
        types: dict[Cut, set[str]] = {}
        for alert in self.left:
            cut, name = alert.result.cut, alert.result.event_type
            if cut is not None and cut.value and name is not None:
                types.setdefault(cut, set()).add(name)
        wide = [(c, n) for c, n in types.items() if len(n) >= 2]
        if wide:
            cut, names = min(wide, key=lambda w: (-len(w[1]), w[0]))
            one = next(a for a in self.left if a.result.cut == cut)
            return Cutting(cut.dimension, (cut.value,), (), _change(one), tuple(sorted(names)))
        if any(is_whole(a) for a in self.left):
            return worst_value(self.scene.evidence, self.down)
        return None

    def _known(self, cutting: Cutting) -> Cause | None:
        """The same cause as an earlier cycle saw it: its values may have changed, its key must not."""
        before = [
            (-len(cause.affected), began(a), cause.key, cause)
            for a in self.left
            if (cause := a.cause) is not None
            and cause.kind is CauseKind.CUT
            and cause.cut is not None
            and cause.cut.dimension == cutting.dimension
            and cause.cut.value in cutting.values
            and cause.key == self._key(cause.cut)
        ]
        found = min(before, key=lambda b: b[:3])[3] if before else None
        return None if found is None else replace(found, ended_at=None)

    def _key(self, anchor: Cut) -> str:
        way = "down" if self.down else "up"
        return key_of("cut", self.scene.exposure.name, anchor.dimension, anchor.value, way)

    def _is_in(self, alert: Alert, cutting: Cutting, known: Cause | None) -> bool:
        if is_value(alert):
            return False
        if _keeps(alert, known) or _is_value_of(alert, cutting):
            return True
        return alert.result.event_type in cutting.explains

    def _began(
        self, mine: Sequence[Alert], roots: Sequence[Alert], known: Cause | None
    ) -> datetime:
        """When it began: with the values' own alerts, with what it explains already, or where most of
        what it would explain began together."""
        sure = [began(a) for a in (*roots, *(a for a in mine if _keeps(a, known)))]
        if sure:
            return min(sure)
        times = sorted(began(a) for a in mine)
        best, first, most = self.scene.now, 0, 0
        for last, at in enumerate(times):
            while at - times[first] > TOGETHER:
                first += 1
            if last - first + 1 > most:
                best, most = times[first], last - first + 1
        return best

    def _is_wide(self, under: Sequence[Alert], cutting: Cutting) -> bool:
        types = {a.result.event_type for a in under if a.result.event_type is not None}
        if any(is_whole(a) for a in under):
            return True
        return len(types) >= 2 or (len(types) == 1 and len(cutting.types) >= AT_LEAST)

    def _cause(self, cutting: Cutting, known: Cause | None, under: Sequence[Alert]) -> Cause:
        names = {n for a in under if (n := a.result.event_type) is not None}
        told = replace(cutting, types=tuple(sorted(names.union(cutting.types))))
        anchor = Cut(cutting.dimension, cutting.values[0])
        if known is not None and known.cut is not None:
            anchor = known.cut
            if len(known.affected) > len(told.types):
                # On its way out: what it did stays said until it is over.
                return known
        others = bool(self.scene.evidence.whole.get(cutting.dimension)) and not (
            set(self.scene.evidence.whole[cutting.dimension]) <= set(cutting.values)
        )
        return Cause(
            CauseKind.CUT,
            self._key(anchor),
            self.scene.exposure.name,
            listed(sorted(cutting.values)),
            cut=anchor,
            detail=of_cut(told, others),
            team=_owner(self.scene.exposure, cutting),
            affected=told.types[:MOST_AFFECTED],
        )


def _owner(exposure: Exposure, cutting: Cutting) -> str:
    """The team that the config names for these values, if it is one."""
    owners = {
        dimension.owners.get(value, "")
        for dimension in exposure.dimensions
        if dimension.name == cutting.dimension
        for value in cutting.values
    }
    return owners.pop() if len(owners) == 1 else ""


def _is_value_of(alert: Alert, cutting: Cutting) -> bool:
    cut = alert.result.cut
    return cut is not None and cut.dimension == cutting.dimension and cut.value in cutting.values


def _keeps(alert: Alert, known: Cause | None) -> bool:
    return known is not None and alert.cause is not None and alert.cause.key == known.key


def _size(alert: Alert) -> float:
    amount = alert.result.amount
    return 0.0 if amount is None or amount.expected is None else amount.expected


def _change(alert: Alert) -> float:
    amount = alert.result.amount
    if amount is None or not amount.expected:
        return -1.0
    return amount.observed / amount.expected - 1.0
