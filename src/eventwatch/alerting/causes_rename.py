"""A rename: a declared event type falls as an undeclared one of a similar name and rate rises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher

from eventwatch.alerting.causes_evidence import Evidence
from eventwatch.alerting.causes_falls import began, falls
from eventwatch.model.alert import Alert
from eventwatch.model.status import KindName

SIMILAR = 0.6
"""Of the names, by matching blocks (Ratcliff and Obershelp, 1988)."""
APART = timedelta(days=2)
"""Between the end of the one and the beginning of the other."""
RATES = (1 / 3, 3.0)
MIX = 0.35
"""Most that the shares of the values may differ in all (total variation)."""
MOST = 200
"""Undeclared types that are compared; more at once are no renames."""


@dataclass(frozen=True)
class Rename:
    """From the declared name to the undeclared one."""

    old: str
    new: str


def renames(alerts: Sequence[Alert], evidence: Evidence) -> tuple[Rename, ...]:
    """Pairs, each name in one at most, the most similar names first."""
    new = [a for a in alerts if _is_new(a) and a.result.event_type is not None][:MOST]
    old = {
        a.result.event_type: a
        for a in alerts
        if falls(a) and a.result.cut is None and a.result.event_type is not None
    }
    if not new or not old:
        return ()
    pairs: list[tuple[float, str, str]] = []
    for risen in new:
        name = risen.result.event_type or ""
        matcher = SequenceMatcher(None, "", name[:200], autojunk=False)
        for other, fallen in old.items():
            matcher.set_seq1(other[:200])
            if matcher.real_quick_ratio() < SIMILAR or matcher.quick_ratio() < SIMILAR:
                continue
            likeness = matcher.ratio()
            if likeness >= SIMILAR and _fits(fallen, risen, evidence):
                pairs.append((-likeness, other, name))
    taken: set[str] = set()
    found = []
    for _, old_name, new_name in sorted(pairs):
        if old_name not in taken and new_name not in taken:
            taken |= {old_name, new_name}
            found.append(Rename(old_name, new_name))
    return tuple(found)


def _is_new(alert: Alert) -> bool:
    result = alert.result
    return (result.kind, result.aspect) == (KindName.DRIFT, "unseen") and result.cut is None


def _fits(fallen: Alert, risen: Alert, evidence: Evidence) -> bool:
    """The same time, rate and mix of values, as far as they are known."""
    if abs(began(fallen) - began(risen)) > APART:
        return False
    old, new = fallen.result.event_type or "", risen.result.event_type or ""
    for name, dimension in evidence.moved:
        if name != new or (old, dimension) not in evidence.moved:
            continue
        before = {v: r.expected for v, r in evidence.moved[old, dimension].items()}
        after = {v: r.observed for v, r in evidence.moved[new, dimension].items()}
        usual, came = sum(before.values()), sum(after.values())
        if usual <= 0 or came <= 0:
            continue
        if not RATES[0] <= came / usual <= RATES[1]:
            return False
        apart = sum(
            abs(before.get(v, 0.0) / usual - after.get(v, 0.0) / came) for v in before | after
        )
        if apart / 2 > MIX:
            return False
    return True
