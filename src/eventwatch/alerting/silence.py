"""Who muted what: silences made by people, suppressions written in contracts.

A silence is for hours and about anything; a suppression is part of the promise, about one event
type, and ends with a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from eventwatch.model.alert import Silence
from eventwatch.model.contract import Contract, Suppression
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status

_VALUE = "value_"
"""How the aspects of drift begin that are about values of a dimension: what a contract calls
``platforms``."""


def silenced_by(
    result: Result, team: str, silences: Sequence[Silence], now: datetime
) -> Silence | None:
    """The silence that mutes a result of this team now, the one that lasts longest; or None."""
    hits = [s for s in silences if s.starts_at <= now < s.ends_at and _covers(s, result, team)]
    return max(hits, key=lambda s: (s.ends_at, s.id), default=None)


def _covers(silence: Silence, result: Result, team: str) -> bool:
    """Every pattern that is not empty must match. A pattern on the event type does not mute what is
    about the exposure as a whole, nor one on a dimension what is about all values."""
    cut = result.cut
    return (
        _matches(silence.exposure, result.exposure)
        and _matches(silence.kind, result.kind.value)
        and _matches(silence.team, team)
        and _matches(silence.event_type, result.event_type)
        and _matches(silence.dimension, None if cut is None else cut.dimension)
        and _matches(silence.value, None if cut is None else cut.value)
    )


def _matches(pattern: str, name: str | None) -> bool:
    return not pattern or (name is not None and fnmatchcase(name, pattern))


def suppressed_by(result: Result, contract: Contract | None, now: datetime) -> Suppression | None:
    """The suppression of the contract that switches this check off today (UTC), or None. Our own
    trouble is never suppressed."""
    if contract is None or result.status is Status.ERROR:
        return None
    today = now.astimezone(UTC).date()
    hits = [s for s in contract.suppressions if today <= s.until and _switches_off(s.check, result)]
    return max(hits, key=lambda s: s.until, default=None)


def _switches_off(check: str, result: Result) -> bool:
    if check == "platforms":
        return result.kind is KindName.DRIFT and result.aspect.startswith(_VALUE)
    return check in ("all", result.kind.value)
