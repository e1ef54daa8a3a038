"""Two sets of checks over the same past: what changing the one for the other would add and remove.

Incidents of both are the same trouble when they have one fingerprint and overlap in time. A change is
put down to the settings that rule the event type and kind: where these are alike on both sides, what
differs follows from another change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from eventwatch.backtest.incident import Incident
from eventwatch.kinds.definition import Check, rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.model.contract import Catalog
from eventwatch.model.durations import write_duration
from eventwatch.model.status import KindName

_NOT_SETTINGS = {"kind", "name", "events", "exposures", "teams", "source"}


class Side(StrEnum):
    """Where an incident is."""

    REMOVED = "removed"
    """Only in the checks of the config."""
    ADDED = "added"
    """Only in the other ones."""
    MOVED = "moved"
    """In both, told or over at other times."""
    SAME = "same"


@dataclass(frozen=True)
class Pair:
    """One trouble as both sets of checks told it."""

    side: Side
    now: Incident | None
    other: Incident | None
    change: str
    """The settings that differ for it, as text; empty: none of its own do."""

    @property
    def either(self) -> Incident:
        """The one there is; of both, the one of the config's checks."""
        found = self.other if self.now is None else self.now
        assert found is not None
        return found

    @property
    def later_by(self) -> timedelta:
        """How much later the other checks tell it; negative: earlier; 0 where only one does."""
        if self.now is None or self.other is None:
            return timedelta(0)
        return self.other.told_at - self.now.told_at


@dataclass(frozen=True)
class Effect:
    """What one change of settings does."""

    change: str
    kind: KindName
    added: int
    removed: int
    earlier: int
    later: int
    """Told later, or over at another time."""


@dataclass(frozen=True)
class Comparison:
    """Both replays side by side."""

    pairs: tuple[Pair, ...]
    effects: tuple[Effect, ...]

    def count(self, side: Side) -> int:
        """Pairs on one side that count in a week."""
        return sum(pair.side is side and pair.either.counts for pair in self.pairs)


@dataclass(frozen=True)
class Sides:
    """The two sets of definitions and what rules them."""

    now: tuple[Check, ...]
    other: tuple[Check, ...]
    catalog: Catalog

    def change(self, incident: Incident) -> str:
        """``z_threshold: unset → 6 (other/volume.yaml:3)``; empty where the same settings rule."""
        kind, event_type = incident.opened.kind, incident.opened.event_type
        ruled = []
        for checks in (self.now, self.other):
            rules = rules_for(KINDS[kind].defaults, checks, incident.exposure, self.catalog)
            ruled.append(
                rules.for_exposure() if event_type is None else rules.for_event_type(event_type)
            )
        before, after = (_settings(check) for check in ruled)
        parts = [
            f"{name}: {_said(before[name])} → {_said(after[name])}"
            for name in before
            if before[name] != after[name]
        ]
        place = next((check.source for check in reversed(ruled) if check.source), "")
        return ", ".join(parts) + (f" ({place})" if parts and place else "")


def compare(
    now: Sequence[Incident], other: Sequence[Incident], sides: Sides, last_at: datetime
) -> Comparison:
    """Pairs in the order of time, and what each change of settings did, largest first."""
    pairs = [
        Pair(_side(a, b), a, b, sides.change(a if b is None else b))  # type: ignore[arg-type]
        for a, b in _paired(now, other, last_at)
    ]
    pairs.sort(key=lambda p: (p.either.told_at, p.either.team, p.either.fingerprint))
    effects: dict[tuple[KindName, str], list[Pair]] = {}
    for pair in pairs:
        if pair.side is not Side.SAME:
            effects.setdefault((pair.either.opened.kind, pair.change), []).append(pair)
    made = [_effect(kind, change, those) for (kind, change), those in effects.items()]
    made.sort(key=lambda e: (-(e.added + e.removed), -(e.earlier + e.later), e.kind, e.change))
    return Comparison(tuple(pairs), tuple(made))


def _effect(kind: KindName, change: str, pairs: Sequence[Pair]) -> Effect:
    moved = [p for p in pairs if p.side is Side.MOVED]
    return Effect(
        change=change,
        kind=kind,
        added=sum(p.side is Side.ADDED for p in pairs),
        removed=sum(p.side is Side.REMOVED for p in pairs),
        earlier=sum(p.later_by < timedelta(0) for p in moved),
        later=sum(p.later_by >= timedelta(0) for p in moved),
    )


def _side(now: Incident | None, other: Incident | None) -> Side:
    if other is None:
        return Side.REMOVED
    if now is None:
        return Side.ADDED
    alike = (now.told_at, now.ended_at) == (other.told_at, other.ended_at)
    return Side.SAME if alike else Side.MOVED


def _paired(
    now: Sequence[Incident], other: Sequence[Incident], last_at: datetime
) -> list[tuple[Incident | None, Incident | None]]:
    """Each incident once; those that overlap several are paired with the first that is free."""
    waiting: dict[str, list[Incident]] = {}
    for incident in other:
        waiting.setdefault(incident.fingerprint, []).append(incident)
    found: list[tuple[Incident | None, Incident | None]] = []
    for incident in now:
        free = waiting.get(incident.fingerprint, [])
        match = next((o for o in free if _overlap(incident, o, last_at)), None)
        if match is not None:
            free.remove(match)
        found.append((incident, match))
    return found + [(None, left) for those in waiting.values() for left in those]


def _overlap(a: Incident, b: Incident, last_at: datetime) -> bool:
    return a.began_at <= (b.ended_at or last_at) and b.began_at <= (a.ended_at or last_at)


def _settings(check: Check) -> Mapping[str, Any]:
    """By the names that users write."""
    named = type(check).model_fields
    return {
        named[name].alias or name: getattr(check, name)
        for name in named
        if name not in _NOT_SETTINGS
    }


def _said(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, bool):
        # As it is written in YAML.
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return write_duration(value)
    return str(getattr(value, "value", value))
