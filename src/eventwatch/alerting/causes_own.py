"""Keys of causes, and the causes that need no comparing: our own trouble, an event type, nothing else.

A key is made of what the cause is about, so that the same cause has the same key in every cycle, in
every process and, where several exposures share it, in each of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from eventwatch.alerting.trouble import JUDGING, UNREADABLE
from eventwatch.model.alert import Alert
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.status import KindName


@dataclass(frozen=True)
class Source:
    """Where an exposure is read: what several exposures may share."""

    key: str
    """Hex; of the connection, never the connection itself."""
    label: str
    """For people, without user, password or options: ``postgres db1/analytics``."""


def key_of(*parts: str) -> str:
    """Hex that names what the parts name."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def own_cause(alert: Alert, detail: str = "") -> Cause:
    """Its event type, which all alerts of the type share; else itself."""
    result = alert.result
    if result.event_type is None:
        return Cause(
            CauseKind.ALONE,
            key_of("alone", alert.fingerprint),
            result.exposure,
            result.exposure,
            cut=result.cut,
            detail=detail,
        )
    return event_type_cause(result.exposure, result.event_type, detail)


def event_type_cause(exposure: str, event_type: str, detail: str = "") -> Cause:
    """One event type of one exposure."""
    return Cause(
        CauseKind.EVENT_TYPE,
        key_of("event_type", exposure, event_type),
        exposure,
        event_type,
        event_type=event_type,
        detail=detail,
    )


def source_key(source: Source) -> str:
    """Of the cause that a source is."""
    return key_of("source", source.key)


def is_unreadable(alert: Alert) -> bool:
    """The exposure itself could not be read; not: its contracts."""
    return alert.result.aspect == UNREADABLE and alert.result.kind is KindName.FRESHNESS


def trouble_cause(alert: Alert, source: Source) -> Cause:
    """Of an ERROR that has an alert of its own: the operators' trouble."""
    result = alert.result
    name, kind = result.exposure, result.kind.value
    if is_unreadable(alert):
        return Cause(
            CauseKind.SOURCE,
            source_key(source),
            "",
            source.label,
            detail=f"{source.label} cannot be read; what was known is held as it is until it can",
        )
    if result.aspect == UNREADABLE:
        return Cause(
            CauseKind.SOURCE,
            key_of("contracts"),
            "",
            "the contracts",
            detail="the contracts cannot be read; the last good ones are used until they can",
        )
    if result.aspect == JUDGING:
        # A defect is in the code: it shows in every exposure at once.
        return Cause(
            CauseKind.SOURCE,
            key_of("judging", kind),
            "",
            f"the {kind} check",
            detail=f"the {kind} check itself failed; its alerts are held as they are",
        )
    return Cause(
        CauseKind.SOURCE,
        key_of("not_judged", name, kind),
        name,
        f"the {kind} check of {name}",
        detail=f"some things could not be judged by the {kind} check; their alerts are held",
    )
