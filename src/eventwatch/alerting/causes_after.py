"""What a cause leaves behind: its after-effects, and how long what it explained stays with it.

When a cause is over, windows that reach back into it still look bad, the hole is judged hour by hour
as its hours close, and what was held up may come all at once. All that still belongs to the cause.
What goes on by itself does not: as soon as the rows since the end show that, or the grace is over
where rows cannot show it, the alert speaks for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from eventwatch.alerting.causes_falls import began, falls, is_lag, rises, slack
from eventwatch.alerting.causes_own import Source, source_key
from eventwatch.model.alert import Alert
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import Incident
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName

WIDE = frozenset((CauseKind.SOURCE, CauseKind.EXPOSURE, CauseKind.CUT))
"""Causes that have after-effects."""
GRACE = timedelta(hours=2)
GRACE_BUCKETS = 2
SOURCE_GRACE = timedelta(minutes=30)
SOURCE_CYCLES = 3
AFTER = timedelta(hours=3)
"""How long after the end of a cause after-effects may begin."""
UNKNOWN = timedelta(hours=24)
"""How long an alert may wait for rows that show whether it goes on."""
LONGEST = timedelta(days=4)
ENOUGH = 5.0
"""Rows that must be expected since the end to say anything."""
RECOVERED = 0.6
"""Part of the usual rows since the end from which on a drop is over."""
CALM = 1.6
"""The same of a rise."""
LAG_WINDOW = timedelta(hours=25)
"""The longest span of loads that a lag is judged by, and the hour that runs."""


@dataclass(frozen=True)
class Past:
    """A cause that is over, no longer ago than its after-effects may begin."""

    cause: Cause
    began_at: datetime
    """In the data."""
    ended_at: datetime


def past_of(
    incidents: Iterable[Incident], exposure: Exposure, source: Source, now: datetime
) -> tuple[Past, ...]:
    """The causes of incidents that are over, and that may have touched this exposure."""
    found = []
    for incident in incidents:
        cause, ended_at = incident.cause, incident.good_since or incident.resolved_at
        if cause.kind not in WIDE or ended_at is None or now - ended_at > AFTER:
            continue
        if cause.kind is CauseKind.SOURCE:
            touched = cause.key == source_key(source)
        else:
            touched = cause.exposure == exposure.name
        if touched:
            found.append(Past(cause, incident.began_at, min(ended_at, now)))
    return tuple(found)


def grace_of(exposure: Exposure) -> timedelta:
    """How long whatever was explained stays so at least: the first buckets after the end are as bad as
    those before."""
    return max(GRACE, GRACE_BUCKETS * exposure.bucket)


def source_grace(exposure: Exposure) -> timedelta:
    """The same after a source could not be read. Short: when it can be read again and still nothing
    comes, that is the table's own trouble."""
    return max(SOURCE_GRACE, SOURCE_CYCLES * exposure.every)


def lingers(alert: Alert, ended_at: datetime, grace: timedelta, now: datetime) -> bool:
    """Whether an alert is still about what its cause did, ``ended_at`` being the end of the cause."""
    over_for = now - ended_at
    if alert.good_since is not None or over_for < grace:
        return True
    result = alert.result
    if is_lag(alert):
        return over_for < LAG_WINDOW and began(alert) <= ended_at + grace
    if result.kind is not KindName.VOLUME or over_for >= LONGEST:
        return False
    start_at = None if result.amount is None else result.amount.start_at
    if start_at is not None and start_at >= ended_at + grace:
        return False
    came, usual = _since(alert, ended_at)
    if usual < ENOUGH:
        return over_for < UNKNOWN
    return came <= CALM * usual if rises(alert) else came >= RECOVERED * usual


def _since(alert: Alert, at: datetime) -> tuple[float, float]:
    """Rows and usual rows in the whole buckets since an instant, without the one that runs."""
    spark = alert.result.spark
    if spark is None or len(spark.expected) != len(spark.values):
        return 0.0, 0.0
    came = usual = 0.0
    for i, (value, expected) in enumerate(zip(spark.values, spark.expected, strict=True)):
        start = spark.start_at + i * spark.step
        closed = start + spark.step <= alert.seen_at
        if start >= at and closed and isfinite(value) and isfinite(expected):
            came, usual = came + value, usual + expected
    return came, usual


def left_behind(alert: Alert, past: Sequence[Past]) -> Past | None:
    """The cause that a new alert is an after-effect of; None: of none."""
    hits = [p for p in past if _is_after(alert, p)]
    return max(hits, key=lambda p: (p.ended_at, p.cause.key), default=None)


def _is_after(alert: Alert, past: Past) -> bool:
    if not (falls(alert) or rises(alert)) or alert.started_at - past.ended_at > AFTER:
        return False
    first, last = past.began_at - slack(alert), past.ended_at + AFTER
    since = began(alert)
    if past.cause.kind is CauseKind.SOURCE:
        return first <= since <= last
    if past.cause.kind is CauseKind.CUT and not _under(alert, past.cause):
        return False
    if falls(alert) and not is_lag(alert):
        # The hole itself, judged only now.
        return first <= since <= past.ended_at
    # What was held up comes late, and all at once. Nothing of it came before the end.
    return past.ended_at - slack(alert) <= since <= last


def _under(alert: Alert, cause: Cause) -> bool:
    """Of a cut: the value itself, or an event type as a whole, which may hold it."""
    cut = alert.result.cut
    return cut is None or cause.cut is None or cut == cause.cut
