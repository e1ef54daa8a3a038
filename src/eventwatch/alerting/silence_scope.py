"""What a silence of an incident mutes, and that in words: the button, its question and its answer use
the same.

As narrow as patterns allow: the event types, values and checks that speak in the incident. One about
a table that is late or stopped takes in freshness and volume, since what stands still fails both; its
drift and duplicates are still told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from glob import escape

from eventwatch.alerting.escape import truncate
from eventwatch.model.alert import Alert, Silence
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut
from eventwatch.model.status import KindName, Status

_NEVER = datetime.min.replace(tzinfo=UTC)
_STOPS = (KindName.FRESHNESS, KindName.VOLUME)
_ESCAPED = re.compile(r"\[([\[*?])\]")
_NAMED = 3
_NAME = 40


def scopes(alerts: Sequence[Alert], cause: Cause) -> tuple[Silence, ...]:
    """Silences without id, author, reason and times that together mute these alerts of the cause.
    Names are written so that they are no patterns."""
    found: dict[Silence, None] = {}
    for alert in alerts:
        found.update(dict.fromkeys(_of(alert, cause)))
    return tuple(one for one in found if not any(_covers(other, one) for other in found))


def of_value(cause: Cause) -> tuple[Silence, ...]:
    """What mutes the value that an incident is about, whatever speaks in it; empty where it is about
    none."""
    if cause.kind is not CauseKind.CUT or cause.cut is None:
        return ()
    return (_scope(cause.exposure, None, None, cause.cut),)


def names(found: Silence) -> tuple[str, str, str, str]:
    """Exposure, event type, dimension and value as they are called, of a silence that ``scopes``
    made."""
    return (
        _name(found.exposure),
        _name(found.event_type),
        _name(found.dimension),
        _name(found.value),
    )


def _covers(wider: Silence, one: Silence) -> bool:
    """Whether all that one mutes is muted by another, wider one."""
    pairs = zip(_patterns(wider), _patterns(one), strict=True)
    return wider != one and all(theirs in ("", ours) for theirs, ours in pairs)


def _patterns(one: Silence) -> tuple[str, ...]:
    return one.exposure, one.kind, one.event_type, one.dimension, one.value


def _of(alert: Alert, cause: Cause) -> tuple[Silence, ...]:
    result = alert.result
    cut, name = result.cut, result.event_type
    if result.status is Status.ERROR:
        # Trouble of ours hides its own kind only: the data may be wrong when it is over.
        return (_scope(result.exposure, result.kind, name, cut),)
    if cause.kind is CauseKind.EXPOSURE:
        kinds = dict.fromkeys((*_STOPS, result.kind))
        return tuple(_scope(result.exposure, kind, None, None) for kind in kinds)
    if cause.kind is CauseKind.CUT and cut is not None and cut == cause.cut:
        return (_scope(result.exposure, None, None, cut),)
    # A pattern cannot name an event type without a name: what would be muted is all of its check.
    kind = result.kind if not name and cut is None else None
    return (_scope(result.exposure, kind, name, cut),)


def _scope(
    exposure: str, kind: KindName | None, event_type: str | None, cut: Cut | None
) -> Silence:
    return Silence(
        id="",
        event_type="" if event_type is None else escape(event_type),
        exposure=escape(exposure),
        kind="" if kind is None else kind.value,
        team="",
        reason="",
        author="",
        starts_at=_NEVER,
        ends_at=_NEVER,
        dimension="" if cut is None else escape(cut.dimension),
        value="" if cut is None else escape(cut.value),
    )


def is_wide(found: Sequence[Silence]) -> bool:
    """Whether they mute more than one event type, which is asked before it is done."""
    return len(found) > 1 or any(not scope.event_type for scope in found)


def hides(found: Sequence[Silence]) -> str:
    """What these mute, unescaped, short enough for a question: ``everything about order_paid in
    events``."""
    kinds: dict[str, list[str]] = {}
    parts: list[str] = []
    for scope in found:
        if scope.event_type or scope.dimension:
            parts.append(_named(scope))
        else:
            kinds.setdefault(_plain(scope.exposure), []).append(scope.kind or "everything")
    tables: dict[str, list[str]] = {}
    for name, some in kinds.items():
        tables.setdefault(_listed(some), []).append(name)
    parts[:0] = [
        f"{what} of {_listed(names)}, the table itself and all its event types"
        if len(names) == 1
        else f"{what} of {_listed(names)}, the tables themselves and all their event types"
        for what, names in tables.items()
    ]
    more = len(parts) - _NAMED
    return "; ".join(parts[:_NAMED]) + (f"; and {more:,} more of this incident" if more > 0 else "")


def _listed(words: Sequence[str]) -> str:
    """``a, b and c``; many are counted."""
    shown = list(words[:_NAMED])
    if len(words) > _NAMED:
        shown.append(f"{len(words) - _NAMED:,} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _named(scope: Silence) -> str:
    what = scope.kind or "everything"
    about = _plain(scope.event_type) if scope.event_type else "every event type"
    if scope.dimension:
        value = _plain(scope.value) if scope.value else "of any value"
        about += f" with {_plain(scope.dimension)} {value}"
    return f"{what} about {about} in {_plain(scope.exposure)}"


def _plain(pattern: str) -> str:
    return truncate(_name(pattern), _NAME)


def _name(pattern: str) -> str:
    """The name that was made a pattern."""
    return _ESCAPED.sub(r"\1", pattern)
