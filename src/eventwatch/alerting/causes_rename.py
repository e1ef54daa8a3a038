"""A rename: a declared event type falls as an undeclared one of a similar name rises.

Four things must agree: the names, the time, how many rows an hour went and came, and by which values
of the watched dimensions. Where one of the last two is not known, the others decide.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from eventwatch.alerting.causes_evidence import Evidence
from eventwatch.alerting.causes_falls import began, falls, is_unseen, slack
from eventwatch.model.alert import Alert
from eventwatch.model.names import kindred

APART = timedelta(hours=6)
"""Between the end of the one and the beginning of the other, and as much more as the end is vague."""
RATES = (0.4, 2.5)
"""What came of the new name, of what is missing of the old one."""
MIX = 0.35
"""Most that the shares of the values may differ in all (total variation)."""
MOST_MIX = 0.7
MOST = 200
"""Undeclared event types that are compared, and old ones for each; more at once are no renames."""


@dataclass(frozen=True)
class Rename:
    """From the declared name to the undeclared one."""

    old: str
    new: str


def renames(alerts: Sequence[Alert], evidence: Evidence) -> tuple[Rename, ...]:
    """Pairs, each name in one at most, those that fit best first."""
    new = sorted(
        (a for a in alerts if is_unseen(a)),
        key=lambda a: (began(a), a.fingerprint, a.id),
        reverse=True,
    )
    old: dict[str, Alert] = {}
    for alert in sorted(alerts, key=lambda a: (began(a), a.fingerprint, a.id)):
        name, cut = alert.result.event_type, alert.result.cut
        if name is not None and cut is None and falls(alert):
            old.setdefault(name, alert)
    fallen = sorted(old.values(), key=lambda a: (began(a), a.fingerprint, a.id))
    times = [began(a) for a in fallen]
    pairs: list[tuple[float, str, str]] = []
    for risen in new[:MOST]:
        name, at = risen.result.event_type or "", began(risen)
        # The slack of an old one is known only once it is found; it is 12 hours at most.
        first = bisect_left(times, at - APART - timedelta(hours=12))
        last = bisect_right(times, at + APART + timedelta(hours=12))
        for each in fallen[first:last][:MOST]:
            other = each.result.event_type or ""
            if other == name or abs(began(each) - at) > APART + slack(each):
                continue
            apart = _apart(other, name, evidence)
            if apart is not None and kindred(name, (other,), evidence.declared):
                pairs.append((apart, other, name))
    taken: set[str] = set()
    found = []
    for _, other, name in sorted(pairs):
        if other not in taken and name not in taken:
            taken |= {other, name}
            found.append(Rename(other, name))
    return tuple(found)


def _apart(old: str, new: str, evidence: Evidence) -> float | None:
    """How far the rows that came are from those that are missing, 0 to 1; None: they are others."""
    worst = 0.0
    for dimension in evidence.dimensions:
        known = [(name, dimension) in evidence.moved for name in (old, new)]
        if not all(known):
            if any(known):
                return None  # The other one has no row in that time.
            continue
        gone = {
            v: max(r.expected - r.observed, 0.0) for v, r in evidence.moved[old, dimension].items()
        }
        came = {
            v: max(r.observed - r.expected, 0.0) for v, r in evidence.moved[new, dimension].items()
        }
        missing, risen = sum(gone.values()), sum(came.values())
        if missing <= 0 or risen <= 0:
            return None
        per_hour = evidence.hours.get(old, 1.0) / max(evidence.hours.get(new, 1.0), 1e-9)
        # Of the rows since both, or of an hour of each, where one began hours before the other.
        rates = risen / missing, risen / missing * per_hour
        if not any(RATES[0] <= rate <= RATES[1] for rate in rates):
            return None
        differs = sum(
            abs(gone.get(v, 0.0) / missing - came.get(v, 0.0) / risen) for v in gone | came
        )
        # Of a dozen rows nobody can say much.
        if differs / 2 > min(MIX + min(missing, risen) ** -0.5, MOST_MIX):
            return None
        worst = max(worst, differs / 2)
    return worst
