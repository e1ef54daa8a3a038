"""Takes down what a person says of an incident: the command line and buttons in messages call this.

Nothing is judged here. The label goes into the state; the next cycle learns from it, and ends the open
alert where the person said that it is not a problem.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from eventwatch.app.house import House
from eventwatch.model.alert import Alert
from eventwatch.model.label import Label, Opinion
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName
from eventwatch.ports.store import StateReader, Store

LONGEST = timedelta(days=90)
"""What lasts longer is no incident any more."""
LONGEST_REASON = 2000
SHORTEST_NAME = 6
"""Characters of an alert's id or fingerprint from which on they are taken for one."""


class Unclear(ValueError):  # noqa: N818 - what the user is told, not a failure of ours
    """It cannot be told what is meant; the message says what to add."""


@dataclass(frozen=True)
class Subject:
    """What something is said of: counts of one event type (or of the whole exposure) in a span of
    the data's own time."""

    exposure: str
    event_type: str | None
    """None: the exposure as a whole."""
    starts_at: datetime
    ends_at: datetime
    fingerprint: str = ""
    """Of the alert it is said of; empty: of no certain one."""
    dimension: str = ""
    value: str = ""


def give(
    opened: Store, subject: Subject, opinion: Opinion, *, reason: str, author: str, now: datetime
) -> Label:
    """Remembers it. Raises Unclear for a span or a reason that makes no sense, StoreError where it
    could not be written."""
    if not reason.strip():
        raise Unclear("say why: whoever meets the label in a year must be able to judge it")
    if subject.starts_at >= subject.ends_at:
        raise Unclear("the span must end after it begins")
    if subject.starts_at > now:
        raise Unclear("the span has not come yet")
    if subject.ends_at - subject.starts_at > LONGEST:
        raise Unclear(f"the span must be at most {LONGEST.days} days long")
    label = Label(
        id=secrets.token_hex(4),
        exposure=subject.exposure,
        event_type=subject.event_type,
        opinion=opinion,
        starts_at=subject.starts_at,
        ends_at=subject.ends_at,
        reason=reason.strip()[:LONGEST_REASON],
        author=author,
        given_at=now,
        fingerprint=subject.fingerprint,
        dimension=subject.dimension,
        value=subject.value,
    )
    opened.add_label(label)
    return label


def alert_named(reader: StateReader, name: str) -> Alert | None:
    """The newest alert whose id or fingerprint begins so; None: it is no name of one. Raises Unclear
    where several different ones begin so."""
    word = name.strip().lower()
    if len(word) < SHORTEST_NAME or any(c not in "0123456789abcdef" for c in word):
        return None
    found = reader.alerts_like(word)
    if len({alert.fingerprint for alert in found}) > 1:
        raise Unclear("several alerts begin so; write more of the name")
    return found[0] if found else None


def about_alert(alert: Alert, now: datetime) -> Subject:
    """The span an alert is about: from where the trouble began in the data to now, or to where it was
    last seen."""
    result = alert.result
    amount = result.amount
    starts = [result.since, None if amount is None else amount.start_at]
    begin = next((at for at in starts if at is not None), alert.started_at)
    last = now if alert.open and alert.good_since is None else alert.seen_at
    if amount is not None and amount.end_at is not None:
        last = max(last, min(amount.end_at, now))
    cut = result.cut
    return Subject(
        exposure=result.exposure,
        event_type=result.event_type,
        starts_at=max(min(begin, last - timedelta(minutes=1)), last - LONGEST),
        ends_at=last,
        fingerprint=alert.fingerprint,
        dimension="" if cut is None else cut.dimension,
        value="" if cut is None else cut.value,
    )


def open_volume_alert(
    reader: StateReader, exposure: str, event_type: str, now: datetime
) -> Alert | None:
    """The open alert about this event type's counts; None: there is none."""
    alerts = reader.exposure_state(exposure, now).alerts
    mine = [
        alert
        for alert in alerts
        if alert.result.kind is KindName.VOLUME
        and alert.result.event_type == event_type
        and alert.result.cut is None
    ]
    return max(mine, key=lambda alert: alert.started_at, default=None)


def exposures_with(
    house: House, reader: StateReader, event_type: str, now: datetime
) -> tuple[Exposure, ...]:
    """Exposures in which the event type ever came, or is declared to come."""
    contract = house.catalog.of(event_type)

    def holds(exposure: Exposure) -> bool:
        declared = contract is not None and exposure.name in contract.exposures
        ledger = reader.exposure_state(exposure.name, now).ledger
        return declared or any(key.event_type == event_type for key in ledger)

    found = tuple(each for each in house.settings.exposures if holds(each))
    if not found and contract is not None and not contract.exposures:
        return house.settings.exposures
    return found


def known_event_types(house: House, reader: StateReader, now: datetime) -> Collection[str]:
    """Declared ones and those that ever came."""
    names = set(house.catalog.contracts)
    for exposure in house.settings.exposures:
        ledger = reader.exposure_state(exposure.name, now).ledger
        names |= {key.event_type for key in ledger if key.event_type is not None}
    return names


def bucket_around(exposure: Exposure, at: datetime) -> tuple[datetime, datetime]:
    """The bucket of the volume check that holds the instant; a day is the local one."""
    step = max(exposure.bucket, timedelta(hours=1))
    local = at.astimezone(exposure.time_zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight + (local - midnight) // step * step
    return begin.astimezone(at.tzinfo), (begin + step).astimezone(at.tzinfo)
