"""Why nobody was told: follows one event type from its contract to the delivery, link by link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from eventwatch.alerting.silence import maintenance_silences, silenced_by
from eventwatch.app.adapters import adapter
from eventwatch.app.explain import About, Explained, explain
from eventwatch.app.house import House, RunOptions
from eventwatch.model.alert import Alert, DeliveryState
from eventwatch.model.incident import Incident
from eventwatch.model.result import Result
from eventwatch.model.status import Status
from eventwatch.ports.store import StateReader


@dataclass(frozen=True)
class Link:
    """One step of the way."""

    name: str
    goes_on: bool
    """False: here it stopped."""
    text: str
    """For people, unescaped."""


@dataclass(frozen=True)
class WhyNot:
    """One event type of one exposure."""

    exposure: str
    event_type: str
    at: datetime
    links: tuple[Link, ...]

    @property
    def stopped(self) -> Link | None:
        """The link at which it stopped; None: its owner was told."""
        return next((link for link in self.links if not link.goes_on), None)


@dataclass(frozen=True)
class Answer:
    """What was found."""

    found: tuple[WhyNot, ...]
    known: tuple[str, ...]
    """Every event type that is declared or came."""
    unmeasured: tuple[tuple[str, str], ...]
    """Exposures that could not be measured, and why."""


def why_not(house: House, options: RunOptions, event_type: str) -> Answer:
    """Judges the rows as of ``options.at`` (or now) and looks up what the state remembers of then."""
    now = house.clock.now() if options.at is None else options.at
    answer = explain(house, options, About(event_type))
    reader: StateReader | None = adapter("reader")(house.settings.state)
    try:
        found = tuple(
            WhyNot(one.exposure, event_type, now, tuple(_links(house, one, reader, now)))
            for one in answer.found
        )
    finally:
        if reader is not None:
            reader.close()
    return Answer(found, answer.known, answer.unmeasured)


def _links(
    house: House, one: Explained, reader: StateReader | None, now: datetime
) -> Iterator[Link]:
    contract = one.contract
    if contract is None:
        yield Link(
            "contract", True, "nobody declared it: whatever is wrong goes to the fallback team"
        )
    else:
        owner = contract.owner.team or "nobody"
        yield Link(
            "contract", True, f"{contract.location}, owned by {owner}, tier {contract.tier.value}"
        )
    bad: list[Result] = []
    for result in _results(one):
        failing = result.status is Status.FAIL
        bad += [result] if failing else []
        yield Link(f"{result.kind.value}/{result.aspect}", True, _said(result))
    if one.volume is not None:
        yield Link("counts", True, _counts(one))
    if not bad:
        yield Link("judged", False, _why_good(one))
        return
    if one.muted:
        yield Link("muted", False, one.muted)
        return
    window = _maintenance(house, bad, one.team, now)
    if window:
        yield Link("muted", False, window)
        return
    if reader is None:
        yield Link(
            "state", False, "no cycle was ever recorded: `eventwatch run` or `run-once --send`"
        )
        return
    yield from _remembered(reader, bad, now)


def _results(one: Explained) -> Iterable[Result]:
    volume = () if one.volume is None else (one.volume.result, *one.volume.promises)
    return (*volume, *one.others)


def _said(result: Result) -> str:
    words = [result.status.value, *_about(result)]
    return ": ".join([*words, result.summary] if result.summary else words)


def _about(result: Result) -> list[str]:
    """The value of a dimension that it is about, where its words do not say it."""
    cut = result.cut
    if cut is None or not cut.value or cut.value in result.summary:
        return []
    return [f"{cut.dimension} {cut.value}"]


def _counts(one: Explained) -> str:
    told = one.volume
    assert told is not None
    parts = [told.sentence or "nothing could be judged"]
    if told.threshold is not None and told.score is not None:
        parts.append(f"score {told.score:.1f}, told from {told.threshold.score:.1f}")
    if told.threshold is not None and told.threshold.z is not None and told.z is not None:
        parts.append(f"|z| {abs(told.z):.1f}, told from {told.threshold.z:.1f}")
    return "; ".join(parts)


def _why_good(one: Explained) -> str:
    if one.volume is None:
        return "none of its rows came in the look-back, and no check fails"
    if one.volume.status is Status.LEARNING:
        until = one.volume.result.learning_until
        when = "" if until is None else f" until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"too little history yet{when}: only promises of the contract are judged"
    return f"no check fails: {one.volume.why}"


def _maintenance(house: House, bad: Iterable[Result], team: str, now: datetime) -> str:
    windows = maintenance_silences(house.settings.maintenance, now)
    hits = [silenced_by(result, team, windows, now) for result in bad]
    if not hits or any(hit is None for hit in hits):
        return ""
    hit = next(h for h in hits if h is not None)
    return f"{hit.author} until {hit.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {hit.reason}"


def _remembered(reader: StateReader, bad: Iterable[Result], now: datetime) -> Iterator[Link]:
    """What the state knows of the failing results at that time."""
    alerts = [a for r in bad if (a := _alert_at(reader, r, now)) is not None]
    if not alerts:
        yield Link(
            "remembered", False, "no cycle saw it: was the daemon running then, and this fast?"
        )
        return
    for alert in alerts:
        yield Link(
            "alert",
            True,
            f"{alert.id[:12]} of {alert.result.kind.value}/{alert.result.aspect}, "
            f"{alert.state.value} since {_at(alert.started_at)}",
        )
    fired = [a for a in alerts if a.fired_at is not None and a.fired_at <= now]
    if not fired:
        first = min(alerts, key=lambda a: a.started_at)
        yield Link(
            "lasted", False, f"it had to last longer; it was seen since {_at(first.started_at)}"
        )
        return
    incidents = {i.id: i for a in fired for i in reader.incidents_like(a.id)}
    if not incidents:
        yield Link("incident", False, "its incident follows with the next telling step")
        return
    for incident in sorted(incidents.values(), key=lambda i: (not i.open, i.opened_at, i.id)):
        yield from _told(reader, incident, fired)


def _told(reader: StateReader, incident: Incident, fired: Iterable[Alert]) -> Iterator[Link]:
    inside = {m.alert_id for m in incident.members if m.explained}
    if inside & {a.id for a in fired}:
        yield Link("explained", True, f"a part of {incident.id}: {incident.cause.subject}")
    where = incident.owner.channel or "standard output"
    yield Link("incident", True, f"{incident.id} for {incident.owner.team or where}")
    if incident.muted_because:
        yield Link("muted", False, incident.muted_because)
        return
    rows = reader.deliveries_of(incident.id)
    sent = [r for r in rows if r.state is DeliveryState.SENT]
    for row in rows:
        reason = f": {row.last_error}" if row.last_error else ""
        to = row.channel or "standard output"
        yield Link("message", True, f"{row.action.value} to {to} {row.state.value}{reason}")
    if not sent:
        yield Link("delivered", False, "nothing was accepted by the service yet")
    else:
        first = min(r.sent_at or r.created_at for r in sent)
        yield Link("delivered", True, f"its owner was told at {_at(first)}")


def _alert_at(reader: StateReader, result: Result, now: datetime) -> Alert | None:
    for alert in reader.alerts_like(result.fingerprint):
        if alert.started_at <= now and (alert.ended_at is None or alert.ended_at >= now):
            return alert
    return None


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
